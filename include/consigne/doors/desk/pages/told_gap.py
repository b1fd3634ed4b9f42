"""A gap in sealing, in the reader's words."""

from __future__ import annotations

from fastapi import Request

from consigne.adapters.catalog import views_register
from consigne.doors.desk.pages.looking import Look, platform
from consigne.doors.desk.words import Wording
from consigne.rules.sealing import gap_since


def gap_told(request: Request, words: Wording, look: Look) -> str:
    """One line while entries wait too long to be published, or the outside witness to be told; else empty."""
    witness = platform(request, "read").witness
    since = gap_since(views_register.sealing(look.tx), look.now, witness.listens)
    return words.say("register.gap", at=words.moment(since)) if since else ""
