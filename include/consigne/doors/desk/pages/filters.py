"""The filters of *Recordings*, as they are typed into its address."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from uuid import UUID

from consigne.adapters.catalog.views_recordings import STATES, Search
from consigne.rules.clock import midnight_of, parse_day
from consigne.rules.errors import BadInput

FIELDS = ("from", "until", "purpose", "queue", "agent", "state", "due_from", "due_until")
_YEARS = range(1900, 9000)


def read_filters(
    typed: Mapping[str, str], zone: str, seen: frozenset[str] | None, before: UUID | None
) -> Search:
    """What is looked for; days are local and inclusive, `seen` are the purposes that the reader may see (None: all).
    BadInput('bad_field') names a field of FIELDS."""
    state = typed["state"] or None
    if state and state not in STATES:
        raise BadInput("bad_field", "state")
    for field in ("purpose", "queue", "agent"):
        if not typed[field].isprintable():  # a NUL among them: PostgreSQL has no such text
            raise BadInput("bad_field", field)
    purposes = seen
    if typed["purpose"]:
        purposes = frozenset({typed["purpose"]} if seen is None else {typed["purpose"]} & seen)
    return Search(
        purposes=purposes,
        since=_begin(typed, "from", zone),
        until=_begin(typed, "until", zone, days=1),
        queue=typed["queue"] or None,
        agent=typed["agent"] or None,
        state=state,
        due_since=_begin(typed, "due_from", zone),
        due_until=_begin(typed, "due_until", zone, days=1),
        before=before,
    )


def _begin(typed: Mapping[str, str], field: str, zone: str, days: int = 0) -> datetime | None:
    if not typed[field]:
        return None
    day = read_day(typed[field], field)
    return midnight_of(day + timedelta(days=days), zone)


def read_day(text: str, field: str) -> date:
    """A local day, `2026-11-20`, within the years that any zone can show. BadInput names the field."""
    try:
        day = parse_day(text)
    except BadInput:
        raise BadInput("bad_field", field) from None
    if day.year not in _YEARS:
        raise BadInput("bad_field", field)
    return day
