"""What people acknowledged, and what they objected to."""

from __future__ import annotations

from consigne.adapters.catalog.session import Session


class PeopleCatalog(Session):
    """What people acknowledged, and what they objected to."""
