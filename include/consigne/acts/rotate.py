"""A new version of one of the keyring's keys, at an operator's word; the register holds when."""

from __future__ import annotations

from consigne.acts.behind import used_versions
from consigne.acts.journey import Platform


def rotate_key(platform: Platform, actor: str, name: str) -> int:
    """Rotate `signing`, `blind-index`, `tombstone`, `draw` or `root`; the version that is used from now on, 0 where
    the provider keeps its root to itself. Registered before and after: killed in between, the register says that it
    was begun, and the keyring's own versions whether it was done. Faults as `Keyring.rotate`."""
    entry = {"subject": name, "provider": platform.keyring.provider}
    with platform.catalog.begin() as tx:
        platform.catalog.append(tx, actor, "keyring:key:rotating", [entry | {"outcome": "intended"}])
    spent = used_versions(platform).get(name, 0)
    version = platform.keyring.rotate(name)
    while 0 < version <= spent:  # an older keyring came back: no second key of a name that was used
        version = platform.keyring.rotate(name)
    with platform.catalog.begin() as tx:
        outcome = "rotated" if version else "none"
        done = {**entry, "version": version, "outcome": outcome}
        platform.catalog.append(tx, actor, "keyring:key:rotated", [done])
    return version
