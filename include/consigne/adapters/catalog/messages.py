"""Mail on its way."""

from __future__ import annotations

from consigne.adapters.catalog.session import Session


class MessagesCatalog(Session):
    """Mail on its way."""
