"""Forecasts, and volumes set aside for a person's word. As acts see them; `adapters/catalog/volumes.py` says more."""

from __future__ import annotations

from typing import Protocol


class VolumesRoom(Protocol):
    """Every method acts within a transaction."""
