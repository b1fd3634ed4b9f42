"""What exceeds a forecast: never more than the excess, never what a recorded act ended (P5)."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consigne.rules.errors import BadInput
from consigne.rules.forecast import OVERDUE, DueArtifact, Forecast, foretell, foretold, measure
from consigne.rules.policy.model import Policy
from consigne.rules.volume import FAULTS, grounds_of, hold_until

NOW, TODAY = datetime(2026, 11, 22, 9, tzinfo=UTC), date(2026, 11, 22)
PURPOSES = ("training", "quality", "a lost one", "trial")
DAYS = st.integers(-3, 30)
NUMBERS = st.integers(0, 20)
ARTIFACTS = st.lists(
    st.builds(
        DueArtifact,
        st.uuids(),
        st.sampled_from(PURPOSES),
        st.integers(0, 900).map(lambda hours: NOW - timedelta(hours=hours)),
        st.sampled_from((None, None, None, "objected")),
        st.booleans(),
    ),
    max_size=60,
    unique_by=lambda one: one.id,
)
EXPECTED = st.dictionaries(
    st.sampled_from(PURPOSES),
    st.dictionaries(
        DAYS.map(lambda days: (TODAY + timedelta(days=days)).isoformat()) | st.just(OVERDUE), NUMBERS
    ),
)
GONE = st.dictionaries(st.sampled_from(PURPOSES), NUMBERS)


def forecast(expected: object) -> Forecast:
    return Forecast("2026-11-21", NOW - timedelta(days=1), expected)  # type: ignore[arg-type]


@pytest.mark.promise("P5")
@given(ARTIFACTS, EXPECTED, GONE)
def test_exactly_what_exceeds_is_set_aside_the_latest_due_first(
    demo: Policy, due: list[DueArtifact], expected: dict[str, dict[str, int]], gone: dict[str, int]
) -> None:
    found = measure(demo, due, forecast(expected), gone, TODAY)
    by_id = {one.id: one for one in due}
    aside = [by_id[id] for id in found.set_aside]
    assert len(set(found.set_aside)) == len(aside)
    assert not [one for one in aside if one.ended_for or one.is_settled or one.purpose == "trial"]
    counted = Counter(one.purpose for one in aside)
    assert {purpose: count.set_aside for purpose, count in found.counts.items()} == counted
    for purpose in PURPOSES:
        judged = [
            one
            for one in due
            if one.purpose == purpose and not one.ended_for and not one.is_settled and purpose != "trial"
        ]
        left = max(foretold(expected, purpose, TODAY) - gone.get(purpose, 0), 0)
        assert counted[purpose] == max(len(judged) - left, 0)
        went = {one.due_at for one in judged} - {one.due_at for one in aside if one.purpose == purpose}
        assert (
            not went
            or not counted[purpose]
            or max(went) <= min(one.due_at for one in aside if one.purpose == purpose)
        )


@given(ARTIFACTS, EXPECTED, GONE)
def test_more_foretold_never_sets_more_aside(
    demo: Policy, due: list[DueArtifact], expected: dict[str, dict[str, int]], gone: dict[str, int]
) -> None:
    more = {purpose: {**places, OVERDUE: places.get(OVERDUE, 0) + 1} for purpose, places in expected.items()}
    less = set(measure(demo, due, forecast(more), gone, TODAY).set_aside)
    assert less <= set(measure(demo, due, forecast(expected), gone, TODAY).set_aside)


ENDS = st.lists(
    st.tuples(
        st.sampled_from(PURPOSES[:2]),
        st.integers(-2000, 800).map(lambda hours: NOW + timedelta(hours=hours)),
        st.integers(1, 9),
    ),
    max_size=30,
)


@given(ENDS)
def test_a_forecast_counts_each_end_once(ends: list[tuple[str, datetime, int]]) -> None:
    expected = foretell(ends, NOW, "Europe/Paris")
    assert sum(sum(places.values()) for places in expected.values()) == sum(count for *_, count in ends)
    for purpose in PURPOSES[:2]:
        past = sum(count for name, end, count in ends if name == purpose and end <= NOW)
        assert expected.get(purpose, {}).get(OVERDUE, 0) == past
        all_days = TODAY + timedelta(days=60)
        assert foretold(expected, purpose, all_days) == sum(
            count for name, _, count in ends if name == purpose
        )


def test_a_day_is_the_zones() -> None:
    """23:30 UTC on the 22nd is the 23rd in Paris."""
    end = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
    expected = foretell([("training", end, 3), ("training", NOW, 2)], NOW, "Europe/Paris")
    assert expected == {"training": {OVERDUE: 2, "2026-11-23": 3}}
    assert [foretold(expected, "training", TODAY + timedelta(days=days)) for days in (0, 1, 2)] == [2, 5, 5]
    assert foretold(expected, "quality", TODAY) == 0


def test_what_was_foretold_for_later_days_excuses_nothing(demo: Policy) -> None:
    due = [DueArtifact(UUID(int=n), "training", NOW - timedelta(hours=n), None, False) for n in range(5)]
    expected = {"training": {"2026-11-21": 1, "2026-11-22": 1, "2026-11-23": 9}}
    found = measure(demo, due, forecast(expected), {"training": 1}, TODAY)
    assert found.set_aside == tuple(UUID(int=n) for n in (3, 2, 1, 0))


@pytest.mark.parametrize(
    ("day", "code"),
    [
        (None, "bad_field"),
        (TODAY, "until_passed"),
        (date(2026, 12, 23), "until_too_far"),
        (date(9000, 1, 1), "until_too_far"),
    ],
)
def test_a_hold_ends_ahead_and_soon(day: date | None, code: str) -> None:
    with pytest.raises(BadInput) as fault:
        hold_until(day, NOW, "Europe/Paris")
    assert (fault.value.code, fault.value.where) == (code, "until")


def test_a_hold_ends_with_the_beginning_of_its_day() -> None:
    assert hold_until(date(2026, 12, 22), NOW, "Europe/Paris") == datetime(2026, 12, 21, 23, tzinfo=UTC)


def test_what_a_visa_ended_is_no_excess_and_spends_nothing(demo: Policy) -> None:
    due = [DueArtifact(UUID(int=n), "training", NOW - timedelta(hours=n), None, False) for n in range(3)]
    told = Forecast("2026-11-21", NOW - timedelta(days=1), {"training": {OVERDUE: 1}}, frozenset({NOW}))
    assert measure(demo, due, told, {}, TODAY).set_aside == (UUID(int=1),)


def test_grounds_are_faults_and_those_of_the_purposes(demo: Policy) -> None:
    assert grounds_of(demo, {"training": {}, "a lost one": {}}) == (*FAULTS, "dispute", "teaching_case")
