"""The DPO's word on a volume, and what the run of `confirm_expiry_volume` does around it. Silence deletes: time wins
after 24 hours (P5)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from consigne.acts.catalog import Transaction
from consigne.acts.foretell import digest_of
from consigne.acts.journey import Platform
from consigne.acts.locate import in_force, policy_now
from consigne.rules.access import Denied, Target, Verb, designated, may
from consigne.rules.clock import iso
from consigne.rules.errors import BadInput
from consigne.rules.policy.model import Policy
from consigne.rules.redaction.typed import check_typed
from consigne.rules.retention import epoch_length_of, next_closing
from consigne.rules.run import seconds_left, why_made_up
from consigne.rules.values import Actor
from consigne.rules.volume import (
    Volume,
    VolumeAnswer,
    VolumeState,
    Word,
    grounds_of,
    hold_until,
    run_of_volume,
)


def answer_volume(
    platform: Platform, actor: Actor, volume_id: UUID, digest: str, said: Word
) -> Volume | Denied:
    """The DPO's word, bound to the digest of the artifacts that they saw; `actor` with roles read just now. A hold keeps
    them inaudible, each at most to its cap. The same answer sent again by the same person changes nothing.

    Denied: access.py's codes for `confirm_volume`, `unknown_volume`, `digest_differs`, `already_decided`, `lapsed`,
    `past_cap` (every artifact has reached its cap). BadInput('bad_field', 'ground' or 'reason'), and `hold_until`'s.
    """
    check_typed(said.reason, "reason")
    with platform.catalog.begin() as tx:
        # First, so that nothing of it begins to be erased between the look at the clock and the commit.
        platform.catalog.hold_off_erasing(tx)
        volume, now = platform.catalog.volume(tx, volume_id, lock=True), platform.catalog.now(tx)
        policy = in_force(platform, tx, now)
        if code := _why_not_confirm(policy, actor, volume, now):
            return _deny(platform, tx, actor, volume_id, code)
        assert volume is not None
        if (volume.decided_by, volume.answer, volume.digest) == (actor.user, said.answer, digest):
            return volume
        until = _until(policy, volume, said, now)
        code = _why_not_this(platform, tx, volume, digest, now)
        if until and code is None and not platform.catalog.may_live_on(tx, volume_id, now):
            code = "past_cap"
        if code or not _decide(platform, tx, actor, volume, said, until, policy):
            return _deny(platform, tx, actor, volume_id, code or "lapsed")
        decided = platform.catalog.volume(tx, volume_id)
        assert decided is not None
    return decided


def _until(policy: Policy, volume: Volume, said: Word, now: datetime) -> datetime | None:
    if said.answer is VolumeAnswer.DELETE:
        return None
    if said.ground not in grounds_of(policy, volume.counts):
        raise BadInput("bad_field", "ground")
    return hold_until(said.day, now, policy.zone)


def _decide(
    platform: Platform, tx: Transaction, actor: Actor, volume: Volume, said: Word, until: datetime | None,
    policy: Policy,
) -> bool:  # fmt: skip
    ground = said.ground if until else None
    answered = {
        "answer": str(said.answer), "until": until, "ground": ground, "decided_by": actor.user, "reason": said.reason,
        "decided_at": platform.catalog.now(tx),
    }  # fmt: skip
    if not platform.catalog.decide_volume(tx, volume.id, answered):
        return False
    entry = {
        "subject": str(volume.id), "digest": volume.digest, "outcome": str(said.answer), "reason": said.reason,
        "ground": ground, "until": iso(until) if until else None, "policy": policy.digest,
    }  # fmt: skip
    platform.catalog.append(tx, actor.user, "expire:volume:decided", [entry])
    if until:
        _turn_epochs(platform, tx, volume, policy)
    return True


def _turn_epochs(platform: Platform, tx: Transaction, volume: Volume, policy: Policy) -> None:
    """What is held moves to the next generation at the next daily closing: its neighbours' key dies on its day."""
    now = platform.catalog.now(tx)
    for purpose, epoch in platform.catalog.volume_epochs(tx, volume.id):
        closing = next_closing(now, policy.zone, epoch_length_of(None, policy, purpose))
        platform.catalog.turn_epochs(tx, [epoch], closing)


