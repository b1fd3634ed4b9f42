"""The draw is exact, reproducible, bound to the call, and keeps its rate (P1)."""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consigne.rules.clock import parse_instant
from consigne.rules.draw import draw_digest, is_drawn, month_of

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
