"""A card number is masked whatever is said beside it, in it or before it again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from consigne.rules.recording import Transcript
from consigne.rules.redaction import bank, cards, codes, identity
from consigne.rules.redaction.transcript import blank, search

Spoken = Callable[[str], Transcript]
DETECTORS = (cards.find, codes.find, bank.find_iban, bank.find_bic, bank.find_rib, identity.find_nir)
CARD = "4532 0151 1283 0366"
M = "[card] [card] [card] [card]"


def left(said: Transcript) -> str:
    return " ".join(w.text for w in blank(said, search(said, DETECTORS)).words)


@pytest.mark.promise("P2")
@pytest.mark.parametrize(
    "text",
    [
        f"mon numéro 06 12 34 56 78 {CARD} merci",
        f"carte {CARD} 75011 paris",
        f"carte {CARD} 06 12 34 56 78",
        f"carte {CARD} 99",
        f"carte {CARD} 7",
        f"{CARD} 5",
        f"carte 1 {CARD}",
        f"carte numéro 2 {CARD}",
        f"en 2026 {CARD}",
        f"commande 12345 {CARD}",
        f"12 28 {CARD}",
        f"123 {CARD}",
        f"06 12 {CARD} 34 56 78",
        "carte 1 4 5 3 2 0 1 5 1 1 2 8 3 0 3 6 6 7",
        "3 3782 822463 10005 12",
        "8 3056 930902 5904 9",
    ],
)
def test_other_digits_beside_it(text: str, spoken: Spoken) -> None:
    said = spoken(text)
    found = {i for finding in search(said, [cards.find]) for i in finding.words}
    digits = "".join(w.text for n, w in enumerate(said.words) if n in found)
    numbers = ("4532015112830366", "378282246310005", "30569309025904")
    assert any(number in digits for number in numbers)


@pytest.mark.promise("P2")
@pytest.mark.parametrize(
    ("text", "after"),
    [
        (f"4532 0151 1283 03 non {CARD}", f"{M} non {M}"),
        (f"4532 0151 1284 0366 pardon {CARD}", f"{M} pardon {M}"),
        (f"{CARD} je répète le tout 4532 0151 12 voilà", f"{M} je répète le tout [card] [card] [card] voilà"),
        ("4532 0151 0151 1283 0366", f"{M} [card]"),
        ("4532 01 51 01 51 1283 0366", f"{M} [card] [card] [card]"),
        ("4532 01 51 0151 1283 0366", f"{M} [card] [card]"),
        (
            "4532 0151 attendez je cherche un instant 1283 0366",
            "[card] [card] attendez je cherche un instant [card] [card]",
        ),
        ("4532 01 5 double 1 283 0366", f"{M} [card] [card] [card]"),
        (
            "4532 la suite arrive 0151 1283 excusez-moi 0366",
            "[card] la suite arrive [card] [card] excusez-moi [card]",
        ),
        (
            "carte 1 4532 0151 attendez je la cherche 1283 0366 12 27",
            "carte 1 [card] [card] attendez je la cherche [card] [card] [expiry] [expiry]",
        ),
        (f"{CARD} bonjour le cryptogramme 123", f"{M} bonjour le cryptogramme [code]"),
        ("date de fin 0829", "date de fin [expiry]"),
        ("la date de fin de la carte 08 29", "la date de fin de la carte [expiry] [expiry]"),
    ],
)
def test_false_starts_stutters_and_gaps(text: str, after: str, spoken: Spoken) -> None:
    said = spoken(text)
    assert left(said) == after


@pytest.mark.promise("P2")
@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("quatre 532 0151 1283 0366", f"{M} [card]"),
        ("4532 0151 1283 036 six", f"{M} [card]"),
        ("4532 0151 douze 83 0366", f"{M} [card]"),
        (f"{CARD} non quatre 532 0151 1283 0366", " ".join(["[card]"] * 10)),
        ("4532 0151 quatre neuf non pardon douze huit trois 0366", " ".join(["[card]"] * 10)),
        ("4532 zéro un cinq un je note la suite 1283 zéro trois double six", ""),
    ],
)
def test_digits_and_number_words_together_are_one_number(text: str, after: str, spoken: Spoken) -> None:
    said = left(spoken(text))
    assert said == after or (not after and not any(word in said for word in ("4532", "zéro", "1283", "six")))


@pytest.mark.parametrize(
    "text",
    [
        "commande 4532 0151 1283 0367 deux articles",
        "commande 4532 0151 0151 1283 0367",
        "4532 0151 attendez je cherche 1283 0367",
        "4532 0151 " + "bonjour " * 17 + "1283 0366",
        "4532 015 bonjour 1 maison 1283 0366",
        "rappelez le 06 45 32 01 51 bonjour 1283 0366",
        "06 12 34 56 78 et une 01 23 45 67 89",
        "la date de fin du contrat 0829",
    ],
)
def test_what_fails_the_check_or_lies_far_apart_stays(text: str, spoken: Spoken) -> None:
    said = spoken(text)
    assert left(said) == text.strip()


@pytest.mark.parametrize("part", ["1 ", "12 ", "12 34 ", "45 32 01 51 ", "4532 0151 1283 0366 deux "])
def test_a_long_reading_takes_no_time(part: str, spoken: Spoken) -> None:
    """No time is asserted: anything quadratic would end the test run."""
    search(spoken(part * 4000), [cards.find])
