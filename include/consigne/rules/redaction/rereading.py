"""Numbers in a transcript, read a second time and otherwise than the detectors do: greedily, and word by word.

Shares nothing with `numerals` and `number_words`, so that a mistake there is not made here too.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from consigne.rules.recording import Transcript


def vocabulary(text: str) -> frozenset[str]:
    """The words of a line."""
    return frozenset(text.split())


def _values(first: int, step: int, line: str) -> dict[str, int]:
    return {word: first + step * n for n, said in enumerate(line.split()) for word in said.split("/")}


UNITS = _values(
    0,
    1,
    "zero/oh/o/nought un/une/one deux/two trois/three quatre/four cinq/five six sept/seven huit/eight neuf/nine",
)
TEENS = _values(
    10,
    1,
    """dix/ten onze/eleven douze/twelve treize/thirteen quatorze/fourteen quinze/fifteen seize/sixteen
    seventeen eighteen nineteen""",
)
TENS = _values(
    20,
    10,
    """vingt/vingts/twenty trente/thirty quarante/forty cinquante/fifty soixante/sixty septante/seventy
    huitante/octante/eighty nonante/ninety""",
)
SMALL = UNITS | TEENS | TENS
HUNDREDS = {"cent": 100, "cents": 100, "hundred": 100}
THOUSANDS = {"mille": 1000, "thousand": 1000}
TIMES = {"double": 2, "triple": 3, "treble": 3}
NUMBER_WORDS = SMALL | HUNDREDS | THOUSANDS
UNREADABLE = "-"
MAX_RUN = 1000
LONE = frozenset({"un", "une", "one", "o", "oh", "mille", "cent", "cents"})

# Dates, times of day and amounts are no groups of a longer number.
_ASIDE = re.compile(
    r"\b\d{1,2}/\d{1,2}/\d{2,4}\b|\b\d{4}-\d\d-\d\d\b|\b\d{1,2}[h:]\d{2}\b|(?<![\d.,])\d{1,5}[.,]\d{2}(?![\d.,])"
)
_ACCENTS = str.maketrans("àâäéèêëîïôöùûüç’", "aaaeeeeiioouuuc'")
_PIECE = re.compile(r"[0-9]+|[a-z]+")
COUNTED = vocabulary("""euro euros eur dollar dollars pound pounds livres centime centimes pence percent pour heure heures h hour hours
    jour jours day days mois month months an ans annees annee year years minute minutes fois times janvier fevrier
    mars avril mai juin juillet aout septembre octobre novembre decembre january february march april may june
    july august september october november december kilo kilos grammes metres st nd rd th eme er rue avenue
    boulevard street road chiffres digits pieces personnes articles""")


@dataclass(frozen=True, slots=True)
class Reading:
    """Folded words and groups of digits, and the index of the transcript's word that each stands in. "[" is a
    mask."""

    texts: list[str]
    words: list[int]


class Number(NamedTuple):
    """Digits read from texts `first` to `last`, inclusive."""

    digits: str
    first: int
    last: int


def read(transcript: Transcript) -> Reading:
    """Everything that was said, in its order."""
    reading = Reading([], [])
    for index, word in enumerate(transcript.words):
        pieces = _pieces(word.text)
        reading.texts.extend(pieces)
        reading.words.extend([index] * len(pieces))
    return reading


def _pieces(text: str) -> list[str]:
    plain = text.lower().translate(_ACCENTS)
    if plain.isalpha() and plain.isascii():
        return [plain]
    if plain.startswith("["):
        return ["["]
    if not plain.isascii():
        chars = (str(unicodedata.decimal(c)) if c.isdecimal() else c for c in plain)
        plain = unicodedata.normalize("NFKD", "".join(chars)).encode("ascii", "ignore").decode()
    return _PIECE.findall(_ASIDE.sub(" ", plain))


def numbers(reading: Reading, word_by_word: bool = False) -> Iterator[Number]:
    """Every number said, the longest first, or each number word for itself (UNREADABLE then where it multiplies);
    none that counts something, no article."""
    texts = [*reading.texts, "", "", "", ""]
    reached = 0
    for at, text in enumerate(reading.texts):
        if at < reached or (text not in NUMBER_WORDS and text not in TIMES and not text.isdigit()):
            continue
        digits, reached = _one(texts, at) if word_by_word else _greedy(texts, at)
        if digits and texts[reached] not in COUNTED and not _is_article(texts, at, reached):
            yield Number(digits, at, reached - 1)


def _is_article(texts: Sequence[str], at: int, end: int) -> bool:
    """A word that is a number only beside others."""
    if end - at > 1 or texts[at] not in LONE:
        return False
    return not any(text in NUMBER_WORDS or text.isdigit() for text in (texts[at - 1], texts[end]))


def _one(texts: Sequence[str], at: int) -> tuple[str, int]:
    text = texts[at]
    if text in TIMES:
        return _repeated(texts, at)
    if text in HUNDREDS or text in THOUSANDS:
        return UNREADABLE, at + 1
    return (text if text.isdigit() else str(SMALL[text])), at + 1


def _greedy(texts: Sequence[str], at: int) -> tuple[str, int]:
    text = texts[at]
    if text.isdigit():
        return text, at + 1
    if text in TIMES:
        return _repeated(texts, at)
    value, end = _below_thousand(texts, at)
    if texts[end] in THOUSANDS and value != 0:
        more, end = _below_thousand(texts, end + 1)
        value = value * 1000 + more
    elif text in THOUSANDS:
        more, end = _below_thousand(texts, at + 1)
        value = 1000 + more
    return str(value), end


def _repeated(texts: Sequence[str], at: int) -> tuple[str, int]:
    digit = texts[at + 1] if len(texts[at + 1]) == 1 and texts[at + 1].isdigit() else ""
    digit = digit or str(UNITS.get(texts[at + 1], ""))
    return (digit * TIMES[texts[at]], at + 2) if digit else ("", at + 1)


def _below_thousand(texts: Sequence[str], at: int) -> tuple[int, int]:
    value, end = (1, at) if texts[at] in HUNDREDS else _below_hundred(texts, at)
    if value and texts[end] in HUNDREDS:
        rest = end + 2 if texts[end + 1] == "and" else end + 1
        more, after = _below_hundred(texts, rest)
        return value * 100 + more, (after if more else end + 1)
    return value, end


def _below_hundred(texts: Sequence[str], at: int) -> tuple[int, int]:
    """(0, at) where no number word stands."""
    value, end = SMALL.get(texts[at], 0), at + (texts[at] in SMALL)
    if texts[at] == "quatre" and texts[end] in ("vingt", "vingts"):
        value, end = 80, end + 1
    if value >= 20:
        rest = end + (texts[end] == "et")
        more = SMALL.get(texts[rest], 0)
        if 0 < more < 10 or (value in (60, 80) and 10 <= more < 20):
            value, end = value + more, rest + 1
    if texts[end - 1] == "dix" and 7 <= SMALL.get(texts[end], 0) <= 9:
        value, end = value + SMALL[texts[end]], end + 1
    return value, end


def contiguous(found: Iterable[Number]) -> Iterator[list[Number]]:
    """Numbers with no other word between, MAX_RUN at most."""
    run: list[Number] = []
    for number in found:
        if run and (number.first > run[-1].last + 1 or len(run) == MAX_RUN):
            yield run
            run = []
        run.append(number)
    if run:
        yield run
