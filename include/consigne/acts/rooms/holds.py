"""Holds and what they keep. As acts see them; `adapters/catalog/holds.py` says more."""

from __future__ import annotations

from typing import Protocol


class HoldsRoom(Protocol):
    """Every method acts within a transaction."""
