"""Digits in what people wrote or said: tokens, and runs of digits across words, groups and fillers.

The floor under the text detectors. Text is folded first (NFKC, case, accents, digits of every script), so
that detectors meet only ASCII digits and plain lower-case letters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

from consigne.rules.redaction.number_words import ARTICLES, WORDS, Said, ways

MAX_FILLERS = 6
MAX_WORDS_APART = 12
MIN_SUSPECT_WORDS = 8
MIN_SUSPECT_DIGITS = 12


class Role(Enum):
    """What a token is to a number."""

    DIGITS = auto()
    NUMBER_WORD = auto()
    FILLER = auto()
    OTHER = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """A group of digits or of letters. `word` is its word's index in the text read; `joint` what stood
    between it and the token before in the same word (empty at the beginning of a word); `said` the numbers that
    may begin here."""

    text: str
    role: Role
    word: int
    joint: str = ""
    said: tuple[Said, ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """Tokens `first` to `last` (inclusive) hold what a detector looks for; confidence 0 to 1."""

    first: int
    last: int
    kind: str
    detector: str
    confidence: float


def words(text: str) -> frozenset[str]:
    """A vocabulary, written as a line of words."""
    return frozenset(text.split())


FILLERS = words(
    """euh heu hum hm hmm mm mhm hein alors donc puis et ensuite apres voila bon ben bah oui ouais ok okay d
    accord tres bien parfait attendez pardon non tiret espace c est le la les je repete merci allez y suite uh
    um er erm ah then and so well yes yeah yep right sure got it next dash space hyphen sorry no please go
    ahead thank thanks you that s the is"""
)
UNITS = words(
    """euro euros eur dollar dollars pound pounds livres cents centimes fois times percent heure heures h hour
    hours jour jours day days mois month months an ans annee annees year years minute minutes"""
)
PLACEHOLDER = re.compile(r"\[[a-z]+\]")
_TOKEN = re.compile(r"[0-9]+|[^\W\d_]+")


def fold(text: str) -> str:
    """Lower case, no accents, compatibility forms resolved, every script's decimal digits as 0 to 9."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", text).lower()
    return "".join(
        str(unicodedata.decimal(c)) if c.isdecimal() else c for c in plain if not unicodedata.combining(c)
    )


def read(texts: Iterable[str]) -> tuple[Token, ...]:
    """The tokens of words (or segments) in their order; a mask's placeholder is a word without meaning."""
    tokens: list[Token] = []
    for word, text in enumerate(texts):
        if PLACEHOLDER.fullmatch(text):
            tokens.append(Token("", Role.OTHER, word))
            continue
        folded, end = fold(text), 0
        for match in _TOKEN.finditer(folded):
            joint = folded[end : match.start()] if end else ""
            tokens.append(Token(match[0], _role(match[0]), word, joint))
            end = match.end()
    said = ways([token.text for token in tokens], [token.joint for token in tokens])
    return tuple(
        replace(token, said=each) if each else token for token, each in zip(tokens, said, strict=True)
    )


def _role(text: str) -> Role:
    if text.isdigit():
        return Role.DIGITS
    if text in WORDS:
        return Role.NUMBER_WORD
    return Role.FILLER if text in FILLERS else Role.OTHER


def runs(tokens: Sequence[Token], roles: frozenset[Role] = frozenset({Role.DIGITS})) -> list[tuple[int, ...]]:
    """Indices of tokens in one of the roles that follow each other with at most MAX_FILLERS between."""
    return _join(tokens, roles, lambda token: token.role is Role.FILLER, MAX_FILLERS)


def wide_runs(tokens: Sequence[Token]) -> list[tuple[int, ...]]:
    """Indices of groups of digits with at most MAX_WORDS_APART words between, whichever; no mask parts them."""
    return _join(tokens, frozenset({Role.DIGITS}), lambda token: token.text != "", MAX_WORDS_APART)


def _join(
    tokens: Sequence[Token], roles: frozenset[Role], joins: Callable[[Token], bool], most: int
) -> list[tuple[int, ...]]:
    found: list[tuple[int, ...]] = []
    run: list[int] = []
    for index, token in enumerate(tokens):
        if token.role in roles:
            run.append(index)
        elif run and (not joins(token) or index - run[-1] > most):
            found.append(tuple(run))
            run = []
    return [*found, tuple(run)] if run else found


def suspected(tokens: Sequence[Token]) -> bool:
    """Whether number words stand where a long number may hide: eight or more in a run, or digits and two or
    more number words that make twelve together."""
    for run in runs(tokens, frozenset({Role.DIGITS, Role.NUMBER_WORD})):
        spelled = [i for i in run if tokens[i].role is Role.NUMBER_WORD]
        if len(spelled) >= MIN_SUSPECT_WORDS:
            return True
        inner = [i for i in spelled if i not in (run[0], run[-1]) or tokens[i].text not in ARTICLES]
        digits = sum(len(tokens[i].text) for i in run if tokens[i].role is Role.DIGITS)
        if len(inner) >= 2 and digits and digits + len(inner) >= MIN_SUSPECT_DIGITS:
            return True
    return False
