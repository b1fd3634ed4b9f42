"""Walks through the readings: all of them, the fewest pieces first, in one order."""

from __future__ import annotations

from itertools import product

from consigne.rules.redaction.numerals import read
from consigne.rules.redaction.readings import walk


def walked(text: str, longest: int = 12) -> list[tuple[int, int, str]]:
    tokens = read(text.split())

    def step(digits: str, char: str) -> str | None:
        return digits + char if len(digits) < longest else None

    return list(walk(tokens, 0, "", step, lambda at: tokens[at].said if at < len(tokens) else ()))


def test_every_reading_comes_and_the_simplest_first() -> None:
    found = walked("soixante quatre vingt dix sept")
    whole = [digits for _, last, digits in found if last == 4]
    assert whole[0] == "6097"
    assert set(whole) == {
        "6097", "60907", "608017", "6080107", "604" + "2017", "604" + "20107", "642017", "6420107", "60420107", "6042017",
    }  # fmt: skip
    assert [count for count, *_ in found] == sorted(count for count, *_ in found)
    assert found == walked("soixante quatre vingt dix sept")


def test_fillers_are_left_out_and_other_words_end_it() -> None:
    assert [digits for *_, digits in walked("quatre euh cinq maison six")] == ["4", "45"]
    assert [digits for *_, digits in walked("4 " + "euh " * 7 + "5")] == ["4"]


def test_a_state_that_ends_is_left() -> None:
    assert [digits for *_, digits in walked("1 2 3", longest=2)] == ["1", "12"]


def test_many_readings_take_no_time() -> None:
    tokens = read(["vingt", "deux", "cent", "quatre"] * 200)

    def count(length: int, _char: str) -> int | None:
        return length + 1 if length < 40 else None

    assert (
        len(list(walk(tokens, 0, 0, count, lambda at: tokens[at].said if at < len(tokens) else ()))) < 10_000
    )


def test_the_order_is_that_of_the_pieces() -> None:
    for text in (" ".join(words) for words in product(["vingt", "quatre", "cent"], repeat=3)):
        counts = [count for count, *_ in walked(text)]
        assert counts == sorted(counts)
