"""Which file is what, told from its content, and which keys are believed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from consigne.rules.evidence.errors import EvidenceError
from consigne.rules.evidence.report import Finding
from consigne.rules.evidence.signature import fingerprint, read_public_keys
from consigne.rules.evidence.tombstone import NOTE

Named = tuple[str, bytes]

_TOLD = b"\n.\n"
"""After each note in an outside witness's file."""


@dataclass(frozen=True, slots=True)
class Sorted:
    """Files by what they claim to be (name, content); nothing in them is verified yet.
    A file of several certificates gives one for each line; a witness's file, one checkpoint for each note."""

    certificates: list[Named] = field(default_factory=list)
    checkpoints: list[Named] = field(default_factory=list)
    register_proofs: list[Named] = field(default_factory=list)
    consistency_proofs: list[Named] = field(default_factory=list)
    restorations: list[Named] = field(default_factory=list)
    tombstones: list[Named] = field(default_factory=list)
    exports: list[Named] = field(default_factory=list)
    keys: list[tuple[str, dict[str, bytes]]] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether nothing among them could be verified."""
        return not (
            self.certificates
            or self.checkpoints
            or self.register_proofs
            or self.consistency_proofs
            or self.restorations
            or self.tombstones
            or self.exports
        )


@dataclass(frozen=True, slots=True)
class Key:
    """A public key that is believed; `file` is where it was found, empty where the caller pinned it."""

    name: str
    public_key: bytes
    file: str

    @property
    def fingerprint(self) -> str:
        """64 hex digits, to be compared by a person."""
        return fingerprint(self.name, self.public_key)


def sort_files(files: Iterable[Named]) -> Sorted:
    """Canonical JSON has its keys in order, so its first bytes say what a file claims to be."""
    found = Sorted()
    for name, data in files:
        if data.startswith(b'{"body":'):
            found.certificates.extend((name, part) for part in _split(data))
        elif data.startswith(b'{"checkpoint":'):
            rows = found.exports if b',"entries":[' in data else found.register_proofs
            rows.append((name, data))
        elif data.startswith(b'{"format":'):
            found.consistency_proofs.append((name, data))
        elif data.startswith(b"["):
            found.tombstones.append((name, data))
        elif NOTE in data and data.startswith(b'{"at":'):
            found.restorations.append((name, data))
        elif NOTE in data and data.endswith(_TOLD):
            notes = data.removesuffix(_TOLD).split(_TOLD)
            found.checkpoints.extend((name, note + b"\n") for note in notes)
        elif NOTE in data:
            found.checkpoints.append((name, data))
        else:
            _sort_keys(found, name, data)
    return found


def _split(data: bytes) -> list[bytes]:
    """A chunk's certificates, one a line. The same one twice was never issued: left whole, it fails."""
    lines = data.splitlines(keepends=True)
    return lines if len(set(lines)) == len(lines) else [data]


def choose_keys(
    pinned: Mapping[str, bytes], named: Sorted, around: Sorted, findings: list[Finding]
) -> dict[str, Key]:
    """Pinned keys alone where there are any; else those among the files; else those beside them."""
    if pinned:
        for name, keys in named.keys:
            if any(pinned.get(key_name) != key for key_name, key in keys.items()):
                findings.append(Finding.not_proven(name, "This key is not pinned, and was not used."))
        return {name: Key(name, key, "") for name, key in pinned.items()}
    chosen: dict[str, Key] = {}
    for file, keys in named.keys or around.keys:
        for name, public_key in keys.items():
            known = chosen.setdefault(name, Key(name, public_key, file))
            if known.public_key != public_key:
                findings.append(Finding.failed(file, f"There are two public keys of the name {name}."))
    return chosen


def _sort_keys(found: Sorted, name: str, data: bytes) -> None:
    try:
        found.keys.append((name, read_public_keys(data)))
    except EvidenceError:
        found.unknown.append(name)
