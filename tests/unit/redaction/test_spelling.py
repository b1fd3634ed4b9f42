"""Letters in every alphabet, and numbers that are corrected, repeated or begun again."""

from __future__ import annotations

import pytest

from consigne.rules.redaction import bank, identity, numerals, spelling
from consigne.rules.redaction.numerals import Hit


def letters(text: str) -> list[str]:
    """What may be meant at the first word."""
    return sorted(said.digits for said in spelling.spelled(numerals.read(text.split()), 0))


def left(text: str) -> str:
    words = text.split()
    tokens = numerals.read(words)
    hits: list[Hit] = []
    for detect in (bank.find_iban, bank.find_rib, identity.find_nir):
        hits += detect(tokens, hits)
    for hit in hits:
        for token in tokens[hit.first : hit.last + 1]:
            words[token.word] = f"[{hit.kind}]"
    return " ".join(words)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("F", ["f"]),
        ("F comme François", ["f"]),
        ("M as in mother", ["m"]),
        ("foxtrot", ["f"]),
        ("Zürich", ["z"]),
        ("hache", ["h"]),
        ("double v", ["w"]),
        ("double u", ["w"]),
        ("i grec", ["i", "y"]),
        ("X-ray", ["x", "x"]),
        ("bee", ["b", "bee"]),
        ("O", ["0", "o"]),
        ("deux", ["2"]),
        ("BNPA", ["bnpa"]),
        ("oui", ["OUI"]),
        ("maison", []),
        ("c'est", []),
    ],
)
def test_letters_by_name_alphabet_and_example(text: str, meant: list[str]) -> None:
    assert letters(text) == meant


IBAN = "FR76 3000 6000 0112 3456 7890 189"


@pytest.mark.promise("P2")
@pytest.mark.parametrize(
    ("said", "masked"),
    [
        (
            "F R sept six, trois mille, six mille, zéro un douze, trente-quatre cinquante-six, sept mille huit cent "
            "quatre-vingt-dix, cent quatre-vingt-neuf",
            "[iban] " * 20,
        ),
        (
            "IBAN FR76 3000 non 3001 pardon 3000 6000 0112 3456 7890 189 merci",
            "IBAN " + "[iban] " * 11 + "merci",
        ),
        ("IBAN FR76 3000 3000 oui 6000 6000 0112 3456 7890 189 merci", "IBAN " + "[iban] " * 10 + "merci"),
        (f"IBAN FR76 3000 6000 attendez je cherche mes lunettes {IBAN}", None),
        (
            "NIR 2 69 05 49 non pardon 2 69 05 49 588 157 80",
            "NIR" + " [nir]" * 13,
        ),
        ("mon RIB 30006 00001 non 30006 00001 12345678901 89", "mon RIB [rib] [rib] non" + " [rib]" * 4),
    ],
)
def test_corrections_repetitions_and_false_starts(said: str, masked: str | None) -> None:
    after = left(said)
    if masked is None:
        assert "30" not in after and after.endswith(" [iban]" * 7)
    else:
        assert after == masked.strip()


@pytest.mark.parametrize(
    "said",
    [
        "IBAN FR76 3000 non 3001 pardon 3000 6000 0112 3456 7890 188 merci",
        "F R sept six trois mille six mille zéro un douze",
        "mon compte trois mille deux cents euros et quarante mille deux cents puis six mille",
        "le dossier numéro 26905495881578",
    ],
)
def test_what_fails_its_check_or_is_too_short_stays(said: str) -> None:
    assert left(said) == said


@pytest.mark.parametrize(
    "part",
    [
        "fr deux cent vingt mille quatre vingt dix sept ",
        "iban fr sept six compte deux mille quatre vingt dix neuf cents ",
    ],
)
def test_what_is_made_to_be_hard_takes_no_time(part: str) -> None:
    """No time is asserted: without a bound on the readings this would end the test run."""
    left(part * 300)
