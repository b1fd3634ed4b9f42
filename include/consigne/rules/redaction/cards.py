"""Payment card numbers as they are written and read out: in any grouping, in numerals and number words, between
fillers and other people's words, with parts said twice or mended, begun and begun again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from consigne.rules.redaction.again import KIND, Found, find_said_again, hit, taken_by
from consigne.rules.redaction.apart import find_apart
from consigne.rules.redaction.blocks import fold
from consigne.rules.redaction.context import BESIDE, About, about
from consigne.rules.redaction.context import runs as number_runs
from consigne.rules.redaction.groups import bounds_of, digits_of, free, length_of
from consigne.rules.redaction.issuers import (
    HEAD_DIGITS,
    ISSUER_OF,
    MAX_DIGITS,
    MIN_DIGITS,
    UNUSUAL,
    Edges,
    inner_ends,
    is_card,
    valid,
)
from consigne.rules.redaction.mended import mend
from consigne.rules.redaction.number_words import WORDS
from consigne.rules.redaction.numerals import UNITS, Group, Hit, Tokens, read
from consigne.rules.redaction.resumed import find_echoed

__all__ = ["KIND", "find", "scan", "valid"]

FIELD_MIN_DIGITS = 13
LONG = (14, 15, 16, 19)
WHOLE, BY_NAME = 0.95, 0.65
# Digits heard twice or too many may make a number by chance: they belong to it.
MAX_HEARD = 22
MAX_BREATH = 4
_PHONE = "0[1-9][0-9]{8}"
BEFORE = re.compile(rf"{_PHONE}$")
YEAR = re.compile(r"(?:19|20)[0-9]{2}$")
AFTER = re.compile(_PHONE)

_Judge = Callable[[Tokens, Sequence[Group], int, int], float]


def scan(text: str) -> bool:
    """Whether free text holds a card number of 13 to 19 digits, in any grouping without letters between, or
    in words.

    A number begins and ends where a group of digits does; zeros before it are skipped.
    """
    folded = fold(text)
    for stretch in re.split(r"[^\W\d_]+", folded):
        groups = re.findall(r"[0-9]+", stretch)
        for first in range(len(groups)):
            digits = ""
            for last in range(first, len(groups)):
                digits += groups[last]
                number = digits.lstrip("0")
                if len(number) > MAX_DIGITS:
                    break
                edges = Edges.WHOLE if last - first + 1 == len(groups) else Edges.EXPLAINED
                if len(number) >= FIELD_MIN_DIGITS and is_card(number, edges):
                    return True
    tokens = read([folded])
    return not WORDS.isdisjoint(tokens.texts) and bool(find(tokens, ()))


def find(tokens: Tokens, _hits: Sequence[Hit]) -> list[Hit]:
    """Card numbers: in one run, mended, or in parts with other words between; what was begun and broken off
    before them, and what is said of them again."""
    runs = number_runs(tokens)
    long = [run for run in runs if length_of(run) >= MIN_DIGITS - 2]
    numbers = [number for run in long for number in _find_in_run(tokens, run, _is_explained)]
    whole = {found.first for _, found in numbers if found.confidence == WHOLE}
    for run in (run for run in long if run[0].first not in whole):
        numbers += _find_otherwise(tokens, run)
    taken = taken_by(numbers)
    for left in [piece for run in long for piece in free(run, taken)]:
        numbers += _find_in_run(tokens, left, _is_set_off)
    numbers += find_apart(tokens, runs, taken_by(numbers))
    return [found for _, found in numbers] + find_said_again(tokens, runs, numbers)


def _find_otherwise(tokens: Tokens, run: Sequence[Group]) -> list[Found]:
    """Numbers in a run that is not to be read as it stands."""
    echoed = [(digits, hit(first, last, 0.8)) for digits, first, last in find_echoed(tokens, run)]
    return echoed or [(digits, hit(first, last, sure)) for digits, first, last, sure in mend(tokens, run)]


def _find_in_run(tokens: Tokens, run: Sequence[Group], judge: _Judge) -> Iterator[Found]:
    """Numbers that begin and end where groups do, none within one before it."""
    bounds, digits = bounds_of(run), digits_of(run)
    places, reached = {bound: place for place, bound in enumerate(bounds)}, 0
    for first, start in enumerate(bounds[:-1]):
        issuer = ISSUER_OF.get(digits[start : start + HEAD_DIGITS])
        for length in sorted(issuer.lengths[Edges.WHOLE]) if issuer else ():
            last, number = places.get(start + length, 0), digits[start : start + length]
            if last > reached and valid(number):
                confidence = judge(tokens, run, first, last)
                if confidence:
                    reached = last
                    inside = run if confidence == BY_NAME and len(digits) <= MAX_HEARD else run[first:last]
                    yield number, hit(inside[0].first, inside[-1].last, confidence)


def _is_explained(tokens: Tokens, run: Sequence[Group], first: int, last: int) -> float:
    """How surely groups `first` to `last` (excluded) are a number of usual length, or the whole run one, by what
    stands beside them; 0 where they are none."""
    number, groups = digits_of(run[first:last]), run[first:last]
    edges = _edges(tokens, run, first, last)
    if edges is None or not is_card(number, edges) or (edges is not Edges.WHOLE and len(number) in UNUSUAL):
        return 0.0
    is_plain = len(number) in ISSUER_OF[number[:HEAD_DIGITS]].usual and edges is not Edges.EXPLAINED
    if not is_plain and not _is_printed(groups) and _is_other(tokens, run, first):
        return 0.0
    return 0.0 if _is_strung(tokens, groups) else (0.8, 0.9, WHOLE)[edges]


def _is_strung(tokens: Tokens, groups: Sequence[Group]) -> bool:
    """Whether so much was said between its parts that they may be numbers of their own, none a card's."""
    apart = any(after.first - before.last > MAX_BREATH + 1 for before, after in pairwise(groups))
    return apart and about(tokens, groups[0].first, groups[-1].last) is not About.PAYMENT


