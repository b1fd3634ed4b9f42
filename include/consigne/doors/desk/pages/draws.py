"""*Draws*: how much is recorded against the rate; and the draw at call set-up."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
