"""Numbers said in words, French (of France, Belgium, Switzerland) and English: every way of reading them.

"Quatre vingt deux" is 82 or 4 22 or 4 20 2: which one was meant is known only by what the digits then are (a
card number whose check holds). So nothing is decided here. From each token on, `ways` gives every number
that may begin there; a detector walks through them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

MOST_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Said:
    """A number read from `tokens` tokens, as the digits that it stands for ("oh" is 0, "double four" 44)."""

    tokens: int
    digits: str


def _values(*lines: tuple[int, str]) -> dict[str, int]:
    return {word: value for value, said in lines for word in said.split()}


ZERO = frozenset({"zero", "oh", "o", "nought", "naught", "nil"})
UNITS_FR = _values(
    (1, "un une"), (2, "deux"), (3, "trois"), (4, "quatre"), (5, "cinq"), (6, "six"), (7, "sept"),
    (8, "huit"), (9, "neuf"),
)  # fmt: skip
TEENS_FR = _values(
    (10, "dix"), (11, "onze"), (12, "douze"), (13, "treize"), (14, "quatorze"), (15, "quinze"), (16, "seize")
)
TENS_FR = _values(
    (20, "vingt vingts"), (30, "trente"), (40, "quarante"), (50, "cinquante"), (60, "soixante"),
    (70, "septante"), (80, "huitante octante"), (90, "nonante"),
)  # fmt: skip
UNITS_EN = _values(
    (1, "one"), (2, "two"), (3, "three"), (4, "four"), (5, "five"), (6, "six"), (7, "seven"), (8, "eight"),
    (9, "nine"),
)  # fmt: skip
TEENS_EN = _values(
    (10, "ten"), (11, "eleven"), (12, "twelve"), (13, "thirteen"), (14, "fourteen"), (15, "fifteen"),
    (16, "sixteen"), (17, "seventeen"), (18, "eighteen"), (19, "nineteen"),
)  # fmt: skip
TENS_EN = _values(
    (20, "twenty"), (30, "thirty"), (40, "forty fourty"), (50, "fifty"), (60, "sixty"), (70, "seventy"),
    (80, "eighty"), (90, "ninety"),
)  # fmt: skip
HUNDRED_FR, HUNDRED_EN = frozenset({"cent", "cents"}), frozenset({"hundred", "hundreds"})
THOUSAND_FR, THOUSAND_EN = frozenset({"mille"}), frozenset({"thousand"})
TIMES = _values((2, "double"), (3, "triple treble"), (4, "quadruple"))
WORDS = frozenset().union(
    ZERO, UNITS_FR, TEENS_FR, TENS_FR, UNITS_EN, TEENS_EN, TENS_EN, HUNDRED_FR, HUNDRED_EN, THOUSAND_FR,
    THOUSAND_EN, TIMES,
)  # fmt: skip
ARTICLES = frozenset({"un", "une", "one", "o"})

_End = tuple[int, int]
"""The token after a number, and its value."""


def ways(texts: Sequence[str], joints: Sequence[str]) -> list[tuple[Said, ...]]:
    """For each token (folded text, and what joins it to the one before in its word) the numbers that begin
    there, longest first; groups of digits are read as they stand.

    Words joined by hyphens into one number are only that number.
    """
    begins = [
        _begin(texts, at) if texts[at] in WORDS or texts[at].isdigit() else () for at in range(len(texts))
    ]
    for first, end in _hyphenated(texts, joints):
        if any(said.tokens == end - first for said in begins[first]):
            for at in range(len(texts)):
                stops = range(max(first + 1, at + 1), end)
                inside = first < at < end
                begins[at] = () if inside else tuple(s for s in begins[at] if at + s.tokens not in stops)
    return begins


def _hyphenated(texts: Sequence[str], joints: Sequence[str]) -> Iterator[tuple[int, int]]:
    """(first, end) of what hyphens join."""
    first = 0
    for at in range(1, len(texts) + 1):
        if at == len(texts) or joints[at] != "-":
            if at - first > 1 and texts[first] in WORDS:
                yield first, at
            first = at


def _begin(texts: Sequence[str], at: int) -> tuple[Said, ...]:
    text = texts[at]
    if text.isdigit():
        return (Said(1, text),)
    if text in ZERO:
        return (Said(1, "0"),)
    if text in TIMES:
        return tuple(_repeated(texts, at + 1, TIMES[text], at))
    found = {(end, str(value)) for end, value in _thousands_fr(texts, at)}
    found |= {(end, str(value)) for end, value in _thousands_en(texts, at)}
    said = [Said(end - at, digits) for end, digits in found if len(digits) <= MOST_DIGITS]
    if UNITS_FR.get(text, 0) in (2, 3, 4) and _at(texts, at + 1) == "fois":
        article = _at(texts, at + 2) in ("le", "un") and _digit(texts, at + 3) != ""
        said += _repeated(texts, at + (3 if article else 2), UNITS_FR[text], at)
    return tuple(sorted(said, key=lambda s: (-s.tokens, s.digits)))


def _repeated(texts: Sequence[str], at: int, times: int, first: int) -> Iterator[Said]:
    digit = _digit(texts, at)
    if digit:
        yield Said(at + 1 - first, digit * times)


def _digit(texts: Sequence[str], at: int) -> str:
    text = _at(texts, at)
    if len(text) == 1 and text.isdigit():
        return text
    if text in ZERO:
        return "0"
    value = UNITS_FR.get(text) or UNITS_EN.get(text)
    return str(value) if value else ""


def _at(texts: Sequence[str], at: int) -> str:
    return texts[at] if at < len(texts) else ""


def _small_fr(texts: Sequence[str], at: int) -> Iterator[_End]:
    """1 to 99."""
    text, follower = _at(texts, at), _at(texts, at + 1)
    if text in UNITS_FR:
        yield at + 1, UNITS_FR[text]
    if text in TEENS_FR:
        yield from _teens_fr(texts, at, 0)
    if text in TENS_FR:
        tens = TENS_FR[text]
        yield at + 1, tens
        rest = at + 2 if follower == "et" else at + 1
        if _at(texts, rest) in UNITS_FR:
            yield rest + 1, tens + UNITS_FR[_at(texts, rest)]
        if tens == 60:
            yield from _teens_fr(texts, rest, tens)
    if text == "quatre" and follower in ("vingt", "vingts"):
        yield at + 2, 80
        rest = at + 3 if _at(texts, at + 2) == "et" else at + 2
        if _at(texts, rest) in UNITS_FR:
            yield rest + 1, 80 + UNITS_FR[_at(texts, rest)]
        yield from _teens_fr(texts, rest, 80)


def _teens_fr(texts: Sequence[str], at: int, base: int) -> Iterator[_End]:
    """10 to 19, added to what stands before."""
    text = _at(texts, at)
    if text in TEENS_FR:
        yield at + 1, base + TEENS_FR[text]
        if text == "dix" and UNITS_FR.get(_at(texts, at + 1), 0) >= 7:
            yield at + 2, base + 10 + UNITS_FR[_at(texts, at + 1)]


def _small_en(texts: Sequence[str], at: int) -> Iterator[_End]:
    """1 to 99."""
    text, follower = _at(texts, at), _at(texts, at + 1)
    if text in UNITS_EN:
        yield at + 1, UNITS_EN[text]
    elif text in TEENS_EN:
        yield at + 1, TEENS_EN[text]
    elif text in TENS_EN:
        yield at + 1, TENS_EN[text]
        if follower in UNITS_EN:
            yield at + 2, TENS_EN[text] + UNITS_EN[follower]


def _hundreds_fr(texts: Sequence[str], at: int) -> Iterator[_End]:
    """1 to 999, and eleven to nineteen hundreds (onze cents)."""
    yield from _small_fr(texts, at)
    leads = [
        (at, 1),
        *((end, value) for end, value in _small_fr(texts, at) if 2 <= value <= 19 and value != 10),
    ]
    for end, value in leads:
        if _at(texts, end) in HUNDRED_FR:
            yield end + 1, value * 100
            yield from ((last, value * 100 + rest) for last, rest in _small_fr(texts, end + 1))


def _hundreds_en(texts: Sequence[str], at: int) -> Iterator[_End]:
    """1 to 999, and eleven to ninety-nine hundreds (forty-nine hundred)."""
    yield from _small_en(texts, at)
    for end, value in [(at, 1), *_small_en(texts, at)]:
        if _at(texts, end) in HUNDRED_EN:
            yield end + 1, value * 100
            for rest in (end + 1, end + 2)[: 2 if _at(texts, end + 1) == "and" else 1]:
                yield from ((last, value * 100 + small) for last, small in _small_en(texts, rest))


def _thousands_fr(texts: Sequence[str], at: int) -> Iterator[_End]:
    yield from _hundreds_fr(texts, at)
    for end, value in [(at, 1), *_hundreds_fr(texts, at)]:
        if value < 1000 and _at(texts, end) in THOUSAND_FR:
            yield end + 1, value * 1000
            yield from (
                (last, value * 1000 + rest) for last, rest in _hundreds_fr(texts, end + 1) if rest < 1000
            )


def _thousands_en(texts: Sequence[str], at: int) -> Iterator[_End]:
    yield from _hundreds_en(texts, at)
    for end, value in [(at, 1), *_hundreds_en(texts, at)]:
        if value < 1000 and _at(texts, end) in THOUSAND_EN:
            yield end + 1, value * 1000
            for rest in (end + 1, end + 2)[: 2 if _at(texts, end + 1) == "and" else 1]:
                yield from (
                    (last, value * 1000 + more) for last, more in _hundreds_en(texts, rest) if more < 1000
                )
