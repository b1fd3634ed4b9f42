"""What is said on *Checks*."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {}
