"""Requests in the reader's words, and dates as people write them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consigne.doors.desk.pages.batches import _states
from consigne.doors.desk.pages.told import clock_line, request_told
from consigne.doors.desk.pages.until import read_until, write_until
from consigne.doors.desk.words import Wording
from consigne.rules.errors import BadInput
from consigne.rules.policy.model import Policy

PARIS = "Europe/Paris"
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
INSTANTS = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))


@given(INSTANTS, INSTANTS, INSTANTS, INSTANTS, INSTANTS)
def test_the_clocks_line_never_leaves_its_frame(
    start: datetime, due: datetime, until: datetime, cap: datetime, now: datetime
) -> None:
    line = clock_line(start, due, until, cap, now)
    assert all(0 <= value <= 100 for value in line.values())
    assert line["due"] + line["more"] <= 100.01


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2027-05-20", date(2027, 5, 20)),
        ("2027-05-20T09:00:00+02:00", datetime(2027, 5, 20, 7, tzinfo=UTC)),
        ("2027-05-20T07:00Z", datetime(2027, 5, 20, 7, tzinfo=UTC)),
        ("2027-01-20T09:00", datetime(2027, 1, 20, 8, tzinfo=UTC)),
    ],
)
def test_until_is_a_local_day_or_an_instant(written: str, meant: date | datetime) -> None:
    assert read_until(written, PARIS) == meant


@pytest.mark.parametrize(
    "written",
    [
        "",
        "tomorrow",
        "20/05/2027",
        "2027-13-01",
        "2027-05-20 ",
        "9" * 5000,
        "0001-01-01",
        "9999-12-31T23:59:59Z",
        "9999-12-31T23:59",
        "2027-W20-4",
    ],
)
def test_any_other_until_names_its_field_and_not_its_value(written: str) -> None:
    with pytest.raises(BadInput) as fault:
        read_until(written, PARIS)
    assert fault.value.where == "until"
    assert len(str(fault.value)) < 100


@given(INSTANTS.map(lambda instant: instant.replace(microsecond=0)))
def test_a_date_shown_in_a_form_and_sent_back_unchanged_is_the_same_instant(instant: datetime) -> None:
    kind, shown = write_until(instant, "UTC")
    read = read_until(shown, "UTC")
    back = read if isinstance(read, datetime) else datetime(read.year, read.month, read.day, tzinfo=UTC)
    assert back == instant
    assert (kind == "date") == (not isinstance(read, datetime))


@pytest.mark.promise("P5")
@pytest.mark.parametrize(
    ("due_in", "words"),
    [
        (timedelta(days=1), "Sans réponse avant le 24 novembre 2026 à 10:00 : refusé, et détruit aussitôt."),
        (
            timedelta(days=40),
            "Sans réponse avant le 24 novembre 2026 à 10:00 : refusé ; détruit à l’échéance, "
            "le 1er janvier 2027 à 10:00.",
        ),
    ],
)
def test_what_silence_does_is_said(demo: Policy, due_in: timedelta, words: str) -> None:
    lapses_at = NOW + timedelta(days=2)
    request = {
        "id": UUID(int=1),
        "requester": "trainer",
        "ground": "dispute",
        "reason": "…",
        "state": "pending",
        "until": NOW + timedelta(days=90),
        "filed_at": NOW,
        "lapses_at": lapses_at,
        "gone_at": max(NOW + due_in, lapses_at),
        "digest": "0" * 64,
        "items": [{"source_id": "pbx1-1", "purpose": "training", "part": "audio"}],
    }
    assert request_told(Wording("fr", PARIS), demo, NOW, request)["silence"] == words


@pytest.mark.parametrize(
    ("state", "one", "many"),
    [
        ("cleared", "1 retirée de la source", "28 retirées de la source"),
        ("valid", "1 valide", "28 valides"),
        ("refused", "1 refusée", "28 refusées"),
        ("quarantined", "1 en quarantaine", "28 en quarantaine"),
    ],
)
def test_deliveries_are_counted_in_the_plural(state: str, one: str, many: str) -> None:
    assert _states(Wording("fr", PARIS), {state: 1}) == [one]
    assert _states(Wording("fr", PARIS), {state: 28}) == [many]
