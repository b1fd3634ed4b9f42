"""Numbers with check digits in what is spelled: where one may begin, how it is read until its check holds, what
was said of it before.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import repeat
from typing import TypeVar

from consigne.rules.redaction.number_words import ARTICLES, WORDS, Said
from consigne.rules.redaction.numerals import FILLERS, MAX_FILLERS, Hit, Token, Tokens, words
from consigne.rules.redaction.readings import walk
from consigne.rules.redaction.spelling import (
    EXAMPLES,
    LETTERS,
    MAX_GROUP_LETTERS,
    NAMES,
    REMARKS,
    elided,
    glued,
    pair,
    spelled,
)

S = TypeVar("S", bound=Hashable)

CORRECTIONS = words("non pardon erreur plutot trompe excusez no sorry mistake rather mean wrong")
MAX_CORRECTED, MAX_REPEATED, MAX_NUMBERS, MAX_TOKENS_APART = 3, 6, 60, 8
MIN_REPEATED_DIGITS = 2
LETTER_WORDS = frozenset({"i", "a", "y"})
REACH_AFTER = 4
# The most digits that a word may stand for, where they are more than two.
MOST_IN_WORD = {
    "mille": 4,
    "thousand": 4,
    "double": 3,
    "triple": 4,
    "treble": 4,
    "quadruple": 5,
} | dict.fromkeys(("cent", "cents", "hundred", "hundreds"), 3)
# Where fewer can be read it is not worth while to try other ways, to leave something out.
MIN_PIECES, MIN_PIECES_TO_LEAVE_OUT = 2, 6
# Numbers seldom follow each other that could be one.
SHORTER, MAX_SHORTER = "+", 3
FALSE_START_DIGITS, FALSE_START_REACH = 6, 60
MOST_READINGS, READINGS_PER_TOKEN = 5_000, 1


def efforts(tokens: Tokens) -> Iterator[int]:
    """How much may be read in all of a text, so that one made to be hard takes no longer."""
    return iter(range(MOST_READINGS + READINGS_PER_TOKEN * len(tokens)))


def long_starts(tokens: Tokens, digits: int, most_apart: int) -> list[int]:
    """Tokens at which a row of numbers begins that may have so many digits, up to `most_apart` tokens from one
    number to the next."""
    texts, found = tokens.texts, list[int]()
    follower, sum_digits = len(texts) + most_apart, 0
    for place in reversed(tokens.numbers):
        text = texts[place]
        own = len(text) if text not in WORDS else MOST_IN_WORD.get(text, 2)
        sum_digits = own + (sum_digits if follower - place <= most_apart else 0)
        follower = place
        if sum_digits >= digits:
            found.append(place)
    before = dict(zip(tokens.numbers[1:], tokens.numbers, strict=False))
    return [
        place for place in reversed(found) if before.get(place) != place - 1 or texts[place - 1] in ARTICLES
    ]


def reaches(
    tokens: Tokens, first: int, digits: int, most_letters: int, remarks: frozenset[str] = REMARKS
) -> bool:
    """Quicker than reading: whether so many digits may follow from `first` on, with up to `most_letters` groups of
    letters, before a word stands that belongs to no number."""
    texts, count, letters, gap = tokens.texts, 0, 0, 0
    for at in range(first, len(texts)):
        text = texts[at]
        if text in WORDS or "/" < text < ":":
            count, gap = count + (MOST_IN_WORD.get(text, 2) if text in WORDS else len(text)), 0
            if count >= digits:
                return True
        elif text in FILLERS or text in remarks or text in EXAMPLES or text in CORRECTIONS:
            gap += len(text) > 1
        elif len(text) <= MAX_GROUP_LETTERS or text in LETTERS:
            letters, gap = letters + 1, 0
        elif not _is_example(texts, at):
            return False
        if gap > MAX_FILLERS + 2 or letters > most_letters:
            return False
    return False


def _is_example(texts: Sequence[str], at: int) -> bool:
    return at > 0 and (texts[at - 1] in EXAMPLES or texts[at - 1] == texts[at][0])


def read_checked(
    tokens: Tokens,
    first: int,
    start: S,
    step: Callable[[S, str], S | None],
    holds: Callable[[S], bool],
    is_named: Callable[[], bool],
    effort: Iterator[int],
    remarks: frozenset[str] = REMARKS,
) -> int | None:
    """The last token of what is spelled from `first` on and `holds`; fillers and `remarks` are passed over. A
    number may follow it where there is one way only to read it.

    Where `is_named` most readings will do, the fewest pieces first, and then those without what was said twice
    or corrected, as long as there is `effort` left; elsewhere the one that takes numbers as long as they may be.
    """

    def passes(token: Token) -> bool:
        return token.text in FILLERS or token.text in remarks

    @cache
    def pieces(at: int) -> tuple[Said, ...]:
        remark = at < len(tokens) and tokens.texts[at] in remarks
        return () if remark and not (glued(tokens, at) or glued(tokens, at + 1)) else spelled(tokens, at)

    def ended(last: int) -> bool:
        """Whether neither a number follows nor a letter."""
        for at in range(last + 1, min(len(tokens), last + 2 + MAX_FILLERS)):
            token = tokens[at]
            following = tokens.texts[at + 1] if at + 1 < len(tokens) else ""
            # "Elle", "Marie": a letter's name where it is spelled on.
            letter = (token.text in LETTERS and _spells_on(following)) or pair(tokens, at) in NAMES
            if token.said or letter or _is_letter(tokens, at):
                return False
            if not passes(token):
                return not (at == last + 1 and len(tokens[last].text) == 1 and token.text in EXAMPLES)
        return True

    most = 0

    def search(
        pieces: Callable[[int], Sequence[Said]], is_enough: Callable[[int], bool], effort: Iterator[int]
    ) -> int | None:
        nonlocal most
        for count, last, (_, state) in walk(tokens, first, (0, start), either, pieces, passes):
            most = max(most, count)
            if holds(state) and is_enough(last):
                return last
            if next(effort, None) is None:
                break
        return None

    def either(state: tuple[int, S], char: str) -> tuple[int, S] | None:
        shorter, read = state
        if char == SHORTER:
            return (shorter + 1, read) if shorter < MAX_SHORTER else None
        after = step(read, char)
        return None if after is None else (shorter, after)

    last = search(
        lambda at: _longest(pieces(at)), lambda last: ended(last) or _plain(tokens, first, last), repeat(0)
    )
    if last is not None or most < MIN_PIECES or not is_named():
        return last
    last = search(lambda at: _marked(pieces(at)), ended, effort)
    left_out = _left_out(tokens, first) if last is None and most >= MIN_PIECES_TO_LEAVE_OUT else {}
    if not left_out:
        return last
    return search(lambda at: (*_marked(pieces(at)), *left_out.get(at, ())), ended, effort)


def _is_letter(tokens: Tokens, at: int) -> bool:
    """Whether it is spelled, and not the word of a sentence (I called, a letter)."""
    text, following = tokens.texts[at], tokens.texts[at + 1 : at + 2]
    if len(text) != 1 or tokens.joint(at) or elided(tokens, at):
        return False
    return text not in LETTER_WORDS or not following or len(following[0]) < 2 or _spells_on(following[0])


def _spells_on(text: str) -> bool:
    return text in LETTERS or text in EXAMPLES or text in WORDS or text.isdigit()


def _longest(pieces: Sequence[Said]) -> Sequence[Said]:
    if len(pieces) < 2:
        return pieces
    tokens = max(said.tokens for said in pieces)
    return [said for said in pieces if said.tokens == tokens]


def _marked(pieces: Sequence[Said]) -> Sequence[Said]:
    """All, those marked that are not as long as they may be."""
    if len(pieces) < 2:
        return pieces
    most = max(said.tokens for said in pieces)
    return [said if said.tokens == most else Said(said.tokens, SHORTER + said.digits) for said in pieces]


def _plain(tokens: Tokens, first: int, last: int) -> bool:
    """Whether there is one way only to read it."""
    return all(len(spelled(tokens, at)) < 2 for at in range(first, last + 1))


def _left_out(tokens: Tokens, first: int) -> dict[int, list[Said]]:
    """Where stretches begin that may be left out: numbers that a correction follows, numbers that say the ones
    before them again."""
    numbers = list(_numbers(tokens, first))
    found: dict[int, list[Said]] = {}
    for at in range(1, len(numbers)):
        start = numbers[at][0]
        if not CORRECTIONS.isdisjoint(token.text for token in tokens[numbers[at - 1][1] : start]):
            for wrong, _, _ in numbers[max(0, at - MAX_CORRECTED) : at]:
                found.setdefault(wrong, []).append(Said(start - wrong, ""))
        for last in range(at, min(at + MAX_REPEATED, len(numbers))):
            again = "".join(digits for _, _, digits in numbers[at : last + 1])
            before = "".join(digits for _, _, digits in numbers[max(0, at - 2 * MAX_REPEATED) : at])
            if len(again) >= MIN_REPEATED_DIGITS and before.endswith(again):
                found.setdefault(start, []).append(Said(numbers[last][1] - start, ""))
    return found


def false_starts(tokens: Tokens, hit: Hit) -> Iterator[Hit]:
    """What was begun before a number that was found, and says its first digits."""
    lead = ""
    for _, _, digits in _numbers(tokens, hit.first):
        lead += digits
        if len(lead) >= FALSE_START_DIGITS:
            break
    for first in (n for n in tokens.numbers if hit.first - FALSE_START_REACH <= n < hit.first):
        begun = (
            [number for number in _numbers(tokens, first) if number[1] <= hit.first]
            if tokens.said(first)
            else []
        )
        if lead and "".join(digits for _, _, digits in begun).startswith(lead):
            yield replace(hit, first=first, last=begun[-1][1] - 1)
            return


def _numbers(tokens: Tokens, first: int) -> Iterator[tuple[int, int, str]]:
    """(first token, token after the last, digits) of the next numbers, each as long as it may be."""
    at = end = first
    count = 0
    while at < len(tokens) and count < MAX_NUMBERS and at - end < MAX_TOKENS_APART:
        if tokens.said(at):
            said = tokens.said(at)[0]
            end = at + said.tokens
            yield at, end, said.digits
            at, count = end, count + 1
        else:
            at += 1


def apart(tokens: Tokens, first: int, last: int) -> bool:
    """Whether what lies there stands alone: fillers aside, no number before or behind it."""
    sides = range(first - 1, -1, -1), range(last + 1, len(tokens))
    nearest = (next((i for i in side if tokens.texts[i] not in FILLERS), None) for side in sides)
    return not glued(tokens, last + 1) and not any(i is not None and _is_number(tokens, i) for i in nearest)


def _is_number(tokens: Tokens, at: int) -> bool:
    return bool(tokens.said(at)) and tokens.texts[at] not in ARTICLES


def near(tokens: Tokens, at: int, context: frozenset[str], reach: int) -> bool:
    """Whether one of the words stands up to `reach` tokens before, or a few tokens after."""
    return not context.isdisjoint(tokens.texts[max(0, at - reach) : at + REACH_AFTER + 1])
