"""The draw is exact, reproducible, bound to the call, and keeps its rate (P1)."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consigne.rules.clock import local_date, parse_instant
from consigne.rules.draw import (
    begins_at,
    commitment,
    draw_digest,
    is_drawn,
    month_after,
    month_for,
    month_id,
    month_of,
    reveal_at,
)

SECRET = bytes(range(32))
pytestmark = pytest.mark.promise("P1")


def test_an_auditor_reproduces_a_draw_with_nothing_of_consigne() -> None:
    message = b'consigne-draw-v1\0["folder","pbx1-2026-000123","training"]'
    expected = hmac.new(SECRET, message, hashlib.sha256).digest()
    assert draw_digest(SECRET, "folder", "pbx1-2026-000123", "training") == expected
    assert expected.hex() == "d85fdaeecaea896ac7fc4aaa1d375acdc7f10894b4b560ce7b04491df1408f31"


@pytest.mark.parametrize(
    "other",
    [
        (SECRET, "folder", "b", "training"),
        (SECRET, "bucket", "a", "training"),
        (SECRET, "folder", "a", "quality"),
        (bytes(32), "folder", "a", "training"),
        (SECRET, 'folder","a', "", "training"),
    ],
)
def test_every_part_of_the_identity_counts(other: tuple[bytes, str, str, str]) -> None:
    assert draw_digest(SECRET, "folder", "a", "training") != draw_digest(*other)


@pytest.mark.parametrize(
    ("digest", "rate", "drawn"),
    [
        (b"\x00" * 32, "0", False),
        (b"\xff" * 32, "1", True),
        (b"\x00" * 32, "0.000000000000000001", True),
        (b"\x7f" + b"\xff" * 31, "0.5", True),
        (b"\x80" + b"\x00" * 31, "0.5", False),  # the boundary is exact
        (b"\x40" + b"\x00" * 31, "0.25", False),
        (b"\x3f" + b"\xff" * 31, "0.25", True),
        (b"\xff" * 32, "0.999999999999999999", False),
    ],
)
def test_the_comparison_is_exact(digest: bytes, rate: str, drawn: bool) -> None:
    assert is_drawn(digest, Decimal(rate)) is drawn


@given(st.binary(min_size=32, max_size=32), st.decimals(0, 1, places=6), st.decimals(0, 1, places=6))
def test_a_higher_rate_keeps_what_a_lower_one_drew(digest: bytes, one: Decimal, other: Decimal) -> None:
    low, high = sorted((one, other))
    assert not is_drawn(digest, low) or is_drawn(digest, high)


def test_a_rate_of_ten_percent_keeps_about_ten_percent() -> None:
    drawn = sum(
        is_drawn(draw_digest(SECRET, "folder", f"call-{n}", "training"), Decimal("0.1"))
        for n in range(10_000)
    )
    assert 901 <= drawn <= 1099  # the 99.9 % interval; the secret is fixed, so the outcome is too


def test_the_month_is_the_local_one() -> None:
    new_year = parse_instant("2026-12-31T23:30:00Z")
    assert month_of(new_year, "Europe/Paris") == "2027-01"
    assert month_of(new_year - timedelta(hours=1), "Europe/Paris") == "2026-12"


def test_a_commitment_is_a_digest_of_the_secret_alone() -> None:
    assert commitment(SECRET) == hashlib.sha256(b"consigne-draw-commitment-v1\0" + SECRET).digest()
    assert commitment(SECRET).hex() == "c35556509f3672d0cfb29c12523602bc418f0d7ee164658e612c2c91057d1208"


@pytest.mark.parametrize(
    ("month", "after", "begins", "revealed"),
    [
        ("2026-02", "2026-03", "2026-02-01T00:00:00+01:00", "2026-03-02T00:00:00+01:00"),
        ("2026-03", "2026-04", "2026-03-01T00:00:00+01:00", "2026-04-02T00:00:00+02:00"),
        ("2026-12", "2027-01", "2026-12-01T00:00:00+01:00", "2027-01-02T00:00:00+01:00"),
    ],
)
def test_a_month_ends_a_day_before_its_secret_is_known(
    month: str, after: str, begins: str, revealed: str
) -> None:
    assert month_after(month) == after
    assert begins_at(month, "Europe/Paris") == parse_instant(begins)
    assert reveal_at(month, "Europe/Paris") == parse_instant(revealed)


INSTANTS = st.datetimes(datetime(2026, 1, 1), datetime(2031, 1, 1), timezones=st.just(UTC))
ZONES = st.sampled_from(["Europe/Paris", "UTC", "Pacific/Kiritimati", "America/New_York"])


@given(INSTANTS, ZONES)
def test_an_instant_lies_in_its_month(instant: datetime, zone: str) -> None:
    month = month_of(instant, zone)
    assert begins_at(month, zone) <= instant < begins_at(month_after(month), zone) < reveal_at(month, zone)
    assert local_date(begins_at(month, zone), zone).day == 1


@given(INSTANTS, INSTANTS, ZONES, st.sets(st.integers(0, 3)))
def test_no_call_is_drawn_under_a_month_whose_secret_is_known(
    started_at: datetime, now: datetime, zone: str, back: set[int]
) -> None:
    """Whatever is secret still: the call's own month, else the current one, else the latest."""
    secret = {month_of(now - timedelta(days=28 * each), zone) for each in back}
    own, current = month_of(started_at, zone), month_of(now, zone)
    found = month_for(started_at, now, zone, secret)
    assert found == (own if own in secret else current if current in secret else max(secret, default=None))


def test_each_month_has_a_name_of_its_own_in_the_register() -> None:
    assert month_id("2026-11") != month_id("2026-12")
    assert str(month_id("2026-11")) == "111dc226-6aec-5d24-a207-d52fe7891983"
