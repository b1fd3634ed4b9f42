"""What came back from a backup, and what was lost. As acts see them; `adapters/catalog/restorations.py` says more."""

from __future__ import annotations

from typing import Protocol


class RestorationsRoom(Protocol):
    """Every method acts within a transaction."""
