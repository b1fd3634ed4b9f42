"""*Register*: who did what, when and why."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
