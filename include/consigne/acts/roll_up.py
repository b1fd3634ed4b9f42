"""The stock's counts, taken together each minute."""

from __future__ import annotations

from consigne.acts.journey import Platform


def roll_up(platform: Platform) -> int:
    """Take together what was counted apart since; how many rows. Idempotent, and no count changes by it."""
    with platform.catalog.begin() as tx:
        return platform.catalog.roll_up_stock(tx)
