"""*Destruction*: what is due, under way, done, stuck and why."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
