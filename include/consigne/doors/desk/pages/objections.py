"""*Objections*: those that hold, and withdrawing one."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
