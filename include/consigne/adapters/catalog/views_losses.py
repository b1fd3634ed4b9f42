"""Views: what came back from a backup, and what was lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select

from consigne.adapters.catalog.tables import recordings
from consigne.adapters.catalog.tables_gone import losses, restorations

Document = dict[str, Any]


def latest_restorations(tx: Connection, limit: int) -> list[Document]:
    """The newest first, with what each did."""
    query = select(restorations).order_by(restorations.c.began_at.desc()).limit(limit)
    return [dict(row) for row in tx.execute(query).mappings()]


def latest_losses(tx: Connection, limit: int) -> list[Document]:
    """The newest first; `source_id` is None where the catalog does not know the recording (any more)."""
    query = select(losses, recordings.c.source_id).outerjoin_from(
        losses, recordings, recordings.c.id == losses.c.recording
    )
    query = query.order_by(losses.c.found_at.desc(), losses.c.recording, losses.c.part).limit(limit)
    return [dict(row) for row in tx.execute(query).mappings()]


def losses_by_reason(tx: Connection) -> dict[str, int]:
    """How many there are, for each reason."""
    query = select(losses.c.reason, func.count()).group_by(losses.c.reason)
    return {reason: int(count) for reason, count in tx.execute(query)}


def lost_of(tx: Connection, artifacts: Sequence[UUID]) -> dict[UUID, str]:
    """artifact → why it is lost."""
    query = select(losses.c.artifact, losses.c.reason).where(losses.c.artifact.in_(artifacts))
    return {row.artifact: row.reason for row in tx.execute(query)}


def lost_last(tx: Connection) -> Document | None:
    """The last restoration, where it found losses: `began_at` and how many `losses`."""
    last = (
        select(restorations.c.id, restorations.c.began_at).order_by(restorations.c.began_at.desc()).limit(1)
    )
    row = tx.execute(last).one_or_none()
    if row is None:
        return None
    count = tx.execute(select(func.count()).where(losses.c.restoration == row.id)).scalar_one()
    return {"began_at": row.began_at, "losses": count} if count else None
