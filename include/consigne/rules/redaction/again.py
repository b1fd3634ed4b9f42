"""What is said of a card number besides itself: its beginnings that were broken off, and its parts said again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, islice, takewhile

from consigne.rules.redaction.groups import digits_of, length_of, touches
from consigne.rules.redaction.issuers import HEAD_DIGITS, MAX_DIGITS
from consigne.rules.redaction.mended import AGAIN
from consigne.rules.redaction.numerals import CORRECTIONS, Group, Hit, Tokens

# PCI DSS 3.4.1 lets the first eight digits be shown.
FALSE_START_DIGITS = 9
MAX_SAID_AGAIN = 32
Found = tuple[str, Hit]
"""Digits of a number, and where they are."""
KIND, DETECTOR = "card", "cards"


def hit(first: int, last: int, confidence: float) -> Hit:
    """Tokens `first` to `last` as a card number, or a part of one."""
    return Hit(first, last, KIND, DETECTOR, confidence)


def taken_by(numbers: Sequence[Found]) -> set[int]:
    """The tokens that hits hold."""
    return {index for _, found in numbers for index in range(found.first, found.last + 1)}


def find_said_again(tokens: Tokens, runs: Sequence[Sequence[Group]], numbers: Sequence[Found]) -> list[Hit]:
    """What repeats more of a card that was found than may be shown; what stands before it and begins like it,
    or was taken back."""
    if not numbers:
        return []
    lengths = {
        number[at : at + FALSE_START_DIGITS]: len(number) - at
        for number, _ in numbers
        for at in range(len(number) - FALSE_START_DIGITS + 1)
    }
    heads = {card.first: number[:HEAD_DIGITS] for number, card in numbers}
    tails = {card.last: number for number, card in numbers}
    taken = taken_by(numbers)
    found: list[Hit] = []
    for run in runs:
        pieces: list[list[Group]] = [
            list(piece) for _, piece in groupby(run, lambda group: touches(group, taken))
        ]
        for before, piece, after in zip([[], *pieces], pieces, [*pieces[1:], []], strict=False):
            if not touches(piece[0], taken):
                found += _again(piece, lengths)
                found += _echo(tokens, before[-1], piece, tails) if before else []
                found += _begun(tokens, piece[-MAX_DIGITS:], after[0], heads) if after else []
    return found + list(_same_words(tokens, runs, [card for _, card in numbers[:MAX_SAID_AGAIN]], taken))


def _same_words(
    tokens: Tokens, runs: Sequence[Sequence[Group]], cards: Sequence[Hit], taken: set[int]
) -> Iterator[Hit]:
    """Where the words that a card begins with were said too."""
    texts, heads = tokens.texts, {tokens.texts[card.first]: card for card in cards}
    for run in runs:
        for at, group in enumerate(run):
            card = heads.get(texts[group.first])
            if card and not touches(group, taken):
                pairs = zip(
                    texts[group.first : group.first + card.last + 1 - card.first],
                    texts[card.first : card.last + 1],
                    strict=False,
                )
                same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
                held = [each for each in run[at : at + MAX_DIGITS] if each.last < group.first + same]
                if length_of(held) >= FALSE_START_DIGITS:
                    yield hit(group.first, held[-1].last, 0.7)


def _begun(tokens: Tokens, piece: Sequence[Group], after: Group, heads: Mapping[int, str]) -> list[Hit]:
    """What was broken off before a number that begins with `after`."""
    head = heads.get(after.first, "-")
    if not CORRECTIONS.isdisjoint(tokens.texts[piece[-1].last + 1 : after.first]) and head != "-":
        return [hit(piece[0].first, piece[-1].last, 0.7)]
    begins = (at for at in range(len(piece)) if head.startswith(digits_of(piece[at:])[:HEAD_DIGITS]))
    return [hit(piece[at].first, piece[-1].last, 0.7) for at in islice(begins, 1)]


def _echo(tokens: Tokens, before: Group, piece: Sequence[Group], tails: Mapping[int, str]) -> list[Hit]:
    """What of the number before it is said once more."""
    number, digits = tails.get(before.last, ""), ""
    between = tokens.texts[before.last + 1 : piece[0].first]
    if AGAIN.isdisjoint(between):
        again = not between and len(digits_of(piece)) > 1 and number.endswith(digits_of(piece))
        return [hit(piece[0].first, piece[-1].last, 0.7)] if again else []
    for place, group in enumerate(piece):
        digits += group.digits
        if digits not in number:
            return [hit(piece[0].first, piece[place - 1].last, 0.7)] if place else []
    return [hit(piece[0].first, piece[-1].last, 0.7)]


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
            yield hit(piece[at].first, piece[last].last, 0.8)
