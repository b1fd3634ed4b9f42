"""What is said on *Exceptions*: asking, the owner's word, the list."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    "exceptions": ("Dérogations", "Exceptions"),
}
