"""What *Checks* and `findings` read. Read-only; instants are aware datetimes."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Connection, Select, Text, case, func, literal, select

from consigne.adapters.catalog import tables as t
from consigne.adapters.catalog.tables_gone import accesses, findings
from consigne.adapters.catalog.views import Document
from consigne.rules.clock import parse_instant
from consigne.rules.layout import recording_of

_OPEN = findings.c.state == "open"
_RUN = "reconcile:run:reported"


def listed(tx: Connection, is_open: bool, first: int, limit: int) -> list[Document]:
    """Findings: those that are open, what asks for a person first, then the newest; or those that are closed, the
    newest first; `limit` from the `first` on. `recording` is the one that the artifact is of."""
    query = _findings().where(_OPEN if is_open else ~_OPEN)
    by_act = case((findings.c.act == "decide", 0), (findings.c.act == "alarm", 1), else_=2)
    order = (by_act, findings.c.found_at.desc()) if is_open else (findings.c.closed_at.desc(),)
    rows = tx.execute(query.order_by(*order, findings.c.id).offset(first).limit(limit)).mappings()
    return [dict(row) for row in rows]


def one(tx: Connection, id: UUID) -> Document | None:
    """One finding, as above."""
    row = tx.execute(_findings().where(findings.c.id == id)).mappings().one_or_none()
    return None if row is None else dict(row)


def accesses_of(tx: Connection, finding: UUID, limit: int) -> tuple[list[Document], int]:
    """The store's requests behind a finding, oldest first, `limit` of them, each with the `recording` whose object
    it was; and how many there are."""
    mine = accesses.c.finding == finding
    count = tx.execute(select(func.count()).where(mine)).scalar_one()
    query = select(accesses.c.at, accesses.c.bucket, accesses.c.object, accesses.c.request).where(mine)
    rows = [dict(row) for row in tx.execute(query.order_by(accesses.c.at).limit(limit)).mappings()]
    named = [recording_of(row["object"]) for row in rows]
    known = set(tx.execute(select(t.recordings.c.id).where(t.recordings.c.id.in_(named))).scalars())
    return [
        row | {"recording": id if id in known else None} for row, id in zip(rows, named, strict=True)
    ], count


def waiting(tx: Connection) -> int:
    """How many findings wait for the DPO's word."""
    return tx.execute(select(func.count()).where(_OPEN, findings.c.act != "sweep")).scalar_one()


def last_run(tx: Connection) -> datetime | None:
    """When a reconciliation last went through to its end; None where none has."""
    named = t.register.c.subjects.op("@>")(literal([_RUN], ARRAY(Text))) & t.register.c.payload.is_not(None)
    newest = select(t.register.c.payload).where(named).order_by(t.register.c.id.desc()).limit(1)
    payload = tx.execute(newest).scalar_one_or_none()
    return None if payload is None else parse_instant(json.loads(payload)["at"])


def _findings() -> Select[Any]:
    return (
        select(*findings.c, t.artifacts.c.recording, t.recordings.c.source_id, t.artifacts.c.purpose, t.artifacts.c.part)
        .outerjoin_from(findings, t.artifacts, t.artifacts.c.id == findings.c.artifact)
        .outerjoin(t.recordings, t.recordings.c.id == t.artifacts.c.recording)
    )  # fmt: skip
