"""Payment card numbers: issuer's prefix, issuer's length, Luhn's check (ISO/IEC 7812-1).

Ranges as the schemes publish them; Cartes Bancaires lie within Visa's, Mastercard's and Maestro's. UATP
(15 digits from 1) is left out: it cannot be told from identifiers and French NIR.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

MIN_DIGITS, MAX_DIGITS = 12, 19
HEAD_DIGITS = 4
# Identifiers and telephone numbers pass for these too easily.
UNUSUAL = frozenset({12, 13, 17, 18})


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

    @property
    def usual(self) -> frozenset[int]:
        """Lengths that make a card number wherever it begins and ends."""
        return self.lengths[Edges.EXPLAINED] - UNUSUAL


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


def _heads() -> dict[str, Issuer]:
    heads: dict[str, Issuer] = {}
    for issuer in reversed(ISSUERS):
        low, high = (issuer.low.ljust(HEAD_DIGITS, "0"), issuer.high.ljust(HEAD_DIGITS, "9"))
        heads |= dict.fromkeys(map(str, range(int(low), int(high) + 1)), issuer)
    return heads


ISSUER_OF = _heads()
"""By a number's first HEAD_DIGITS digits."""
_DOUBLED = dict(zip("0123456789", (0, 2, 4, 6, 8, 1, 3, 5, 7, 9), strict=True))


def valid(digits: str) -> bool:
    """Luhn's check over ASCII digits."""
    return (sum(map(int, digits[::-2])) + sum(_DOUBLED[digit] for digit in digits[-2::-2])) % 10 == 0


def is_card(digits: str, edges: Edges) -> bool:
    """Whether an issuer has such numbers, and Luhn's check holds."""
    issuer = ISSUER_OF.get(digits[:HEAD_DIGITS])
    return issuer is not None and len(digits) in issuer.lengths[edges] and valid(digits)


def inner_ends(length: int) -> tuple[int, ...]:
    """After how many digits the groups printed on a card end, the last one aside."""
    ends = (4, 10) if length in (14, 15) else (4, 8, 12, 16)
    return tuple(end for end in ends if end < length)
