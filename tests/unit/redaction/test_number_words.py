"""Every number said in words can be read as what was meant."""

from __future__ import annotations

from random import Random

import pytest

from consigne.rules.redaction.number_words import ways
from consigne.rules.redaction.numerals import read
from unit.redaction.aloud import LANGUAGES, below_100, below_10000, hyphened


def readings(text: str) -> list[tuple[int, str]]:
    return [(said.tokens, said.digits) for said in ways(text.split(), 0)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_number_below_ten_thousand_is_among_its_readings(language: str) -> None:
    draw = Random(1)
    for number in range(1, 10_000):
        words = below_100(number, language) if number < 100 else below_10000(number, language, draw)
        assert ways([word.rstrip("s") if word == "vingts" else word for word in words], 0)[0].digits == str(
            number
        )
        written = read(hyphened(words, draw, language))
        assert any(said.digits == str(number) for said in written[0].said)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("quatre vingt deux", [(3, "82"), (2, "80"), (1, "4")]),
        ("soixante dix sept", [(3, "77"), (2, "70"), (1, "60")]),
        ("septante et un", [(3, "71"), (1, "70")]),
        ("huitante octante", [(1, "80")]),
        ("vingt et puis", [(1, "20")]),
        ("double four", [(2, "44")]),
        ("triple oh", [(2, "000")]),
        ("double le prix", []),
        ("trois fois le zero", [(4, "000"), (1, "3")]),
        ("deux fois un", [(3, "11"), (1, "2")]),
        ("cent", [(1, "100")]),
        ("forty five hundred and six", [(5, "4506"), (3, "4500"), (2, "45"), (1, "40")]),
        ("0151 euros", [(1, "0151")]),
        ("maison", []),
    ],
)
def test_all_readings_longest_first(text: str, expected: list[tuple[int, str]]) -> None:
    assert readings(text) == expected


def test_hyphens_make_one_number() -> None:
    tokens = read(["quatre-vingt-deux", "cent"])
    assert [[said.digits for said in token.said] for token in tokens] == [["82"], [], [], ["100"]]
    assert [said.digits for said in read(["soixante", "quatre-vingt"])[0].said] == ["60"]
