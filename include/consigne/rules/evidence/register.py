"""The register against its published checkpoints: every leaf computed anew, every root compared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import islice
from typing import NamedTuple

from consigne.rules.evidence.errors import EvidenceError
from consigne.rules.evidence.merkle import Frontier
from consigne.rules.evidence.proofs import open_checkpoint
from consigne.rules.evidence.report import Finding, Report, explain
from consigne.rules.evidence.signature import Checkpoint

_BATCH = 4096


class SealedRow(NamedTuple):
    """A sealed entry as the catalog has it; `salt` and `payload` are None where they were purged."""

    number: int
    leaf: bytes
    salt: bytes | None
    payload: bytes | None


def verify_register(
    rows: Iterable[SealedRow], checkpoints: Sequence[tuple[str, bytes]], keys: Mapping[str, bytes]
) -> Report:
    """Rows in the order of their numbers, from 0; checkpoints as (name, note). Reads the rows once.

    A changed payload names its entry; a changed leaf or a changed order names the first checkpoint that
    it contradicts; a dropped tail names the checkpoint that knew it.
    """
    findings: list[Finding] = []
    published = _open_all(checkpoints, keys, findings)
    frontier, last_good = Frontier(), 0
    reading = _Reading(iter(rows), findings)
    for name, checkpoint in published:
        frontier = reading.advance(frontier, checkpoint.size)
        if frontier.size < checkpoint.size:
            findings.append(Finding.failed(name, _tell_missing(checkpoint, frontier.size)))
            return Report(tuple(findings))
        if frontier.root() == checkpoint.root:
            last_good = checkpoint.size
            findings.append(
                Finding.ok(name, f"The register's first {checkpoint.size} entries are as published.")
            )
        else:
            findings.append(Finding.failed(name, _tell_changed(checkpoint, last_good)))
    newer = reading.advance(frontier, None).size - frontier.size
    if newer:
        sentence = f"{newer} newer entries are not yet held by a published checkpoint."
        findings.append(Finding.not_proven("", sentence))
    if reading.purged:
        sentence = f"What {reading.purged} entries said was purged: of them the tree holds the leaf alone."
        findings.append(Finding.not_proven("", sentence))
    return Report(tuple(findings))


def _open_all(
    notes: Sequence[tuple[str, bytes]], keys: Mapping[str, bytes], findings: list[Finding]
) -> list[tuple[str, Checkpoint]]:
    opened = []
    for name, note in notes:
        try:
            opened.append((name, open_checkpoint(note, keys)))
        except EvidenceError as error:
            findings.append(Finding.failed(name, f"This checkpoint does not verify: {explain(error)}."))
    if not notes:
        findings.append(
            Finding.not_proven("", "Nothing was published yet that the register could be held to.")
        )
    if len({checkpoint.origin for _, checkpoint in opened}) > 1:
        findings.append(Finding.failed("", "The checkpoints are of different registers."))
    return sorted(opened, key=lambda named: named[1].size)


class _Reading:
    """The rows as they are read, once; what is wrong with one is told on the way."""

    def __init__(self, rows: Iterator[SealedRow], findings: list[Finding]) -> None:
        self.rows, self.findings, self.purged = rows, findings, 0

    def advance(self, frontier: Frontier, size: int | None) -> Frontier:
        """The frontier at this size, or where the rows end."""
        number = frontier.size
        left = islice(self.rows, None if size is None else size - number)
        while batch := list(islice(left, _BATCH)):
            for found, leaf, salt, payload in batch:
                if found != number:
                    self._blame(number, "is not where it was sealed")
                if payload is None and salt is None:
                    self.purged += 1
                elif sha256((salt or b"") + (payload or b"")).digest() != leaf:
                    self._blame(number, "is not what was sealed")
                number += 1
            frontier = frontier.extend([sha256(b"\x00" + row[1]).digest() for row in batch])
        return frontier

    def _blame(self, number: int, what: str) -> None:
        self.findings.append(Finding.failed("", f"Entry {number} of the register {what}."))


def _tell_missing(checkpoint: Checkpoint, size: int) -> str:
    return (
        f"The checkpoint was signed over {checkpoint.size} entries and the register holds {size}: "
        f"entries {size} to {checkpoint.size - 1} are missing."
    )


def _tell_changed(checkpoint: Checkpoint, last_good: int) -> str:
    return (
        f"The register contradicts this checkpoint: among entries {last_good} to {checkpoint.size - 1} "
        "one was changed, moved, dropped or put in."
    )
