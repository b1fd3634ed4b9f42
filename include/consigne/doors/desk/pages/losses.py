"""*Restorations*: what came back from a backup, and what was lost."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
