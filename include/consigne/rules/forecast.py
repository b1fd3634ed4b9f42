"""What was foretold to fall due, and what exceeds it (design.md, section 4).

A forecast counts what is kept by purpose and by the local day of its own end; what a hold keeps counts at the day on
which it would go without. On a day it foretells everything up to that day, so that an outage of days is no excess.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from consigne.rules.clock import local_date
from consigne.rules.policy.model import Policy
from consigne.rules.retention import epoch_length_of

HORIZON = timedelta(days=35)
"""How far ahead a forecast looks. Older than that it foretells nothing any more, and all is ordinary."""
OVERDUE = "overdue"
"""In the place of a day: what was past its end when the forecast was made."""

Expected = Mapping[str, Mapping[str, int]]
"""purpose → local day (`2026-11-22`) or OVERDUE → artifacts."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What was foretold on a local day (`made_on`) at an instant (UTC). `visaed`: when versions of the policy took
    force since; what ends at that very instant was ended by a visa, whose impact was seen before it was given."""

    made_on: str
    made_at: datetime
    expected: Expected
    visaed: frozenset[datetime] = frozenset()


@dataclass(frozen=True, slots=True)
class DueArtifact:
    """An artifact of a manifest. `ended_for`: the recorded act that ended it early; `is_settled`: it is being erased
    already, or was set aside before."""

    id: UUID
    purpose: str
    due_at: datetime
    ended_for: str | None
    is_settled: bool


@dataclass(frozen=True, slots=True)
class Count:
    """Of one purpose: foretold up to today, gone of it since the forecast was made, due now, and set aside."""

    foretold: int
    gone: int
    due: int
    set_aside: int


@dataclass(frozen=True, slots=True)
class Measured:
    """What is set aside of a manifest, and why: a count for each purpose that exceeds what was foretold."""

    set_aside: tuple[UUID, ...]
    counts: Mapping[str, Count]


NOTHING = Measured((), {})


def foretell(
    ends: Iterable[tuple[str, datetime, int]], now: datetime, zone: str
) -> dict[str, dict[str, int]]:
    """An `Expected` from (purpose, end, artifacts); days are the zone's."""
    expected: dict[str, Counter[str]] = {}
    for purpose, end, count in ends:
        place = OVERDUE if end <= now else local_date(end, zone).isoformat()
        expected.setdefault(purpose, Counter())[place] += count
    return {purpose: dict(sorted(places.items())) for purpose, places in sorted(expected.items())}


def foretold(expected: Expected, purpose: str, today: date) -> int:
    """How many of a purpose were to fall due up to a local day, that day with them."""
    places = expected.get(purpose, {})
    return sum(count for place, count in places.items() if place == OVERDUE or place <= today.isoformat())


def measure(
    policy: Policy, due: Sequence[DueArtifact], forecast: Forecast, gone: Mapping[str, int], today: date
) -> Measured:
    """Set aside what exceeds the forecast, of each purpose the latest due first; no margin. `gone` counts what began
    to be erased of each purpose since the forecast was made.

    Never set aside: what a recorded act or a visa ended, what is settled, and purposes whose epochs are shorter than
    a day.
    """
    by_purpose: dict[str, list[DueArtifact]] = {}
    for one in due:
        is_explained = one.ended_for is not None or one.due_at in forecast.visaed
        if not is_explained and not one.is_settled and _is_daily(policy, one.purpose):
            by_purpose.setdefault(one.purpose, []).append(one)
    chosen: list[UUID] = []
    counts: dict[str, Count] = {}
    for purpose, found in sorted(by_purpose.items()):
        told, spent = foretold(forecast.expected, purpose, today), gone.get(purpose, 0)
        ordinary = max(told - spent, 0)
        latest_last = sorted(found, key=lambda one: (one.due_at, one.id))
        if excess := latest_last[ordinary:]:
            chosen += [one.id for one in excess]
            counts[purpose] = Count(told, spent, len(found), len(excess))
    return Measured(tuple(chosen), counts)


def _is_daily(policy: Policy, purpose: str) -> bool:
    return not epoch_length_of(None, policy, purpose).is_under_a_day
