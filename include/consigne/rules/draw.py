"""The draw that makes recording occasional: random to the agent, reproducible to the auditor.

A digest is HMAC-SHA-256 (RFC 2104) under the month's secret; it is drawn where, read as a fraction of
2^256, it lies below the sampling rate.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import datetime
from decimal import Decimal

from consigne.rules.clock import local_date


def month_of(started_at: datetime, zone: str) -> str:
    """The local month of the call's start, `2026-11`: the one whose secret draws it."""
    return f"{local_date(started_at, zone):%Y-%m}"


def draw_digest(month_secret: bytes, source: str, id: str, purpose: str) -> bytes:
    """32 bytes: HMAC of `consigne-draw-v1`, a zero byte, and the JSON array [source, id, purpose] in ASCII
    without spaces."""
    identity = json.dumps([source, id, purpose], ensure_ascii=True, separators=(",", ":"))
    return hmac.new(month_secret, b"consigne-draw-v1\0" + identity.encode(), hashlib.sha256).digest()


def is_drawn(digest: bytes, rate: Decimal) -> bool:
    """Whether the digest falls below the rate (0 … 1), compared in integers: 0 draws none, 1 draws all."""
    numerator, denominator = rate.as_integer_ratio()
    return int.from_bytes(digest, "big") * denominator < numerator << (8 * len(digest))
