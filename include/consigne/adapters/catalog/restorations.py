"""What came back from a backup, and what was lost."""

from __future__ import annotations

from consigne.adapters.catalog.session import Session


class RestorationsCatalog(Session):
    """What came back from a backup, and what was lost."""
