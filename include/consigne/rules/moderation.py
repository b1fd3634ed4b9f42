"""How much is recorded against the rate: proportions with their confidence intervals."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from math import sqrt
from typing import TypeVar

Z_95 = 1.959963984540054
"""The normal distribution's quantile at 0.975: a two-sided interval of 95 %."""

Name = TypeVar("Name")
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Share:
    """Of so many calls that could be recorded for a purpose at one rate: drawn, and kept."""

    rate: Decimal
    calls: int
    drawn: int
    kept: int

    @property
    def proportion(self) -> float:
        """Kept of all; 0 where there was none."""
        return self.kept / self.calls if self.calls else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the proportion."""
        return wilson(self.kept, self.calls, Z_95)

    @property
    def place(self) -> str:
        """Where the proportion lies: `inside` where the interval holds the rate, else `above` or `below` it."""
        low, high = self.interval
        rate = float(self.rate)
        if low > rate:
            return "above"
        return "below" if high < rate else "inside"


def wilson(kept: int, calls: int, z: float) -> tuple[float, float]:
    """The score interval of a proportion (E. B. Wilson, JASA 22, 1927, 209-212), which stays within 0 … 1 and
    holds for few calls too (Brown, Cai, DasGupta, Statistical Science 16, 2001, 101-133); (0, 1) of none."""
    if calls == 0:
        return 0.0, 1.0
    share, spread = kept / calls, z * z / calls
    middle = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * sqrt(share * (1 - share) / calls + spread / (4 * calls))
    # Exact at the ends, where rounding would leave a trace.
    low = 0.0 if kept == 0 else max(0.0, middle - half)
    return low, 1.0 if kept == calls else min(1.0, middle + half)


def summed(shares: Iterable[tuple[Name, Share]], key: Callable[[Name], Key]) -> list[tuple[Key, Share]]:
    """Shares added up by what `key` makes of their names, never across rates."""
    sums: dict[tuple[Key, Decimal], Share] = {}
    for name, share in shares:
        place = (key(name), share.rate)
        so_far = sums.get(place, Share(share.rate, 0, 0, 0))
        sums[place] = replace(
            so_far,
            calls=so_far.calls + share.calls,
            drawn=so_far.drawn + share.drawn,
            kept=so_far.kept + share.kept,
        )
    return [(name, share) for (name, _), share in sums.items()]
