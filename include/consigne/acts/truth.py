"""While a backup that came back is not brought to the truth, nothing is stored, served, decided or erased (P6)."""

from __future__ import annotations

from consigne.acts.catalog import Transaction
from consigne.acts.evidence import newest_published
from consigne.acts.journey import Platform
from consigne.rules.errors import Misconfigured


def check_replayed(platform: Platform, tx: Transaction) -> None:
    """Misconfigured('restored_unreplayed') while a restoration is open."""
    if platform.catalog.open_restoration(tx) is not None:
        raise Misconfigured(
            "restored_unreplayed", "catalog", "a backup came back: stop Consigne and run `consigne up`"
        )


def is_shut(platform: Platform) -> bool:
    """Whether a restoration is open."""
    with platform.catalog.begin() as tx:
        return platform.catalog.open_restoration(tx) is not None


def notice_restored(platform: Platform) -> bool:
    """Whether the database was replaced under a running platform: the evidence bucket knows more of its register
    than it does itself. Then all shuts until the next start. As the role `seal`, before anything is sealed."""
    if is_shut(platform):
        return True
    newest = newest_published(platform)
    with platform.catalog.begin() as tx:
        # Locked as sealing is: what is published meanwhile was sealed here.
        platform.catalog.lock_register(tx)
        own = platform.catalog.newest_checkpoint(tx)
        size = 0 if own is None else int(own["size"])
        if newest is None or newest.size <= size or platform.catalog.open_restoration(tx) is not None:
            return platform.catalog.open_restoration(tx) is not None
        platform.catalog.begin_restoration(
            tx,
            {
                "id": platform.new_id(), "parts": ["database"], "began_at": platform.catalog.now(tx),
                "register_size": size, "published_size": newest.size, "counts": {},
                "kept_until": platform.catalog.newest_entry_at(tx),
            },
        )  # fmt: skip
    return True
