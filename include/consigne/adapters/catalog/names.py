"""Names and typed reasons, forgotten when their period ends."""

from __future__ import annotations

from consigne.adapters.catalog.session import Session


class NamesCatalog(Session):
    """Names and typed reasons, forgotten when their period ends."""
