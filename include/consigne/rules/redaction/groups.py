"""Numbers as they were said or written at once, in runs across fillers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from itertools import accumulate, groupby

from consigne.rules.redaction.number_words import ALONE, GOES_ON
from consigne.rules.redaction.numerals import (
    CORRECTIONS,
    FILLERS,
    MAX_FILLERS,
    MEASURES,
    NEVER_FIRST,
    Group,
    Tokens,
    words,
)

NEVER_A_DIGIT = frozenset({"une"})
NEVER_ALONE = NEVER_FIRST | NEVER_A_DIGIT
_JOINS = FILLERS - words("le les the")
_AFTER_CORRECTION = _JOINS | words("excusez excuse moi me attendez une trompe suis")


def group_runs(tokens: Tokens) -> list[list[Group]]:
    """Numbers, each read as long as it can be, that follow each other with at most MAX_FILLERS between, none of
    which brings in another. An amount and a time are runs of their own."""
    texts, found, end = tokens.texts, list[list[Group]](), -MAX_FILLERS - 2
    for at in tokens.numbers:
        group = _group(tokens, at) if at >= end else None
        if group is None:
            continue
        if at == end or (at - end <= MAX_FILLERS and _join(texts[end:at])):
            found[-1].append(group)
        else:
            found.append([group])
        end = group.last + 1
        if end < len(texts) and texts[end] in MEASURES:
            found[-1:] = _measured(tokens, found[-1])
    return found


def _join(between: Sequence[str]) -> bool:
    if _JOINS.issuperset(between):
        return True
    return not CORRECTIONS.isdisjoint(between) and _AFTER_CORRECTION.issuperset(between)


def _group(tokens: Tokens, at: int) -> Group | None:
    """The longest number that begins at a token, and leaves no word over that is none by itself."""
    texts, text = tokens.texts, tokens.texts[at]
    if text not in GOES_ON:
        return Group(at, at, ALONE.get(text, text))
    if at + 1 == len(texts) or texts[at + 1] not in GOES_ON[text]:
        digits = ALONE[text]
        return Group(at, at, digits) if digits and text not in NEVER_ALONE else None
    said = tokens.groups(at)
    if len(said) > 1 and not NEVER_FIRST.isdisjoint(texts[at + said[0].tokens : at + said[0].tokens + 1]):
        said = said[1:]
    if not said or (text in NEVER_A_DIGIT and said[0].tokens == 1):
        return None
    return Group(at, at + said[0].tokens - 1, said[0].digits)


def _measured(tokens: Tokens, run: list[Group]) -> list[list[Group]]:
    """The run without its last number, where that is set off from it, and that number (with its decimals)."""
    first = len(run) - 1
    while first > 0 and tokens.joint(run[first].first) in (",", "."):
        first -= 1
    is_set_off = first > 0 and run[first].first > run[first - 1].last + 1
    return [run[:first], run[first:]] if is_set_off else [run]


def digits_of(groups: Sequence[Group]) -> str:
    """The digits of groups, as they stand."""
    return "".join([group.digits for group in groups])


def length_of(groups: Sequence[Group]) -> int:
    """How many digits they are."""
    return sum([len(group.digits) for group in groups])


def bounds_of(groups: Sequence[Group]) -> list[int]:
    """How many digits stand before each, and in all."""
    return [0, *accumulate(len(group.digits) for group in groups)]


def touches(group: Group, taken: Set[int]) -> bool:
    """Whether a group's first or last token is among them."""
    return group.first in taken or group.last in taken


def free(run: Sequence[Group], taken: Set[int]) -> Iterator[list[Group]]:
    """The stretches of a run that no token taken touches."""
    if not taken:
        yield list(run)
        return
    for held, piece in groupby(run, lambda group: touches(group, taken)):
        if not held:
            yield list(piece)