def deny_confirmation(platform: Platform, actor: Actor, volume_id: UUID) -> Denied | None:
    """Why the actor may not answer the volume at all, whatever they say; the register has it. None where they may."""
    with platform.catalog.begin() as tx:
        now = platform.catalog.now(tx)
        volume = platform.catalog.volume(tx, volume_id)
        code = _why_not_confirm(in_force(platform, tx, now), actor, volume, now)
        return _deny(platform, tx, actor, volume_id, code) if code else None


def _why_not_confirm(policy: Policy, actor: Actor, volume: Volume | None, now: datetime) -> str | None:
    """As `may` says of every purpose in it: nobody decides on what they own."""
    for purpose in volume.counts if volume else (None,):
        verdict = may(policy, actor, Verb.CONFIRM_VOLUME, Target(purpose=purpose), None, now)
        if isinstance(verdict, Denied):
            return verdict.code
    return None if volume else "unknown_volume"


def _why_not_this(
    platform: Platform, tx: Transaction, volume: Volume, digest: str, now: datetime
) -> str | None:
    # Both: the rows may have been altered since, or the page been made from others.
    if not digest_of(platform.catalog.volume_items(tx, volume.id)) == volume.digest == digest:
        return "digest_differs"
    if volume.state is VolumeState.DECIDED:
        return "already_decided"
    return "lapsed" if volume.state is VolumeState.LAPSED or volume.lapses_at <= now else None


def _deny(platform: Platform, tx: Transaction, actor: Actor, volume_id: UUID, code: str) -> Denied:
    entry = {"subject": str(volume_id), "code": code}
    platform.catalog.append(tx, actor.user, "expire:volume:answer_denied", [entry])
    return Denied(code)


def lapse_volumes(platform: Platform) -> int:
    """Note that nobody answered in time; what was set aside goes without this, too. Idempotent; how many now."""
    with platform.catalog.begin() as tx:
        lapsed = platform.catalog.lapse_volumes(tx)
        entries = [{"subject": str(id), "outcome": "lapsed"} for id in lapsed]
        platform.catalog.append(tx, "consigne", "expire:volume:lapsed", entries)
    return len(lapsed)


# What the run of `confirm_expiry_volume` does around the human task: one function a task. As in configure.py, each
# reads the catalog's rows again, and what Airflow says of a task, a run or an XCom is never believed.


def load_volume(platform: Platform, volume_id: str, volume_hash: str, run: str) -> str:
    """Bind the run to its volume; returns the next task. A run that fits no volume, or is not the volume's one run, is
    registered and goes straight to `record_answer`."""
    id = UUID(volume_id)
    with platform.catalog.begin() as tx:
        volume = platform.catalog.volume(tx, id)
        code = why_made_up(volume, "volume", run_of_volume(id), volume_hash, run)
        if code is None:
            platform.catalog.bind_volume_run(tx, id, run)
            return "announce_volume"
        entry = {"subject": volume_id, "run": run, "code": code}
        platform.catalog.append(tx, "airflow", "expire:volume:run_refused", [entry])
    return "record_answer"


def announce_volume(platform: Platform, volume_id: str) -> int:
    """Register whom the volume waits for, the designated of today; returns how many."""
    policy = policy_now(platform)
    with platform.catalog.begin() as tx:
        waits_for = sorted(designated(policy, platform.catalog.now(tx)))
        entry = {"subject": volume_id, "waits_for": waits_for, "policy": policy.digest}
        platform.catalog.append(tx, "consigne", "expire:volume:announced", [entry])
    return len(waits_for)


def volume_seconds_left(platform: Platform, volume_id: str) -> int:
    """What remains of the 24 hours; at least 1 (Airflow takes 0 for no limit)."""
    with platform.catalog.begin() as tx:
        volume, now = platform.catalog.volume(tx, UUID(volume_id)), platform.catalog.now(tx)
    return seconds_left(volume, now)


def record_answer(platform: Platform, volume_id: str, run: str) -> str:
    """Register how the run ended, from the desk's row, whatever the human task says: `delete`, `hold`, `lapsed`,
    `pending` (its human task was ended by other means than the desk; the volume still waits there), `made_up`."""
    lapse_volumes(platform)
    id = UUID(volume_id)
    with platform.catalog.begin() as tx:
        volume = platform.catalog.volume(tx, id)
        outcome = (
            "made_up" if volume is None or run != run_of_volume(id) else str(volume.answer or volume.state)
        )
        entry = {"subject": volume_id, "run": run, "outcome": outcome}
        platform.catalog.append(tx, "airflow", "expire:volume:run_closed", [entry])
    return outcome
