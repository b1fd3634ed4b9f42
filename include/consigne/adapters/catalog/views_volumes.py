"""What the desk shows of volumes set aside. Read-only, as in views.py; instants are aware datetimes."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, func, select

from consigne.adapters.catalog.tables import artifacts, policies, recordings
from consigne.adapters.catalog.tables_gone import forecasts, volume_items, volumes
from consigne.rules.clock import local_date
from consigne.rules.forecast import HORIZON

Document = dict[str, Any]
_ITEMS = volume_items.join(artifacts, artifacts.c.id == volume_items.c.artifact)


def waiting_volumes(tx: Connection, now: datetime) -> list[Document]:
    """Volumes that wait for an answer, the soonest lapse first."""
    waits = (volumes.c.state == "pending") & (volumes.c.lapses_at > now)
    return _rows(tx, select(volumes).where(waits).order_by(volumes.c.lapses_at, volumes.c.id))


def latest_volumes(tx: Connection, limit: int) -> list[Document]:
    """Volumes, newest first, whatever became of them."""
    return _rows(tx, select(volumes).order_by(volumes.c.set_aside_at.desc(), volumes.c.id).limit(limit))


def volume(tx: Connection, id: UUID, zone: str) -> Document | None:
    """One volume with its `lines` (a purpose each), the `forecast` that it exceeded (None where that is gone), and the
    `versions` of the policy that came into force between them."""
    found = _rows(tx, select(volumes).where(volumes.c.id == id))
    if not found:
        return None
    [one] = found
    columns = forecasts.c.made_on, forecasts.c.made_at
    made = select(*columns).where(
        forecasts.c.made_on < local_date(one["set_aside_at"], zone).isoformat(),
        forecasts.c.made_at >= one["set_aside_at"] - HORIZON,
    )
    forecast = next(iter(_rows(tx, made.order_by(forecasts.c.made_on.desc()).limit(1))), None)
    since = forecast["made_at"] if forecast else one["set_aside_at"]
    return one | {
        "forecast": forecast,
        "lines": _lines(tx, id, since),
        "versions": _versions(tx, since, one["set_aside_at"]),
    }


def _lines(tx: Connection, id: UUID, since: datetime) -> list[Document]:
    """A purpose each: how many there are still, and came after `since`; its first and last end, and last cap."""
    a = artifacts.c
    query = (
        select(
            a.purpose,
            func.count().filter(a.state != "erased").label("left"),
            func.count().filter(a.stored_at > since).label("new"),
            func.min(a.due_at).label("first_due_at"),
            func.max(a.due_at).label("last_due_at"),
            func.max(a.cap_at).label("last_cap_at"),
        )
        .select_from(_ITEMS)
        .where(volume_items.c.volume == id)
        .group_by(a.purpose)
    )
    return _rows(tx, query.order_by(a.purpose))


def _versions(tx: Connection, since: datetime, until: datetime) -> list[Document]:
    in_force = policies.c.in_force_from
    query = select(policies.c.version, policies.c.digest, in_force).where(in_force > since, in_force <= until)
    return _rows(tx, query.order_by(in_force))


def examples(tx: Connection, id: UUID, limit: int) -> list[Document]:
    """Calls of a volume, the latest due first."""
    r = recordings.c
    query = (
        select(r.id, r.source_id, r.queue, r.started_at, func.max(artifacts.c.due_at).label("due_at"))
        .select_from(_ITEMS.join(recordings, r.id == artifacts.c.recording))
        .where(volume_items.c.volume == id)
        .group_by(r.id)
    )
    return _rows(tx, query.order_by(func.max(artifacts.c.due_at).desc(), r.source_id).limit(limit))


def _rows(tx: Connection, query: Select[Any]) -> list[Document]:
    return [dict(row) for row in tx.execute(query).mappings()]
