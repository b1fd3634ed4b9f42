"""Tokens and runs of digits; runs of number words that no detector reads yet."""

from __future__ import annotations

import pytest

from consigne.rules.redaction import numerals
from consigne.rules.redaction.numerals import Role


def suspected(text: str) -> bool:
    return numerals.suspected(numerals.read(text.split()))


def test_tokens_know_their_word_and_what_joins_them() -> None:
    tokens = numerals.read(["Réf.", "12/27", "d'accord"])
    assert [(t.text, t.role, t.word, t.joint) for t in tokens] == [
        ("ref", Role.OTHER, 0, ""),
        ("12", Role.DIGITS, 1, ""),
        ("27", Role.DIGITS, 1, "/"),
        ("d", Role.FILLER, 2, ""),
        ("accord", Role.FILLER, 2, "'"),
    ]


def test_a_placeholder_means_nothing() -> None:
    assert [t.role for t in numerals.read(["[code]"])] == [Role.OTHER]
    assert numerals.read(["[code]"])[0].text == ""


@pytest.mark.parametrize("fillers", [0, 1, numerals.MAX_FILLERS])
def test_fillers_join_a_run(fillers: int) -> None:
    assert len(numerals.runs(numerals.read(["12", *["euh"] * fillers, "34"]))) == 1


@pytest.mark.parametrize("between", [["maison"], ["euh"] * (numerals.MAX_FILLERS + 1)])
def test_other_words_part_runs(between: list[str]) -> None:
    assert len(numerals.runs(numerals.read(["12", *between, "34"]))) == 2


@pytest.mark.promise("P2")
@pytest.mark.parametrize(
    "text",
    [
        "quatre neuf sept zéro un deux trois quatre",
        "four nine euh seven oh double one yes two three",
        "quarante-neuf soixante-dix dix douze trente-quatre cinquante-six",
        "septante huitante nonante cent vingt trois quatre cinq",
        "4970 1012 trente quatre cinquante six",
    ],
)
def test_many_number_words_are_suspected(text: str) -> None:
    assert suspected(text)


@pytest.mark.parametrize(
    "text",
    [
        "quatre neuf sept zéro un deux trois",
        "mille deux cent vingt-cinq euros et trente centimes",
        "un un maison un un porte un un chien un un",
        "commande 1234567890123 un article",
        "zero one two then please order three four five six",
    ],
)
def test_few_are_not(text: str) -> None:
    assert not suspected(text)
