"""Card numbers in parts with other people's words between."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, groupby
from operator import itemgetter

from consigne.rules.redaction.again import Found, hit
from consigne.rules.redaction.context import BESIDE, About, about
from consigne.rules.redaction.groups import bounds_of, digits_of, free, length_of
from consigne.rules.redaction.issuers import HEAD_DIGITS, ISSUER_OF, MAX_DIGITS, inner_ends, valid
from consigne.rules.redaction.mended import MIN_DIGITS
from consigne.rules.redaction.number_words import ARTICLES
from consigne.rules.redaction.numerals import MAX_WORDS_APART, Group, Tokens
from consigne.rules.redaction.resumed import find_resumed

MIN_DIGITS_APART = 14


def find_apart(tokens: Tokens, runs: Sequence[list[Group]], taken: set[int]) -> Iterator[Found]:
    """Numbers in parts, of which none holds a token taken; and those that were interrupted, whatever holds them."""
    spoken = [run for run in runs if not _is_article(tokens, run)]
    chains = _near(tokens, spoken, set(), MIN_DIGITS[True])
    yield from _find_printed(
        tokens, spoken, _near(tokens, spoken, taken, MIN_DIGITS_APART) if taken else chains
    )
    shorter = [_without_article(tokens, run) for run in spoken]
    if shorter != spoken:
        yield from _find_printed(tokens, shorter, _near(tokens, shorter, taken, MIN_DIGITS_APART))
    for near in chains:
        yield from (
            (digits, hit(first, last, 0.7)) for digits, first, last in find_resumed(tokens, near, taken)
        )


def _find_printed(
    tokens: Tokens, runs: Sequence[Sequence[Group]], chains: Sequence[Sequence[Sequence[Group]]]
) -> Iterator[Found]:
    """Numbers of usual length in parts that end where the card's printed groups do, or anywhere where a card was
    asked for; the words between stay."""
    starts, stops = _part_edges(runs) if chains else (set[int](), set[int]())
    for near in chains:
        groups = [group for run in near for group in run]
        owners = [at for at, run in enumerate(near) for _ in run]
        bounds, digits = bounds_of(groups), digits_of(groups)
        ends = {bounds[at] for at in accumulate(len(run) for run in near)}
        places = {bound: place for place, bound in enumerate(bounds)}
        for first, start in enumerate(bounds[:-1]):
            issuer = ISSUER_OF.get(digits[start : start + HEAD_DIGITS])
            for length in issuer.usual if issuer and groups[first].first in starts else ():
                last, number = places.get(start + length, 0), digits[start : start + length]
                if last and groups[last - 1].last in stops and valid(number):
                    inner = {end for end in range(1, length) if start + end in ends}
                    begin, end = groups[first].first, groups[last - 1].last
                    is_printed = inner.issubset((*inner_ends(length), *range(4, length, 4)))
                    if inner and (is_printed or about(tokens, begin, end) is About.PAYMENT):
                        inside = zip(owners[first:last], groups[first:last], strict=True)
                        parts = [[g for _, g in part] for _, part in groupby(inside, itemgetter(0))]
                        yield from _parts(tokens, parts, number)


def _parts(tokens: Tokens, parts: Sequence[Sequence[Group]], number: str) -> Iterator[Found]:
    """Unless one of them is said to be something else."""
    if not any(about(tokens, part[0].first, part[-1].last) is About.OTHER for part in parts):
        yield from ((number, hit(part[0].first, part[-1].last, 0.8)) for part in parts)


def _near(
    tokens: Tokens, runs: Sequence[Sequence[Group]], taken: set[int], least: int
) -> list[list[Sequence[Group]]]:
    """Runs of `least` digits or more together, with at most MAX_WORDS_APART words between, whichever; no mask
    parts them, and nothing taken."""
    chains, end, length = list[list[Sequence[Group]]](), -MAX_WORDS_APART - 1, 0
    for piece in [piece for run in runs for piece in free(run, taken)] if taken else runs:
        first = piece[0].first
        if first - end > MAX_WORDS_APART or not _is_open(tokens, end, first, taken):
            if chains and (length < least or len(chains[-1]) == 1):
                del chains[-1]
            chains.append([])
            length = 0
        chains[-1].append(piece)
        length += length_of(piece)
        end = piece[-1].last + 1
    return chains[:-1] if chains and (length < least or len(chains[-1]) == 1) else chains


def _is_open(tokens: Tokens, begin: int, end: int, taken: set[int]) -> bool:
    return "" not in tokens.texts[begin:end] and taken.isdisjoint(range(begin, end))


def _part_edges(runs: Sequence[Sequence[Group]]) -> tuple[set[int], set[int]]:
    """Tokens with which a number in parts may begin and end. Telephone numbers and amounts follow each other
    too, so beside it stands at most one digit before, and after it a code or an expiry date."""
    starts: set[int] = set()
    stops: set[int] = set()
    for run in runs:
        starts |= {group.first for group in run[: 1 + (len(run[0].digits) == 1)]}
        rest = ""
        stops.add(run[-1].last)
        for place in range(len(run) - 1, max(0, len(run) - MAX_DIGITS), -1):
            rest = run[place].digits + rest
            if BESIDE.fullmatch(rest):
                stops.add(run[place - 1].last)
    return starts, stops


def _without_article(tokens: Tokens, run: list[Group]) -> list[Group]:
    """The "one" of "one moment" is no digit."""
    return run[:-1] if len(run) > 1 and _is_article(tokens, run[-1:]) else run


def _is_article(tokens: Tokens, run: Sequence[Group]) -> bool:
    return len(run) == 1 and tokens.texts[run[0].first] in ARTICLES and run[0].first == run[0].last
