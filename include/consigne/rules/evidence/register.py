"""The register against its published checkpoints: every leaf computed anew, every root compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import islice
from typing import NamedTuple, TypeVar

from consigne.rules.evidence.canonical import decode
from consigne.rules.evidence.errors import EvidenceError
from consigne.rules.evidence.merkle import Frontier
from consigne.rules.evidence.proofs import open_checkpoint
from consigne.rules.evidence.report import Finding, Report, explain
from consigne.rules.evidence.restoration import base_of, open_restoration, set_aside_lost
from consigne.rules.evidence.signature import Checkpoint, read_checkpoint, split_note

PURGING = "register:payload:purging"
"""The kind of the entries that announce which others lose their payload: all whose number is below `to`, which are
older than `before`."""

_PURGING = PURGING.encode()
_SHORTEST_KEPT = timedelta(days=180)  # no six months are shorter, and policies keep names for six at least
_WAITED = timedelta(days=7)  # for what could not be sealed at once
_NO_PURGE = 0, datetime.min.replace(tzinfo=UTC)
T = TypeVar("T")
_BATCH = 1024  # as much as stays near the processor until its node of the tree is made


class SealedRow(NamedTuple):
    """A sealed entry as the catalog has it; `salt` and `payload` are None where they were purged."""

    number: int
    leaf: bytes
    salt: bytes | None
    payload: bytes | None


class _Held(NamedTuple):
    """A checkpoint that the rows are held to. `note` is None where it was published; else it is one of the
    catalog's own, whose signature is looked at only where it matters."""

    name: str
    checkpoint: Checkpoint
    note: bytes | None = None


def verify_register(
    rows: Iterable[SealedRow],
    checkpoints: Sequence[tuple[str, bytes]],
    keys: Mapping[str, bytes],
    minutes: Sequence[bytes] = (),
    restorations: Sequence[tuple[str, bytes]] = (),
    taken: Sequence[tuple[int, datetime]] = (),
) -> Report:
    """Rows in the order of their numbers, from 0; published checkpoints as (name, note); `minutes` are the notes
    that the catalog itself keeps, one for each time that it sealed; `restorations` the notes (name, note) by which
    the register went on after its database came back, and their declarations; `taken` the sizes of published
    checkpoints and when the store took each: what was sealed later is no older. Reads the rows once.

    A changed payload names its entry; a changed leaf or a changed order names the entries between two signed
    checkpoints, the nearest of `minutes` where there are any; a dropped tail names the checkpoint that knew it.
    """
    findings: list[Finding] = []
    published = _open_all(checkpoints, restorations, keys, findings)
    newest = max((held.checkpoint.size for held in published), default=0)
    kept = _read_minutes(minutes, keys, newest, findings)
    reading = _Reading(iter(rows), findings)
    walk = _Walk(keys, findings)
    for held in sorted([*published, *kept], key=lambda held: (held.checkpoint.size, held.note is None)):
        walk.frontier = reading.advance(walk.frontier, held.checkpoint.size)
        if walk.frontier.size < held.checkpoint.size:
            findings.append(Finding.failed(held.name, _tell_missing(held.checkpoint, walk.frontier.size)))
            break
        walk.compare(held)
    else:
        before = walk.frontier.size
        _tell_rest(reading.advance(walk.frontier, None).size, before, newest, bool(minutes), findings)
    reading.tell_purged(taken)
    return Report(tuple(findings))


def _open_all(
    notes: Sequence[tuple[str, bytes]],
    restorations: Sequence[tuple[str, bytes]],
    keys: Mapping[str, bytes],
    findings: list[Finding],
) -> list[_Held]:
    read = _open_each(open_checkpoint, "checkpoint", notes, keys, findings)
    restored = _open_each(open_restoration, "restoration note", restorations, keys, findings)
    held, told = set_aside_lost(read, restored)
    findings.extend(told)
    opened = [_Held(name, checkpoint) for name, checkpoint in held]
    if not notes:
        findings.append(
            Finding.not_proven("", "Nothing was published yet that the register could be held to.")
        )
    _check_origins(opened, findings)
    return opened


def _open_each(
    read: Callable[[bytes, Mapping[str, bytes]], T],
    what: str,
    notes: Sequence[tuple[str, bytes]],
    keys: Mapping[str, bytes],
    findings: list[Finding],
) -> list[tuple[str, T]]:
    opened = []
    for name, note in notes:
        try:
            opened.append((name, read(note, keys)))
        except EvidenceError as error:
            findings.append(Finding.failed(name, f"This {what} does not verify: {explain(error)}."))
    return opened


