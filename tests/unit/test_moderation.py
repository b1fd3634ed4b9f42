"""Proportions and their intervals: the formula, its ends, and sums that never mix rates."""

from __future__ import annotations

from decimal import Decimal
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consigne.rules.moderation import Z_95, Share, summed, wilson


@pytest.mark.parametrize(
    ("kept", "calls", "low", "high"),
    [  # R. G. Newcombe, Statistics in Medicine 17, 1998, 857-872, table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_the_interval_is_wilsons(kept: int, calls: int, low: float, high: float) -> None:
    assert wilson(kept, calls, Z_95) == pytest.approx((low, high), abs=0.00005)


def test_of_no_call_nothing_is_known() -> None:
    assert wilson(0, 0, Z_95) == (0.0, 1.0)
    assert Share(Decimal("0.05"), 0, 0, 0).place == "inside"


@given(st.integers(1, 10**7), st.data())
def test_the_interval_holds_its_proportion_and_stays_within_its_bounds(
    calls: int, data: st.DataObject
) -> None:
    kept = data.draw(st.integers(0, calls))
    low, high = wilson(kept, calls, Z_95)
    assert 0.0 <= low <= kept / calls <= high <= 1.0
    assert (low == 0.0) == (kept == 0) and (high == 1.0) == (kept == calls)
    other_low, other_high = wilson(calls - kept, calls, Z_95)
    assert (1 - other_high, 1 - other_low) == pytest.approx((low, high), abs=1e-9)


@pytest.mark.parametrize("rate", [0.05, 0.1, 0.5])
@pytest.mark.parametrize("calls", [20, 200])
def test_it_holds_the_rate_about_nineteen_times_in_twenty(rate: float, calls: int) -> None:
    """Exactly, over every outcome of the binomial distribution."""
    holds = sum(
        comb(calls, kept) * rate**kept * (1 - rate) ** (calls - kept)
        for kept in range(calls + 1)
        if Share(Decimal(str(rate)), calls, kept, kept).place == "inside"
    )
    assert 0.92 < holds < 0.99


@pytest.mark.parametrize(("kept", "place"), [(0, "below"), (100, "inside"), (140, "above")])
def test_the_rate_lies_inside_or_the_share_is_out_of_place(kept: int, place: str) -> None:
    assert Share(Decimal("0.1"), 1000, kept, kept).place == place


def test_sums_never_mix_rates() -> None:
    one, other = Share(Decimal("0.1"), 10, 2, 1), Share(Decimal("0.2"), 10, 3, 3)
    shares = [(("training", "a"), one), (("training", "b"), one), (("training", "a"), other)]
    assert summed(shares, lambda name: name[0]) == [
        ("training", Share(Decimal("0.1"), 20, 4, 2)),
        ("training", other),
    ]
