"""Names and typed reasons, forgotten when their period ends. As acts see them; `adapters/catalog/names.py` says more."""

from __future__ import annotations

from typing import Protocol


class NamesRoom(Protocol):
    """Every method acts within a transaction."""
