"""Certificates, checkpoints and proofs checked together, offline: what is proven, and what is not."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from consigne.rules.evidence import sentences
from consigne.rules.evidence.certificate import Certificate, open_certificate
from consigne.rules.evidence.errors import EvidenceError
from consigne.rules.evidence.files import Key, Named, Sorted, choose_keys, sort_files
from consigne.rules.evidence.join import find_epochs, raise_proof, tie_checkpoints
from consigne.rules.evidence.proofs import (
    Registered,
    open_checkpoint,
    open_consistency_proof,
    open_register_proof,
)
from consigne.rules.evidence.report import Finding, Report
from consigne.rules.evidence.restoration import base_of
from consigne.rules.evidence.signature import read_public_keys

T = TypeVar("T")

LARGEST_FILE_BYTES = 64 * 2**20

_USAGE = """consigne-verify [--key PUBLIC_KEY_FILE] [--json] FILE…

FILE: certificates, checkpoints, register proofs, consistency proofs, public keys, or a folder of them.
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
) -> Report:
    """Check files (name, content) under pinned keys (name → 32 bytes), or the keys found among the files.

    Every file must be something known and hold. Neighbours lie beside the files: what holds of them is
    used (keys, epochs' certificates, checkpoints, proofs), what does not is told and left out. `unread` are
    files over LARGEST_FILE_BYTES: each fails.
    """
    findings = [Finding.failed(name, sentences.TOO_LARGE) for name in unread]
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
    trees = [opened.value for opened in checkpoints]
    trees += [opened.value.checkpoint for opened in proofs]
    trees += [tree for opened in links for tree in (opened.value.older, opened.value.newer)]
    findings += [sentences.tell_checkpoint(tree.file, tree.value) for tree in checkpoints if tree.asked]
    findings += tie_checkpoints(trees, [opened.value for opened in links])
    facts = _join(certificates, [opened.value for opened in proofs], findings)
    findings += sentences.tell_limits(facts)
    findings += map(sentences.tell_key, keys.values())
    shown = [
        {"name": key.name, "fingerprint": key.fingerprint, "pinned": not key.file, "file": key.file}
        for key in keys.values()
    ]
    return Report(tuple(findings), tuple(facts), tuple(shown))


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
    certificates: list[Opened[Certificate]], proofs: list[Registered], findings: list[Finding]
) -> list[dict[str, Any]]:
    """The facts of each certificate that was asked for, with what the others add to it."""
    epochs = find_epochs(opened.value for opened in certificates)
    entries = {(base_of(proof.checkpoint.origin), proof.leaf.hex()): proof for proof in proofs}
    facts = []
    for opened in certificates:
        if opened.asked:
            proven = raise_proof(opened.value, epochs)
            entry = entries.get((opened.value.origin, opened.value.body["entry"]))
            findings += sentences.tell_certificate(opened.file, opened.value, proven, entry)
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
            pinned |= read_public_keys(_read(Path(path)) or b"")
        files, neighbours, unread = read_files(asked.files)
    except EvidenceError:
        print("consigne-verify: not a public key file", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"consigne-verify: {sentences.show(str(error.filename))}: {error.strerror}", file=sys.stderr)
        return 2
    report = verify(files, pinned, neighbours, unread)
    print(json.dumps(report.to_json(), indent=1) if asked.json else sentences.write(report))
    return 0 if report.verified else 5


def read_files(paths: Iterable[str]) -> tuple[list[Named], list[Named], list[str]]:
    """The files named and those of named folders (hidden ones aside); the neighbours of named files; the names
    of those that are too large to read. OSError where a named one cannot be read."""
    named: dict[Path, bytes | None] = {}
    folders: dict[Path, None] = {}
    for path in map(Path, paths):
        found = sorted(_list_folder(path.rglob("*"))) if path.is_dir() else [path]
        named.update((file, _read(file)) for file in found)
        if not path.is_dir():
            folders[path.parent] = None
    seen = {path.resolve() for path in named}
    beside = [
        (str(path), data)
        for folder in folders
        for path in sorted(_list_folder(folder.iterdir()))
        if path.resolve() not in seen and (data := _read_neighbour(path)) is not None
    ]
    read = [(str(path), data) for path, data in named.items() if data is not None]
    return read, beside, [str(path) for path, data in named.items() if data is None]


def _list_folder(paths: Iterable[Path]) -> list[Path]:
    # the verifier itself may lie among what it verifies
    return [
        path for path in paths if path.is_file() and not path.name.startswith(".") and path.suffix != ".pyz"
    ]


def _read(path: Path) -> bytes | None:
    with path.open("rb") as file:
        data = file.read(LARGEST_FILE_BYTES + 1)  # a device tells no size
    return data if len(data) <= LARGEST_FILE_BYTES else None


def _read_neighbour(path: Path) -> bytes | None:
    try:
        return _read(path)
    except OSError:
        return None
