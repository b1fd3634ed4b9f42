"""An epoch from which something was erased before its day is turned over at the next daily closing: what lives moves
to the next generation, and the key that could still open the erased one is destroyed (P6)."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from consigne.acts.catalog import Transaction
from consigne.acts.epochs import fence, move_keys, open_first
from consigne.acts.journey import Platform
from consigne.acts.locate import policy_for
from consigne.acts.ports import Epoch, Erasure
from consigne.acts.truth import check_replayed
from consigne.rules.retention import epoch_length_of, next_closing

CHUNK = 500
AT_ONCE = 10_000
"""Keys of one call: the next minute goes on."""


def end_early(platform: Platform, tx: Transaction, gone: Sequence[Erasure]) -> None:
    """Say when the epochs that ever wrapped the keys of these are turned over. Those due by then end by themselves."""
    now = platform.catalog.now(tx)
    policy = policy_for(platform, tx, now)
    for purpose in sorted({erasure.purpose for erasure in gone}):
        mine = [erasure for erasure in gone if erasure.purpose == purpose]
        names = {name for erasure in mine for name in (erasure.epoch, *erasure.earlier_epochs)}
        closing = next_closing(now, policy.zone, epoch_length_of(None, policy, purpose))
        platform.catalog.turn_epochs(tx, sorted(names), closing)


def turn_over(platform: Platform, at_once: int = AT_ONCE) -> int:
    """Move what lives out of the epochs whose turn has come; how many keys moved. Idempotent, in chunks: whoever was
    killed, it is called again. `close_epochs` ends what is left empty.

    Faults: Unavailable, and Conflict('epoch_closing') where the next generation began to close in between.
    """
    with platform.catalog.begin() as tx:
        check_replayed(platform, tx)
        turning = platform.catalog.turning_epochs(tx, platform.catalog.now(tx))
    moved = 0
    for epoch in turning:
        moved += _empty(platform, epoch, at_once - moved)
    return moved


def _empty(platform: Platform, epoch: Epoch, at_once: int) -> int:
    moved, last = 0, None
    while moved < at_once:
        with platform.catalog.begin() as tx:
            found = platform.catalog.wrapped_under(tx, epoch.name, last, CHUNK)
        if not found:
            break
        moved, last = moved + _rewrap(platform, epoch, found), found[-1]
    return moved


def _rewrap(platform: Platform, epoch: Epoch, ids: Sequence[UUID]) -> int:
    stem = epoch.name.rpartition("/")[0]
    target = open_first(platform, epoch.purpose, epoch.due_at, lambda generation: f"{stem}/{generation}")
    with platform.catalog.begin() as tx:
        fence(platform, tx, [target])
        locked = platform.catalog.lock_wrapped(tx, epoch.name, ids)
        under = move_keys(platform, tx, dict.fromkeys(locked, target))
        moved = sum(name == target for name in under.values())
        if moved:
            entry = {"subject": epoch.name, "epoch": target, "count": moved, "outcome": "moved"}
            platform.catalog.append(tx, "consigne", "expire:epoch:turned", [entry])
    return moved
