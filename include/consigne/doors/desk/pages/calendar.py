"""*Retention calendar*: what goes when, by purpose and week, and what extensions and holds moved."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
