"""Epochs: the fence between what is still written and what is destroyed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, and_, exists, func, or_, select, true, update
from sqlalchemy.dialects.postgresql import insert as upsert

from consigne.acts.ports import Artifact, Epoch
from consigne.adapters.catalog.session import Session
from consigne.adapters.catalog.tables import artifacts, data_keys, epochs
from consigne.adapters.catalog.tables_gone import volume_items, volumes

_ARTIFACT = [artifacts.c[name] for name in Artifact.__dataclass_fields__]
_LIVE = artifacts.c.state.in_(("storing", "kept"))
_WRAPS = exists(data_keys.c.epoch).where(data_keys.c.epoch == epochs.c.name)
_OPEN = epochs.c.state == "open"
_HELD_ITEMS = data_keys.join(volume_items, volume_items.c.artifact == data_keys.c.artifact).join(
    volumes, volumes.c.id == volume_items.c.volume
)
LATE = timedelta(hours=3)
"""What is turned over is moved within minutes, and destroyed by the next run after."""


def _ends_later(now: datetime) -> ColumnElement[bool]:
    """The epoch of the row does not end by itself: its day has not come, or a volume's hold keeps something of it
    past its day, to the cost of the others' proof."""
    mine = (data_keys.c.epoch == epochs.c.name, volumes.c.answer == "hold", volumes.c.until > now)
    return or_(epochs.c.due_at > now, exists(select(1).select_from(_HELD_ITEMS).where(*mine)))


def is_late(now: datetime) -> ColumnElement[bool]:
    """The epoch of the row is left, though it was empty on its day, or should long have been turned over."""
    waiting = exists().where(artifacts.c.epoch == epochs.c.name, artifacts.c.state != "erased")
    over = or_(epochs.c.due_at <= now, epochs.c.state == "closing")
    late = and_(epochs.c.turning_at <= now - LATE, _ends_later(now))
    return and_(epochs.c.state != "destroyed", or_(and_(over, ~_WRAPS, ~waiting), late))


class EpochsCatalog(Session):
    """open → closing → destroyed. From `turning_at` on an open one takes no new keys, and what lives moves on."""

    def add_epoch(
        self, tx: Connection, names: Sequence[str], purpose: str, due_at: datetime, opened_at: datetime
    ) -> str | None:
        """The first of these generations that takes new keys, its row made where there is none; None where each
        is spent."""
        is_spent = or_(~_OPEN, epochs.c.turning_at <= opened_at)
        spent = set(tx.execute(select(epochs.c.name).where(epochs.c.name.in_(names), is_spent)).scalars())
        name = next((name for name in names if name not in spent), None)
        if name is not None:
            row = {
                "name": name,
                "purpose": purpose,
                "due_at": due_at,
                "generation": int(name.rpartition("/")[2]),
            }
            row |= {"state": "open", "opened_at": opened_at}
            tx.execute(upsert(epochs).values(row).on_conflict_do_nothing())
        return name

    def hold_epoch_open(self, tx: Connection, name: str) -> bool:
        """FOR SHARE on the open epoch: it cannot start closing before this transaction ends."""
        query = select(epochs.c.name).where(epochs.c.name == name, _OPEN)
        return tx.execute(query.with_for_update(read=True)).one_or_none() is not None

    def turn_epochs(self, tx: Connection, names: Sequence[str], at: datetime) -> None:
        """Those of these that are open and do not end by then are turned over at an instant; the first one stands."""
        where = and_(epochs.c.name.in_(names), _OPEN, epochs.c.turning_at.is_(None), _ends_later(at))
        found = select(epochs.c.name).where(where).order_by(epochs.c.name).with_for_update()
        if locked := list(tx.execute(found).scalars()):
            tx.execute(update(epochs).where(epochs.c.name.in_(locked)).values(turning_at=at))

    def turning_epochs(self, tx: Connection, now: datetime) -> list[Epoch]:
        """Those whose turn has come, that still wrap keys and do not end by themselves, oldest first."""
        turning = and_(_OPEN, epochs.c.turning_at <= now, _ends_later(now), _WRAPS)
        query = select(epochs.c.name, epochs.c.purpose, epochs.c.due_at).where(turning)
        rows = tx.execute(query.order_by(epochs.c.turning_at, epochs.c.name)).mappings()
        return [Epoch(**row) for row in rows]

    def wrapped_under(self, tx: Connection, epoch: str, after: UUID | None, limit: int) -> list[UUID]:
        """Artifacts that live and whose keys the epoch wraps, in order."""
        joined = data_keys.join(artifacts, artifacts.c.id == data_keys.c.artifact)
        further = data_keys.c.artifact > after if after else true()
        query = select(data_keys.c.artifact).select_from(joined)
        where = query.where(data_keys.c.epoch == epoch, _LIVE, further)
        return list(tx.execute(where.order_by(data_keys.c.artifact).limit(limit)).scalars())

    def lock_wrapped(self, tx: Connection, epoch: str, ids: Sequence[UUID]) -> list[Artifact]:
        """Those of these that live under the epoch, locked."""
        where = and_(artifacts.c.id.in_(ids), artifacts.c.epoch == epoch, _LIVE)
        query = select(*_ARTIFACT).where(where).order_by(artifacts.c.id).with_for_update()
        return [Artifact(**row) for row in tx.execute(query).mappings()]

    def epochs_to_close(self, tx: Connection, now: datetime) -> list[str]:
        """Those due or turned over that hold no key row and no artifact on its way, and those left `closing`."""
        waiting = exists().where(artifacts.c.epoch == epochs.c.name, artifacts.c.state != "erased")
        over = or_(epochs.c.due_at <= now, epochs.c.turning_at <= now, epochs.c.state == "closing")
        query = select(epochs.c.name).where(over, epochs.c.state != "destroyed", ~_WRAPS, ~waiting)
        return list(tx.execute(query.order_by(epochs.c.name)).scalars())

    def epochs_late(self, tx: Connection, now: datetime) -> int:
        """How many are left that were empty on their day, or should long have been turned over."""
        return int(tx.execute(select(func.count()).select_from(epochs).where(is_late(now))).scalar_one())

    def start_closing(self, tx: Connection, name: str) -> bool:
        """The fence: `closing` only where, with the row locked, no key row is left."""
        row = tx.execute(select(epochs.c.state).where(epochs.c.name == name).with_for_update()).scalar_one()
        if row == "destroyed" or tx.execute(select(exists().where(data_keys.c.epoch == name))).scalar_one():
            return False
        tx.execute(
            update(epochs).where(epochs.c.name == name, epochs.c.state == "open").values(state="closing")
        )
        return True

    def close_epoch(self, tx: Connection, name: str, destroyed_at: datetime) -> bool:
        """closing → destroyed; false where another run was first."""
        where = (epochs.c.name == name) & (epochs.c.state == "closing")
        values = {"state": "destroyed", "destroyed_at": destroyed_at}
        return tx.execute(update(epochs).where(where).values(values)).rowcount == 1

    def epoch_states(self, tx: Connection, names: Sequence[str]) -> dict[str, str]:
        """name → state of those that are known."""
        query = select(epochs.c.name, epochs.c.state).where(epochs.c.name.in_(names))
        return {row.name: row.state for row in tx.execute(query)}

    def has_epochs(self, tx: Connection) -> bool:
        """Whether there ever was one."""
        return bool(tx.execute(select(exists().where(epochs.c.name.is_not(None)))).scalar_one())

    def epochs_wrapping(self, tx: Connection) -> list[str]:
        """The open ones that wrap keys."""
        return list(tx.execute(select(epochs.c.name).where(_OPEN, _WRAPS)).scalars())
