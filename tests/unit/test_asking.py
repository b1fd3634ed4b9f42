"""What the form offers is what the act takes: a date within the span passes for every artifact, none beyond."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from consigne.rules.asking import Asked, shared_grounds, shared_span
from consigne.rules.policy.model import Policy
from consigne.rules.retention import Beyond, Due, extended_due

START = datetime(2026, 11, 20, 8, 14, tzinfo=UTC)
INSTANTS = st.datetimes(datetime(2026, 1, 1), datetime(2029, 1, 1), timezones=st.just(UTC))
ITEMS = st.lists(
    st.builds(
        lambda purpose, due, room: Asked(purpose, due, due + room),
        st.sampled_from(["training", "quality", "trial"]),
        INSTANTS,
        st.timedeltas(timedelta(0), timedelta(days=500)),
    ),
    min_size=1,
    max_size=4,
)


def verdicts(policy: Policy, items: list[Asked], until: datetime) -> list[datetime | Beyond]:
    found = []
    for item in items:
        purpose = policy.purposes[item.purpose]
        due = Due(item.due_at, item.cap_at, item.due_at.date())
        found.append(extended_due(until, due, purpose.longest_step, policy.zone, purpose.epoch_length))
    return found


@pytest.mark.promise("P5")
@given(items=ITEMS, part=st.floats(0, 1))
def test_any_date_of_the_span_passes_for_all(demo: Policy, items: list[Asked], part: float) -> None:
    span = shared_span(demo, items)
    assume(span is not None)
    assert span is not None
    until = span.first + (span.last - span.first) * part
    assert not any(isinstance(one, Beyond) for one in verdicts(demo, items, until))


@pytest.mark.promise("P5")
@given(items=ITEMS, until=INSTANTS)
def test_no_date_outside_the_span_passes_for_all(demo: Policy, items: list[Asked], until: datetime) -> None:
    span = shared_span(demo, items)
    assume(span is None or not span.first <= until < span.last + timedelta(days=1))
    assert any(isinstance(one, Beyond) for one in verdicts(demo, items, until))


def test_the_cap_and_the_longest_step_end_the_span(demo: Policy) -> None:
    due = datetime(
        2027, 5, 19, 22, tzinfo=UTC
    )  # the beginning of 20 May in Paris; the longest step is six months
    free = shared_span(demo, [Asked("training", due, due + timedelta(days=400))])
    capped = shared_span(demo, [Asked("training", due, due + timedelta(days=30))])
    assert free is not None and capped is not None
    assert (free.first, free.last) == (due + timedelta(days=1), datetime(2027, 11, 19, 23, tzinfo=UTC))
    assert capped.last == due + timedelta(days=30)


def test_at_its_cap_nothing_can_be_asked(demo: Policy) -> None:
    assert shared_span(demo, [Asked("training", START, START)]) is None


def test_a_purpose_that_the_policy_lost_offers_nothing(demo: Policy) -> None:
    assert shared_span(demo, [Asked("gone", START, START + timedelta(days=90))]) is None
    assert shared_grounds(demo, ["training", "gone"]) == ()


def test_grounds_are_those_that_all_list(demo: Policy, changed: Callable[..., Policy]) -> None:
    policy = changed(demo, "quality", grounds=("dispute", "teaching_case"))
    assert shared_grounds(demo, ["training"]) == ("dispute", "teaching_case")
    assert shared_grounds(demo, ["training", "quality"]) == ("dispute",)
    assert set(shared_grounds(policy, ["training", "quality"])) == {"dispute", "teaching_case"}
