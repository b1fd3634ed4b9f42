"""Holds: a designated person places, confirms and lifts them; `keep_up` makes true what they mean.

From the commit of a hold on nothing that fits begins to be erased (`is_held_back` of the catalog). Catching only
moves keys out of epochs that end earlier, and releasing moves them back: both may come late, and neither
lengthens a life, for the dates change with the act.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from consigne.acts.catalog import Transaction
from consigne.acts.find import caller_indexes
from consigne.acts.journey import Platform
from consigne.rules.access import Denied, Target, Verb, may
from consigne.rules.checks import NAME
from consigne.rules.clock import iso
from consigne.rules.errors import BadInput
from consigne.rules.hold import NAME_CHARS, Hold, HoldState, review_instant, scope_of
from consigne.rules.policy.model import Policy
from consigne.rules.redaction.typed import carries_payment, check_typed
from consigne.rules.values import Actor, Private


@dataclass(frozen=True, slots=True)
class Mandate:
    """What the DPO wants held, as typed: for whom, why, what, and when it is to be looked at again."""

    mandate: str
    authority: str
    reason: str
    review: date
    recording: UUID | None = None
    caller: Private[str] | None = None
    agent: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    restrict: bool = False


def place_hold(platform: Platform, policy: Policy, actor: Actor, wanted: Mandate) -> Hold | Denied:
    """Place a hold; from the commit on it keeps what fits. Placed or denied, the register says so.

    Denied: access.py's codes for `hold`. BadInput names `mandate`, `authority`, `reason`, `scope`, `recording`
    ('unknown_recording' too, and 'recording_erased' where nothing of it is kept any more), `caller`, `agent`, `since`, `until` or `review` ('review_passed', 'review_too_far').
    """
    with platform.catalog.begin() as tx:
        now = platform.catalog.now(tx)
        if denied := _denied(platform, tx, policy, actor, "place", None, now):
            return denied
        hold = _hold(platform, tx, policy, actor, wanted, now)
        platform.catalog.add_hold(tx, hold)
        # From here on nothing begins to be erased: what did before is too late for this hold, which says so.
        if hold.recording and not platform.catalog.is_kept(tx, hold.recording):
            raise BadInput("recording_erased", "recording")
        told = _told(hold) | {"too_late": platform.catalog.being_erased(tx, hold)}
        platform.catalog.append(tx, actor.user, "hold:hold:placed", [told])
    return hold


def _hold(
    platform: Platform, tx: Transaction, policy: Policy, actor: Actor, wanted: Mandate, now: datetime
) -> Hold:
    check_typed(wanted.mandate, "mandate", NAME_CHARS)
    check_typed(wanted.authority, "authority", NAME_CHARS)
    check_typed(wanted.reason, "reason")
    if wanted.agent and (carries_payment(wanted.agent) or not re.fullmatch(NAME, wanted.agent)):
        raise BadInput("bad_field", "agent")
    number = wanted.caller.reveal() if wanted.caller else None
    scope = scope_of(wanted.recording, number, wanted.agent, wanted.since, wanted.until)
    if wanted.recording and not platform.catalog.is_recording(tx, wanted.recording):
        raise BadInput("unknown_recording", "recording")
    return Hold(
        id=platform.new_id(),
        mandate=wanted.mandate.strip(),
        authority=wanted.authority.strip(),
        reason=wanted.reason.strip(),
        scope=scope,
        recording=wanted.recording,
        callers=tuple(caller_indexes(platform, number)) if number else (),
        agent=wanted.agent or None,
        since=wanted.since,
        until=wanted.until,
        restrict=wanted.restrict,
        placed_by=actor.user,
        placed_at=now,
        review_at=review_instant(wanted.review, now, policy.zone),
        policy=policy.digest,
    )


def confirm_hold(
    platform: Platform, policy: Policy, actor: Actor, id: UUID, review: date, reason: str
) -> Hold | Denied:
    """Looked at, and still needed: another review date. Whoever placed it may confirm it.

    Denied: access.py's codes for `hold`, `unknown_hold`, `hold_over`. BadInput names `reason` or `review`.
    """
    with platform.catalog.begin() as tx:
        now = platform.catalog.now(tx)
        hold = _open(platform, tx, policy, actor, "confirm", id, now)
        if isinstance(hold, Denied):
            return hold
        check_typed(reason, "reason")
        confirmed = replace(hold, review_at=review_instant(review, now, policy.zone))
        platform.catalog.confirm_hold(tx, id, confirmed.review_at)
        entry = {"subject": str(id), "review_at": iso(confirmed.review_at), "reason": reason.strip()}
        platform.catalog.append(tx, actor.user, "hold:hold:confirmed", [entry | {"policy": policy.digest}])
    return confirmed


def lift_hold(platform: Platform, policy: Policy, actor: Actor, id: UUID, reason: str) -> Hold | Denied:
    """End it: with the commit each artifact is back on the clock that it would have had.

    Denied and BadInput as `confirm_hold`.
    """
    with platform.catalog.begin() as tx:
        now = platform.catalog.now(tx)
        hold = _open(platform, tx, policy, actor, "lift", id, now)
        if isinstance(hold, Denied):
            return hold
        check_typed(reason, "reason")
        platform.catalog.lift_hold(tx, id, actor.user, now)
        entry = {"subject": str(id), "reason": reason.strip(), "policy": policy.digest}
        platform.catalog.append(tx, actor.user, "hold:hold:lifted", [entry])
    return replace(hold, state=HoldState.LIFTED, ended_at=now, ended_by=actor.user)


def note_denied(
    platform: Platform, policy: Policy, actor: Actor, wanted: str, id: UUID | None
) -> Denied | None:
    """Whether the actor may not place, confirm or lift; an attempt goes to the register."""
    with platform.catalog.begin() as tx:
        return _denied(platform, tx, policy, actor, wanted, id, platform.catalog.now(tx))


def _denied(
    platform: Platform,
    tx: Transaction,
    policy: Policy,
    actor: Actor,
    wanted: str,
    id: UUID | None,
    now: datetime,
) -> Denied | None:
    verdict = may(policy, actor, Verb.HOLD, Target(), None, now)
    return (
        _note(platform, tx, policy, actor, wanted, id, verdict.code) if isinstance(verdict, Denied) else None
    )


def _open(
    platform: Platform, tx: Transaction, policy: Policy, actor: Actor, wanted: str, id: UUID, now: datetime
) -> Hold | Denied:
    if denied := _denied(platform, tx, policy, actor, wanted, id, now):
        return denied
    hold = platform.catalog.hold(tx, id, lock=True)
    if hold is None:
        return _note(platform, tx, policy, actor, wanted, id, "unknown_hold")
    # The clock again: the lock may have been waited for.
    if not hold.keeps(platform.catalog.now(tx)):
        return _note(platform, tx, policy, actor, wanted, id, "hold_over")
    return hold


def _note(
    platform: Platform, tx: Transaction, policy: Policy, actor: Actor, wanted: str, id: UUID | None, code: str
) -> Denied:
    entry = {"wanted": wanted, "code": code, "policy": policy.digest} | ({"subject": str(id)} if id else {})
    platform.catalog.append(tx, actor.user, "hold:hold:denied", [entry])
    return Denied(code)


def _told(hold: Hold) -> dict[str, object]:
    # A caller is not told, not even as an index: the register outlives the recordings.
    return {
        "subject": str(hold.id),
        "mandate": hold.mandate,
        "authority": hold.authority,
        "reason": hold.reason,
        "scope": str(hold.scope),
        "recording": str(hold.recording) if hold.recording else None,
        "agent": hold.agent,
        "since": iso(hold.since) if hold.since else None,
        "until": iso(hold.until) if hold.until else None,
        "restrict": hold.restrict,
        "review_at": iso(hold.review_at),
        "policy": hold.policy,
    }
