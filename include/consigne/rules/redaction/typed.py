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
    """BadInput(code, field) for a typed text: `too_long`; `unprintable` where it holds what PostgreSQL and UTF-8
    cannot, or what turns a line about (NUL, lone surrogates, control and direction characters); `bad_field` where
    it is empty (and needed) or carries a number."""
    if len(text) > longest:
        raise BadInput("too_long", field)
    if not all(letter.isprintable() or letter.isspace() for letter in text):
        raise BadInput("unprintable", field)
    if (is_needed and not text.strip()) or carries_number(text):
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
