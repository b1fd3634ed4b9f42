"""Card numbers heard wrong are masked where a card is spoken of, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from consigne.rules.recording import Transcript, Word
from consigne.rules.redaction import cards, codes, parts
from consigne.rules.redaction.transcript import blank, search
from unit.redaction.aloud import LANGUAGES, STYLES, card, chunks

Spoken = Callable[[str], Transcript]


def left(said: Transcript) -> str:
    return " ".join(w.text for w in blank(said, search(said, [cards.find, parts.find, codes.find])).words)


@pytest.mark.promise("P2")
@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("par carte 4532 0151 1283 0367", "par carte" + " [card]" * 4),
        ("votre carte bleue agent: oui caller: 4532 0151 1283 036", "votre carte bleue oui" + " [card]" * 4),
        ("ma visa 32 0151 1283 0366 merci", "ma visa" + " [card]" * 4 + " merci"),
        ("the card number is 4532 0151 um 1283 036", "the card number is" + " [card]" * 5),
        ("la carte 4532 0151 1284 euh 0366 et 0", "la carte" + " [card]" * 7),
        ("carte 4532 0151 toit 1283 037", "carte" + " [card]" * 5),
    ],
)
def test_a_mangled_number_is_masked_where_a_card_is_named(text: str, after: str, spoken: Spoken) -> None:
    assert left(spoken(text)) == after


@pytest.mark.promise("P2")
@pytest.mark.parametrize(
    "text", ["4532 0151 1283 0367 expire fin 12 27", "4532 0151 1283 0367 cryptogramme 123"]
)
def test_what_follows_a_card_names_it_too(text: str, spoken: Spoken) -> None:
    assert left(spoken(text)).startswith("[card] [card] [card] [card] ")


@pytest.mark.promise("P2")
def test_any_thirteen_digits_in_words_are_masked_where_a_card_is_named() -> None:
    draw = Random(3)
    for _ in range(500):
        number, language = card(draw), draw.choice(LANGUAGES)
        at = draw.randrange(2, len(number))
        mangled = (
            number[:at]
            + draw.choice(["", number[at] * 2, str((int(number[at]) + 5) % 10)])
            + number[at + 1 :]
        )
        words = [word for part in chunks(mangled, draw, language, draw.choice(STYLES[:1])) for word in part]
        asked = "the long number on your card" if language == "en" else "le numéro de votre carte"
        said = Transcript(
            tuple(Word(text, n, n, "caller") for n, text in enumerate([*asked.split(), *words]))
        )
        found = {n for each in search(said, [cards.find, parts.find]) for n in each.words}
        missed = set(range(len(asked.split()), len(said.words))) - found
        # The last digits may be read as a code.
        assert len(mangled) < parts.MIN_DIGITS or missed <= set(range(len(said.words) - 4, len(said.words)))


@pytest.mark.parametrize(
    "text",
    [
        "numéro de commande 4532 0151 1283 0367",
        "pour payer ma facture 4532 0151 1283 0367",
        "carte de fidélité 4532 0151 1283 0367",
        "par carte ou au 06 12 34 56 78 et 01 23 45 67 89",
        "ma carte vitale 1 85 05 78 006 084 36",
        "par carte 4532 0151 1283",
        "bonjour 4532 0151 1283 0367",
        "ma carte coûte 12 euros par mois depuis le 3 mars 2026 et 14 euros 50 depuis le 1 avril 2027",
    ],
)
def test_other_numbers_stay(text: str, spoken: Spoken) -> None:
    assert left(spoken(text)) == text


def test_a_doubt_is_less_sure(spoken: Spoken) -> None:
    sure = search(spoken("par carte 4532 0151 1283 0367"), [parts.find])
    doubt = search(spoken("par carte 4532 0151 toit 1283 037"), [parts.find])
    assert [(f.detector, f.confidence) for f in (*sure, *doubt)] == [("parts", 0.7), ("parts", 0.5)]


@pytest.mark.parametrize("part", ["carte 1 ", "carte 4532 0151 toit ", "4532 0151 1283 0367 cvv 123 "])
def test_a_long_call_takes_no_time(part: str, spoken: Spoken) -> None:
    """No time is asserted: anything quadratic would end the test run."""
    search(spoken(part * 3000), [parts.find, codes.find])
