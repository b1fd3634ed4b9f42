"""Views: what came back from a backup, and what was lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select

from consigne.adapters.catalog.restorations import IS_DOUBTED
from consigne.adapters.catalog.tables import artifacts, recordings
from consigne.adapters.catalog.tables_gone import findings, losses, restorations

Document = dict[str, Any]
# What a tombstone names that is not believed: not lost, but inaudible until the DPO answered.
_DOUBTED = (
    select(
        artifacts.c.recording,
        artifacts.c.purpose,
        artifacts.c.part,
        findings.c.found_at,
        recordings.c.source_id,
    )
    .select_from(findings)
    .join(artifacts, artifacts.c.id == findings.c.artifact)
    .join(recordings, recordings.c.id == artifacts.c.recording)
    .where(IS_DOUBTED, artifacts.c.state == "kept")
    .distinct(artifacts.c.id)
)


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
    lost = [dict(row) for row in tx.execute(query).mappings()]
    doubted = _DOUBTED.order_by(artifacts.c.id).limit(limit)
    return [{**row, "reason": "doubted"} for row in tx.execute(doubted).mappings()] + lost


def losses_by_reason(tx: Connection) -> dict[str, int]:
    """How many there are, for each reason."""
    query = select(losses.c.reason, func.count()).group_by(losses.c.reason)
    doubted = tx.execute(select(func.count()).select_from(_DOUBTED.subquery())).scalar_one()
    return {"doubted": doubted} | {reason: int(count) for reason, count in tx.execute(query)}


def lost_of(tx: Connection, artifact_ids: Sequence[UUID]) -> dict[UUID, str]:
    """artifact → why it is lost."""
    query = select(losses.c.artifact, losses.c.reason).where(losses.c.artifact.in_(artifact_ids))
    doubted = tx.execute(_DOUBTED.with_only_columns(artifacts.c.id).where(artifacts.c.id.in_(artifact_ids)))
    return {row.artifact: row.reason for row in tx.execute(query)} | dict.fromkeys(
        doubted.scalars(), "doubted"
    )


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
