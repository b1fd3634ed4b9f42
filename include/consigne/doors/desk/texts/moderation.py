"""What is said on *Draws*."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    "draws": ("Tirages", "Draws"),
}
