"""What reconciliation found, and what the store says was read. As acts see them; `adapters/catalog/findings.py` says more."""

from __future__ import annotations

from typing import Protocol


class FindingsRoom(Protocol):
    """Every method acts within a transaction."""
