"""What people acknowledged, and what they objected to. As acts see them; `adapters/catalog/people.py` says more."""

from __future__ import annotations

from typing import Protocol


class PeopleRoom(Protocol):
    """Every method acts within a transaction."""
