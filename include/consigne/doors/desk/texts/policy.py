"""What is said on *Policy*: versions, drafts, impact, visa."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    "policy": ("Politique", "Policy"),
}
