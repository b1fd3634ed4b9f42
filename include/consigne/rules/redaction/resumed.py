"""Card numbers in parts that something else was said between: the other party repeated each part, or the number
was interrupted by a sentence and went on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from consigne.rules.redaction.context import OTHER, PROMPTS, About, about, turns_between
from consigne.rules.redaction.issuers import Edges, is_card
from consigne.rules.redaction.mended import MIN_DIGITS, mend
from consigne.rules.redaction.numerals import MAX_WORDS_APART, MEASURES, MONTHS, Group, Tokens, words

Found = tuple[str, int, int]
"""Digits, first and last token."""
MIN_ECHO_DIGITS, REACH_PROMPT = 2, 3
PHONE = re.compile("0[1-9][0-9]{8,9}")
MAX_PARTS, MIN_LONG_PART, MAX_HEARD = 4, 6, 22
# What is asked for after the card's number is no part of it.
NEXT_ASKED = words(
    """code codes cryptogramme crypto cvv cvc csc cid pin security securite verification dos verso back
    expire expires expiration expiry validite valable valid"""
)


def find_echoed(tokens: Tokens, run: Sequence[Group]) -> Iterator[Found]:
    """The number in a run without what one speaker only repeats of the other's."""
    said, skipped = _said_once(tokens, run)
    if skipped:
        digits = "".join(group.digits for group in said)
        if is_card(digits, Edges.WHOLE):
            yield digits, run[0].first, run[-1].last
        else:
            for number, first, last, _ in mend(tokens, said, skipped):
                yield number, first, run[-1].last if last == said[-1].last else last


def _said_once(tokens: Tokens, run: Sequence[Group]) -> tuple[list[Group], frozenset[int]]:
    said, skipped, stretch = list[Group](), set[int](), list[Group]()
    for place, group in enumerate(run):
        stretch.append(group)
        if group is run[-1] or turns_between(tokens, group, run[place + 1]):
            digits = "".join(each.digits for each in stretch)
            before = "".join(each.digits for each in said[-len(digits) :])
            if len(digits) >= MIN_ECHO_DIGITS and before.endswith(digits):
                skipped.update(range(stretch[0].first, stretch[-1].last + 1))
            else:
                said += stretch
            stretch = []
    return said, frozenset(skipped)


def find_resumed(tokens: Tokens, near: Sequence[Sequence[Group]], taken: set[int]) -> Iterator[Found]:
    """Numbers of two to MAX_PARTS whole runs that follow each other, none of which is another thing; where no card
    was asked for, only with a part of MIN_LONG_PART digits or more, or after somebody was told to go ahead.
    What is held already goes on only as it stands."""
    lengths = [sum(len(group.digits) for group in run) for run in near]
    after = 0
    for begin in range(len(near) - 1):
        for end in range(begin + 1, min(len(near), begin + MAX_PARTS)):
            total = sum(lengths[begin : end + 1])
            if begin < after or total > MAX_HEARD or not _go_on(tokens, near[end - 1], near[end]):
                break
            if total >= MIN_DIGITS[True]:
                parts = near[begin : end + 1]
                is_held = any(group.first in taken for part in parts for group in part)
                for found in _in_parts(tokens, parts, max(lengths[begin : end + 1]), is_held):
                    yield found
                    after = end + 1


def _in_parts(
    tokens: Tokens, parts: Sequence[Sequence[Group]], longest: int, is_held: bool
) -> Iterator[Found]:
    first, groups = parts[0][0].first, [group for part in parts for group in part]
    thing = about(tokens, first, groups[-1].last)
    asked = thing is About.PAYMENT
    prompted = not PROMPTS.isdisjoint(tokens.before(first, REACH_PROMPT)) and not _is_date(tokens, parts[0])
    if thing is About.OTHER or not (asked or prompted or (longest >= MIN_LONG_PART and len(parts) == 2)):
        return
    digits = "".join(group.digits for group in groups)
    numbers = list[Found]()
    if is_card(digits, Edges.WHOLE if (asked or prompted) and not is_held else Edges.EXPLAINED):
        numbers = [(digits, first, groups[-1].last)]
    elif (asked or prompted) and not is_held:
        apart = (range(a[-1].last + 1, b[0].first) for a, b in pairwise(parts))
        skipped = frozenset(at for between in apart for at in between)
        numbers = [(number, start, end) for number, start, end, _ in mend(tokens, groups, skipped)]
    for number, start, end in numbers:
        for part in parts:
            held = [group for group in part if start <= group.first and group.last <= end]
            if held:
                yield number, held[0].first, held[-1].last


def _is_date(tokens: Tokens, run: Sequence[Group]) -> bool:
    """Whether a month is named before it, or it is written as a date."""
    return not MONTHS.isdisjoint(tokens.before(run[0].first, 1)) or any(
        tokens.joint(group.first) == "/" for group in run
    )


def _go_on(tokens: Tokens, before: Sequence[Group], after: Sequence[Group]) -> bool:
    """Whether one run may be the other's continuation: few words between, none of another thing."""
    between = tokens.texts[before[-1].last + 1 : after[0].first]
    beyond = tokens.texts[after[-1].last + 1 : after[-1].last + 2]
    return (
        len(between) <= MAX_WORDS_APART
        and not PHONE.fullmatch("".join(group.digits for group in after))
        and not _is_date(tokens, after)
        and OTHER.isdisjoint(between)
        and NEXT_ASKED.isdisjoint(between)
        and (MEASURES | MONTHS).isdisjoint([*between[:1], *between[-1:], *beyond])
    )
