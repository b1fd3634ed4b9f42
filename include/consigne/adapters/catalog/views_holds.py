"""What *Holds* reads. Read-only; instants are aware datetimes. A caller's blind index never leaves the catalog."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, select

from consigne.adapters.catalog import tables as t
from consigne.adapters.catalog.tables_decided import held, holds
from consigne.adapters.catalog.views import Document

REVIEW_SOON = timedelta(days=30)
_SHOWN = [column for column in holds.c if column.name not in ("callers", "state")]
_LIVE = t.artifacts.c.state.in_(("storing", "kept"))
_OWN_DUE = func.coalesce(t.artifacts.c.unheld_due_at, t.artifacts.c.due_at)


def listed(tx: Connection, now: datetime, first: int, limit: int) -> list[Document]:
    """Holds, those that are open first, soonest to be reviewed, then the newest, `limit` from the `first` on.

    `keeps`: recordings that it has now; `would_be_gone`: those of them that would not be there without it.
    """
    soonest = case((_is_open(now), holds.c.review_at)).asc().nulls_last()
    query = _holds(now).order_by(soonest, holds.c.placed_at.desc(), holds.c.id).offset(first).limit(limit)
    return _counted(tx, query, now)


def one(tx: Connection, id: UUID, now: datetime) -> Document | None:
    """One hold, as above."""
    found = _counted(tx, _holds(now).where(holds.c.id == id), now)
    return found[0] if found else None


def to_review(tx: Connection, now: datetime) -> list[Document]:
    """Open holds whose review date lies within REVIEW_SOON, soonest first."""
    soon = _is_open(now) & (holds.c.review_at <= now + REVIEW_SOON)
    rows = tx.execute(_holds(now).where(soon).order_by(holds.c.review_at, holds.c.id)).mappings()
    return [dict(row) for row in rows]


def caught(tx: Connection, id: UUID, first: int, limit: int) -> list[Document]:
    """Recordings that a hold caught, the newest calls first, also after its end: `parts` of them, how many it
    `still` keeps, how many are `erased`, and when the first and the last of what is left would go
    without it (`own_due_at`, `last_due_at`; None where nothing is left)."""
    a, r = t.artifacts.c, t.recordings.c
    query = (
        select(
            r.id, r.source_id, r.started_at, r.queue, r.agent,
            func.count().label("parts"),
            func.count().filter(_LIVE, a.hold == id).label("still"),
            func.count().filter(a.state == "erased").label("erased"),
            func.min(_OWN_DUE).filter(a.state != "erased").label("own_due_at"),
            func.max(_OWN_DUE).filter(a.state != "erased").label("last_due_at"),
            func.array_agg(a.purpose.distinct()).label("purposes"),
        )
        .join_from(held, t.artifacts, a.id == held.c.artifact)
        .join(t.recordings, r.id == a.recording)
        .where(held.c.hold == id)
        .group_by(r.id)
        .order_by(r.started_at.desc(), r.id)
    )  # fmt: skip
    return [dict(row) for row in tx.execute(query.offset(first).limit(limit)).mappings()]


def _is_open(now: datetime) -> ColumnElement[bool]:
    return and_(holds.c.state == "open", holds.c.review_at > now)


def _holds(now: datetime) -> Select[Any]:
    # The review date decides, whether or not the sweep has noted it.
    state = case((and_(holds.c.state == "open", holds.c.review_at <= now), "lapsed"), else_=holds.c.state)
    return select(*_SHOWN, state.label("state"))


def _counted(tx: Connection, query: Select[Any], now: datetime) -> list[Document]:
    found = [dict(row) for row in tx.execute(query).mappings()]
    counts = _counts(tx, [row["id"] for row in found], now)
    for row in found:
        row["keeps"], row["would_be_gone"] = counts.get(row["id"], (0, 0))
    return found


def _counts(tx: Connection, ids: Sequence[UUID], now: datetime) -> dict[UUID, tuple[int, int]]:
    a = t.artifacts.c
    kept = func.count(a.recording.distinct())
    query = select(a.hold, kept.label("keeps"), kept.filter(now >= _OWN_DUE).label("gone"))
    rows = tx.execute(query.where(a.hold.in_(ids), a.state != "erased", _LIVE).group_by(a.hold))
    return {row.hold: (row.keeps, row.gone) for row in rows}
