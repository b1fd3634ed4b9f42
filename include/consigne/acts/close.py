"""Epochs end: fence, key destroyed, certificate. From here on the proof of what they wrapped is cryptographic."""

from __future__ import annotations

from consigne.acts.attest import attest_epoch, publish_certificates
from consigne.acts.expire import EVIDENCE_KEPT, check_clock
from consigne.acts.journey import Platform
from consigne.acts.repair import mend_epochs
from consigne.rules.errors import Unavailable


def close_epochs(platform: Platform, dry_run: bool) -> list[str]:
    """Destroy the keys of epochs that are due or turned over and hold nothing any more, the fence deciding for each;
    then of those that must not live (`mend_epochs`). Returns the names of those that ended now."""
    if dry_run:
        return []
    check_clock(platform)
    with platform.catalog.begin() as tx:
        names = platform.catalog.epochs_to_close(tx, platform.catalog.now(tx))
    closed = [name for name in names if _close(platform, name)]
    publish_certificates(platform, EVIDENCE_KEPT)
    mend_epochs(platform)
    return closed


def _close(platform: Platform, name: str) -> bool:
    with platform.catalog.begin() as tx:
        if not platform.catalog.start_closing(tx, name):
            return False
        platform.catalog.append(
            tx, "consigne", "expire:epoch:closing", [{"subject": name, "outcome": "intended"}]
        )
    platform.keyring.destroy_epoch(name)
    if platform.keyring.epoch_lives(name):
        raise Unavailable("epoch_lives", name, "the keyring still holds a key that it reported destroyed")
    with platform.catalog.begin() as tx:
        now = platform.catalog.now(tx)
        if platform.catalog.close_epoch(tx, name, now):
            attest_epoch(platform, tx, name, now)
    return True
