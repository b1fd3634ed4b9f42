"""*Notices*: what callers and employees are told, made from the policy; acknowledging it."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
