"""Drafts of the policy, and bringing what is kept under the one in force. As acts see them; `adapters/catalog/drafts.py` says more."""

from __future__ import annotations

from typing import Protocol


class DraftsRoom(Protocol):
    """Every method acts within a transaction."""
