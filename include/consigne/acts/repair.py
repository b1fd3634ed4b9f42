"""The keyring and the catalog agree on which epochs live, whatever a restored backup or a death left (P6)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from consigne.acts.journey import Platform
from consigne.rules.errors import Misconfigured


@dataclass(frozen=True, slots=True)
class Mended:
    """Names of epochs: destroyed in the catalog while their keys lived, which are destroyed again; of whose living
    keys the catalog knows nothing, which are destroyed; that wrap keys and have none themselves, which are losses."""

    again: list[str]
    orphans: list[str]
    keyless: list[str]


def mend_epochs(platform: Platform) -> Mended:
    """Destroy the keys that must not live, and name the epochs that lack theirs. Idempotent. An epoch without a key
    that wraps nothing needs none: the next to use it makes it.

    Misconfigured('foreign_keyring') where the catalog knows no epoch at all: the two do not belong together.
    """
    with platform.catalog.begin() as tx:
        wrapping = platform.catalog.epochs_wrapping(tx)
    living = platform.keyring.epochs()
    with platform.catalog.begin() as tx:
        # After the keys were listed: an epoch's row comes before its key.
        states, known = platform.catalog.epoch_states(tx, living), platform.catalog.has_epochs(tx)
        lacking = set(wrapping) - set(living)
        keyless = sorted(lacking & set(platform.catalog.epochs_wrapping(tx))) if lacking else []
    orphans = [name for name in living if name not in states]
    if orphans and not known:
        raise Misconfigured(
            "foreign_keyring", "keyring", "it belongs to another catalog, or this one is empty"
        )
    again = [name for name, state in sorted(states.items()) if state == "destroyed"]
    _destroy(platform, again, "repair:epoch:destroyed-again")
    _destroy(platform, orphans, "repair:epoch:orphan-destroyed")
    return Mended(again, orphans, keyless)


def _destroy(platform: Platform, names: Iterable[str], kind: str) -> None:
    with platform.catalog.begin() as tx:  # first: a key that went would not be found to be told of any more
        entries = [{"subject": name, "outcome": "destroyed"} for name in names]
        platform.catalog.append(tx, "consigne", kind, entries)
    for name in names:
        platform.keyring.destroy_epoch(name)
