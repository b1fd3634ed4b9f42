"""Walks through everything that words may be read as, digit by digit, in search of a number whose check holds.

A detector gives what may stand at a token (`pieces`) and an automaton over characters (`step`): counts, prefixes
and checksums. States that differ in nothing else are walked once, so that a run of number words with thousands
of readings costs little.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import TypeVar

from consigne.rules.redaction.number_words import Said
from consigne.rules.redaction.numerals import MAX_FILLERS, Role, Token

S = TypeVar("S", bound=Hashable)


def walk(
    tokens: Sequence[Token],
    first: int,
    start: S,
    step: Callable[[S, str], S | None],
    pieces: Callable[[int], Iterable[Said]],
    passes: Callable[[Token], bool] = lambda token: token.role is Role.FILLER,
    most_passed: int = MAX_FILLERS,
) -> Iterator[tuple[int, int, S]]:
    """(pieces read, last token, state) of every reading from token `first` on, the fewest pieces first: the
    fewer, the likelier it was meant; in one order always. `step` answers None where a character cannot follow; between pieces at
    most `most_passed` tokens that pass are left out.
    """
    seen: set[tuple[int, S]] = set()
    count, front = 0, {(first, start): None}
    while front:
        count, ends = count + 1, dict[tuple[int, S], None]()
        for at, state in front:
            for said in pieces(at):
                after = _fold(state, said.digits, step)
                end = at + said.tokens
                if after is not None and (end, after) not in seen:
                    seen.add((end, after))
                    ends[end, after] = None
                    yield count, end - 1, after
        front = {(at, state): None for end, state in ends for at in _starts(tokens, end, passes, most_passed)}


def _fold(state: S, text: str, step: Callable[[S, str], S | None]) -> S | None:
    after: S | None = state
    for char in text:
        if after is None:
            return None
        after = step(after, char)
    return after


def _starts(tokens: Sequence[Token], at: int, passes: Callable[[Token], bool], most: int) -> Iterator[int]:
    """Where the next piece may begin: here, or after tokens that pass."""
    for start in range(at, min(len(tokens), at + most + 1)):
        yield start
        if not passes(tokens[start]):
            return
