"""The months' secrets, and the draws made under them. As acts see them; `adapters/catalog/draws.py` says more."""

from __future__ import annotations

from typing import Protocol


class DrawsRoom(Protocol):
    """Every method acts within a transaction."""
