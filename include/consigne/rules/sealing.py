"""How far the register's sealing has come, and when it has stopped for too long."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

LONGEST_GAP = timedelta(hours=2)
"""Entries are published hourly: whoever waits longer is told of."""


@dataclass(frozen=True, slots=True)
class Sealing:
    """Entries sealed and published; when the newest was published, and told to the outside witness. `waiting_since`:
    when the oldest entry that nothing published holds was made; `untold_since`: when the oldest checkpoint was
    published that the witness does not know."""

    size: int
    published_size: int
    published_at: datetime | None
    witnessed_at: datetime | None
    waiting_since: datetime | None
    untold_since: datetime | None


def gap_since(sealing: Sealing, now: datetime, has_witness: bool) -> datetime | None:
    """Since when entries, or checkpoints, have waited longer than they may; None where none do."""
    waiting = [sealing.waiting_since, sealing.untold_since if has_witness else None]
    overdue = [since for since in waiting if since is not None and now - since > LONGEST_GAP]
    return min(overdue, default=None)
