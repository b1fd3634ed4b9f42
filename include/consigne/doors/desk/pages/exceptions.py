"""*Exceptions*: ask, and what became of each request."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
