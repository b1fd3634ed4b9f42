"""Numbers said in words, French (of France, Belgium, Switzerland) and English: every way of reading them.

"Quatre vingt deux" is 82 or 4 22 or 4 20 2: which one was meant is known only by what the digits then are (a
card number whose check holds). So nothing is decided here: `ways` gives every number that may begin at a token; a
detector walks through them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

MOST_DIGITS = 6
# Cent quatre vingt dix neuf mille neuf cent quatre vingt dix neuf, with an "et" or two.
LONGEST_TOKENS = 16


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
HUNDRED_FR, HUNDRED_EN = (frozenset({"cent", "cents"}), frozenset({"hundred", "hundreds"}))
THOUSAND_FR, THOUSAND_EN = frozenset({"mille"}), frozenset({"thousand"})
TIMES = _values((2, "double"), (3, "triple treble"), (4, "quadruple"))
WORDS = frozenset().union(
    ZERO, UNITS_FR, TEENS_FR, TENS_FR, UNITS_EN, TEENS_EN, TENS_EN, HUNDRED_FR, HUNDRED_EN, THOUSAND_FR,
    THOUSAND_EN, TIMES,
)  # fmt: skip
ARTICLES = frozenset({"un", "une", "one", "o"})

_End = tuple[int, int]
"""The token after a number, and its value."""


def ways(texts: Sequence[str], at: int) -> tuple[Said, ...]:
    """The numbers that begin at a token (folded text), longest first; a group of digits is read as it stands."""
    text = texts[at]
    if text.isdigit():
        return (Said(1, text),)
    if at + 1 == len(texts) or texts[at + 1] not in _GOES_ON.get(text, ()):
        return _ALONE.get(text, ())
    return _begin(texts, at)


def _begin(texts: Sequence[str], at: int) -> tuple[Said, ...]:
    text = texts[at]
    if text in ZERO:
        return (Said(1, "0"),)
    if text in TIMES:
        return tuple(_repeated(texts, at + 1, TIMES[text], at))
    small = [*_small(_FR, texts, at), *_small(_EN, texts, at)]
    if text in _BIG or any(_at(texts, end) in _BIG for end, _ in small):
        small = [*_thousands_fr(texts, at), *_thousands_en(texts, at)]
    found = {(end, str(value)): None for end, value in small}
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


class _Node(dict[str, "_Node"]):
    """What may follow in a number of one or two digits, and its value if it ends here."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        super().__init__()
        self.value: int | None = None

    def put(self, said: str, value: int) -> None:
        node = self
        for word in said.split():
            node = node.setdefault(word, _Node())
        node.value = value


def _small(node: _Node, texts: Sequence[str], at: int) -> list[_End]:
    """1 to 99, shortest first."""
    found: list[_End] = []
    for end in range(at, len(texts)):
        after = node.get(texts[end])
        if after is None:
            break
        node = after
        if node.value is not None:
            found.append((end + 1, node.value))
    return found


def _small_fr() -> _Node:
    node = _Node()
    teens = [*TEENS_FR.items(), *((f"dix {unit}", 10 + UNITS_FR[unit]) for unit in ("sept", "huit", "neuf"))]
    fourscore = [(f"quatre {vingt}", 80) for vingt in ("vingt", "vingts")]
    for said, value in [*UNITS_FR.items(), *teens]:
        node.put(said, value)
    for tens, value in [*TENS_FR.items(), *fourscore]:
        node.put(tens, value)
        for more, added in [*UNITS_FR.items(), *(teens if value in (60, 80) else [])]:
            node.put(f"{tens} {more}", value + added)
            node.put(f"{tens} et {more}", value + added)
    return node


def _small_en() -> _Node:
    node = _Node()
    for said, value in [*UNITS_EN.items(), *TEENS_EN.items(), *TENS_EN.items()]:
        node.put(said, value)
    for tens, value in TENS_EN.items():
        for unit, added in UNITS_EN.items():
            node.put(f"{tens} {unit}", value + added)
    return node


def _hundreds_fr(texts: Sequence[str], at: int) -> Iterator[_End]:
    """1 to 999, and eleven to nineteen hundreds (onze cents)."""
    yield from _small(_FR, texts, at)
    leads = [
        (at, 1),
        *((end, value) for end, value in _small(_FR, texts, at) if 2 <= value <= 19 and value != 10),
    ]
    for end, value in leads:
        if _at(texts, end) in HUNDRED_FR:
            yield end + 1, value * 100
            yield from ((last, value * 100 + rest) for last, rest in _small(_FR, texts, end + 1))


def _hundreds_en(texts: Sequence[str], at: int) -> Iterator[_End]:
    """1 to 999, and eleven to ninety-nine hundreds (forty-nine hundred)."""
    yield from _small(_EN, texts, at)
    for end, value in [(at, 1), *_small(_EN, texts, at)]:
        if _at(texts, end) in HUNDRED_EN:
            yield end + 1, value * 100
            for rest in (end + 1, end + 2)[: 2 if _at(texts, end + 1) == "and" else 1]:
                yield from ((last, value * 100 + small) for last, small in _small(_EN, texts, rest))


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


def _goes_on() -> dict[str, frozenset[str]]:
    """What may follow each word in one number."""
    fr, en = HUNDRED_FR | THOUSAND_FR, HUNDRED_EN | THOUSAND_EN
    small_fr = frozenset(UNITS_FR) | frozenset(TEENS_FR) | frozenset(TENS_FR)
    small_en = frozenset(UNITS_EN) | frozenset(TEENS_EN) | frozenset(TENS_EN)
    digits = ZERO | frozenset(UNITS_FR) | frozenset(UNITS_EN) | frozenset("0123456789")
    after: dict[str, frozenset[str]] = {}
    for said, more in (
        (UNITS_FR, fr), (TEENS_FR, fr), (TENS_FR, fr | {"et"} | frozenset(UNITS_FR)),
        (UNITS_EN, en), (TEENS_EN, en), (TENS_EN, en | frozenset(UNITS_EN)),
        (HUNDRED_FR, small_fr | fr), (THOUSAND_FR, small_fr | fr),
        (HUNDRED_EN, small_en | en | {"and"}), (THOUSAND_EN, small_en | en | {"and"}), (TIMES, digits),
        (("dix",), frozenset({"sept", "huit", "neuf"})), (("soixante",), frozenset(TEENS_FR)),
        (("quatre",), frozenset({"vingt", "vingts"})), (("deux", "trois", "quatre"), frozenset({"fois"})),
    ):  # fmt: skip
        for word in said:
            after[word] = after.get(word, frozenset()) | more
    return after


_FR, _EN = _small_fr(), _small_en()
_BIG = HUNDRED_FR | HUNDRED_EN | THOUSAND_FR | THOUSAND_EN
_GOES_ON = _goes_on()
_ALONE = {word: _begin((word,), 0) for word in WORDS}
GOES_ON = _GOES_ON
"""By word: those that may follow it in one number."""
ALONE = {word: said[0].digits if said else "" for word, said in _ALONE.items()}
"""The digits of each word by itself; none where it is no number."""
