"""What *Register* and its export read. Read-only."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from sqlalchemy import ARRAY, Connection, Select, Text, cast, func, literal, select, text
from sqlalchemy.dialects.postgresql import JSONB

from consigne.adapters.catalog.register import read_sealing
from consigne.adapters.catalog.tables import checkpoints, register
from consigne.rules.clock import iso
from consigne.rules.sealing import Sealing
from consigne.rules.sought import Sought

LONGEST_COMMIT = timedelta(hours=1)
"""An entry's transaction began at most so long before it was sealed, but for a sealer that stood still."""
NEAR = 50_000
PATIENCE_MS = 10_000


def found(tx: Connection, sought: Sought, limit: int) -> list[dict[str, Any]]:
    """Sealed entries, the newest first: `number`, `leaf` and `salt` (hex), and `payload` as it is, of which `said` is
    the reading; the last three None where they were purged. Unavailable where it takes longer than PATIENCE_MS."""
    tx.execute(text(f"SET LOCAL statement_timeout = {PATIENCE_MS}"))
    beyond = _first_beyond(tx, sought)
    fitting = _fitting(sought, beyond)
    if not sought.names:
        return _told(tx, fitting, limit)
    r = register.c
    named = fitting.where(r.subjects.op("@>")(literal(sought.names, ARRAY(Text))))
    # What is common is soon found among the newest; what is rare, by its index. The planner cannot know which.
    near = _told(tx, named.where(r.leaf_index >= beyond - NEAR), limit)
    if len(near) >= limit:
        return near
    rare = named.offset(0).subquery()
    return _told(tx, select(rare), limit)


def _first_beyond(tx: Connection, sought: Sought) -> int:
    """The number below which all lies that is sought."""
    size = tx.execute(select(func.max(checkpoints.c.size))).scalar() or 0
    if sought.until is not None:
        at = checkpoints.c.sealed_at >= sought.until + LONGEST_COMMIT
        size = tx.execute(select(func.min(checkpoints.c.size)).where(at)).scalar() or size
    return size if sought.before is None else min(size, sought.before)


def _fitting(sought: Sought, beyond: int) -> Select[Any]:
    """Entries by number and time."""
    r = register.c
    query = select(r.leaf_index, r.leaf, r.salt, r.payload).where(r.leaf_index < beyond)
    made_at = cast(func.convert_from(r.payload, "UTF8"), JSONB)["at"].astext
    if sought.since is not None:
        size = select(func.max(checkpoints.c.size)).where(checkpoints.c.sealed_at < sought.since)
        first = func.coalesce(size.scalar_subquery(), 0)
        query = query.where(r.leaf_index >= first, made_at >= iso(sought.since))
    if sought.until is not None:
        query = query.where(made_at < iso(sought.until))
    return query


def _told(tx: Connection, query: Select[Any], limit: int) -> list[dict[str, Any]]:
    rows = tx.execute(query.order_by(query.selected_columns.leaf_index.desc()).limit(limit))
    return [
        {
            "number": row.leaf_index,
            "leaf": row.leaf.hex(),
            "salt": row.salt and row.salt.hex(),
            "payload": row.payload and row.payload.decode("ascii", "replace"),
            "said": row.payload and json.loads(row.payload),
        }
        for row in rows
    ]


def sealing(tx: Connection) -> Sealing:
    """How far sealing, publishing and telling the witness have come."""
    return read_sealing(tx)


def waiting(tx: Connection) -> int:
    """Entries that are not sealed yet."""
    query = select(func.count()).select_from(register).where(register.c.leaf_index.is_(None))
    return int(tx.execute(query).scalar_one())


def leaf_of(tx: Connection, number: int) -> bytes | None:
    """The leaf of a sealed entry."""
    return tx.execute(select(register.c.leaf).where(register.c.leaf_index == number)).scalar_one_or_none()


def newest_note(tx: Connection) -> bytes | None:
    """The newest checkpoint, a signed note."""
    query = select(checkpoints.c.note).order_by(checkpoints.c.size.desc()).limit(1)
    return tx.execute(query).scalar_one_or_none()
