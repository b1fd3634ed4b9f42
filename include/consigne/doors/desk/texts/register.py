"""What is said on *Register*."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {}
