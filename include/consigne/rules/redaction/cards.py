"""Payment card numbers: issuer's prefix, issuer's length, Luhn's check (ISO/IEC 7812-1).

Ranges as the schemes publish them; Cartes Bancaires lie within Visa's, Mastercard's and Maestro's. UATP
(15 digits from 1) is left out: it cannot be told from identifiers and French NIR.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import accumulate, groupby

from consigne.rules.redaction.number_words import ARTICLES
from consigne.rules.redaction.numerals import UNITS, Hit, Role, Token, fold, runs, wide_runs

KIND = "card"
MIN_DIGITS, MAX_DIGITS = 12, 19
FIELD_MIN_DIGITS = 13
# Identifiers and telephone numbers pass for these too easily.
UNUSUAL = frozenset({12, 13, 17, 18})
# PCI DSS 3.4.1 lets the first eight digits be shown.
FALSE_START_DIGITS = 9
MAX_STUTTER_GROUPS = 8
PRINTED_ENDS = {14: (4, 10), 15: (4, 10)}
_DATE = r"(?:0?[1-9]|1[0-2])(?:20)?[2-4][0-9]"
BESIDE = re.compile(rf"[0-9]{{3}}|{_DATE}(?:[0-9]{{3,4}})?|[0-9]{{3,4}}{_DATE}")


class Edges(IntEnum):
    """How surely a number begins and ends where it seems to: beside other digits; between
    words or the ends of the run; it is the whole run."""

    EXPLAINED = 0
    PARTED = 1
    WHOLE = 2


@dataclass(frozen=True, slots=True)
class Issuer:
    """Prefixes from `low` to `high` (same width). `lengths[e]` are those in use that edges `e` suffice for:
    the rarer a length, the surer the edges must be."""

    low: str
    high: str
    lengths: tuple[frozenset[int], frozenset[int], frozenset[int]]


def _issuer(low: str, high: str, usual: str, rare: str = "", whole: str = "") -> Issuer:
    explained = frozenset(map(int, usual.split()))
    parted = explained | frozenset(map(int, rare.split()))
    return Issuer(low, high, (explained, parted, parted | frozenset(map(int, whole.split()))))


ISSUERS = (
    _issuer("4", "4", "16", "13 19"),  # Visa
    _issuer("51", "55", "16"),  # Mastercard
    _issuer("2221", "2720", "16"),  # Mastercard
    _issuer("34", "34", "15"),  # American Express
    _issuer("37", "37", "15"),  # American Express
    _issuer("300", "305", "14 16", "15 17 18 19"),  # Diners Club
    _issuer("3095", "3095", "14 16", "15 17 18 19"),  # Diners Club
    _issuer("36", "36", "14 16", "15 17 18 19"),  # Diners Club
    _issuer("38", "39", "14 16", "15 17 18 19"),  # Diners Club
    _issuer("3528", "3589", "16", "17 18 19"),  # JCB
    _issuer("62", "62", "16 19", "17 18", "12 13 14 15"),  # UnionPay, Maestro
    _issuer("50", "50", "16 18 19", "12 13", "14 15 17"),  # Maestro, Elo, Verve
    _issuer("56", "69", "16 18 19", "12 13", "14 15 17"),  # Maestro, Discover, RuPay, Bancontact
    _issuer("81", "82", "16 19", "17 18"),  # UnionPay, RuPay
    _issuer("2200", "2205", "16", "17 18 19"),  # Mir, Borica
    _issuer("8600", "8600", "16"),  # Uzcard
    _issuer("9704", "9704", "16 19"),  # Napas
    _issuer("9792", "9792", "16"),  # Troy
    _issuer("9860", "9860", "16"),  # Humo
)


def valid(digits: str) -> bool:
    """Luhn's check over ASCII digits."""
    total = 0
    for place, char in enumerate(reversed(digits)):
        digit = int(char)
        total += digit if place % 2 == 0 else digit * 2 - 9 * (digit > 4)
    return total % 10 == 0


def _issuer_of(digits: str) -> Issuer | None:
    return next((i for i in ISSUERS if i.low <= digits[: len(i.low)] <= i.high), None)


def _is_card(digits: str, edges: Edges) -> bool:
    """Whether an issuer has such numbers, and Luhn's check holds."""
    issuer = _issuer_of(digits)
    return issuer is not None and len(digits) in issuer.lengths[edges] and valid(digits)


def _is_usual(digits: str) -> bool:
    """Whether it is a card number wherever its groups begin and end."""
    return len(digits) not in UNUSUAL and _is_card(digits, Edges.EXPLAINED)


