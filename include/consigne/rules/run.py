"""An Airflow run and what it carries: a request, a draft or a volume that waits for a person's word until it lapses.
What the run says of itself is never believed: it is held to the catalog's row."""

from __future__ import annotations

from datetime import datetime
from math import ceil
from typing import Protocol


class Waiting(Protocol):
    """A row that waits; `state` is `lapsed` once its time is over."""

    @property
    def digest(self) -> str: ...

    @property
    def lapses_at(self) -> datetime: ...

    @property
    def state(self) -> str: ...


def why_made_up(row: Waiting | None, word: str, its_run: str, digest: str, run: str) -> str | None:
    """Why a run that says `digest` cannot carry the row, whose one run is `its_run`: `unknown_<word>`,
    `not_its_run`, `digest_differs`, `lapsed`. None where it can."""
    if row is None:
        return f"unknown_{word}"
    if run != its_run:
        return "not_its_run"
    if row.digest != digest:
        return "digest_differs"
    return "lapsed" if row.state == "lapsed" else None


def seconds_left(row: Waiting | None, now: datetime) -> int:
    """Until it lapses; at least 1 (Airflow takes 0 for no limit)."""
    return 1 if row is None else max(1, ceil((row.lapses_at - now).total_seconds()))
