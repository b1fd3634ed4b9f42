"""What *Exceptions* and its form read. Read-only; instants are aware datetimes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, and_, case, exists, func, or_, select, true

from consigne.adapters.catalog import tables as t
from consigne.adapters.catalog.views import Document, requests_where

STATES = ("pending", "decided", "lapsed")
_OF_ARTIFACT = ("id", "recording", "purpose", "part", "state", "restricted", "clock_start", "cap_at")
_OF_RECORDING = ("source_id", "started_at", "duration_ms", "queue", "agent")


def askable(tx: Connection, artifacts: Sequence[UUID]) -> list[Document]:
    """The artifacts that a form asks about, by call: with `own_due_at`, when their own clock ends (a hold aside),
    and `awaited`, whether a request for them waits, or one that was granted is not applied yet. Unknown ones are
    left out."""
    joined = t.request_items.join(t.requests).outerjoin(t.decisions, t.decisions.c.request == t.requests.c.id)
    granted = and_(t.decisions.c.answer != "refuse", t.decisions.c.applied_at.is_(None))
    awaited = (
        exists()
        .select_from(joined)
        .where(t.request_items.c.artifact == t.artifacts.c.id, or_(_waits(func.consigne_now()), granted))
    )
    query = (
        select(
            *(t.artifacts.c[name] for name in _OF_ARTIFACT),
            func.coalesce(t.artifacts.c.unheld_due_at, t.artifacts.c.due_at).label("own_due_at"),
            *(t.recordings.c[name] for name in _OF_RECORDING),
            awaited.label("awaited"),
        )
        .join_from(t.artifacts, t.recordings, t.recordings.c.id == t.artifacts.c.recording)
        .where(t.artifacts.c.id.in_(artifacts))
        .order_by(t.recordings.c.started_at, t.recordings.c.id, t.artifacts.c.purpose, t.artifacts.c.part)
    )
    return [dict(row) for row in tx.execute(query).mappings()]


def _waits(now: ColumnElement[datetime] | datetime) -> ColumnElement[bool]:
    return and_(t.requests.c.state == "pending", t.requests.c.lapses_at > now)


def requests(
    tx: Connection, now: datetime, requester: str | None, state: str | None, first: int, limit: int
) -> list[Document]:
    """Requests as `views.request` gives them, those that wait first, soonest to lapse, then the newest; of one
    requester and in one of STATES where they are named. What was not answered in time counts as lapsed."""
    where = [true() if requester is None else t.requests.c.requester == requester]
    if state is not None:
        shown = case(
            (and_(t.requests.c.state == "pending", ~_waits(now)), "lapsed"), else_=t.requests.c.state
        )
        where.append(shown == state)
    order = (
        case((_waits(now), t.requests.c.lapses_at)).asc().nulls_last(),
        t.requests.c.filed_at.desc(),
        t.requests.c.id,
    )
    return requests_where(tx, and_(*where), order, first, limit)
