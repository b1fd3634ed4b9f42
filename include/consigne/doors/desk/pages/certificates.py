"""*Certificates*: found, shown, and taken away as files or one page each."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
