"""Agents acknowledge the notice to employees: at the desk, by the command line, or by a file that ops hand in.

The file beside the policy counts too; of all, the earliest instant stands.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from consigne.acts.catalog import Transaction
from consigne.acts.journey import Platform
from consigne.rules.access import Denied, Target, Verb, may
from consigne.rules.acknowledgements import read_acknowledgements
from consigne.rules.checks import NAME
from consigne.rules.clock import iso
from consigne.rules.errors import BadInput
from consigne.rules.policy.model import Policy
from consigne.rules.redaction.typed import carries_payment, check_typed
from consigne.rules.values import Actor

SEEN_WITHIN = timedelta(days=90)
"""How long an agent whose calls were refused is shown as one to inform."""
MOST_CHARS = 1_000_000
_NOTICE_CHARS = 64


def informed_at(platform: Platform, tx: Transaction, policy: Policy | None, agent: str) -> datetime | None:
    """When an agent first acknowledged what this policy asks for, by file or by what is recorded."""
    if policy is None or policy.agents is None:
        return None
    known = platform.catalog.acknowledged_at(tx, agent, policy.agents.notice)
    found = [at for at in (platform.acknowledged(policy, agent), known) if at is not None]
    return min(found, default=None)


def acknowledge(
    platform: Platform, policy: Policy, actor: Actor, notice: str, channel: str
) -> datetime | Denied:
    """The actor has read that version of the notice to employees; returns when (the first time counts). `channel`
    is `desk` or `cli`. Denied('role_missing'); BadInput('bad_field', 'notice') for one that no policy asks for."""
    with platform.catalog.begin() as tx:
        now = platform.catalog.now(tx)
        if denied := _why_not(platform, tx, policy, actor, Verb.ACKNOWLEDGE, now):
            return denied
        newest = platform.catalog.newest_policy(tx)
        if notice not in {one.agents.notice for one in (policy, newest) if one and one.agents}:
            raise BadInput("bad_field", "notice")
        if platform.catalog.acknowledge(tx, {(actor.user, notice): now}, actor.user, channel):
            entry = {"agent": actor.user, "notice": notice, "channel": channel, "policy": policy.digest}
            platform.catalog.append(tx, actor.user, "inform:acknowledgement:recorded", [entry])
        known = platform.catalog.acknowledged_at(tx, actor.user, notice)
    return known or now


def import_acknowledgements(
    platform: Platform, policy: Policy, actor: Actor, text: str, channel: str
) -> int | Denied:
    """Take in a file of the form of `agents.csv`; returns how many are new or earlier. All of it or nothing.

    Denied('role_missing'). BadInput `bad_acknowledgements` with its line, or 'bad_field' for `agent`, `notice`,
    `acknowledged_at` (in the future) or `file` (too large).
    """
    with platform.catalog.begin() as tx:
        now = platform.catalog.now(tx)
        if denied := _why_not(platform, tx, policy, actor, Verb.IMPORT_ACKNOWLEDGEMENTS, now):
            return denied
    if len(text) > MOST_CHARS:
        raise BadInput("bad_field", "file")
    found = read_acknowledgements(text, policy.zone)
    for (agent, notice), at in found.items():
        _check(agent, notice, at, now)
    with platform.catalog.begin() as tx:
        changed = platform.catalog.acknowledge(tx, found, actor.user, channel)
        entries = [
            {"agent": agent, "notice": notice, "acknowledged_at": iso(at), "policy": policy.digest}
            for (agent, notice), at in found.items()
        ]
        platform.catalog.append(tx, actor.user, "inform:acknowledgement:imported", entries)
    return changed


def _check(agent: str, notice: str, at: datetime, now: datetime) -> None:
    check_typed(notice, "notice", _NOTICE_CHARS)
    # As deliveries name agents: by an e-mail address or an extension too.
    if carries_payment(agent) or not re.fullmatch(NAME, agent):
        raise BadInput("bad_field", "agent")
    if at > now:
        raise BadInput("bad_field", "acknowledged_at")


def forget_uninformed(platform: Platform) -> int:
    """Forget agents whose last refused call is long past; returns how many."""
    with platform.catalog.begin() as tx:
        return platform.catalog.forget_uninformed(tx, platform.catalog.now(tx) - SEEN_WITHIN)


def _why_not(
    platform: Platform, tx: Transaction, policy: Policy, actor: Actor, verb: Verb, now: datetime
) -> Denied | None:
    verdict = may(policy, actor, verb, Target(), None, now)
    if not isinstance(verdict, Denied):
        return None
    entry = {"code": verdict.code, "verb": str(verb), "policy": policy.digest}
    platform.catalog.append(tx, actor.user, "inform:acknowledgement:denied", [entry])
    return verdict
