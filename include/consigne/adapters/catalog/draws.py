"""The months' secrets, and the draws made under them."""

from __future__ import annotations

from consigne.adapters.catalog.session import Session


class DrawsCatalog(Session):
    """The months' secrets, and the draws made under them."""
