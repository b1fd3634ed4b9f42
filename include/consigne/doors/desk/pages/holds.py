"""*Holds*: place, confirm, lift, and what each one keeps."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
