"""Codes and expiry dates: by their words, or beside a card; other short numbers stay."""

from __future__ import annotations

import pytest

from consigne.rules.redaction import cards, codes, numerals


def kinds(text: str) -> str:
    """The text with what was found replaced by its kind."""
    words = text.split()
    tokens = numerals.read(words)
    hits = cards.find(tokens, [])
    for hit in [*hits, *codes.find(tokens, hits)]:
        for token in tokens[hit.first : hit.last + 1]:
            words[token.word] = f"[{hit.kind}]"
    return " ".join(words)


CARD = "4111 1111 1111 1111"
MASKED = "[card] [card] [card] [card]"


@pytest.mark.promise("P2")
@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("le cryptogramme 123", "le cryptogramme [code]"),
        ("le cryptogramme c'est le 1 2 3", "le cryptogramme c'est le [code] [code] [code]"),
        ("code de sécurité au dos de la carte 456", "code de sécurité au dos de la carte [code]"),
        ("les trois chiffres au dos un deux trois", "les trois chiffres au dos [code] [code] [code]"),
        ("the CVV is 789 thanks", "the CVV is [code] thanks"),
        ("three digits on the back 7 euh 8 9", "three digits on the back [code] [code] [code] [code]"),
        ("123 c'est le cryptogramme", "[code] c'est le cryptogramme"),
        ("your security code 1234", "your security code [code]"),
        ("le code reçu par SMS 482913", "le code reçu par SMS [code]"),
        ("elle expire en 06/28", "elle expire en [expiry]"),
        ("date d'expiration 6 2028", "date d'expiration [expiry] [expiry]"),
        ("date d'expiration décembre 2027", "date d'expiration [expiry] [expiry]"),
        ("expires December twenty seven", "expires [expiry] [expiry] [expiry]"),
        ("fin de validité zéro six vingt-huit", "fin de validité [expiry] [expiry] [expiry]"),
        ("valid thru 0 6 2 8", "valid thru [expiry] [expiry] [expiry] [expiry]"),
        (f"{CARD} 12/27 123", f"{MASKED} [expiry] [code]"),
        (f"{CARD} 12 27 123", f"{MASKED} [expiry] [expiry] [code]"),
        (f"{CARD} oui donc 12/27 et ensuite 123", f"{MASKED} oui donc [expiry] et ensuite [code]"),
        (f"{CARD} 123 12 27", f"{MASKED} [code] [expiry] [expiry]"),
        (f"{CARD} 1227123", f"{MASKED} [expiry]"),
    ],
)
def test_found(said: str, left: str) -> None:
    assert kinds(said) == left


@pytest.mark.parametrize(
    "said",
    [
        "commande 1234 du 12/27",
        "il y a 123 places et 4567 lettres",
        "le cryptogramme plus tard 120 euros",
        "mon contrat expire dans 30 jours",
        "le code de sécurité puis le 06 12 34 56 78",
        "rendez-vous en décembre 2027",
        "appartement 456 code postal 75011",
    ],
)
def test_left(said: str) -> None:
    assert kinds(said) == said


def test_amounts_beside_a_card_stay() -> None:
    assert kinds(f"{CARD} pour 120 euros") == f"{MASKED} pour 120 euros"
    assert kinds(f"{CARD} en 3 fois") == f"{MASKED} en 3 fois"


def test_far_from_their_words_numbers_stay() -> None:
    far = " ".join(["bonjour"] * 30)
    assert kinds(f"cryptogramme {far} 123") == f"cryptogramme {far} 123"