def _is_other(tokens: Tokens, run: Sequence[Group], first: int) -> bool:
    return about(tokens, run[first].first, run[-1].last) is About.OTHER


def _is_printed(groups: Sequence[Group]) -> bool:
    """Whether the groups are those on the card."""
    _, *ends, length = bounds_of(groups)
    return tuple(ends) == inner_ends(length)


def _edges(tokens: Tokens, run: Sequence[Group], first: int, last: int) -> Edges | None:
    number = digits_of(run[first:last])
    if (first, last) == (0, len(run)):
        return Edges.WHOLE
    before, after = _parted(tokens, run, first), _parted(tokens, run, last)
    if before and after:
        return Edges.PARTED
    before = before or _explains_before(run[max(0, first - MAX_DIGITS) : first], number)
    after = after or _explains_after(_digits_after(run, last), number)
    return Edges.EXPLAINED if before and after else None


def _is_set_off(tokens: Tokens, run: Sequence[Group], first: int, last: int) -> float:
    """The same of unusual lengths; and where only the sizes of the groups that are printed on the card, or words
    of payment, tell a number from the digits beside it."""
    number = digits_of(run[first:last])
    edges = _edges(tokens, run, first, last)
    if edges is not None:
        is_sure = is_card(number, edges) and not _is_other(tokens, run, first)
        return 0.7 if is_sure and not _is_strung(tokens, run[first:last]) else 0.0
    if len(number) not in ISSUER_OF[number[:HEAD_DIGITS]].usual:
        return 0.0
    thing = about(tokens, run[first].first, run[last - 1].last)
    before = (
        _parted(tokens, run, first)
        or _seam(run, first)
        or _explains_before(run[max(0, first - MAX_DIGITS) : first], number)
    )
    after = (
        _parted(tokens, run, last) or _seam(run, last) or _explains_after(_digits_after(run, last), number)
    )
    if before and after and _is_printed(run[first:last]) and (first > 0 or thing is not About.OTHER):
        return 0.7
    return BY_NAME if thing is About.PAYMENT else 0.0


def _digits_after(run: Sequence[Group], place: int) -> str:
    return digits_of(run[place : place + MAX_DIGITS])


def _parted(tokens: Tokens, run: Sequence[Group], place: int) -> bool:
    """Whether the run is parted before its group `place`: at its ends, by a filler or another speaker, or where the last group
    is an amount or a count."""
    if (
        place in (0, len(run))
        or run[place].first - run[place - 1].last > 1
        or run[place].first in tokens.turns
    ):
        return True
    if place < len(run) - 1 or run[-1].last + 1 == len(tokens):
        return False
    return tokens.texts[run[-1].last + 1] in UNITS


def _seam(run: Sequence[Group], place: int) -> bool:
    """Whether groups of another size begin here: another number."""
    return len(run[place - 1].digits) != len(run[place].digits)


def _explains_before(groups: Sequence[Group], number: str) -> bool:
    """Digits before a card number: a false start, a telephone number, a year, or another card."""
    rest = digits_of(groups)
    begun = rest[:HEAD_DIGITS] == number[:HEAD_DIGITS]
    another = any(is_card(rest[-length:], Edges.EXPLAINED) for length in LONG if len(rest) >= length)
    is_year = len(groups[-1].digits) > 1 and YEAR.search(rest) is not None
    return begun or another or is_year or BEFORE.search(rest) is not None


def _explains_after(rest: str, number: str) -> bool:
    """Digits after a card number: a code, an expiry date, both, a telephone number, another card, or its own
    said again."""
    again = number.endswith(rest) if len(rest) >= 2 else False
    again = again or (len(rest) >= HEAD_DIGITS and number.startswith(rest))
    known = BESIDE.fullmatch(rest) or AFTER.match(rest)
    another = any(is_card(rest[:length], Edges.EXPLAINED) for length in LONG if len(rest) >= length)
    return again or another or known is not None
