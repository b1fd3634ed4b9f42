"""What people type rests in the catalog and the register too, so it may carry no number either (P2)."""

from __future__ import annotations

from consigne.rules.errors import BadInput
from consigne.rules.recording import Transcript, Word
from consigne.rules.redaction.groups import group_runs
from consigne.rules.redaction.numerals import read
from consigne.rules.redaction.prove import TEXT
from consigne.rules.redaction.transcript import search
from consigne.rules.request import REASON_CHARS

MOST_DIGITS = 8


def check_typed(text: str, field: str, longest: int = REASON_CHARS, is_needed: bool = True) -> None:
    """BadInput('bad_field', field) where a typed text is empty (and needed), too long, carries a number, or holds
    what PostgreSQL and UTF-8 cannot: NUL, lone surrogates, control characters."""
    is_plain = all(letter.isprintable() or letter.isspace() for letter in text)
    is_missing = is_needed and not text.strip()
    if is_missing or len(text) > longest or not is_plain or carries_number(text):
        raise BadInput("bad_field", field)


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


def carries_payment(text: str) -> bool:
    """Whether a line of text holds a card, account or national number, or a code beside its word."""
    words = tuple(Word(word, place, place, "") for place, word in enumerate(text.split()))
    return bool(search(Transcript(words), TEXT["payment"]))
