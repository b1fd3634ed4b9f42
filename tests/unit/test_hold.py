"""What a hold may be over, and until when."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from consigne.rules.errors import BadInput
from consigne.rules.hold import Hold, HoldScope, HoldState, review_instant, scope_of

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
ONE = uuid.UUID(int=1)
HOLD = Hold(
    ONE, "m", "a", "r", HoldScope.AGENT, None, (), "a.martin", None, None, False, "dpo", NOW, LATER, "p"
)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((ONE, None, None, None, None), "recording"),
        ((None, "+33612345678", None, None, None), "caller"),
        ((None, "+33612345678", None, NOW, None), "caller"),
        ((None, None, "a.martin", None, LATER), "agent"),
        ((None, None, None, NOW, LATER), "period"),
    ],
)
def test_what_a_hold_is_over(given: tuple[Any, ...], expected: str) -> None:
    assert scope_of(*given) == expected


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ((None, None, None, None, None), "scope"),
        ((None, "", "", None, None), "scope"),
        ((ONE, None, "a.martin", None, None), "scope"),
        ((None, "+33612345678", "a.martin", None, None), "scope"),
        ((ONE, None, None, NOW, LATER), "scope"),
        ((None, None, None, NOW, None), "until"),
        ((None, None, None, None, NOW), "since"),
        ((None, None, None, LATER, NOW), "until"),
        ((None, None, "a.martin", NOW, NOW), "until"),
    ],
)
def test_never_everything_and_never_two(given: tuple[Any, ...], field: str) -> None:
    with pytest.raises(BadInput) as fault:
        scope_of(*given)
    assert fault.value.where == field


@pytest.mark.promise("P5")
@pytest.mark.parametrize(
    ("day", "now", "zone", "expected"),
    [
        ("2026-11-21", NOW, "Europe/Paris", "2026-11-20T23:00:00+00:00"),
        ("2027-11-20", NOW, "Europe/Paris", "2027-11-19T23:00:00+00:00"),  # a year, the day itself
        ("2027-03-29", NOW, "Europe/Paris", "2027-03-28T22:00:00+00:00"),  # after the clock's change
        ("2026-11-21", NOW, "Pacific/Kiritimati", "2026-11-20T10:00:00+00:00"),
        ("2029-02-28", datetime(2028, 2, 29, 12, tzinfo=UTC), "UTC", "2029-02-28T00:00:00+00:00"),
        ("2026-11-20", NOW, "UTC", "review_passed"),
        ("2026-11-20", NOW, "Pacific/Kiritimati", "review_passed"),
        ("2027-11-21", NOW, "UTC", "review_too_far"),
        ("2029-03-01", datetime(2028, 2, 29, 12, tzinfo=UTC), "UTC", "review_too_far"),
    ],
)
def test_a_review_lies_ahead_at_most_a_year(day: str, now: datetime, zone: str, expected: str) -> None:
    if not expected[0].isdigit():
        with pytest.raises(BadInput, match=expected):
            review_instant(date.fromisoformat(day), now, zone)
    else:
        assert review_instant(date.fromisoformat(day), now, zone).isoformat() == expected


@pytest.mark.promise("P5")
def test_it_keeps_until_its_review_date_and_not_a_second_longer() -> None:
    assert HOLD.keeps(LATER - timedelta(seconds=1)) and not HOLD.keeps(LATER)
    assert not any(
        replace(HOLD, state=state).keeps(NOW) for state in HoldState if state is not HoldState.OPEN
    )


def test_the_epoch_s_name_is_no_identifier_that_the_register_finds_the_hold_by() -> None:
    assert HOLD.epoch_name("training", 2) == f"training/hold-{'0' * 31}1/2"