def scan(text: str) -> bool:
    """Whether free text holds a card number of 13 to 19 digits, in any grouping without letters between.

    A number begins and ends where a group of digits does; zeros before it are skipped.
    """
    for stretch in re.split(r"[^\W\d_]+", fold(text)):
        groups = re.findall(r"[0-9]+", stretch)
        for first in range(len(groups)):
            digits = ""
            for last in range(first, len(groups)):
                digits += groups[last]
                if len(digits.lstrip("0")) > MAX_DIGITS:
                    break
                number = digits.lstrip("0")
                edges = Edges.WHOLE if last - first + 1 == len(groups) else Edges.EXPLAINED
                if len(number) >= FIELD_MIN_DIGITS and _is_card(number, edges):
                    return True
    return False


def find(tokens: Sequence[Token], _hits: Sequence[Hit]) -> list[Hit]:
    """Card numbers between groups of digits: in one run, with a part said twice, or in parts with other words
    between; and the false starts of those found."""
    numbers = [number for run in runs(tokens) for number in _find_in_run(tokens, run)]
    numbers += [number for run in runs(tokens) for number in _find_stuttered(tokens, run)]
    taken = _taken([hit for _, hit in numbers])
    starts, stops = _part_edges(tokens)
    apart = [piece for run in wide_runs(tokens) for piece in _free(run, taken)]
    numbers += [number for piece in apart for number in _find_apart(tokens, piece, starts, stops)]
    hits = [hit for _, hit in numbers]
    return [*hits, *_find_false_starts(tokens, {digits for digits, _ in numbers}, hits)]


def suspected(tokens: Sequence[Token]) -> bool:
    """Whether digits and number words together may be a card number that `find` does not see."""
    taken = _taken(find(tokens, ()))
    pieces = [_free(run, taken) for run in runs(tokens, frozenset({Role.DIGITS, Role.NUMBER_WORD}))]
    return any(_may_hide([tokens[i] for i in piece]) for run in pieces for piece in run)


def _may_hide(piece: Sequence[Token]) -> bool:
    """Number words between digits may be misread, so that their sum proves nothing; those at an edge (and
    articles) may be no part of the number, so that the sum must."""
    spelled = [token.role is Role.NUMBER_WORD for token in piece]
    surely = [word and token.text not in ARTICLES for word, token in zip(spelled, piece, strict=True)]
    texts = [token.said[-1].digits if token.said else "0" for token in piece]
    for first, last, digits in _windows(texts) if any(spelled) else ():
        if len(digits) < FIELD_MIN_DIGITS or not any(spelled[first : last + 1]):
            continue
        within = any(surely[first : last + 1]) and not (spelled[first] or spelled[last])
        if _is_usual(digits) or (within and _issuer_of(digits)):
            return True
    return False


