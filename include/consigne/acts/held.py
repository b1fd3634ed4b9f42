"""What holds keep, kept up with: new recordings caught, unanswered reviews lapsed, what ended released.

The catalog is right without it: an open hold holds back erasing, a review date ends it, lifting sets the dates.
Here keys follow, a chunk a transaction, so that epochs can close; run again after any death, it goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from consigne.acts.epochs import fence, move_keys, open_epoch, open_first
from consigne.acts.journey import Platform
from consigne.acts.locate import policy_now
from consigne.acts.ports import Artifact
from consigne.rules.clock import iso
from consigne.rules.hold import Hold
from consigne.rules.policy.model import Policy

CHUNK = 200
AT_ONCE = 4000
"""Artifacts of one call: the next minute goes on."""


def keep_up(platform: Platform, at_once: int = AT_ONCE) -> int:
    """Lapse, release, catch; how many holds and artifacts moved. Idempotent, and safe beside another."""
    lapsed = _lapse(platform)
    released = _release_all(platform, at_once)
    return lapsed + released + _catch_all(platform, at_once - released)


def _lapse(platform: Platform) -> int:
    with platform.catalog.begin() as tx:
        lapsed = platform.catalog.lapse_holds(tx)
        entries = [{"subject": str(id), "outcome": "lapsed"} for id in lapsed]
        platform.catalog.append(tx, "consigne", "hold:hold:lapsed", entries)
    return len(lapsed)


def _catch_all(platform: Platform, at_once: int) -> int:
    with platform.catalog.begin() as tx:
        holds = platform.catalog.open_holds(tx)
    moved = 0
    for hold in holds:
        with platform.catalog.begin() as tx:
            found = platform.catalog.uncaught(tx, hold, max(at_once - moved, 0))
        for start in range(0, len(found), CHUNK):
            moved += _catch(platform, hold, found[start : start + CHUNK])
    return moved


def _release_all(platform: Platform, at_once: int) -> int:
    moved, policy = 0, policy_now(platform)
    while moved < at_once:
        with platform.catalog.begin() as tx:
            left = platform.catalog.left_by_ended(tx, CHUNK)
            if not left:
                break
            heirs = platform.catalog.heirs(tx, [artifact.id for artifact in left])
            known = {id: platform.catalog.hold(tx, id) for id in set(heirs.values())}
        done = 0
        for hold in known.values():
            if hold is not None:
                done += _catch(platform, hold, [one for one in left if heirs.get(one.id) == hold.id])
        done += _release(platform, policy, [one for one in left if one.id not in heirs])
        if not done:
            break
        moved += done
    return moved


def _catch(platform: Platform, hold: Hold, found: Sequence[Artifact]) -> int:
    """Into the hold's epochs; how many. None where the hold ended meanwhile."""
    epochs = {purpose: _open(platform, hold, purpose) for purpose in sorted({one.purpose for one in found})}
    with platform.catalog.begin() as tx:
        steady, now = platform.catalog.steady_hold(tx, hold.id), platform.catalog.now(tx)
        if steady is None or not steady.keeps(now):
            return 0
        fence(platform, tx, epochs.values())
        taken = platform.catalog.lock_unheld(tx, [artifact.id for artifact in found])
        moves = {artifact: epochs[artifact.purpose] for artifact in taken}
        outcomes = move_keys(platform, tx, moves)
        platform.catalog.catch(tx, steady, [artifact.id for artifact in taken], now)
        entries = [
            _entry(artifact, outcomes[artifact.id], steady.id)
            | {"due_at": iso(max(artifact.own_due_at, steady.review_at))}
            for artifact in taken
        ]
        platform.catalog.append(tx, "consigne", "hold:artifact:caught", entries)
    return len(taken)


def _open(platform: Platform, hold: Hold, purpose: str) -> str:
    return open_first(
        platform, purpose, hold.review_at, lambda generation: hold.epoch_name(purpose, generation)
    )


def _release(platform: Platform, policy: Policy, found: Sequence[Artifact]) -> int:
    """Back to the epochs of their own days; what is due stays where it is and goes from there; how many."""
    with platform.catalog.begin() as tx:
        now = platform.catalog.now(tx)
    clocks = {(one.purpose, one.own_due_at) for one in found if one.own_due_at > now}
    epochs = {clock: open_epoch(platform, policy, *clock) for clock in sorted(clocks)}
    with platform.catalog.begin() as tx:
        now = platform.catalog.now(tx)
        fence(platform, tx, epochs.values())
        locked = platform.catalog.lock_left(tx, [artifact.id for artifact in found])
        # A clock that was set meanwhile has no epoch here: the next round has.
        taken = [one for one in locked if one.own_due_at <= now or (one.purpose, one.own_due_at) in epochs]
        moves = {one: epochs.get((one.purpose, one.own_due_at), one.epoch) for one in taken}
        outcomes = move_keys(platform, tx, moves)
        platform.catalog.release(tx, [artifact.id for artifact in taken], now)
        entries = [
            _entry(artifact, outcomes[artifact.id], artifact.hold) | {"due_at": iso(artifact.own_due_at)}
            for artifact in taken
        ]
        platform.catalog.append(tx, "consigne", "hold:artifact:released", entries)
    return len(taken)


def _entry(artifact: Artifact, epoch: str, hold: UUID | None) -> dict[str, object]:
    return {
        "subject": str(artifact.id),
        "purpose": artifact.purpose,
        "hold": hold and hold.hex,
        "epoch": epoch,
    }
