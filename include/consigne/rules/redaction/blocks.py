"""Text as tokens, block by block: folded first (NFKD, case, accents, digits of every script), so that detectors meet
only ASCII digits and plain lower-case letters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from consigne.rules.redaction.number_words import WORDS, ways

BLOCK_WORDS = 32

# Set between words and blocks, and in a placeholder's place; white space and signs to what splits and reads.
_WORD, _BLOCK, _MASK = "\x1f", "\x1e", "\x02"
_OURS = re.compile(f"[{_WORD}{_BLOCK}{_MASK}]")
_MASKED = re.compile(rf"(?:(?<=[{_WORD}{_BLOCK}])|^)\[[a-z]+\](?=[{_WORD}{_BLOCK}]|$)")
_TOKEN = re.compile(rf"[0-9]+|[^\W\d_]+|{_MASK}")
_KEPT = frozenset("0123456789abcdefghijklmnopqrstuvwxyz" + _MASK)
_PARTS = {code: code if chr(code) in _KEPT else " " for code in range(128)}
_CLASSES = {code: "0" if chr(code).isdigit() else "a" if chr(code).isalpha() else " " for code in range(128)}
_MARKS = re.compile("[\u0300-\u036f]+")
_FOREIGN = re.compile("[^\x00-\x7f]")
_PLAIN = {"œ": "oe", "æ": "ae", "ß": "ss", "’": "'", "‐": "-", "‑": "-", "–": "-", "—": "-", "−": "-"}
_HYPHENATED = re.compile(r"[a-z]+(?:-[a-z]+)+")


def fold(text: str) -> str:
    """Lower case, no accents, compatibility forms resolved, every script's decimal digits as 0 to 9, the
    usual dashes and apostrophes as ASCII has them."""
    if text.isascii():
        return text.lower()
    plain = _MARKS.sub("", unicodedata.normalize("NFKD", text).lower())
    return plain if plain.isascii() else _FOREIGN.sub(_fold_one, plain)


def _fold_one(found: re.Match[str]) -> str:
    char = found[0]
    if char.isdecimal():
        return str(unicodedata.decimal(char))
    return "" if unicodedata.combining(char) else _PLAIN.get(char, char)


class Block:
    """Words of one speaker that follow each other. `word` and `token` are the places of its first in the
    whole; `size` counts its words; `is_turn` where another spoke before."""

    __slots__ = ("_layout", "_solid", "is_turn", "numbers", "size", "text", "texts", "token", "word")

    def __init__(self, text: str, word: int, size: int, token: int, is_turn: bool) -> None:
        self.text, self.word, self.size, self.token, self.is_turn = text, word, size, token, is_turn
        self.texts = _split(text)
        self.numbers = [n for n, t in enumerate(self.texts) if "/" < t < ":" or t in WORDS]
        self._layout: tuple[list[int], list[str]] | None = None
        self._solid: frozenset[int] | None = None

    def layout(self) -> tuple[list[int], list[str]]:
        """For each token its word (counted from the block's first), and what joins it to the one before in
        that word."""
        if self._layout is None:
            places, joints, word, end = list[int](), list[str](), 0, 0
            for found in _TOKEN.finditer(self.text):
                between = self.text[end : found.start()]
                word += between.count(_WORD)
                places.append(word)
                joints.append("" if not end or _WORD in between else between)
                end = found.end()
            self._layout = places, joints
        return self._layout

    def solid(self) -> frozenset[int]:
        """Tokens before which no number begins or ends, since hyphens join them into one number."""
        if self._solid is None:
            self._solid = frozenset(self._joined()) if "-" in self.text else frozenset()
        return self._solid

    def _joined(self) -> Iterator[int]:
        first = end = 0
        for found in _HYPHENATED.finditer(self.text):
            parts = found[0].split("-")
            first += len(_TOKEN.findall(self.text, end, found.start()))
            if parts[0] in WORDS and any(said.tokens == len(parts) for said in ways(parts, 0)):
                yield from range(first + 1, first + len(parts))
            first, end = first + len(parts), found.end()


def _split(text: str) -> list[str]:
    if text.isascii():
        classes = text.translate(_CLASSES)
        if "a0" not in classes and "0a" not in classes:
            texts = text.translate(_PARTS).split()
            return [t if t != _MASK else "" for t in texts] if _MASK in text else texts
    return [found if found != _MASK else "" for found in _TOKEN.findall(text)]


def blocks_of(said: Sequence[tuple[Sequence[str], bool]]) -> list[Block]:
    """Words that are said block by block, each with whether another spoke before; a mask's placeholder is a
    word without meaning."""
    blocks = [block for block, _ in said]
    joined = _BLOCK.join([_WORD.join(block) for block in blocks])
    if joined.count(_WORD) + joined.count(_BLOCK) + 1 > sum(map(len, blocks)) or _MASK in joined:
        clean = [[_OURS.sub(" ", text) for text in block] for block in blocks]
        joined = _BLOCK.join([_WORD.join(block) for block in clean])
    if "[" in joined:
        joined = _MASKED.sub(_MASK, joined)
    found: list[Block] = []
    word = token = 0
    for text, (block, is_turn) in zip(fold(joined).split(_BLOCK), said, strict=False):
        found.append(Block(text, word, len(block), token, is_turn))
        word, token = word + len(block), token + len(found[-1].texts)
    return found
