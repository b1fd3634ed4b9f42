"""Holds and what they keep."""

from __future__ import annotations

from consigne.adapters.catalog.session import Session


class HoldsCatalog(Session):
    """Holds and what they keep."""