def _check_origins(opened: Sequence[_Held], findings: list[Finding]) -> None:
    if len({base_of(held.checkpoint.origin) for held in opened}) > 1:
        findings.append(Finding.failed("", "The checkpoints are of different registers."))
    roots: dict[int, bytes] = {}
    for held in opened:
        size, root = held.checkpoint.size, held.checkpoint.root
        if roots.setdefault(size, root) != root:
            sentence = (
                f"Two checkpoints of {size} entries contradict each other: the register was sealed twice."
            )
            findings.append(Finding.failed(held.name, sentence))


def _read_minutes(
    notes: Sequence[bytes], keys: Mapping[str, bytes], newest: int, findings: list[Finding]
) -> list[_Held]:
    """The catalog's own; those that nothing published holds yet must be signed."""
    read = []
    for note in notes:
        try:
            checkpoint = read_checkpoint(split_note(note)[0])
            if checkpoint.size > newest:
                open_checkpoint(note, keys)
            read.append(_Held("", checkpoint, note))
        except EvidenceError as error:
            sentence = f"A checkpoint that the catalog keeps does not verify: {explain(error)}."
            findings.append(Finding.failed("", sentence))
    return read


class _Walk:
    """From checkpoint to checkpoint: how far the register was as signed, and where it left that way."""

    def __init__(self, keys: Mapping[str, bytes], findings: list[Finding]) -> None:
        self.keys, self.findings, self.frontier = keys, findings, Frontier()
        self._fits: list[_Held] = []  # of the catalog's own, since the last published one that fits
        self._good, self._bad = 0, 0  # the last published size that fits; the first that does not

    def compare(self, held: _Held) -> None:
        """The catalog's own checkpoints only say between which of them something was changed."""
        size, fits = held.checkpoint.size, self.frontier.root() == held.checkpoint.root
        if held.note is None and fits:
            self._good, self._fits = size, []
            self.findings.append(
                Finding.ok(held.name, f"The register's first {size} entries are as published.")
            )
        elif held.note is None:
            self._bad = self._bad or size
            self.findings.append(Finding.failed(held.name, self._tell(held)))
        elif fits:
            self._fits.append(held)
        elif not self._bad and not self._is_signed(held):
            sentence = f"The checkpoint of {size} entries that the catalog keeps was altered."
            self.findings.append(Finding.failed("", sentence))
        elif not self._bad:
            self._bad = size
            self.findings.append(Finding.failed("", self._tell(held)))

    def _tell(self, held: _Held) -> str:
        while self._fits and not self._is_signed(self._fits[-1]):
            self._fits.pop()
        first = self._fits[-1].checkpoint.size if self._fits else self._good
        return _tell_changed(held.checkpoint, first, self._bad - 1)

    def _is_signed(self, held: _Held) -> bool:
        try:
            open_checkpoint(held.note or b"", self.keys)
        except EvidenceError:
            return False
        return True


