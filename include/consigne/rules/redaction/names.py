"""People's names: whoever found them in the words as they were said, they are masked wherever they are said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from consigne.rules.redaction import numerals
from consigne.rules.redaction.numerals import Hit, Token
from consigne.rules.redaction.spans import Kind
from consigne.rules.redaction.transcript import Detector

CONFIDENCE = 0.85  # what Presidio gives a name that spaCy found


def detector(names: Iterable[str]) -> Detector:
    """A detector of these names, whole, in any case and with or without accents."""
    known: dict[str, list[tuple[str, ...]]] = {}
    for name in {tuple(token.text for token in numerals.read([text])) for text in names}:
        if "".join(name).isalpha():
            known.setdefault(name[0], []).append(name)

    def find(tokens: Sequence[Token], _: Sequence[Hit]) -> list[Hit]:
        return [
            Hit(at, at + len(name) - 1, Kind.NAME, "names", CONFIDENCE)
            for at, token in enumerate(tokens)
            for name in known.get(token.text, ())
            if tuple(each.text for each in tokens[at : at + len(name)]) == name
        ]

    return find
