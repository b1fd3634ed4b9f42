"""What people type rests in the catalog and the register too, so it may carry no number either (P2)."""

from __future__ import annotations

from consigne.rules.recording import Transcript, Word
from consigne.rules.redaction.prove import TEXT
from consigne.rules.redaction.transcript import search, suspected


def carries_number(text: str) -> bool:
    """Whether a typed text holds a card, account, national or telephone number, a code beside its word, an
    e-mail address, or a run of number words in which one may hide."""
    words = tuple(Word(word, place, place, "") for place, word in enumerate(text.split()))
    said = Transcript(words)
    return bool(search(said, TEXT["payment_and_contact"])) or suspected(said)
