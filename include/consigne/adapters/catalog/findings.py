"""What reconciliation found, and what the store says was read."""

from __future__ import annotations

from consigne.adapters.catalog.session import Session


class FindingsCatalog(Session):
    """What reconciliation found, and what the store says was read."""
