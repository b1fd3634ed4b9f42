"""Looks for planted values in every byte of what a run wrote, in the forms in which they could leak.

Nothing is decompressed or decrypted: a value inside a compressed block would not be seen. A hit names the
kind of value, the form and the file, never the value.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from consigne.doors.samples.conversation import grouped
from consigne.doors.samples.values import Planted

BLOCK_BYTES = 8 << 20
# Compared are only places whose eight bytes fall into the same one of 2^22 slots as some needle's last eight:
# forms share beginnings, rarely ends.
_GRAM_BYTES = 8
_SLOT_BITS = 22
_MIX = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Needle:
    """What a found form stands for."""

    kind: str
    form: str


@dataclass(frozen=True, slots=True)
class Hit:
    """One sort of value in one file (or in the file's name)."""

    kind: str
    form: str
    file: str


@dataclass(frozen=True, slots=True)
class Swept:
    """Hits, and how much was read: a sweep over nothing shows nothing."""

    hits: frozenset[Hit]
    files: int
    bytes: int


def needles(planted: Planted) -> dict[bytes, Needle]:
    """Every form of every planted value: plain, spaced, dashed, grouped, Base64 (all three alignments),
    UTF-16 (both orders) and hexadecimal."""
    found: dict[bytes, Needle] = {}
    for kind, text, form in _texts(planted):
        for name, data in encoded(text):
            if len(data) < _GRAM_BYTES:
                raise ValueError(f"too short to look for: {kind}, {form}, {name}")
            found.setdefault(data, Needle(kind, f"{form}, {name}" if name else form))
    return found


def _texts(planted: Planted) -> Iterator[tuple[str, str, str]]:
    for card in planted.cards:
        yield "card", card, "plain"
        yield from (
            ("card", mark.join(card), f"each digit, {name}")
            for mark, name in ((" ", "spaced"), ("-", "dashed"))
        )
        yield from (
            ("card", mark.join(grouped(card)), f"grouped, {name}")
            for mark, name in ((" ", "spaced"), ("-", "dashed"))
        )
        # A mask that begins one group late leaves this.
        yield from (
            ("card", mark.join(grouped(card)[1:]), f"rest, {name}")
            for mark, name in ((" ", "spaced"), ("-", "dashed"), ("", "plain"))
        )
    for context, code in planted.codes:
        yield "code", f"{context} {code}", "in context"
        yield from (("code", f'"text":{space}"{code}"', "as a word") for space in ("", " "))
    for caller in planted.callers:
        national = "0" + caller.removeprefix("+33")
        pairs = [national[at : at + 2] for at in range(0, 10, 2)]
        yield from (("caller", number, "plain") for number in (caller.removeprefix("+"), national))
        yield from (
            ("caller", mark.join(pairs), f"grouped, {name}")
            for mark, name in ((" ", "spaced"), ("-", "dashed"), (".", "dotted"))
        )
        yield "caller", f"{caller[:4]} " + " ".join(pairs[1:]), "international, spaced"
    for word in planted.words:
        yield from (("word", text, "plain") for text in (word, word.upper(), word.title()))
        yield from (("word", mark.join(word), name) for mark, name in ((" ", "spaced"), ("-", "dashed")))


def encoded(text: str) -> Iterator[tuple[str, bytes]]:
    """A text in every encoding in which it may lie, each with its name."""
    data = text.encode()
    yield "", data
    yield "UTF-16 LE", text.encode("utf-16-le")
    yield "UTF-16 BE", text.encode("utf-16-be")
    yield "hex", data.hex().encode()
    yield "HEX", data.hex().upper().encode()
    for before in range(3):
        # Only characters whose six bits lie wholly in the text: its neighbours are unknown.
        whole = base64.b64encode(bytes(before) + data)
        first, last = (before * 8 + 5) // 6, (before + len(data)) * 8 // 6
        yield f"Base64 at {before}", whole[first:last]
        yield f"Base64 for URLs at {before}", whole[first:last].translate(bytes.maketrans(b"+/", b"-_"))


class Finder:
    """Finds many byte strings at once in a block."""

    def __init__(self, wanted: Mapping[bytes, Needle]) -> None:
        self.longest = max(map(len, wanted))
        self._slots = np.zeros(1 << _SLOT_BITS, dtype=np.bool_)
        self._by_gram: dict[bytes, list[tuple[bytes, Needle]]] = {}
        for data, needle in wanted.items():
            self._by_gram.setdefault(data[-_GRAM_BYTES:], []).append((data, needle))
        grams = np.frombuffer(b"".join(self._by_gram), dtype="<u8")
        self._slots[self._slot(grams)] = True

    def find(self, block: bytes) -> set[Needle]:
        """The needles that lie wholly in the block."""
        found = set()
        for end in self._candidates(block):
            for data, needle in self._by_gram.get(block[end - _GRAM_BYTES : end], ()):
                at = end - len(data)
                if at >= 0 and block[at:end] == data and not _inside_a_number(block, at, data):
                    found.add(needle)
        return found

    @staticmethod
    def _slot(grams: NDArray[np.uint64]) -> NDArray[np.uint64]:
        return (grams * _MIX) >> np.uint64(64 - _SLOT_BITS)

    def _candidates(self, block: bytes) -> Iterator[int]:
        for shift in range(min(_GRAM_BYTES, len(block) - _GRAM_BYTES + 1)):
            count = (len(block) - shift) // _GRAM_BYTES
            grams = np.frombuffer(block, dtype="<u8", count=count, offset=shift)
            for place in np.flatnonzero(self._slots[self._slot(grams)]).tolist():
                yield place * _GRAM_BYTES + shift + _GRAM_BYTES


def _inside_a_number(block: bytes, at: int, data: bytes) -> bool:
    # Ten digits of a caller's number occur by chance within long counters; a leaked number stands alone.
    if len(data) > 11 or not data.isdigit():
        return False
    around = block[max(at - 1, 0) : at] + block[at + len(data) : at + len(data) + 1]
    return any(48 <= byte <= 57 for byte in around)


def sweep(paths: Iterable[Path], wanted: Mapping[bytes, Needle], exclude: Iterable[Path] = ()) -> Swept:
    """Read every regular file under the paths, and every name; links are not followed. A file that goes away
    meanwhile is passed over, one that may not be read is a fault."""
    finder, left_out = Finder(wanted), {path.resolve() for path in exclude}
    hits: set[Hit] = set()
    files = total = 0
    for file in _files(paths, left_out):
        hits |= {
            Hit(each.kind, f"{each.form}, in a name", file.parent.name)
            for each in finder.find(os.fsencode(file))
        }
        try:
            found, length = _in_file(finder, file)
        except FileNotFoundError:
            continue
        hits |= {Hit(each.kind, each.form, str(file)) for each in found}
        files, total = files + 1, total + length
    return Swept(frozenset(hits), files, total)


def _files(paths: Iterable[Path], left_out: set[Path]) -> Iterator[Path]:
    for path in paths:
        for folder, folders, names in os.walk(path.resolve(), onerror=_raise_unless_gone):
            folders[:] = [name for name in folders if Path(folder, name) not in left_out]
            for name in names:
                file = Path(folder, name)
                if file not in left_out and file.is_file() and not file.is_symlink():
                    yield file


def _raise_unless_gone(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def _in_file(finder: Finder, file: Path) -> tuple[set[Needle], int]:
    found: set[Needle] = set()
    length, kept = 0, b""
    with file.open("rb", buffering=0) as stream:
        while block := stream.read(BLOCK_BYTES):
            length += len(block)
            found |= finder.find(kept + block)
            kept = (kept + block)[-finder.longest :]
    return found, length
