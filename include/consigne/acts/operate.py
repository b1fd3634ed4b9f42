"""What an operator does from the desk: quarantined deliveries tried again, a run asked for."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from consigne.acts.deliveries import retry_delivery
from consigne.acts.journey import Platform
from consigne.rules.access import Denied, Target, Verb, may
from consigne.rules.policy.model import Policy
from consigne.rules.values import Actor


def retry_deliveries(platform: Platform, policy: Policy, actor: Actor, ids: Sequence[UUID]) -> int | Denied:
    """How many of them were quarantined and are taken up again. Denied (registered) as access.py says."""
    asked = [{"subject": str(id)} for id in ids] or [{}]  # nothing lies there: that it was asked is told
    denied = _denied(platform, policy, actor, "ingest:delivery:retry_denied", asked)
    return denied or sum(retry_delivery(platform, id, actor.user) for id in ids)


def ask_run(platform: Platform, policy: Policy, actor: Actor, dag: str) -> Denied | None:
    """Register that a run of this Dag was asked for. Denied (registered) as access.py says."""
    denied = _denied(platform, policy, actor, "operate:run:denied", [{"dag": dag}])
    if denied is None:
        with platform.catalog.begin() as tx:
            platform.catalog.append(
                tx, actor.user, "operate:run:asked", [{"dag": dag, "policy": policy.digest}]
            )
    return denied


def _denied(
    platform: Platform, policy: Policy, actor: Actor, kind: str, entries: Sequence[dict[str, str]]
) -> Denied | None:
    with platform.catalog.begin() as tx:
        verdict = may(policy, actor, Verb.RUN, Target(), None, platform.catalog.now(tx))
        if isinstance(verdict, Denied):
            told = [{**entry, "code": verdict.code, "policy": policy.digest} for entry in entries]
            platform.catalog.append(tx, actor.user, kind, told)
            return verdict
    return None
