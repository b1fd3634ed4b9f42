"""Numbers in what people wrote or said: tokens, and runs of numbers across words, groups and fillers.

The floor under the text detectors. Text is folded first (NFKD, case, accents, digits of every script), so
that detectors meet only ASCII digits and plain lower-case letters. A conversation is read once, block by
block; what one speaker said is the same blocks without the others'.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple, overload

from consigne.rules.redaction.blocks import BLOCK_WORDS, Block, blocks_of
from consigne.rules.redaction.number_words import HUNDRED_EN, THOUSAND_EN, WORDS, Said, ways

MAX_FILLERS = 6
MAX_WORDS_APART = 16
MAX_GROUP_DIGITS = 4


class Role(Enum):
    """What a token is to a number."""

    DIGITS = auto()
    NUMBER_WORD = auto()
    FILLER = auto()
    OTHER = auto()


@dataclass(frozen=True, slots=True)
class Hit:
    """Tokens `first` to `last` (inclusive) hold what a detector looks for; confidence 0 to 1."""

    first: int
    last: int
    kind: str
    detector: str
    confidence: float


class Group(NamedTuple):
    """A number as it was said or written at once: its first and last token, and its digits."""

    first: int
    last: int
    digits: str


def words(text: str) -> frozenset[str]:
    """A vocabulary, written as a line of words."""
    return frozenset(text.split())


FILLERS = words(
    """euh heu hum hm hmm mm mhm hein alors donc puis et ensuite apres voila bon ben bah oui ouais ok okay d
    accord tres bien parfait attendez pardon non tiret espace c est le la les je repete merci allez y suite uh
    um uhm er erm ah then and so well yes yeah yep right sure got it next dash space hyphen sorry no please go
    ahead thank thanks you that s the is huh ca exact exactement entendu compris plutot alright wait correction
    again actually rather perfect i mean redis repeat"""
)
UNITS = words(
    """euro euros eur dollar dollars pound pounds livres cents centimes fois times percent heure heures h hour
    hours jour jours day days mois month months an ans annee annees year years minute minutes"""
)
MONTHS = words(
    """janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre january february
    march april may june july august september october november december"""
)
MEASURES = UNITS - words("an cents d h")
CORRECTIONS = words("non no pardon sorry erreur plutot correction wait actually rather mean attendez")
NEVER_FIRST = HUNDRED_EN | THOUSAND_EN


class Token:
    """A group of digits or of letters. `word` is its word's index in the text read; `joint` what stood
    between it and the token before in the same word (empty at the beginning of a word); `said` the numbers that
    may begin here."""

    __slots__ = ("joint", "role", "said", "text", "word")

    def __init__(
        self, text: str, role: Role, word: int, joint: str = "", said: tuple[Said, ...] = ()
    ) -> None:
        self.text, self.role, self.word, self.joint, self.said = text, role, word, joint, said


class _Placed(Token):
    """A token among others, of which the rest is looked up when it is first asked for."""

    __slots__ = ("_all", "_at")

    def __init__(self, every: Tokens, at: int) -> None:
        self._all, self._at, self.text = every, at, every.texts[at]

    def __getattr__(self, name: str) -> object:
        if name not in Token.__slots__:
            raise AttributeError(name)
        found = getattr(self._all, name)(self._at)
        setattr(self, name, found)
        return found


class Tokens(Sequence[Token]):
    """What was read. `texts` are the tokens' texts (empty for a mask), `numbers` the indices of groups of
    digits and number words, `turns` those before which another spoke: the rest is looked up when asked for."""

    def __init__(self, blocks: Sequence[Block], whole: Tokens | None = None) -> None:
        self.blocks, self._whole = blocks, whole
        self.texts: list[str] = []
        self.numbers: list[int] = []
        self._firsts: list[int] = []
        self.turns: set[int] = set()
        for block in blocks:
            first = len(self.texts)
            self._firsts.append(first)
            if block.is_turn:
                self.turns.add(first)
            self.texts += block.texts
            self.numbers += [first + number for number in block.numbers]
        self.runs: list[list[Group]] | None = None
        self._said: dict[int, tuple[Said, ...]] = {}
        self._tokens: dict[int, Token] = {}

    def __len__(self) -> int:
        return len(self.texts)

    @overload
    def __getitem__(self, at: int) -> Token: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Token]: ...
    def __getitem__(self, at: int | slice) -> Token | Sequence[Token]:
        places = range(len(self.texts))[at]
        return self._token(places) if isinstance(places, int) else [self._token(place) for place in places]

    def __iter__(self) -> Iterator[Token]:
        return map(self._token, range(len(self.texts)))

    def _token(self, at: int) -> Token:
        found = self._tokens.get(at)
        if found is None:
            found = self._tokens[at] = _Placed(self, at)
        return found

    @cached_property
    def _first_words(self) -> list[int]:
        return [0, *accumulate(block.size for block in self.blocks)]

    def _at(self, at: int) -> tuple[int, Block, int]:
        """The block's number, the block, the place in it."""
        number = bisect_right(self._firsts, at) - 1
        return number, self.blocks[number], at - self._firsts[number]

    def word(self, at: int) -> int:
        """The index of a token's word among those read here."""
        number, block, place = self._at(at)
        return self._first_words[number] + block.layout()[0][place]

    def source(self, at: int) -> int:
        """The index of a token's word in the whole conversation."""
        _, block, place = self._at(at)
        return block.word + block.layout()[0][place]

    def joint(self, at: int) -> str:
        """What stood between a token and the one before in its word."""
        _, block, place = self._at(at)
        return block.layout()[1][place]

    def role(self, at: int) -> Role:
        """What a token is to a number."""
        text = self.texts[at]
        if text.isdigit():
            return Role.DIGITS
        if text in WORDS:
            return Role.NUMBER_WORD
        return Role.FILLER if text in FILLERS else Role.OTHER

    def said(self, at: int) -> tuple[Said, ...]:
        """The numbers that may begin at a token, longest first; words that hyphens join into one number are
        only that number."""
        found = self._said.get(at)
        if found is None:
            found = self._said[at] = self._read(at)
        return found

    def _read(self, at: int) -> tuple[Said, ...]:
        text = self.texts[at]
        if text not in WORDS:
            return (Said(1, text),) if text.isdigit() else ()
        found = ways(self.texts, at)
        if found and found[0].tokens > 1 and not self.turns.isdisjoint(range(at + 1, at + found[0].tokens)):
            found = tuple(s for s in found if self.turns.isdisjoint(range(at + 1, at + s.tokens)))
        if not self._solid:
            return found
        if at in self._solid:
            return ()
        return tuple(said for said in found if at + said.tokens not in self._solid)

    @cached_property
    def _solid(self) -> frozenset[int]:
        places = zip(self._firsts, self.blocks, strict=True)
        return frozenset(first + at for first, block in places for at in block.solid())

    def groups(self, at: int) -> tuple[Said, ...]:
        """The same as people read long numbers: no word for more than MAX_GROUP_DIGITS digits, no hundred or
        thousand without how many."""
        said = self.said(at)
        if self.texts[at] in NEVER_FIRST:
            return ()
        if said and len(said[0].digits) > MAX_GROUP_DIGITS and said[0].tokens > 1:
            return tuple(each for each in said if len(each.digits) <= MAX_GROUP_DIGITS)
        return said

    def before(self, at: int, reach: int) -> list[str]:
        """The texts said by anybody before a token, up to `reach` of them."""
        _, block, place = self._at(at)
        end = block.token + place
        return (self._whole or self).texts[max(0, end - reach) : end]

    def turns_before(self, at: int, reach: int) -> list[bool]:
        """Of the same tokens, before which of them another spoke."""
        _, block, place = self._at(at)
        end = block.token + place
        turns = (self._whole or self).turns
        return [each in turns for each in range(max(0, end - reach), end)]

    def after(self, at: int, reach: int) -> list[str]:
        """The texts said by anybody after a token, up to `reach` of them."""
        _, block, place = self._at(at)
        start = block.token + place + 1
        return (self._whole or self).texts[start : start + reach]

    def only(self, blocks: Sequence[Block]) -> Tokens:
        """Some of the blocks, as a text of their own."""
        return Tokens(blocks, self)


def read(texts: Iterable[str]) -> Tokens:
    """The tokens of words (or segments) in their order; a mask's placeholder is a word without meaning."""
    every = list(texts)
    return read_blocks([(every[at : at + BLOCK_WORDS], False) for at in range(0, len(every), BLOCK_WORDS)])


def read_blocks(said: Sequence[tuple[Sequence[str], bool]]) -> Tokens:
    """The tokens of words that are said block by block, each with whether another spoke before."""
    return Tokens(blocks_of(said))


def runs(tokens: Sequence[Token], roles: frozenset[Role] = frozenset({Role.DIGITS})) -> list[tuple[int, ...]]:
    """Indices of numbers in one of the roles that follow each other with at most MAX_FILLERS between."""
    found: list[list[int]] = []
    numbers = tokens.numbers if isinstance(tokens, Tokens) else range(len(tokens))
    for at in numbers:
        if tokens[at].role not in roles:
            continue
        last = found[-1][-1] if found else -MAX_FILLERS - 2
        if at - last - 1 <= MAX_FILLERS and all(t.role is Role.FILLER for t in tokens[last + 1 : at]):
            found[-1].append(at)
        else:
            found.append([at])
    return [tuple(run) for run in found]
