"""Durations count from the origin, in the zone, and never slip at month ends or in the two odd nights."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consigne.rules.clock import (
    Duration,
    add,
    iso,
    local_date,
    local_midnight,
    midnight_of,
    never_longer,
    parse_day,
    parse_instant,
)
from consigne.rules.errors import BadInput, Misconfigured

PARIS = "Europe/Paris"
INSTANTS = st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))
DURATIONS = st.builds(
    Duration, st.integers(0, 9), st.integers(0, 30), st.integers(0, 400), st.integers(0, 200_000)
)
ZONES = st.sampled_from(
    [PARIS, "UTC", "America/New_York", "Australia/Lord_Howe", "America/Havana", "Asia/Beirut"]
)


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("P6M", Duration(months=6)),
        ("PT10M", Duration(seconds=600)),
        ("P1Y2M3DT4H", Duration(1, 2, 3, 14_400)),
        ("P2W", Duration(days=14)),
        ("P0D", Duration()),
        ("PT36H", Duration(seconds=129_600)),
    ],
)
def test_a_duration_is_read(text: str, duration: Duration) -> None:
    assert Duration.parse(text) == duration


@pytest.mark.parametrize(
    "text",
    ["", "P", "PT", "P1DT", "P1H", "1D", "-P1D", "P-1D", "P1.5D", "PT0.5S", "p1d", "P1W2D", "P1D ", "P1D\n",
     "P1M1Y", "P٣D", "P999999999Y", "P1Y1Y", "P1e3D"],
)  # fmt: skip
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="bad_duration"):
        Duration.parse(text)


def test_a_duration_is_never_negative() -> None:
    with pytest.raises(BadInput):
        Duration(days=-1)


@given(DURATIONS)
def test_text_and_duration_are_one(duration: Duration) -> None:
    assert Duration.parse(str(duration)) == duration


@given(st.text(alphabet="PT0123456789YMWDHS-.", max_size=12))
def test_any_text_is_a_duration_or_bad_input(text: str) -> None:
    try:
        assert Duration.parse(str(Duration.parse(text))) == Duration.parse(text)
    except BadInput as error:
        assert error.code == "bad_duration"


def test_only_time_is_under_a_day() -> None:
    assert Duration.parse("PT23H59M59S").is_under_a_day
    assert not Duration.parse("PT24H").is_under_a_day
    assert not Duration.parse("P1D").is_under_a_day
    assert Duration.parse("PT1H1S").seconds_exact() == 3601
    with pytest.raises(Misconfigured, match="calendar_parts"):
        Duration.parse("P1DT1H").seconds_exact()


@pytest.mark.parametrize(
    ("origin", "text", "end"),
    [
        ("2026-08-31T10:00:00+02:00", "P6M", "2027-02-28T10:00:00+01:00"),  # clamped
        ("2027-08-31T10:00:00+02:00", "P6M", "2028-02-29T10:00:00+01:00"),  # leap
        ("2028-02-29T10:00:00+01:00", "P1Y", "2029-02-28T10:00:00+01:00"),
        ("2026-01-31T10:00:00+01:00", "P1M1D", "2026-03-01T10:00:00+01:00"),  # months, then days
        ("2026-11-20T09:14:03+01:00", "P6M", "2027-05-20T09:14:03+02:00"),  # the hour on the wall stays
        ("2026-03-28T02:30:00+01:00", "P1D", "2026-03-29T03:30:00+02:00"),  # the hour that is missing
        ("2026-03-28T02:30:00+01:00", "PT24H", "2026-03-29T03:30:00+02:00"),
        ("2026-10-24T02:30:00+02:00", "P1D", "2026-10-25T02:30:00+02:00"),  # the hour that comes twice: first
        ("2026-10-25T02:30:00+01:00", "PT1H", "2026-10-25T03:30:00+01:00"),  # its second one stays second
        ("2026-10-24T03:00:00+02:00", "P1DT1H", "2026-10-25T04:00:00+01:00"),
        ("2026-12-15T00:00:00+01:00", "P1M", "2027-01-15T00:00:00+01:00"),
    ],
)
def test_a_period_is_counted_on_the_calendar(origin: str, text: str, end: str) -> None:
    assert add(parse_instant(origin), Duration.parse(text), PARIS) == parse_instant(end)


@given(INSTANTS, DURATIONS, ZONES)
def test_time_runs_forward(instant: datetime, duration: Duration, zone: str) -> None:
    end = add(instant, duration, zone)
    assert end.utcoffset() == timedelta(0)
    # A calendar step may meet the earlier of a repeated hour.
    assert end >= instant - timedelta(hours=1)
    if duration == Duration():
        assert end == instant


@given(INSTANTS, INSTANTS, DURATIONS, ZONES)
def test_who_comes_later_never_leaves_much_earlier(
    one: datetime, other: datetime, duration: Duration, zone: str
) -> None:
    first, second = sorted((one, other))
    assert add(first, duration, zone) <= add(second, duration, zone) + timedelta(hours=1)


@given(INSTANTS, ZONES)
def test_a_local_day_begins_before_its_moments(instant: datetime, zone: str) -> None:
    midnight = local_midnight(instant, zone)
    assert midnight <= instant < midnight + timedelta(hours=26)
    assert local_date(midnight, zone) == local_date(instant, zone)
    assert local_date(midnight - timedelta(microseconds=1), zone) < local_date(instant, zone)


def test_a_day_without_midnight_begins_after_it() -> None:
    begins = midnight_of(date(2026, 3, 29), "Asia/Beirut")
    assert begins.astimezone(ZoneInfo("Asia/Beirut")).isoformat() == "2026-03-29T01:00:00+03:00"


@pytest.mark.parametrize(
    "text",
    ["2026-11-20T09:14:03", "2026-11-20", "20261120T091403Z", "2026-W47-5T00:00:00Z", "2026-13-01T00:00:00Z",
     "2026-11-20 09:14:03Z", "2026-11-20T09:14:03z", "2026-11-20T24:01:00Z", "0001-01-01T00:00:00+10:00",
     "2026-11-20T09:14:60Z", "٢٠٢٦-11-20T09:14:03Z", "", "now", "9999-12-31T23:30:00Z", "0001-01-01T00:00:00Z"],
)  # fmt: skip
def test_an_instant_has_an_offset_and_one_form(text: str) -> None:
    with pytest.raises(BadInput, match="bad_instant"):
        parse_instant(text)


@given(
    st.datetimes(datetime(1900, 1, 1), datetime(9000, 1, 1), timezones=st.just(timezone(timedelta(hours=5))))
)
def test_json_instants_come_back(instant: datetime) -> None:
    written = iso(instant)
    assert len(written) == len("2026-11-20T08:14:03.000Z")
    assert timedelta(0) <= instant - parse_instant(written) < timedelta(milliseconds=1)


def test_instants_are_written_in_utc() -> None:
    assert iso(parse_instant("2026-11-20T09:14:03.1239+01:00")) == "2026-11-20T08:14:03.123Z"


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(Misconfigured, match="naive_instant"):
        iso(datetime(2026, 1, 1))
    with pytest.raises(Misconfigured, match="naive_instant"):
        add(datetime(2026, 1, 1), Duration(), PARIS)


@pytest.mark.parametrize("name", ["Europe/Atlantis", "", "../../etc/passwd", "Europe", "/etc/passwd", "a\0b"])
def test_an_unknown_zone_is_named_as_such(name: str) -> None:
    with pytest.raises(Misconfigured, match="unknown_zone"):
        midnight_of(date(2026, 1, 1), name)


@pytest.mark.parametrize(
    "text", ["2026-02-30", "20260101", "2026-1-1", "2026-W01-1", "", "2026-01-01T00:00:00Z"]
)
def test_a_day_has_one_form(text: str) -> None:
    with pytest.raises(BadInput, match="bad_day"):
        parse_day(text)


@pytest.mark.parametrize(
    ("one", "other", "holds"),
    [
        ("P6M", "P6M", True),
        ("P181D", "P6M", True),
        ("P182D", "P6M", False),
        ("P12M", "P1Y", True),
        ("P1Y", "P12M", True),
        ("P365D", "P1Y", True),
        ("P366D", "P1Y", False),
        ("P1Y", "P366D", True),
        ("P60M", "P5Y", True),
        ("P5Y", "P1826D", False),
        ("P6MT1S", "P6M", False),
    ],
)
def test_lengths_compare_on_the_calendar(one: str, other: str, holds: bool) -> None:
    assert never_longer(Duration.parse(one), Duration.parse(other)) is holds


@pytest.mark.promise("P5")
@pytest.mark.parametrize("server_zone", ["UTC", "Europe/Paris", "Pacific/Kiritimati"])
def test_the_servers_own_zone_changes_nothing(server_zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", server_zone)
    time.tzset()
    try:
        origin = parse_instant("2026-08-31T23:30:00+02:00")
        assert iso(add(origin, Duration(months=6), PARIS)) == "2027-02-28T22:30:00.000Z"
        assert iso(local_midnight(origin, PARIS)) == "2026-08-30T22:00:00.000Z"
        assert local_date(origin, PARIS) == date(2026, 8, 31)
    finally:
        monkeypatch.undo()
        time.tzset()
