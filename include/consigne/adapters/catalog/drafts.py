"""Drafts of the policy, and bringing what is kept under the one in force."""

from __future__ import annotations

from consigne.adapters.catalog.session import Session


class DraftsCatalog(Session):
    """Drafts of the policy, and bringing what is kept under the one in force."""
