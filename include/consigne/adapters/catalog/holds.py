"""Holds and what they keep.

A hold's row is locked before the artifacts that it keeps; erasing never locks a hold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    FromClause,
    LargeBinary,
    RowMapping,
    and_,
    any_,
    bindparam,
    case,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    true,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from consigne.acts.ports import Artifact
from consigne.adapters.catalog.session import Session
from consigne.adapters.catalog.tables import artifacts, data_keys, epochs, recordings
from consigne.adapters.catalog.tables_decided import held, holds
from consigne.adapters.catalog.tables_people import objections
from consigne.rules.hold import Hold, HoldScope, HoldState

_ARTIFACT = [artifacts.c[name] for name in Artifact.__dataclass_fields__]
_HOLD = [holds.c[name] for name in Hold.__dataclass_fields__]
_NOW = func.consigne_now()
_FENCE = 4711005
_OWN_DUE = func.coalesce(artifacts.c.unheld_due_at, artifacts.c.due_at)
_LIVE = artifacts.c.state.in_(("storing", "kept"))


def wait_for_holds(tx: Connection) -> None:
    """Erasing begins either before a hold is placed, and ends before it, or sees it."""
    tx.execute(text("SELECT pg_advisory_xact_lock_shared(:fence)"), {"fence": _FENCE})


def fence_erasing(tx: Connection) -> None:
    """What began to be erased is committed, and nothing begins before this transaction ends."""
    tx.execute(text("SELECT pg_advisory_xact_lock(:fence)"), {"fence": _FENCE})


def is_open(now: datetime | ColumnElement[datetime]) -> ColumnElement[bool]:
    """The hold of the row keeps what fits: its review date alone ends it."""
    return and_(holds.c.state == "open", holds.c.review_at > now)


def fits() -> ColumnElement[bool]:
    """The recording of the row is what the hold of the row is over."""
    h, r = holds.c, recordings.c
    return and_(
        or_(h.recording.is_(None), h.recording == r.id),
        or_(func.cardinality(h.callers) == 0, r.caller_index == any_(h.callers)),
        or_(h.agent.is_(None), h.agent == r.agent),
        or_(h.since.is_(None), r.started_at >= h.since),
        or_(h.until.is_(None), r.started_at < h.until),
    )


def is_held_back(now: datetime | ColumnElement[datetime], *more: ColumnElement[bool]) -> ColumnElement[bool]:
    """An open hold (of which `more` is true) fits the artifact of the row, caught or not."""
    query = select(1).select_from(holds.join(recordings, fits()))
    mine = query.where(recordings.c.id == artifacts.c.recording, is_open(now), *more)
    # OFFSET keeps PostgreSQL from matching every recording there is with every hold, once, to look artifacts up in.
    return exists(mine.offset(0))


IS_HUSHED = and_(
    artifacts.c.state != "erased", is_held_back(select(_NOW).scalar_subquery(), holds.c.restrict)
)
"""The artifact of the row is there, and an open hold that fits says that nobody listens."""


def _about(hold: Hold) -> ColumnElement[bool]:
    """`fits` for one hold, with its values, so that an index finds the recordings."""
    r = recordings.c
    parts = [
        r.id == hold.recording if hold.recording else None,
        r.caller_index.in_(hold.callers) if hold.callers else None,
        r.agent == hold.agent if hold.agent else None,
        r.started_at >= hold.since if hold.since else None,
        r.started_at < hold.until if hold.until else None,
    ]
    return and_(true(), *(part for part in parts if part is not None))


def _hold(row: RowMapping) -> Hold:
    changed = {
        "scope": HoldScope(row["scope"]),
        "state": HoldState(row["state"]),
        "callers": tuple(row["callers"]),
    }
    return Hold(**{**row, **changed})


class HoldsCatalog(Session):
    """A hold is open → lifted or lapsed."""

    def add_hold(self, tx: Connection, hold: Hold) -> None:
        """Keep a hold, open. From the commit on nothing that fits begins to be erased."""
        fence_erasing(tx)
        tx.execute(insert(holds).values(asdict(hold) | {"callers": list(hold.callers)}))

    def hold(self, tx: Connection, id: UUID, lock: bool = False) -> Hold | None:
        """One hold; with `lock`, its row is held until the transaction ends."""
        query = select(*_HOLD).where(holds.c.id == id)
        row = tx.execute(query.with_for_update() if lock else query).mappings().one_or_none()
        return None if row is None else _hold(row)

    def steady_hold(self, tx: Connection, id: UUID) -> Hold | None:
        """One hold that is neither confirmed nor ended before this transaction ends (FOR SHARE)."""
        query = select(*_HOLD).where(holds.c.id == id).with_for_update(read=True)
        row = tx.execute(query).mappings().one_or_none()
        return None if row is None else _hold(row)

    def open_holds(self, tx: Connection) -> list[Hold]:
        """Those that keep something now, oldest first."""
        query = select(*_HOLD).where(is_open(_NOW)).order_by(holds.c.placed_at)
        return [_hold(row) for row in tx.execute(query).mappings()]

    def known_callers(self, tx: Connection, indexes: Sequence[bytes]) -> list[set[bytes]]:
        """All blind indexes of each open hold and each objection that has one of these."""
        sought = literal(list(indexes), ARRAY(LargeBinary))
        held_by = select(holds.c.callers).where(is_open(_NOW), holds.c.callers.op("&&")(sought))
        said_by = select(objections.c.callers).where(objections.c.callers.op("&&")(sought))
        return [set(row) for row in tx.execute(union_all(held_by, said_by)).scalars()]

    def is_recording(self, tx: Connection, id: UUID) -> bool:
        """Whether there is a recording of that name."""
        return bool(tx.execute(select(exists().where(recordings.c.id == id))).scalar_one())

    def being_erased(self, tx: Connection, hold: Hold) -> int:
        """How many artifacts that fit are being erased already: no hold stops that."""
        joined = artifacts.join(recordings, recordings.c.id == artifacts.c.recording)
        query = select(func.count()).select_from(joined).where(artifacts.c.state == "erasing", _about(hold))
        return int(tx.execute(query).scalar_one())

    def confirm_hold(self, tx: Connection, id: UUID, review_at: datetime) -> None:
        """Another review date, for the hold, its epochs and what it caught; its row is locked."""
        tx.execute(update(holds).where(holds.c.id == id).values(review_at=review_at))
        self._date_epochs(tx, id, review_at)
        mine = self._lock_caught(tx, id)
        due_at = func.greatest(artifacts.c.unheld_due_at, review_at)
        tx.execute(update(artifacts).where(mine).values(due_at=due_at))

    def lift_hold(self, tx: Connection, id: UUID, user: str, at: datetime) -> None:
        """open → lifted. What it caught is back on its own clock at once; keys follow later."""
        values = {"state": "lifted", "ended_at": at, "ended_by": user}
        tx.execute(update(holds).where(holds.c.id == id, holds.c.state == "open").values(values))
        self._date_epochs(tx, id, at)
        mine = self._lock_caught(tx, id)
        tx.execute(update(artifacts).where(mine).values(due_at=artifacts.c.unheld_due_at))

    def _lock_caught(self, tx: Connection, id: UUID) -> ColumnElement[bool]:
        # In the order of everybody else, who would wait for us as we for them.
        mine = (artifacts.c.hold == id) & _LIVE
        locked = select(artifacts.c.id).where(mine).order_by(artifacts.c.id).with_for_update().cte("locked")
        tx.execute(select(func.count()).select_from(locked))
        return mine

    def _date_epochs(self, tx: Connection, id: UUID, due_at: datetime) -> None:
        named = epochs.c.name.contains(f"/hold-{id.hex}/") & (epochs.c.state == "open")
        tx.execute(update(epochs).where(named).values(due_at=due_at))

    def lapse_holds(self, tx: Connection) -> list[UUID]:
        """open → lapsed for all whose review date passed unanswered."""
        over = (holds.c.state == "open") & (holds.c.review_at <= _NOW)
        values = {"state": "lapsed", "ended_at": holds.c.review_at}
        return list(tx.execute(update(holds).where(over).values(values).returning(holds.c.id)).scalars())

    def is_hushed(self, tx: Connection, artifact: UUID) -> bool:
        """Whether an open hold that fits says that nobody listens, caught or not."""
        joined = artifacts.join(recordings, recordings.c.id == artifacts.c.recording).join(holds, fits())
        query = select(1).select_from(joined)
        where = query.where(artifacts.c.id == artifact, holds.c.restrict, is_open(_NOW))
        return bool(tx.execute(select(exists(where))).scalar_one())

    def uncaught(self, tx: Connection, hold: Hold, limit: int) -> list[Artifact]:
        """What is kept, fits, and no hold has caught yet."""
        joined = recordings.join(artifacts, artifacts.c.recording == recordings.c.id)
        free = (artifacts.c.state == "kept") & artifacts.c.hold.is_(None)
        return _found(tx, joined, free & _about(hold), limit)

    def left_by_ended(self, tx: Connection, limit: int) -> list[Artifact]:
        """What holds still have that have ended."""
        return _found(tx, _WITH_HOLD, _LEFT, limit)

    def heirs(self, tx: Connection, ids: Sequence[UUID]) -> dict[UUID, UUID]:
        """artifact → the open hold that fits it and is reviewed last, where there is one."""
        joined = artifacts.join(recordings, recordings.c.id == artifacts.c.recording).join(holds, fits())
        query = (
            select(artifacts.c.id.label("artifact"), holds.c.id.label("hold"))
            .distinct(artifacts.c.id)
            .select_from(joined)
            .where(artifacts.c.id.in_(ids), is_open(_NOW))
            .order_by(artifacts.c.id, holds.c.review_at.desc(), holds.c.id)
        )
        return {row.artifact: row.hold for row in tx.execute(query)}

    def lock_unheld(self, tx: Connection, ids: Sequence[UUID]) -> list[Artifact]:
        """Those of these that are kept and that no open hold has, locked."""
        joined = artifacts.outerjoin(holds, holds.c.id == artifacts.c.hold)
        free = (artifacts.c.state == "kept") & or_(artifacts.c.hold.is_(None), ~is_open(_NOW))
        return _locked(tx, joined, ids, free)

    def lock_left(self, tx: Connection, ids: Sequence[UUID]) -> list[Artifact]:
        """Those of these that a hold still has that has ended, locked."""
        return _locked(tx, _WITH_HOLD, ids, _LEFT)

    def wrapped_keys(self, tx: Connection, ids: Sequence[UUID]) -> Mapping[UUID, bytes]:
        """artifact → its wrapped data key."""
        query = select(data_keys.c.artifact, data_keys.c.wrapped).where(data_keys.c.artifact.in_(ids))
        return {row.artifact: row.wrapped for row in tx.execute(query)}

    def move_keys(self, tx: Connection, moved: Mapping[UUID, tuple[str, bytes]]) -> None:
        """artifact → epoch and key, wrapped anew under it; as `move_key`, for many at once."""
        rows = [{"moved": id, "under": epoch, "key": wrapped} for id, (epoch, wrapped) in moved.items()]
        if not rows:
            return
        new: dict[str, ColumnElement[object]] = {"epoch": bindparam("under"), "wrapped": bindparam("key")}
        tx.execute(update(data_keys).where(data_keys.c.artifact == bindparam("moved")).values(new), rows)
        earlier = func.array_append(artifacts.c.earlier_epochs, artifacts.c.epoch)
        one = update(artifacts).where(artifacts.c.id == bindparam("moved"))
        tx.execute(one.values(epoch=bindparam("under"), earlier_epochs=earlier), rows)

    def catch(self, tx: Connection, hold: Hold, ids: Sequence[UUID], at: datetime) -> None:
        """These, locked, live as long as the hold, or longer by their own clock. What was past its end when the
        hold was placed was inaudible, and stays so; what another hold still kept then was not."""
        other = select(func.coalesce(holds.c.ended_at, holds.c.review_at)).where(
            holds.c.id == artifacts.c.hold
        )
        was_free = func.coalesce(other.scalar_subquery() <= hold.placed_at, True)
        late = was_free & (artifacts.c.due_at <= hold.placed_at)
        values = {
            "hold": hold.id,
            "unheld_due_at": _OWN_DUE,
            "due_at": func.greatest(_OWN_DUE, hold.review_at),
            "restricted": or_(artifacts.c.restricted, late),
        }
        self._leave(tx, ids, at)
        tx.execute(update(artifacts).where(artifacts.c.id.in_(ids)).values(values))
        rows = [{"hold": hold.id, "artifact": id, "caught_at": at} for id in ids]
        tx.execute(upsert(held).on_conflict_do_nothing(), rows)

    def release(self, tx: Connection, ids: Sequence[UUID], at: datetime) -> None:
        """These, locked, are on their own clock again."""
        self._leave(tx, ids, at)
        values = {"hold": None, "due_at": artifacts.c.unheld_due_at, "unheld_due_at": None}
        tx.execute(update(artifacts).where(artifacts.c.id.in_(ids)).values(values))

    def _leave(self, tx: Connection, ids: Sequence[UUID], at: datetime) -> None:
        mine = held.c.artifact.in_(ids) & held.c.released_at.is_(None)
        tx.execute(update(held).where(mine).values(released_at=at))

    def set_clock(self, tx: Connection, artifact: UUID, due_at: datetime, **values: object) -> None:
        """The end of the artifact's own clock, and further columns of its row, which is locked and kept. What an
        open hold keeps stays until its review date at least."""
        review_at = select(holds.c.review_at).where(holds.c.id == artifacts.c.hold, holds.c.state == "open")
        dates = {
            # `greatest` passes over NULL: without an open hold the clock alone counts.
            "due_at": func.greatest(due_at, review_at.scalar_subquery()),
            "unheld_due_at": case((artifacts.c.hold.is_not(None), due_at)),
        }
        where = (artifacts.c.id == artifact) & _LIVE
        tx.execute(update(artifacts).where(where).values(dates | values))


_WITH_HOLD = artifacts.join(holds, holds.c.id == artifacts.c.hold)
_LEFT = (artifacts.c.state == "kept") & ~is_open(_NOW)


def _found(tx: Connection, joined: FromClause, where: ColumnElement[bool], limit: int) -> list[Artifact]:
    query = select(*_ARTIFACT).select_from(joined).where(where).limit(limit)
    return [Artifact(**row) for row in tx.execute(query).mappings()]


def _locked(
    tx: Connection, joined: FromClause, ids: Sequence[UUID], where: ColumnElement[bool]
) -> list[Artifact]:
    query = select(*_ARTIFACT).select_from(joined).where(artifacts.c.id.in_(ids), where)
    rows = tx.execute(query.order_by(artifacts.c.id).with_for_update(of=artifacts)).mappings()
    return [Artifact(**row) for row in rows]
