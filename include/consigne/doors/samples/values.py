"""The made-up values of each sample call: all that must never leak, drawn from the seed and the call's index."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from consigne.doors.samples.script import CALLER, SYLLABLES

# Beginnings that card schemes and payment providers give to test cards, and the length of each number.
_ISSUERS = (("411111", 16), ("497010", 16), ("555555", 16), ("222300", 16), ("378282", 15), ("601111", 16))


@dataclass(frozen=True, slots=True)
class Values:
    """What one call holds; never shown in a repr."""

    language: str
    caller: str = field(repr=False)
    card: str = field(repr=False)
    expiry: str = field(repr=False)
    code: str = field(repr=False)
    word: str = field(repr=False)
    order: str = field(repr=False)
    amount: str = field(repr=False)
    keyed: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Planted:
    """What to look for after a run. `codes` are verification codes and expiry dates, each with the two
    words before it: alone they are too short to be told from other numbers."""

    cards: tuple[str, ...] = field(repr=False)
    codes: tuple[tuple[str, str], ...] = field(repr=False)
    callers: tuple[str, ...] = field(repr=False)
    words: tuple[str, ...] = field(repr=False)


def draws(seed: int, index: int, purpose: str) -> Random:
    """The random numbers of one call for one use; the same everywhere for the same arguments."""
    return Random(f"consigne-samples:{seed}:{index}:{purpose}")


def values(seed: int, index: int, cycle: int = 40) -> Values:
    """The values of call `index`. The languages take turns, and change places from one cycle to the next."""
    draw = draws(seed, index, "values")
    prefix, length = draw.choice(_ISSUERS)
    return Values(
        language=("fr", "en")[(index + index // cycle) % 2],
        caller=f"+33{draw.choice('67')}{_digits(draw, 8)}",
        card=_with_check_digit(prefix + _digits(draw, length - 7)),
        expiry=f"{draw.randint(1, 12):02d}/{draw.randint(28, 34)}",
        # Four digits from 2000 on cannot be taken for month and year.
        code=draw.choice("23456789") + _digits(draw, 3 if length == 15 else 2),
        word="".join(draw.choices(SYLLABLES, k=6)),
        order=str(draw.randint(10_000, 99_999)),
        amount=str(draw.randint(11, 99)),
        keyed=_digits(draw, draw.randint(4, 6)),
    )


def planted(seed: int, count: int) -> Planted:
    """The values of the calls 0 to `count` - 1, said or not: looking for too many does no harm."""
    calls = [values(seed, index) for index in range(count)]
    said = [
        (call, line, value)
        for call in calls
        for line, value in (("code", call.code), ("expiry", call.expiry))
    ]
    return Planted(
        cards=tuple(call.card for call in calls),
        codes=tuple(
            (" ".join(CALLER[call.language][line].split()[-3:-1]), value) for call, line, value in said
        ),
        callers=tuple(call.caller for call in calls),
        words=tuple(call.word for call in calls),
    )


def _digits(draw: Random, count: int) -> str:
    return "".join(draw.choices("0123456789", k=count))


def _with_check_digit(number: str) -> str:
    # ISO/IEC 7812-1, annex B (Luhn): doubling starts at the digit left of the check digit.
    doubled = (int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(number)))
    return number + str(-sum(value // 10 + value % 10 for value in doubled) % 10)
