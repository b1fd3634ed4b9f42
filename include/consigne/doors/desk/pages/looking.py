"""One look at the catalog: a read-only transaction with its clock and the policy in force."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from fastapi import HTTPException, Request

from consigne.acts.catalog import Transaction
from consigne.acts.journey import Platform
from consigne.acts.truth import check_replayed
from consigne.rules.access import Allowed, Denied, Target, Verb, may, seen_purposes
from consigne.rules.errors import Unavailable
from consigne.rules.policy.model import Policy
from consigne.rules.values import Actor


@dataclass(frozen=True, slots=True)
class Look:
    """What a page reads with: `now` is the catalog's (UTC)."""

    tx: Transaction
    now: datetime
    policy: Policy


def platform(request: Request, role: str) -> Platform:
    """The parts for a database role; Unavailable where one is away."""
    found: Platform = request.app.state.platform(role)
    return found


@contextmanager
def looking(request: Request) -> Iterator[Look]:
    """As the `read` role. Unavailable('no_policy_in_force') before the first policy holds; Misconfigured('restored_unreplayed')
    while a backup that came back is not brought to the truth."""
    catalog = platform(request, "read").catalog
    with catalog.begin() as tx:
        check_replayed(platform(request, "read"), tx)
        now = catalog.now(tx)
        policy = catalog.policy_at(tx, now)
        if policy is None:
            raise Unavailable("no_policy_in_force")
        _note_entries(request, policy)
        yield Look(tx, now, policy)


def allows(look: Look, actor: Actor, verb: Verb) -> bool:
    """Whether the person may do what concerns no single artifact or request."""
    return isinstance(may(look.policy, actor, verb, Target(), None, look.now), Allowed)


def check(look: Look, actor: Actor, verb: Verb) -> None:
    """403 with access.py's code, which only the API tells, unless `allows`."""
    verdict = may(look.policy, actor, verb, Target(), None, look.now)
    if isinstance(verdict, Denied):
        raise HTTPException(403, verdict.code)


def _note_entries(request: Request, policy: Policy) -> None:
    """The verbs that the policy opens to the reader beside the role, for the navigation."""
    reader = getattr(request.state, "reader", None)
    if reader is not None:
        verbs = (Verb.SEE_RECORDINGS, Verb.SEE_CALENDAR)
        request.state.entries = {
            verb for verb in verbs if seen_purposes(policy, reader.actor, verb) != frozenset()
        }
