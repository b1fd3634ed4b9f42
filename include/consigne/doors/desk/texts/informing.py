"""What is said on *Notices*, *Rules for advisers*, acknowledgements and objections."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    "rules": ("Règles pour les conseillers", "Rules for advisers"),
    "notices": ("Information", "Notices"),
    "objections": ("Oppositions", "Objections"),
}
