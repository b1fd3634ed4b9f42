"""What pages read of acknowledgements and objections. Instants are aware datetimes; nothing here locks or writes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select

from consigne.adapters.catalog import tables as t
from consigne.adapters.catalog import tables_people as p

Document = dict[str, Any]
_SHOWN = ("id", "purposes", "alternative", "objected_at", "recorded_by", "withdrawn_at", "withdrawn_by")


def objections(tx: Connection, first: int, limit: int) -> list[Document]:
    """Newest first: the columns above, `stands` (it holds for the caller's later calls), and of a call that has come
    `source_id` and `recording`. No number, and no digest."""
    o = p.objections.c
    columns = [o[name] for name in _SHOWN]
    has_caller = (func.cardinality(o.callers) > 0).label("of_caller")
    query = (
        select(*columns, has_caller, o.identity_digest)
        .order_by(o.objected_at.desc(), o.id)
        .offset(first)
        .limit(limit)
    )
    rows = tx.execute(query).mappings().all()
    calls = _calls(tx, [row["identity_digest"] for row in rows if row["identity_digest"]])
    return [
        {name: row[name] for name in (*_SHOWN, "of_caller")}
        | {
            "of_call": row["identity_digest"] is not None,
            "stands": row["of_caller"] and row["withdrawn_at"] is None,
        }
        | calls.get(row["identity_digest"], {"source_id": None, "recording": None})
        for row in rows
    ]


def _calls(tx: Connection, digests: list[bytes]) -> Mapping[bytes, Document]:
    d = t.deliveries.c
    query = select(d.identity_digest, d.source_id, d.recording).where(d.identity_digest.in_(digests))
    return {
        row.identity_digest: {"source_id": row.source_id, "recording": row.recording}
        for row in tx.execute(query.order_by(d.received_at))
    }


def objection(tx: Connection, id: UUID) -> Document | None:
    """One by its id: `withdrawn_at`, and `stands`."""
    o = p.objections.c
    row = tx.execute(select(o.withdrawn_at, o.callers).where(o.id == id)).one_or_none()
    if row is None:
        return None
    return {"withdrawn_at": row.withdrawn_at, "stands": bool(row.callers) and row.withdrawn_at is None}


def agents(tx: Connection, since: datetime, notice: str) -> list[Document]:
    """Agents with calls since then, kept or refused for want of information, by name: `agent`, `acknowledged_at` of
    that notice as recorded in the catalog (None), `handed_in_by` where a file said so, and `refused` (a call of theirs
    was)."""
    r, u, a = t.recordings.c, p.uninformed_agents.c, p.acknowledgements.c
    kept = tx.execute(select(r.agent).where(r.started_at >= since, r.agent != "").distinct()).scalars()
    owing = set(tx.execute(select(u.agent).where(u.seen_at >= since, u.notice == notice)).scalars())
    done = {
        row.agent: (row.acknowledged_at, row.recorded_by if row.channel == "file" else None)
        for row in tx.execute(
            select(a.agent, a.acknowledged_at, a.recorded_by, a.channel).where(a.notice == notice)
        )
    }
    return [
        {"agent": agent, "acknowledged_at": at, "handed_in_by": by, "refused": agent in owing}
        for agent in sorted({*kept, *owing, *done})
        for at, by in [done.get(agent, (None, None))]
    ]
