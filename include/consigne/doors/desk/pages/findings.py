"""*Checks*: what reconciliation found, and what became of it."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
