"""Payment card numbers as they are written and read out: in any grouping, in numerals and number words, between
fillers and other people's words, with parts said twice or mended, begun and begun again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate, groupby, islice, pairwise

from consigne.rules.redaction.context import BESIDE, About, about
from consigne.rules.redaction.context import runs as number_runs
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
from consigne.rules.redaction.mended import AGAIN, mend
from consigne.rules.redaction.number_words import ARTICLES, WORDS
from consigne.rules.redaction.numerals import (
    CORRECTIONS,
    MAX_WORDS_APART,
    UNITS,
    Group,
    Hit,
    Tokens,
    fold,
    read,
)

__all__ = ["KIND", "find", "scan", "valid"]

KIND, DETECTOR = "card", "cards"
FIELD_MIN_DIGITS = 13
LONG = (14, 15, 16, 19)
WHOLE, BY_NAME = 0.95, 0.65
# Digits heard twice or too many may make a number by chance: they belong to it.
MAX_HEARD = 22
MAX_BREATH = 4
# PCI DSS 3.4.1 lets the first eight digits be shown.
FALSE_START_DIGITS = 9
_PHONE = "0[1-9][0-9]{8}"
BEFORE = re.compile(rf"(?:{_PHONE}|(?:19|20)[0-9]{{2}})$")
AFTER = re.compile(_PHONE)

_Found = tuple[str, Hit]
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
    long = [run for run in runs if _length(run) >= MIN_DIGITS - 2]
    numbers = [number for run in long for number in _find_in_run(tokens, run, _is_explained)]
    whole = {hit.first for _, hit in numbers if hit.confidence == WHOLE}
    for run in (run for run in long if run[0].first not in whole):
        numbers += [(digits, _hit(first, last, sure)) for digits, first, last, sure in mend(tokens, run)]
    for run in _left(long, numbers):
        numbers += _find_in_run(tokens, run, _is_set_off)
    taken = _taken([hit for _, hit in numbers])
    spoken = [run for run in runs if not _is_article(tokens, run)]
    numbers += _find_apart(tokens, spoken, taken)
    shorter = [_without_article(tokens, run) for run in spoken]
    if shorter != spoken:
        numbers += _find_apart(tokens, shorter, taken)
    return [hit for _, hit in numbers] + _find_said_again(tokens, runs, numbers)


def _left(runs: Sequence[Sequence[Group]], numbers: Sequence[_Found]) -> list[list[Group]]:
    taken = _taken([hit for _, hit in numbers])
    return [piece for run in runs for piece in _free(run, taken)]


def _length(run: Sequence[Group]) -> int:
    return sum(len(group.digits) for group in run)


def _hit(first: int, last: int, confidence: float) -> Hit:
    return Hit(first, last, KIND, DETECTOR, confidence)


def _find_in_run(tokens: Tokens, run: Sequence[Group], judge: _Judge) -> Iterator[_Found]:
    """Numbers that begin and end where groups do, none within one before it."""
    bounds, digits = _bounds(run), _digits(run)
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
                    yield number, _hit(inside[0].first, inside[-1].last, confidence)


def _is_explained(tokens: Tokens, run: Sequence[Group], first: int, last: int) -> float:
    """How surely groups `first` to `last` (excluded) are a number of usual length, or the whole run one, by what
    stands beside them; 0 where they are none."""
    number, groups = _digits(run[first:last]), run[first:last]
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
    _, *ends, length = _bounds(groups)
    return tuple(ends) == inner_ends(length)


def _edges(tokens: Tokens, run: Sequence[Group], first: int, last: int) -> Edges | None:
    number = _digits(run[first:last])
    if (first, last) == (0, len(run)):
        return Edges.WHOLE
    before, after = _parted(tokens, run, first), _parted(tokens, run, last)
    if before and after:
        return Edges.PARTED
    before = before or _explains_before(_digits_before(run, first), number)
    after = after or _explains_after(_digits_after(run, last), number)
    return Edges.EXPLAINED if before and after else None


def _is_set_off(tokens: Tokens, run: Sequence[Group], first: int, last: int) -> float:
    """The same of unusual lengths; and where only the sizes of the groups that are printed on the card, or words
    of payment, tell a number from the digits beside it."""
    number = _digits(run[first:last])
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
        or _explains_before(_digits_before(run, first), number)
    )
    after = (
        _parted(tokens, run, last) or _seam(run, last) or _explains_after(_digits_after(run, last), number)
    )
    if before and after and _is_printed(run[first:last]) and (first > 0 or thing is not About.OTHER):
        return 0.7
    return BY_NAME if thing is About.PAYMENT else 0.0


def _digits_before(run: Sequence[Group], place: int) -> str:
    return _digits(run[max(0, place - MAX_DIGITS) : place])


def _digits_after(run: Sequence[Group], place: int) -> str:
    return _digits(run[place : place + MAX_DIGITS])


def _digits(groups: Sequence[Group]) -> str:
    return "".join(group.digits for group in groups)


def _bounds(run: Sequence[Group]) -> list[int]:
    return [0, *accumulate(len(group.digits) for group in run)]


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


def _explains_before(rest: str, number: str) -> bool:
    """Digits before a card number: a false start, a telephone number, a year, or another card."""
    begun = rest[:HEAD_DIGITS] == number[:HEAD_DIGITS]
    another = any(is_card(rest[-length:], Edges.EXPLAINED) for length in LONG if len(rest) >= length)
    return begun or another or BEFORE.search(rest) is not None


def _explains_after(rest: str, number: str) -> bool:
    """Digits after a card number: a code, an expiry date, both, a telephone number, another card, or its own
    said again."""
    again = len(rest) >= HEAD_DIGITS and (number.startswith(rest) or number.endswith(rest))
    known = BESIDE.fullmatch(rest) or AFTER.match(rest)
    another = any(is_card(rest[:length], Edges.EXPLAINED) for length in LONG if len(rest) >= length)
    return again or another or known is not None


def _find_apart(tokens: Tokens, runs: Sequence[Sequence[Group]], taken: set[int]) -> Iterator[_Found]:
    """Numbers of usual length in parts that end where the card's printed groups do, or anywhere where a card was
    asked for; the words between stay."""
    starts, stops = _part_edges(runs)
    for near in _near(tokens, runs, taken):
        groups = [group for run in near for group in run]
        bounds, digits = _bounds(groups), _digits(groups)
        ends = {bounds[at] for at in accumulate(len(run) for run in near)}
        places = {bound: place for place, bound in enumerate(bounds)}
        for first, start in enumerate(bounds[:-1]):
            issuer = ISSUER_OF.get(digits[start : start + HEAD_DIGITS])
            for length in issuer.usual if issuer and groups[first].first in starts else ():
                last, number = (places.get(start + length, 0), digits[start : start + length])
                printed = {start + end for end in (*inner_ends(length), *range(4, length, 4))}
                inner = {end for end in ends if start < end < start + length} if last else set()
                if inner and groups[last - 1].last in stops and valid(number):
                    begin, end = groups[first].first, groups[last - 1].last
                    if not inner <= printed and about(tokens, begin, end) is not About.PAYMENT:
                        continue
                    parts = [[g for g in run if begin <= g.first <= end] for run in near]
                    yield from _parts(tokens, [part for part in parts if part], number)


def _parts(tokens: Tokens, parts: Sequence[Sequence[Group]], number: str) -> Iterator[_Found]:
    """Unless one of them is said to be something else."""
    if not any(about(tokens, part[0].first, part[-1].last) is About.OTHER for part in parts):
        yield from ((number, _hit(part[0].first, part[-1].last, 0.8)) for part in parts)


def _near(
    tokens: Tokens, runs: Sequence[Sequence[Group]], taken: set[int]
) -> Iterator[list[Sequence[Group]]]:
    """Runs with at most MAX_WORDS_APART words between, whichever; no mask parts them, and nothing found."""
    pieces = [piece for run in runs for piece in _free(run, taken)]
    near: list[Sequence[Group]] = []
    for piece in pieces:
        end = near[-1][-1].last + 1 if near else 0
        between = range(end, piece[0].first)
        if near and (
            len(between) > MAX_WORDS_APART
            or "" in tokens.texts[end : piece[0].first]
            or not taken.isdisjoint(between)
        ):
            yield from [near] if len(near) > 1 else []
            near = []
        near.append(piece)
    if len(near) > 1:
        yield near


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


def _find_said_again(tokens: Tokens, runs: Sequence[Sequence[Group]], numbers: Sequence[_Found]) -> list[Hit]:
    """What repeats more of a card that was found than may be shown; what stands before it and begins like it,
    or was taken back."""
    lengths = {
        number[at : at + FALSE_START_DIGITS]: len(number) - at
        for number, _ in numbers
        for at in range(len(number) - FALSE_START_DIGITS + 1)
    }
    heads = {hit.first: number[:HEAD_DIGITS] for number, hit in numbers}
    tails = {hit.last: number for number, hit in numbers}
    taken = _taken([hit for _, hit in numbers])
    found: list[Hit] = []
    for run in runs if numbers else ():
        pieces: list[list[Group]] = [
            list(piece) for _, piece in groupby(run, lambda group: _touches(group, taken))
        ]
        for before, piece, after in zip([[], *pieces], pieces, [*pieces[1:], []], strict=False):
            if not _touches(piece[0], taken):
                found += _again(piece, lengths)
                found += _echo(tokens, before[-1], piece, tails) if before else []
                found += _begun(tokens, piece[-MAX_DIGITS:], after[0], heads) if after else []
    return found


def _begun(tokens: Tokens, piece: Sequence[Group], after: Group, heads: Mapping[int, str]) -> list[Hit]:
    """What was broken off before a number that begins with `after`."""
    head = heads.get(after.first, "-")
    if not CORRECTIONS.isdisjoint(tokens.texts[piece[-1].last + 1 : after.first]) and head != "-":
        return [_hit(piece[0].first, piece[-1].last, 0.7)]
    begins = (at for at in range(len(piece)) if head.startswith(_digits(piece[at:])[:HEAD_DIGITS]))
    return [_hit(piece[at].first, piece[-1].last, 0.7) for at in islice(begins, 1)]


def _echo(tokens: Tokens, before: Group, piece: Sequence[Group], tails: Mapping[int, str]) -> list[Hit]:
    """What of the number before it is said once more."""
    number, digits = tails.get(before.last, ""), ""
    if AGAIN.isdisjoint(tokens.texts[before.last + 1 : piece[0].first]):
        return []
    for place, group in enumerate(piece):
        digits += group.digits
        if digits not in number:
            return [_hit(piece[0].first, piece[place - 1].last, 0.7)] if place else []
    return [_hit(piece[0].first, piece[-1].last, 0.7)]


def _again(piece: Sequence[Group], lengths: dict[str, int]) -> Iterator[Hit]:
    for at in range(len(piece)):
        digits, last, most = "", at, MAX_DIGITS
        for place in range(at, min(len(piece), at + MAX_DIGITS)):
            digits += piece[place].digits
            most = lengths.get(digits[:FALSE_START_DIGITS], most)
            if len(digits) > most:
                break
            last = place
        if digits[:FALSE_START_DIGITS] in lengths:
            yield _hit(piece[at].first, piece[last].last, 0.8)


def _taken(hits: Sequence[Hit]) -> set[int]:
    return {index for hit in hits for index in range(hit.first, hit.last + 1)}


def _free(run: Sequence[Group], taken: set[int]) -> Iterator[list[Group]]:
    """The stretches of a run that no hit holds."""
    for held, piece in groupby(run, lambda group: _touches(group, taken)):
        if not held:
            yield list(piece)


def _touches(group: Group, taken: set[int]) -> bool:
    return group.first in taken or group.last in taken


def _without_article(tokens: Tokens, run: list[Group]) -> list[Group]:
    """The "one" of "one moment" is no digit."""
    return run[:-1] if len(run) > 1 and _is_article(tokens, run[-1:]) else run


def _is_article(tokens: Tokens, run: Sequence[Group]) -> bool:
    return len(run) == 1 and tokens.texts[run[0].first] in ARTICLES and run[0].first == run[0].last
