"""Certificates, checkpoints and proofs checked together, offline: what is proven, and what is not."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Generic, TypeVar

from consigne.rules.evidence import sentences
from consigne.rules.evidence.certificate import Certificate, open_certificate
from consigne.rules.evidence.errors import EvidenceError
from consigne.rules.evidence.export import open_export
from consigne.rules.evidence.files import Key, Named, Sorted, choose_keys, sort_files
from consigne.rules.evidence.join import compare_epochs, find_epochs, is_lost, raise_proof, tie_checkpoints
from consigne.rules.evidence.proofs import (
    Registered,
    open_checkpoint,
    open_consistency_proof,
    open_register_proof,
)
from consigne.rules.evidence.reading import read_file, read_files
from consigne.rules.evidence.report import Finding, Report
from consigne.rules.evidence.restoration import Continued, Declared, Restored, base_of, open_restoration
from consigne.rules.evidence.signature import read_public_keys
from consigne.rules.evidence.tombstone import open_tombstones

T = TypeVar("T")

_DIGEST = re.compile(r"Z-([0-9a-f]{32})$")
_USAGE = """consigne-verify [--key PUBLIC_KEY_FILE] [--json] FILE…

FILE: certificates, checkpoints, register proofs, consistency proofs, restoration notes, tombstones, register
exports, an outside witness's file, public keys, or a folder of them.
Without --key the key is taken from the files, or from beside them, and the report says that nobody pinned it.
Exit codes: 0 verified, 5 does not verify, 2 usage or unreadable file."""


@dataclass(frozen=True, slots=True)
class Opened(Generic[T]):
    """What a file holds, verified by itself; `asked` unless it only lies beside the files named."""

    file: str
    value: T
    asked: bool


def verify(
    files: Sequence[Named],
    pinned: Mapping[str, bytes] | None = None,
    neighbours: Sequence[Named] = (),
    unread: Sequence[str] = (),
    sheets: Sequence[str] = (),
) -> Report:
    """Check files (name, content) under pinned keys (name → 32 bytes), or the keys found among the files.

    Every file must be something known and hold. Neighbours lie beside the files: what holds of them is
    used (keys, epochs' certificates, checkpoints, proofs, restoration notes), what does not is told and left out.
    `unread` are files over LARGEST_FILE_BYTES: each fails; `sheets` prove nothing, which is told.
    """
    findings = [Finding.failed(name, sentences.TOO_LARGE) for name in unread]
    findings += [Finding.not_proven(name, sentences.SHEET) for name in sheets]
    named, around = sort_files(files), sort_files(neighbours)
    findings.extend(Finding.failed(name, sentences.UNKNOWN_FILE) for name in named.unknown)
    keys = choose_keys(pinned or {}, named, around, findings)
    if named.is_empty:
        findings.append(Finding.failed("", sentences.NOTHING))
    elif not keys:
        findings.append(Finding.failed("", sentences.NO_KEY))
    else:
        return _verify_sorted(named, around, keys, findings)
    return Report(tuple(findings))


def _verify_sorted(named: Sorted, around: Sorted, keys: Mapping[str, Key], findings: list[Finding]) -> Report:
    known = {name: key.public_key for name, key in keys.items()}
    epochs = [file for file in around.certificates if b'"scope":"epoch"' in file[1]]
    certificates = _open_each(open_certificate, named.certificates, epochs, known, findings)
    checkpoints = _open_each(open_checkpoint, named.checkpoints, around.checkpoints, known, findings)
    proofs = _open_each(open_register_proof, named.register_proofs, around.register_proofs, known, findings)
    links = _open_each(
        open_consistency_proof, named.consistency_proofs, around.consistency_proofs, known, findings
    )
    notes = _open_each(open_restoration, named.restorations, around.restorations, known, findings)
    exports = _open_each(open_export, named.exports, (), known, findings)
    buried = _open_each(open_tombstones, named.tombstones, (), known, findings)
    trees = [opened.value for opened in checkpoints]
    trees += [opened.value.checkpoint for opened in proofs]
    trees += [tree for opened in links for tree in (opened.value.older, opened.value.newer)]
    trees += [opened.value.checkpoint for opened in exports if opened.value.checkpoint]
    findings += [sentences.tell_checkpoint(tree.file, tree.value) for tree in checkpoints if tree.asked]
    findings += _tell_notes(notes)
    continued = [
        one.value.register for one in notes if isinstance(one.value, Restored) and one.value.register
    ]
    findings += tie_checkpoints(trees, [opened.value for opened in links], continued)
    facts = _join(certificates, [opened.value for opened in proofs], continued, findings)
    findings += [
        Finding.failed(name, sentences.MISNAMED)
        for name, data in named.tombstones
        if _is_misnamed(name, data)
    ]
    certified = {opened.value.body.get("artifact", "") for opened in certificates}
    for each in buried:
        findings += sentences.tell_tombstones(each.file, each.value, certified)
    for export in exports:
        findings += sentences.tell_export(export.file, export.value, [opened.value for opened in proofs])
    findings += sentences.tell_limits(facts)
    findings += map(sentences.tell_key, keys.values())
    shown = [
        {"name": key.name, "fingerprint": key.fingerprint, "pinned": not key.file, "file": key.file}
        for key in keys.values()
    ]
    return Report(tuple(findings), tuple(facts), tuple(shown))


def _is_misnamed(name: str, data: bytes) -> bool:
    """Whether the name that the evidence bucket gave it holds another digest."""
    digest = _DIGEST.search(name)
    return digest is not None and sha256(data).hexdigest()[:32] != digest[1]


def _tell_notes(notes: Sequence[Opened[Restored | Declared]]) -> list[Finding]:
    """Once each, though it lies there twice."""
    said = [opened.value for opened in notes]
    first = [opened for at, opened in enumerate(notes) if opened.value not in said[:at]]
    return [one for opened in first for one in sentences.tell_restoration(opened.file, opened.value, said)]


def _open_each(
    read: Callable[[bytes, Mapping[str, bytes]], T],
    named: Iterable[Named],
    around: Iterable[Named],
    keys: Mapping[str, bytes],
    findings: list[Finding],
) -> list[Opened[T]]:
    opened = []
    for asked, files in ((True, named), (False, around)):
        for name, data in files:
            try:
                opened.append(Opened(name, read(data, keys), asked))
            except EvidenceError as error:
                findings.append(sentences.tell_broken(name, error, asked=asked))
    return opened


def _join(
    certificates: list[Opened[Certificate]],
    proofs: list[Registered],
    continued: list[Continued],
    findings: list[Finding],
) -> list[dict[str, Any]]:
    """The facts of each certificate that was asked for, with what the others add to it."""
    epochs = find_epochs(opened.value for opened in certificates)
    findings += compare_epochs(epochs)
    entries = {(base_of(proof.checkpoint.origin), proof.leaf.hex()): proof for proof in proofs}
    facts = []
    for opened in certificates:
        if opened.asked:
            proven = raise_proof(opened.value, epochs)
            entry = entries.get((opened.value.origin, opened.value.body["entry"]))
            lost = entry is not None and is_lost(entry, continued)
            findings += sentences.tell_certificate(opened.file, opened.value, proven, entry, is_lost=lost)
            facts.append({"file": opened.file, **sentences.list_facts(opened.value, proven, entry)})
    return facts


def main(argv: Sequence[str]) -> int:
    """`consigne-verify`: exit code 0 verified, 5 does not verify, 2 usage or an unreadable file."""
    parser = argparse.ArgumentParser("consigne-verify", usage=_USAGE)
    parser.add_argument("--key", action="append", default=[])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("files", nargs="+", metavar="FILE")
    try:
        asked = parser.parse_args(argv)
    except SystemExit as stop:
        return int(stop.code or 0)
    try:
        pinned: dict[str, bytes] = {}
        for path in asked.key:
            pinned |= read_public_keys(read_file(Path(path)) or b"")
        read = read_files(asked.files)
    except EvidenceError:
        print("consigne-verify: not a public key file", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"consigne-verify: {sentences.show(str(error.filename))}: {error.strerror}", file=sys.stderr)
        return 2
    report = verify(read.named, pinned, read.neighbours, read.unread, read.sheets)
    _print(json.dumps(report.to_json(), indent=1) if asked.json else sentences.write(report))
    return 0 if report.verified else 5


def _print(text: str) -> None:
    """The exit code is the answer too, and stays, where nobody reads to the end."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
