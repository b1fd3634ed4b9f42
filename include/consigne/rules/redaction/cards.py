"""Payment card numbers: issuer's prefix, issuer's length, Luhn's check (ISO/IEC 7812-1).

Ranges as the schemes publish them; Cartes Bancaires lie within Visa's, Mastercard's and Maestro's. UATP
(15 digits from 1) is left out: it cannot be told from identifiers and French NIR.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import accumulate

from consigne.rules.redaction.numerals import UNITS, Hit, Token, fold, runs

KIND = "card"
MIN_DIGITS, MAX_DIGITS = 12, 19
FIELD_MIN_DIGITS = 13
_DATE = r"(?:0?[1-9]|1[0-2])(?:20)?[2-4][0-9]"
BESIDE = re.compile(rf"[0-9]{{3}}|{_DATE}(?:[0-9]{{3,4}})?|[0-9]{{3,4}}{_DATE}")


class Edges(IntEnum):
    """How surely a number begins and ends where it seems to: beside digits that something explains; between
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


def _is_card(digits: str, edges: Edges) -> bool:
    """Whether an issuer has such numbers, and Luhn's check holds."""
    for issuer in ISSUERS:
        if issuer.low <= digits[: len(issuer.low)] <= issuer.high:
            return len(digits) in issuer.lengths[edges] and valid(digits)
    return False


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
    """Card numbers in runs of digits, whole or beside what explains the digits left over."""
    return [hit for run in runs(tokens) for hit in _find_in_run(tokens, run)]


def _find_in_run(tokens: Sequence[Token], run: tuple[int, ...]) -> Iterator[Hit]:
    digits = "".join(tokens[i].text for i in run)
    bounds = [0, *accumulate(len(tokens[i].text) for i in run)]
    for first, start in enumerate(bounds[:-1]):
        for last in range(first, len(run)):
            end = bounds[last + 1]
            if end - start > MAX_DIGITS:
                break
            if end - start < MIN_DIGITS:
                continue
            before = _parted(tokens, run, first), _explains_before(digits, start)
            after = _parted(tokens, run, last + 1), _explains_after(digits, end)
            edges = Edges.PARTED if before[0] and after[0] else Edges.EXPLAINED
            if (first, last) == (0, len(run) - 1):
                edges = Edges.WHOLE
            if any(before) and any(after) and _is_card(digits[start:end], edges):
                yield Hit(run[first], run[last], KIND, "cards", (0.8, 0.9, 0.95)[edges])


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
