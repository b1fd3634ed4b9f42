"""Numbers that were not read out straight: words that may be meant in several ways, parts said twice, and
parts said wrong and then right. Walks through what may have been meant, the simplest first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from consigne.rules.redaction.context import BESIDE, About, about, is_prompted
from consigne.rules.redaction.issuers import (
    HEAD_DIGITS,
    ISSUER_OF,
    MAX_DIGITS,
    Edges,
    Issuer,
    inner_ends,
    valid,
)
from consigne.rules.redaction.number_words import ARTICLES
from consigne.rules.redaction.numerals import CORRECTIONS, Group, Tokens, words

AGAIN = CORRECTIONS | words("repete redis repeat again")
# What is said twice: a group of two digits or more, several of four or more.
MIN_AGAIN, MIN_AGAIN_TOGETHER, MAX_AGAIN_PIECES = 2, 4, 8
MAX_TAKEN_BACK = 8
MAX_BEGINNINGS, MAX_READINGS = 6, 1500
SURELY, DOUBTFULLY = 0.7, 0.5
# Where a card was asked for, and elsewhere.
MAX_TURNS, MAX_IRREGULAR_TURNS = {True: 4, False: 3}, 2
# Elsewhere the last of them only for the groups that are printed on the card.
FEW_PIECES = 4
MIN_DIGITS = {True: 11, False: 12}


@dataclass(frozen=True, slots=True)
class _Reading:
    """Digits read so far, up to token `at` (where the next piece begins); `cuts` are the lengths at which its
    pieces began; `straight` where nothing was left out."""

    at: int
    digits: str
    cuts: tuple[int, ...] = ()
    straight: bool = True


def mend(
    tokens: Tokens, groups: Sequence[Group], skipped: frozenset[int] = frozenset()
) -> Iterator[tuple[str, int, int, float]]:
    """(digits, first token, last token, confidence) of the card numbers in a run of groups, read otherwise than it
    stands; the tokens `skipped` are no part of it.

    At most MAX_BEGINNINGS beginnings, and MAX_READINGS readings from each, are looked at. A number that is said
    to be something else is not read otherwise.
    """
    after = -1
    for place in _beginnings(tokens, groups):
        first, left = groups[place].first, groups[place:]
        thing = about(tokens, first, groups[-1].last)
        asked = thing is About.PAYMENT or is_prompted(tokens, first)
        is_long = sum(len(group.digits) for group in left[:MAX_DIGITS]) >= MIN_DIGITS[asked]
        found = (
            _resolve(tokens, left, asked, skipped)
            if first > after and is_long and thing is not About.OTHER
            else None
        )
        if found:
            after = found.last
            yield (
                found.digits,
                first,
                found.last,
                SURELY if thing is About.PAYMENT or found.regular else DOUBTFULLY,
            )


def _resolve(tokens: Tokens, groups: Sequence[Group], asked: bool, skipped: frozenset[int]) -> _Number | None:
    """The likeliest number of usual length; where one was asked for, else of any."""
    run = _Run(tokens, groups, asked, skipped)
    found = run.resolve()
    if found is None and (asked or run.prompted):
        run.is_rare = True
        found = run.resolve()
    return found


def _beginnings(tokens: Tokens, groups: Sequence[Group]) -> list[int]:
    """Places where a number may begin: the first, one after an article, after another spoke, after a correction, or
    with little before it."""
    found, length = [0], 0
    for place in range(1, len(groups)):
        length += len(groups[place - 1].digits)
        between = tokens.texts[groups[place - 1].last + 1 : groups[place].first]
        alone = place == 1 and tokens.texts[groups[0].first] in ARTICLES
        turns = groups[place].first in tokens.turns
        if alone or turns or (between and (length <= 2 or not AGAIN.isdisjoint(between))):
            found.append(place)
    return found[:MAX_BEGINNINGS]


_LAYOUTS = (inner_ends, lambda length: range(4, length, 4), lambda length: range(3, length, 3))
"""Where groups end: those printed on the card, fours, threes."""


class _Number(NamedTuple):
    """A card number, or what is as long as one. `turns` are numbers read shorter than they could be, parts left
    out, and digits that follow it; `pieces` the numbers that it was read in; `regular` where they fit into groups
    as people make them."""

    turns: int
    pieces: int
    last: int
    digits: str
    straight: bool
    has_rest: bool
    regular: bool


class _Run:
    """A run of groups. Where it is said to be a card's (`asked`), it may go on after the number, and the number
    may be read in more pieces than others need."""

    def __init__(self, tokens: Tokens, groups: Sequence[Group], asked: bool, skipped: frozenset[int]) -> None:
        self.tokens, self.asked, self.skipped, self.is_rare = tokens, asked, skipped, False
        self.prompted = is_prompted(tokens, groups[0].first)
        self.first = groups[0].first
        self.end = groups[-1].last + 1

    def resolve(self) -> _Number | None:
        """The reading with the fewest turns that is a card number up to where one may end, made
        as long as the longest of them; where it was not asked for, a straight one counts only if none of fewer
        pieces has a usual length."""
        front, seen = [_Reading(self.first, "")], set[tuple[int, str, bool]]()
        usual, found = list[_Number](), list[_Number]()
        for turns in range(MAX_TURNS[self.asked] + 1):
            front = self._turn(front, seen, turns, usual)
            fewest = min((n.pieces for n in usual if n.straight and not n.has_rest), default=MAX_DIGITS)
            found = [n for n in usual if valid(n.digits) and self._is_likely(n, fewest)]
            if not all(number.has_rest for number in found):
                break
        return (
            min(found, key=lambda n: (not n.regular and not self.asked, n))._replace(
                last=max(number.last for number in found)
            )
            if found
            else None
        )

    def _is_likely(self, number: _Number, fewest: int) -> bool:
        if self.asked:
            return number.regular or number.turns <= MAX_IRREGULAR_TURNS
        fits = number.regular or (self.prompted and not number.has_rest)
        if number.turns > MAX_IRREGULAR_TURNS:
            fits = number.regular and number.straight and number.pieces <= FEW_PIECES
        return fits and (number.pieces <= fewest or not number.straight)

    def _turn(
        self, front: list[_Reading], seen: set[tuple[int, str, bool]], turns: int, usual: list[_Number]
    ) -> list[_Reading]:
        """Reads on without a turn; adds to `usual` what has a usual length where a number may end. The readings
        that are one turn further."""
        turned: list[_Reading] = []
        while front and len(seen) < MAX_READINGS:
            reading = front.pop()
            key = (reading.at, reading.digits, reading.straight)
            if key in seen:
                continue
            seen.add(key)
            for turn, (digits, end, issuer) in enumerate(self._pieces(reading)):
                if len(digits) in self._lengths(issuer) and self._may_end(end, digits):
                    usual.append(self._number(reading, end, digits, turns + (turn > 0)))
                (turned if turn else front).extend(self._straight_on(reading, digits, end))
                turned += self._left_out(reading, digits, end)
        return turned

    def _lengths(self, issuer: Issuer) -> frozenset[int]:
        return issuer.lengths[Edges.WHOLE] if self.is_rare else issuer.usual

    def _number(self, before: _Reading, end: int, digits: str, turns: int) -> _Number:
        rest = self._rest(end)
        last = self.end - 1 if _says_again(digits, rest) else end - 1
        has_rest = last + 1 < self.end
        cuts, length = {*before.cuts, len(before.digits)}, len(digits)
        regular = any(cuts.issuperset(ends(length)) for ends in _LAYOUTS)
        return _Number(turns + has_rest, len(cuts), last, digits, before.straight, has_rest, regular)

    def _pieces(self, reading: _Reading) -> Iterator[tuple[str, int, Issuer]]:
        """(digits, token after it, issuer) with one more piece, the longest first."""
        for said in self.tokens.groups(reading.at):
            digits = reading.digits + said.digits
            end = reading.at + said.tokens
            issuer = _issuer(digits)
            if (
                issuer
                and len(digits) <= max(self._lengths(issuer))
                and end <= self.end
                and end - 1 not in self.skipped
            ):
                yield digits, end, issuer

    def _straight_on(self, before: _Reading, digits: str, end: int) -> list[_Reading]:
        at = self._next(end)
        cuts = (*before.cuts, len(before.digits))
        return [] if at is None else [_Reading(at, digits, cuts, before.straight)]

    def _left_out(self, before: _Reading, digits: str, end: int) -> Iterator[_Reading]:
        """Without what was said before a correction, or what only says again what stands before it; what comes
        a third time is no repetition."""
        for reading in self._straight_on(before, digits, end):
            between = self.tokens.texts[end : reading.at]
            if not CORRECTIONS.isdisjoint(between):
                for place, cut in enumerate(reading.cuts):
                    if len(digits) - cut <= MAX_TAKEN_BACK:
                        yield _Reading(reading.at, digits[:cut], reading.cuts[:place], False)
            for cut in reading.cuts[-MAX_AGAIN_PIECES:]:
                again = digits[cut:]
                is_one = cut == reading.cuts[-1] or bool(between)
                if len(again) >= (MIN_AGAIN if is_one else MIN_AGAIN_TOGETHER) and not digits.endswith(
                    again * 2
                ):
                    for at in self._after(reading.at, again):
                        yield _Reading(at, digits, reading.cuts, False)

    def _after(self, at: int | None, again: str) -> Iterator[int]:
        """Where the next number begins after one from a token on that may be read as these digits."""
        if at is None:
            return
        for said in self.tokens.groups(at):
            after = self._next(at + said.tokens)
            if said.digits == again and after is not None:
                yield after
            elif again.startswith(said.digits):
                yield from self._after(after, again[len(said.digits) :])

    def _next(self, end: int) -> int | None:
        """The next number's first token."""
        places = (at for at in range(end, self.end) if at not in self.skipped)
        return next((at for at in places if self.tokens.groups(at)), None)

    def _rest(self, end: int) -> str:
        """The digits from a token on, as they stand."""
        digits, at = "", self._next(end)
        while at is not None and len(digits) <= 2 * MAX_DIGITS:
            said = self.tokens.groups(at)[0]
            digits += said.digits
            at = self._next(at + said.tokens)
        return digits

    def _may_end(self, end: int, digits: str) -> bool:
        """Whether nothing follows, or a code, a date, the number's own end or all of it again."""
        rest = self._rest(end)
        again = _says_again(digits, rest) or rest.startswith(digits[:HEAD_DIGITS])
        if again or not rest or not self.asked:
            return again or not rest
        parted = self._next(end) != end and len(rest) <= HEAD_DIGITS
        return parted or BESIDE.fullmatch(rest) is not None


def _says_again(digits: str, rest: str) -> bool:
    return not rest or (len(rest) >= HEAD_DIGITS and digits.endswith(rest))


def _issuer(digits: str) -> Issuer | None:
    """The issuer; of fewer digits, one that they may become."""
    head = digits[:HEAD_DIGITS]
    return ISSUER_OF.get(head) or _BEGUN.get(head)


_BEGUN = {head[:length]: issuer for head, issuer in ISSUER_OF.items() for length in range(HEAD_DIGITS)}
