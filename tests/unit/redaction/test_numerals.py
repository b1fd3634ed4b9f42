"""Tokens and runs of digits."""

from __future__ import annotations

import pytest

from consigne.rules.redaction import numerals
from consigne.rules.redaction.numerals import Role


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
