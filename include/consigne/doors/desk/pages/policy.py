"""*Policy*: the version in force, every version before, drafts with their check and impact, and the visa."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
