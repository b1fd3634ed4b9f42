"""What is said on *Recordings*, one recording, and the *Retention calendar*."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    "recordings": ("Enregistrements", "Recordings"),
    "calendar": ("Échéancier", "Retention calendar"),
}
