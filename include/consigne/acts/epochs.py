"""Epochs made before what they wrap: row first, key after; and keys moved from one to another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from uuid import UUID

from consigne.acts.catalog import Transaction
from consigne.acts.journey import Platform
from consigne.acts.ports import Artifact
from consigne.acts.safe import rewrap
from consigne.rules.errors import Conflict, Tampered
from consigne.rules.policy.model import Policy
from consigne.rules.retention import epoch_length_of, epoch_name
from consigne.rules.values import ArtifactName

LOOKED_AT = 512
"""Generations of an epoch that one query looks at; the first query looks at one, since most have no more."""


def open_epoch(platform: Platform, policy: Policy, purpose: str, due_at: datetime) -> str:
    """The epoch that ends then, the next generation where one is spent."""
    length = epoch_length_of(None, policy, purpose)

    def name_of(generation: int) -> str:
        return epoch_name(purpose, due_at, policy.zone, length, generation)

    return open_first(platform, purpose, due_at, name_of)


def open_first(platform: Platform, purpose: str, due_at: datetime, name_of: Callable[[int], str]) -> str:
    """The first generation that is not spent. Its row comes before its key, so that no key lives without a row
    that will end it; closed in between, the key's name is destroyed already."""
    first, count = 0, 1
    while True:
        names = [name_of(generation) for generation in range(first, first + count)]
        with platform.catalog.begin() as tx:
            name = platform.catalog.add_epoch(tx, names, purpose, due_at, platform.catalog.now(tx))
        if name is None:
            first, count = first + count, min(count * 8, LOOKED_AT)
            continue
        try:
            platform.keyring.open_epoch(name)
        except Conflict:
            first, count = first + names.index(name) + 1, 1
            continue
        return name


def fence(platform: Platform, tx: Transaction, epochs: Iterable[str]) -> None:
    """None of these begins to close before the transaction ends. Conflict('epoch_closing') where one has begun."""
    for epoch in sorted(set(epochs)):
        if not platform.catalog.hold_epoch_open(tx, epoch):
            raise Conflict("epoch_closing", epoch, "the next minute takes the next generation")


def move_keys(platform: Platform, tx: Transaction, moves: Mapping[Artifact, str]) -> dict[UUID, str]:
    """artifact, locked, → the epoch that wraps its key now. A key that does not open, or is gone, stays where it is:
    it must not stop its neighbours, and its row keeps its epoch from closing."""
    keys = platform.catalog.wrapped_keys(tx, [artifact.id for artifact in moves])
    moved: dict[UUID, tuple[str, bytes]] = {}
    for artifact, epoch in moves.items():
        if epoch == artifact.epoch or artifact.id not in keys:
            continue
        name = ArtifactName(artifact.id, artifact.attempt, artifact.purpose)
        try:
            wrapped = rewrap(platform.keyring, artifact.epoch, epoch, keys[artifact.id], name)
        except (Conflict, Tampered):
            continue
        moved[artifact.id] = epoch, wrapped
    platform.catalog.move_keys(tx, moved)
    return {one.id: moved[one.id][0] if one.id in moved else one.epoch for one in moves}