def _windows(texts: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """(first, last, digits) of neighbours that together are as long as a card number."""
    for first in range(len(texts)):
        digits = ""
        for last in range(first, len(texts)):
            digits += texts[last]
            if len(digits) > MAX_DIGITS:
                break
            if len(digits) >= MIN_DIGITS:
                yield first, last, digits


def _find_in_run(tokens: Sequence[Token], run: tuple[int, ...]) -> Iterator[tuple[str, Hit]]:
    """Numbers of usual length whatever stands beside them; others where something explains what does.
    None that lies within one before it."""
    reached, texts = -1, [tokens[i].text for i in run]
    bounds, whole = [0, *accumulate(map(len, texts))], "".join(texts)
    for first, last, digits in _windows(texts):
        before, after = _parted(tokens, run, first), _parted(tokens, run, last + 1)
        edges = Edges.PARTED if before and after else Edges.EXPLAINED
        if (first, last) == (0, len(run) - 1):
            edges = Edges.WHOLE
        explained = (before or _explains_before(whole, bounds[first])) and (
            after or _explains_after(whole, bounds[last + 1])
        )
        allowed = explained or len(digits) not in UNUSUAL
        if last > reached and allowed and _is_card(digits, edges):
            reached = last
            yield digits, Hit(run[first], run[last], KIND, "cards", (0.8, 0.9, 0.95)[edges])


def _find_stuttered(tokens: Sequence[Token], run: tuple[int, ...]) -> Iterator[tuple[str, Hit]]:
    """Numbers of usual length once a part that is said twice is taken out."""
    for start, end in _stutters([tokens[i].text for i in run]):
        near = (*run[max(0, start - MAX_DIGITS) : start], *run[end : end + MAX_DIGITS])
        for first, last, digits in _windows([tokens[i].text for i in near]):
            if near[first] < run[start] < near[last] and _is_usual(digits):
                yield digits, Hit(near[first], near[last], KIND, "cards", 0.8)


def _stutters(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Groups (end excluded) that say the digits before them again: a group of two digits or more, or several
    groups of four or more together. What comes a third time is no stutter."""
    bounds, digits = [0, *accumulate(map(len, texts))], "".join(texts)
    edges = set(bounds)
    for start in range(1, len(texts)):
        for end in range(start + 1, min(len(texts), start + MAX_STUTTER_GROUPS) + 1):
            again = digits[bounds[start] : bounds[end]]
            said = bounds[start] - len(again)
            is_one = end == start + 1 and said == bounds[start - 1]
            if said not in edges or len(again) < (2 if is_one else 4):
                continue
            if digits.startswith(again, said) and not digits.endswith(again, 0, said):
                yield start, end


def _find_apart(
    tokens: Sequence[Token], run: Sequence[int], starts: set[int], stops: set[int]
) -> Iterator[tuple[str, Hit]]:
    """Numbers of usual length in parts that end where the card's printed groups do; the words between
    stay. It begins and ends at one of `starts` and `stops`."""
    for first, last, digits in _windows([tokens[i].text for i in run]):
        start = run[first]
        if start not in starts or run[last] not in stops or not _is_usual(digits):
            continue
        parts = [[start + i for i in part] for part in runs(tokens[start : run[last] + 1])]
        ends = set(accumulate(sum(len(tokens[i].text) for i in part) for part in parts))
        if len(parts) > 1 and ends <= {len(digits), *PRINTED_ENDS.get(len(digits), (4, 8, 12, 16))}:
            for part in parts:
                yield digits, Hit(part[0], part[-1], KIND, "cards", 0.8)


def _part_edges(tokens: Sequence[Token]) -> tuple[set[int], set[int]]:
    """Tokens with which a number in parts may begin and end. Telephone numbers and amounts follow each other
    too, so beside it stands at most one digit before, and after it a code or an expiry date."""
    starts: set[int] = set()
    stops: set[int] = set()
    for near in runs(tokens):
        starts |= set(near[: 1 + (len(tokens[near[0]].text) == 1)])
        ends_here = range(max(1, len(near) - MAX_DIGITS), len(near))
        rests = ((place, "".join(tokens[i].text for i in near[place:])) for place in ends_here)
        stops |= {near[-1], *(near[place - 1] for place, rest in rests if BESIDE.fullmatch(rest))}
    return starts, stops


def _find_false_starts(tokens: Sequence[Token], numbers: set[str], hits: Sequence[Hit]) -> Iterator[Hit]:
    """What begins as a card that was found, beyond the digits that may be shown, up to that card's length."""
    lengths = {number[:FALSE_START_DIGITS]: len(number) for number in numbers}
    taken = _taken(hits)
    for piece in (piece for run in runs(tokens) for piece in _free(run, taken)) if lengths else ():
        for at in range(len(piece)):
            digits, last, most = "", at, MAX_DIGITS
            for place, index in enumerate(piece[at : at + MAX_DIGITS], at):
                digits += tokens[index].text
                most = lengths.get(digits[:FALSE_START_DIGITS], most)
                if len(digits) > most:
                    break
                last = place
            if digits[:FALSE_START_DIGITS] in lengths:
                yield Hit(piece[at], piece[last], KIND, "cards", 0.8)


def _taken(hits: Sequence[Hit]) -> set[int]:
    return {index for hit in hits for index in range(hit.first, hit.last + 1)}


def _free(run: Sequence[int], taken: set[int]) -> list[list[int]]:
    """The stretches of a run that no hit holds."""
    return [list(piece) for held, piece in groupby(run, taken.__contains__) if not held]


def _parted(tokens: Sequence[Token], run: tuple[int, ...], place: int) -> bool:
    """Whether the run is parted before its group `place`: at its ends, by a filler, or where the last group
    is an amount or a count."""
    if place in (0, len(run)) or run[place] - run[place - 1] > 1:
        return True
    follower = tokens[run[-1] + 1].text if run[-1] + 1 < len(tokens) else ""
    return place == len(run) - 1 and follower in UNITS


def _explains_before(digits: str, start: int) -> bool:
    """Digits before a card number: a false start, or a number long enough to be another."""
    return start >= MIN_DIGITS or digits.startswith(digits[:start], start)


def _explains_after(digits: str, end: int) -> bool:
    """Digits after a card number: a code, an expiry date, both, or another number."""
    return len(digits) - end >= MIN_DIGITS or BESIDE.fullmatch(digits, end) is not None
