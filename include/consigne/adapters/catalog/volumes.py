"""Forecasts, and volumes set aside for a person's word."""

from __future__ import annotations

from consigne.adapters.catalog.session import Session


class VolumesCatalog(Session):
    """Forecasts, and volumes set aside for a person's word."""
