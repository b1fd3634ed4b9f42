"""The earliest end wins, and only a decision below the cap moves it (P5)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consigne.rules.clock import Duration, iso, local_midnight, parse_instant
from consigne.rules.policy.model import Notice, PartRule, Policy
from consigne.rules.retention import (
    Beyond,
    Due,
    clock_start,
    epoch_name,
    extended_due,
    falls_due,
    floor,
    next_closing,
)
from consigne.rules.values import Part

from . import dates

PARIS = "Europe/Paris"
DAY, MINUTE = Duration(days=1), Duration(seconds=60)
START = parse_instant("2026-11-20T09:14:03+01:00")
pytestmark = pytest.mark.promise("P5")


def due(at_start: Policy | None, in_force: Policy, purpose: str = "training", **changes: object) -> Due:
    case = {"notice_version": "2026-01", "part": Part.AUDIO, "started_at": START, "received_at": START}
    return falls_due(at_start, in_force, purpose=purpose, **{**case, **changes})  # type: ignore[arg-type]


def kept_for(policy: Policy, text: str, changed: Callable[..., Policy]) -> Policy:
    rule = PartRule(Duration.parse(text), Duration.parse("P5Y"))
    return changed(policy, "training", parts={Part.AUDIO: rule})


def announcing(policy: Policy, text: str) -> Policy:
    told = policy.notices["2026-01"]
    notice = Notice("2026-01", told.announced_within, {"training": Duration.parse(text)}, told.wording)
    return replace(policy, notices={"2026-01": notice})


def test_a_training_call_goes_six_months_later_at_its_days_beginning(shipped: Policy) -> None:
    found = due(shipped, shipped)
    assert iso(found.due_at) == "2027-05-19T22:00:00.000Z"
    assert found.epoch_day == date(2027, 5, 20)
    assert iso(found.cap_at) == "2027-11-19T23:00:00.000Z"
    assert epoch_name("training", found.due_at, PARIS, DAY) == "training/2027-05-20/0"


def test_the_clock_starts_at_the_earlier_of_call_and_receipt(shipped: Policy) -> None:
    month_early = START - timedelta(days=30)
    assert clock_start(START, month_early) == month_early == clock_start(month_early, START)
    assert due(shipped, shipped, received_at=month_early) == due(shipped, shipped, started_at=month_early)


@pytest.mark.parametrize(
    ("at_start", "told", "in_force", "day"),
    [
        ("P6M", "P6M", "P6M", "2027-05-20"),
        ("P1M", "P6M", "P6M", "2026-12-20"),  # lengthening never applies to what is kept
        ("P6M", "P6M", "P1M", "2026-12-20"),  # shortening does
        ("P6M", "P1M", "P6M", "2026-12-20"),  # the notice that was heard binds
        ("P9M", "P8M", "P7M", "2027-06-20"),
    ],
)
def test_the_earliest_end_wins(
    shipped: Policy, changed: Callable[..., Policy], at_start: str, told: str, in_force: str, day: str
) -> None:
    before = announcing(kept_for(shipped, at_start, changed), told)
    after = announcing(kept_for(shipped, in_force, changed), "P5Y")
    assert due(before, after).epoch_day.isoformat() == day


def test_a_removed_purpose_ends_when_its_removal_takes_effect(shipped: Policy) -> None:
    later = parse_instant("2027-01-15T12:00:00+01:00")
    without = {name: rule for name, rule in shipped.purposes.items() if name != "training"}
    after = replace(shipped, purposes=without, in_force_from=later)
    assert iso(due(shipped, after).due_at) == "2027-01-14T23:00:00.000Z"
    assert due(shipped, after, purpose="quality") == due(shipped, shipped, purpose="quality")


def test_a_removed_part_ends_likewise(shipped: Policy, changed: Callable[..., Policy]) -> None:
    later = parse_instant("2027-01-15T00:00:00+01:00")
    rules = {Part.AUDIO: shipped.purposes["training"].parts[Part.AUDIO]}
    after = replace(changed(shipped, "training", parts=rules), in_force_from=later)
    assert due(shipped, after, part=Part.TRANSCRIPT).due_at == later
    assert due(shipped, after) == due(shipped, shipped)


@pytest.mark.parametrize("version", [None, "1999-01", "2026-01-quality"])
def test_without_a_notice_that_covers_it_nothing_may_stay(shipped: Policy, version: str | None) -> None:
    assert due(shipped, shipped, notice_version=version).due_at <= START


def test_an_old_notice_that_left_the_file_still_binds(shipped: Policy) -> None:
    after = replace(shipped, notices={})
    assert due(announcing(shipped, "P2M"), after).epoch_day == date(2027, 1, 20)


def test_the_cap_is_the_lower_of_both_policies(shipped: Policy, changed: Callable[..., Policy]) -> None:
    low = changed(
        shipped, "training", parts={Part.AUDIO: PartRule(Duration.parse("P6M"), Duration.parse("P7M"))}
    )
    assert due(shipped, low).cap_at == due(low, shipped).cap_at == parse_instant("2027-06-20T00:00:00+02:00")


def test_a_trial_ends_to_the_minute(demo: Policy) -> None:
    found = due(demo, demo, "trial")
    period = timedelta(seconds=demo.purposes["trial"].parts[Part.AUDIO].retention.seconds_exact())
    assert found.due_at == START.replace(second=0) + period
    assert (
        epoch_name("trial", parse_instant("2026-11-22T05:41:00Z"), PARIS, MINUTE)
        == "trial/2026-11-22T05:41Z/0"
    )
    assert epoch_name("trial", found.due_at, PARIS, MINUTE, 3).endswith("/3")


INSTANTS = st.datetimes(datetime(2026, 1, 1), datetime(2029, 1, 1), timezones=st.just(UTC))


@given(INSTANTS, st.sampled_from(["PT1M", "PT15M", "PT1H", "PT12H", "P1D"]))
def test_an_epoch_begins_within_its_day_and_never_later(instant: datetime, text: str) -> None:
    length = Duration.parse(text)
    begins = floor(instant, PARIS, length)
    assert local_midnight(instant, PARIS) <= begins <= instant
    assert floor(begins, PARIS, length) == begins
    if length.is_under_a_day:
        assert instant - begins < timedelta(seconds=length.seconds)


@pytest.mark.promise("P6")
@given(INSTANTS, st.sampled_from(["PT1M", "PT7M", "PT5H", "PT23H59M", "P1D", "P1M"]))
def test_the_next_daily_closing_is_ahead_and_no_later_than_the_day_s_end(
    instant: datetime, text: str
) -> None:
    length = Duration.parse(text)
    closing = next_closing(instant, PARIS, length)
    assert instant < closing <= local_midnight(closing, PARIS) + timedelta(days=1)
    if length.is_under_a_day:
        assert floor(closing, PARIS, length) == closing
        assert closing - instant <= timedelta(seconds=length.seconds_exact())
    else:
        assert closing == local_midnight(closing, PARIS)
        assert closing - instant <= timedelta(hours=25)  # the day on which summer time ends


@given(INSTANTS, INSTANTS)
def test_one_epoch_name_is_one_day(one: datetime, other: datetime) -> None:
    same_day = local_midnight(one, PARIS) == local_midnight(other, PARIS)
    names = [epoch_name("training", each, PARIS, DAY) for each in (one, other)]
    assert (names[0] == names[1]) is same_day


@given(st.lists(st.integers(1, 700), min_size=3, max_size=3), INSTANTS)
def test_no_source_of_length_lengthens_another(shipped: Policy, days: list[int], start: datetime) -> None:
    def keeping(policy: Policy, count: int) -> Policy:
        rule = PartRule(Duration(days=count), Duration(days=701))
        training = replace(policy.purposes["training"], parts={Part.AUDIO: rule})
        return replace(policy, purposes={"training": training})

    before = announcing(keeping(shipped, days[0]), f"P{days[1]}D")
    found = due(before, keeping(shipped, days[2]), started_at=start, received_at=start)
    assert found.due_at <= start + timedelta(days=min(days), hours=1)
    assert found.due_at <= found.cap_at


TRAINING = Due(
    parse_instant("2027-05-20T00:00:00+02:00"), parse_instant("2027-11-20T00:00:00+01:00"), date(2027, 5, 20)
)


@pytest.mark.parametrize(
    ("until", "result"),
    [
        (date(2027, 8, 1), "2027-07-31T22:00:00.000Z"),
        (date(2027, 11, 20), "2027-11-19T23:00:00.000Z"),  # the cap itself
        (parse_instant("2027-08-01T15:00:00+02:00"), "2027-07-31T22:00:00.000Z"),
        (date(2027, 5, 20), Beyond("not_later")),
        (parse_instant("2027-05-20T23:59:59+02:00"), Beyond("not_later")),
        (date(2027, 11, 21), Beyond("past_cap")),
        (date(9999, 1, 1), Beyond("past_cap")),
    ],
)
def test_an_extension_ends_at_a_days_beginning_below_the_cap(until: date | datetime, result: object) -> None:
    found = extended_due(until, TRAINING, Duration.parse("P6M"), PARIS, DAY)
    assert (iso(found) if isinstance(found, datetime) else found) == result


def test_an_extension_is_one_step_long_at_most() -> None:
    step = Duration.parse("P1M")
    assert extended_due(date(2027, 6, 20), TRAINING, step, PARIS, DAY) == parse_instant(
        "2027-06-20T00:00:00+02:00"
    )
    assert extended_due(date(2027, 6, 21), TRAINING, step, PARIS, DAY) == Beyond("step_too_long")


def test_a_trial_is_extended_by_minutes_or_to_a_day(demo: Policy) -> None:
    found, step = due(demo, demo, "trial"), demo.purposes["trial"].longest_step
    new = extended_due(parse_instant("2026-11-20T10:31:40+01:00"), found, step, PARIS, MINUTE)
    assert new == parse_instant("2026-11-20T10:31:00+01:00")
    new = extended_due(date(2026, 11, 22), found, step, PARIS, MINUTE)
    assert new == parse_instant("2026-11-22T00:00:00+01:00")


@pytest.mark.parametrize(("start", "purpose", "period", "end"), dates.DATES)
def test_a_hard_date_has_one_end(start: str, purpose: str, period: str, end: str) -> None:
    assert dates.due(start, purpose, period) == iso(parse_instant(end))


@pytest.mark.parametrize("server_zone", ["UTC", "Europe/Paris", "Pacific/Kiritimati"])
def test_the_same_dates_on_any_server(server_zone: str) -> None:
    """A process of its own, in whose zone everything naive would be read."""
    here = Path(dates.__file__)
    said = subprocess.run(
        [sys.executable, here],
        env=os.environ | {"TZ": server_zone, "PYTHONPATH": str(here.parents[2] / "include")},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert json.loads(said.stdout) == [iso(parse_instant(end)) for *_, end in dates.DATES]
