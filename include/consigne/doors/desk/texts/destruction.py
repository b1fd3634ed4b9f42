"""What is said on *Destruction*."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {}
