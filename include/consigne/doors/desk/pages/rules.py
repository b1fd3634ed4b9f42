"""*Rules for advisers*: what is recorded and why, in plain words; and "the caller objects"."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
