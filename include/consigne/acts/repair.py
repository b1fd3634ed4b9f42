"""Start-up: what a restored backup brought back is destroyed again before ingest and desk open (P6)."""

from __future__ import annotations

from consigne.acts.journey import Platform


def destroy_again(platform: Platform) -> list[str]:
    """Epochs that the catalog calls destroyed and whose keys live in the keyring all the same. Idempotent."""
    with platform.catalog.begin() as tx:
        gone = platform.catalog.destroyed_epochs(tx)
    back = sorted(set(gone) & set(platform.keyring.epochs()))
    for name in back:
        platform.keyring.destroy_epoch(name)
    with platform.catalog.begin() as tx:
        entries = [{"subject": name, "outcome": "destroyed"} for name in back]
        platform.catalog.append(tx, "consigne", "repair:epoch:destroyed-again", entries)
    return back
