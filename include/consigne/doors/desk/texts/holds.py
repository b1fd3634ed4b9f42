"""What is said on *Holds*."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    "holds": ("Gels", "Holds"),
}