class _Reading:
    """The rows as they are read, once; what is wrong with one is told on the way."""

    def __init__(self, rows: Iterator[SealedRow], findings: list[Finding]) -> None:
        self.rows, self.findings = rows, findings
        self.purged, self.first_purged, self.last_purged, self.purged_to = 0, 0, -1, 0
        self.announced: list[tuple[int, datetime]] = []  # purges: below which number, before when

    def advance(self, frontier: Frontier, size: int | None) -> Frontier:
        """The frontier at this size, or where the rows end."""
        number = frontier.size
        left = islice(self.rows, None if size is None else size - number)
        while batch := list(islice(left, _BATCH)):
            self._check(batch, number)
            number += len(batch)
            frontier = frontier.extend([sha256(b"\x00" + row[1]).digest() for row in batch])
        return frontier

    def _check(self, batch: list[SealedRow], number: int) -> None:
        """What is as it should be is seen for the whole batch at once: there are many rows."""
        if [row[0] for row in batch] != list(range(number, number + len(batch))):
            for at, row in enumerate(batch, number):
                if row[0] != at:
                    self._blame(at, "is not where it was sealed")
        try:
            right = [sha256(salt + payload).digest() == leaf for _, leaf, salt, payload in batch]  # type: ignore[operator]
        except TypeError:
            right = [self._is_right(at, row) for at, row in enumerate(batch, number)]
        if not all(right):
            for at, is_right in enumerate(right, number):
                if not is_right:
                    self._blame(at, "is not what was sealed")
        if self.last_purged >= 0:
            self._note_purges(batch, right, number)

    def _is_right(self, number: int, row: SealedRow) -> bool:
        if row.salt is None and row.payload is None:
            self.first_purged = self.first_purged if self.purged else number
            self.purged, self.last_purged = self.purged + 1, number
            return True
        return sha256((row.salt or b"") + (row.payload or b"")).digest() == row.leaf

    def _note_purges(self, batch: list[SealedRow], right: list[bool], number: int) -> None:
        for at, row in enumerate(batch):
            if row.payload and right[at] and _PURGING in row.payload:
                read = _read_purge(row.payload)
                if read is None:
                    self._blame(number + at, "announces a purge of what is not over")
                    continue
                to = min(read[0], number + at)
                self.announced.append((to, read[1]))
                self.purged_to = max(self.purged_to, to)

    def tell_purged(self, taken: Sequence[tuple[int, datetime]]) -> None:
        """How many, whether an entry of the register said so beforehand, and whether their age allowed it."""
        if not self.purged:
            return
        if self.last_purged >= self.purged_to:
            first = max(self.first_purged, self.purged_to)
            where = (
                f"Entry {first}" if first == self.last_purged else f"Entries {first} to {self.last_purged}"
            )
            sentence = (
                f"{where}: what was said there is gone, and no act in the register says that it was purged."
            )
            self.findings.append(Finding.failed("", sentence))
        elif self.purged <= self.last_purged:
            sentence = f"Entry {self.last_purged} was purged before others that are older: they are purged in their order."
            self.findings.append(Finding.failed("", sentence))
        else:
            self._compare_age(taken)
        sentence = f"What {self.purged} entries said was purged: of them the tree holds the leaf alone."
        self.findings.append(Finding.not_proven("", sentence))

    def _compare_age(self, taken: Sequence[tuple[int, datetime]]) -> None:
        before = max(before for to, before in self.announced if to > self.last_purged)
        late = [size for size, at in taken if size <= self.last_purged and at > before + _WAITED]
        if late:
            sentence = (
                f"Entries {min(late)} to {self.last_purged} were purged as older than {before:%Y-%m-%d}: "
                f"the checkpoint of {min(late)} entries was published later, and they were sealed after it."
            )
            self.findings.append(Finding.failed("", sentence))

    def _blame(self, number: int, what: str) -> None:
        self.findings.append(Finding.failed("", f"Entry {number} of the register {what}."))


def _read_purge(payload: bytes) -> tuple[int, datetime] | None:
    """Up to which number it announces a purge, and of what is older than when; (0, …) where it is none, None where
    it may not be: any role may add one."""
    try:
        entry = decode(payload)
    except EvidenceError:
        return _NO_PURGE
    if not isinstance(entry, dict) or entry.get("kind") != PURGING:
        return _NO_PURGE
    to = entry.get("to")
    try:
        at, before = (
            datetime.fromisoformat(str(entry.get(name))).astimezone(UTC) for name in ("at", "before")
        )
    except (OverflowError, ValueError):
        return None
    return (to, before) if isinstance(to, int) and at - before >= _SHORTEST_KEPT else None


def _tell_rest(size: int, before: int, newest: int, has_minutes: bool, findings: list[Finding]) -> None:
    """What lies behind the last checkpoint, and behind the last that was published."""
    if size > before and has_minutes:
        sentence = f"Entries {before} to {size - 1} are numbered, and no checkpoint was signed over them."
        findings.append(Finding.failed("", sentence))
    if size > newest:
        sentence = f"{size - newest} newer entries are not yet held by a published checkpoint."
        findings.append(Finding.not_proven("", sentence))


def _tell_missing(checkpoint: Checkpoint, size: int) -> str:
    return (
        f"The checkpoint was signed over {checkpoint.size} entries and the register holds {size}: "
        f"entries {size} to {checkpoint.size - 1} are missing."
    )


def _tell_changed(checkpoint: Checkpoint, first: int, last: int) -> str:
    where = f"entry {last} was" if first == last else f"among entries {first} to {last} one was"
    return f"The register contradicts the checkpoint of {checkpoint.size} entries: {where} changed, moved, dropped or put in."
