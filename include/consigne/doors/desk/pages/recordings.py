"""*Recordings*: search, and one recording with its parts, clocks, masked intervals and history."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
