"""What people type rests in the catalog and the register too, so it may carry no number either (P2)."""

from __future__ import annotations

from consigne.rules.recording import Transcript, Word
from consigne.rules.redaction.groups import group_runs
from consigne.rules.redaction.numerals import read
from consigne.rules.redaction.prove import TEXT
from consigne.rules.redaction.transcript import search

MOST_DIGITS = 8


def carries_number(text: str) -> bool:
    """Whether a typed text holds a card, account, national or telephone number, a code beside its word, an
    e-mail address, or in a run of numbers said in words more than MOST_DIGITS digits."""
    words = tuple(Word(word, place, place, "") for place, word in enumerate(text.split()))
    if search(Transcript(words), TEXT["payment_and_contact"]):
        return True
    tokens = read([text])
    return any(
        sum(len(group.digits) for group in run) > MOST_DIGITS
        and any(not tokens.texts[group.first].isdigit() for group in run)
        for run in group_runs(tokens)
    )
