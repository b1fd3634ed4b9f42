"""What is kept is brought under a version of the policy that came into force: shortening applies, lengthening
never (P5). In chunks; whoever was killed, it is just called again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from consigne.acts.catalog import Transaction
from consigne.acts.epochs import open_epoch
from consigne.acts.journey import Platform
from consigne.acts.ports import Artifact, Wrapped
from consigne.acts.safe import rewrap
from consigne.rules.clock import iso
from consigne.rules.errors import Conflict
from consigne.rules.policy.impact import Clock, Clocks, Kept
from consigne.rules.policy.model import Policy
from consigne.rules.values import ArtifactName

SETTLING = timedelta(minutes=1)
"""By then all that was stored under the version before is committed; `listen` judges by both from the first second."""
CHUNK = 500
LOOKED_AT, MOVED = 50_000, 3_000
"""At most about so many a call: the next minute goes on."""
Epochs = Mapping[tuple[str, datetime], str]


def reclock(platform: Platform) -> int:
    """Bring what is kept under each version that came into force; returns how many clocks moved now. Idempotent.

    Faults: Unavailable, and Conflict('epoch_closing', 'stock_moved') where it changed in between: call again.
    """
    with platform.catalog.begin() as tx:
        versions = platform.catalog.unreclocked(tx, platform.catalog.now(tx) - SETTLING)
    moved = looked_at = 0
    for version in versions:
        clocks = Clocks(version)
        while stock := _next(platform, version):
            if looked_at >= LOOKED_AT or moved >= MOVED:
                return moved
            moved, looked_at = moved + _bring(platform, version, clocks, stock), looked_at + len(stock)
        _end(platform, version)
    return moved


def due_now(platform: Platform, tx: Transaction, artifact: Artifact, now: datetime) -> datetime:
    """When an artifact falls due by every version in force, also by those under which it was not brought yet."""
    kept = platform.catalog.kept(tx, artifact.id)
    if kept is None:
        return artifact.due_at
    versions = platform.catalog.unreclocked(tx, now)
    own = min([kept.due_at, *(Clocks(version).under(kept).due_at for version in versions)])
    hold = platform.catalog.hold(tx, artifact.hold) if artifact.hold else None
    return max(own, hold.review_at) if hold and hold.keeps(now) else own


def _next(platform: Platform, version: Policy) -> list[Kept]:
    with platform.catalog.begin() as tx:
        last = platform.catalog.reclocked_to(tx, version.digest)
        return platform.catalog.stock_after(tx, last, CHUNK)


def _bring(platform: Platform, version: Policy, clocks: Clocks, stock: Sequence[Kept]) -> int:
    """One chunk: where its clocks lead is opened first, then everything moves in one transaction."""
    moving = [kept for kept in stock if clocks.under(kept) != Clock(kept.due_at, kept.cap_at)]
    with platform.catalog.begin() as tx:
        now = platform.catalog.now(tx)
    epochs = _open(platform, version, {(each.purpose, clocks.under(each).due_at) for each in moving}, now)
    with platform.catalog.begin() as tx:
        for epoch in epochs.values():
            if not platform.catalog.hold_epoch_open(tx, epoch):
                raise Conflict("epoch_closing", epoch)
        locked = platform.catalog.lock_stock(tx, [each.id for each in moving])
        found = [_move(platform, tx, version, clocks, kept, key, epochs, now) for kept, key in locked]
        entries = [entry for entry in found if entry]
        platform.catalog.append(tx, "consigne", "configure:artifact:reclocked", entries)
        platform.catalog.note_reclocked(tx, version.digest, stock[-1].id)
    return len(entries)


def _open(platform: Platform, version: Policy, ends: set[tuple[str, datetime]], now: datetime) -> Epochs:
    # What is due at once stays under the epoch that it has: its key goes this day.
    return {
        (purpose, due_at): open_epoch(platform, version, purpose, due_at)
        for purpose, due_at in sorted(ends)
        if due_at > now
    }


def _move(
    platform: Platform, tx: Transaction, version: Policy, clocks: Clocks, kept: Kept, key: Wrapped | None,
    epochs: Epochs, now: datetime,
) -> dict[str, object] | None:  # fmt: skip
    clock = clocks.under(kept)
    if clock == Clock(kept.due_at, kept.cap_at):  # another was first
        return None
    if now < clock.due_at != kept.due_at and not kept.is_held and key:
        epoch = epochs.get((kept.purpose, clock.due_at))
        if epoch is None:
            raise Conflict("stock_moved", str(kept.id))
        if epoch != key.epoch:
            name = ArtifactName(kept.id, key.attempt, kept.purpose)
            wrapped = rewrap(platform.keyring, key.epoch, epoch, key.wrapped, name)
            platform.catalog.move_key(tx, kept.id, epoch, wrapped)
    platform.catalog.set_clock(tx, kept.id, clock.due_at, cap_at=clock.cap_at)
    return {
        "subject": str(kept.id), "purpose": kept.purpose, "policy": version.digest, "was_due_at": iso(kept.due_at),
        "due_at": iso(clock.due_at), "cap_at": iso(clock.cap_at), "held": kept.is_held,
    }  # fmt: skip


def _end(platform: Platform, version: Policy) -> None:
    with platform.catalog.begin() as tx:
        if platform.catalog.end_reclocking(tx, version.digest, platform.catalog.now(tx)):
            entry = {"subject": version.digest, "version": version.version, "outcome": "reclocked"}
            platform.catalog.append(tx, "consigne", "configure:policy:reclocked", [entry])
