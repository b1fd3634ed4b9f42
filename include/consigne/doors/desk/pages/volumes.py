"""*Volume*: what exceeds the forecast, and the DPO's word on it."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
