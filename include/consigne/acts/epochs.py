"""Epochs made before what they wrap: row first, key after."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from consigne.acts.journey import Platform
from consigne.rules.errors import Conflict
from consigne.rules.policy.model import Policy
from consigne.rules.retention import epoch_length_of, epoch_name


def open_epoch(platform: Platform, policy: Policy, purpose: str, due_at: datetime) -> str:
    """The epoch that ends then, the next generation where one is spent."""
    length = epoch_length_of(None, policy, purpose)

    def name_of(generation: int) -> str:
        return epoch_name(purpose, due_at, policy.zone, length, generation)

    return open_first(platform, purpose, due_at, name_of)


def open_first(platform: Platform, purpose: str, due_at: datetime, name_of: Callable[[int], str]) -> str:
    """The first generation that is not spent. Its row comes before its key, so that no key lives without a row
    that will end it; closed in between, the key's name is destroyed already."""
    for generation in range(100):
        name = name_of(generation)
        with platform.catalog.begin() as tx:
            if platform.catalog.add_epoch(tx, name, purpose, due_at, platform.catalog.now(tx)) != "open":
                continue
        try:
            platform.keyring.open_epoch(name)
        except Conflict:
            continue
        return name
    raise Conflict("epoch_spent", purpose, "a hundred generations of one epoch are destroyed")
