"""The register export: entries as they were sealed, whatever was looked for, with the newest checkpoint.

{"checkpoint": note or null, "entries": [{"leaf", "number", "payload", "salt"}, …], "format": …}: one line of canonical
JSON and one newline. `payload` and `salt` are null where they were purged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from consigne.rules.evidence.canonical import Json, decode, encode
from consigne.rules.evidence.certificate import has_shape, is_count, is_digest
from consigne.rules.evidence.entry import leaf
from consigne.rules.evidence.errors import Malformed, Unproven
from consigne.rules.evidence.merkle import hash_leaf, root
from consigne.rules.evidence.proofs import open_checkpoint
from consigne.rules.evidence.signature import Checkpoint

FORMAT = "consigne-register-entries/1"


@dataclass(frozen=True, slots=True)
class Exported:
    """An opened export: leaves by number; the numbers of those whose salt and payload do not give their leaf, and of
    those that were purged."""

    checkpoint: Checkpoint | None
    leaves: Mapping[int, bytes]
    wrong: Sequence[int]
    purged: Sequence[int]

    @property
    def is_whole(self) -> bool:
        """Whether it holds each entry under its checkpoint."""
        return self.checkpoint is not None and len(self.leaves) == self.checkpoint.size


def write_export(note: bytes | None, entries: Sequence[Mapping[str, Any]]) -> bytes:
    """The file; of each entry its number, leaf (hex), salt (hex or None) and payload (text or None) are taken."""
    lines = [{name: one[name] for name in ("number", "leaf", "salt", "payload")} for one in entries]
    return encode({"format": FORMAT, "checkpoint": note and note.decode(), "entries": lines}) + b"\n"


def open_export(data: bytes, keys: Mapping[str, bytes]) -> Exported:
    """What an export holds. Malformed; Unproven those of the note, and `not_included` where it holds the whole
    register and the tree over it is not the one that was signed."""
    if not data.endswith(b"\n"):
        raise Malformed("no_newline")
    parts = decode(data[:-1])
    if not isinstance(parts, dict) or not _FILE(parts):
        raise Malformed("not_an_export")
    lines: list[Any] = parts["entries"]  # type: ignore[assignment]
    note = parts["checkpoint"]
    checkpoint = open_checkpoint(str(note).encode(), keys) if note is not None else None
    found = {line["number"]: bytes.fromhex(line["leaf"]) for line in lines}
    size = checkpoint.size if checkpoint else 0
    if len(found) != len(lines) or any(number >= size for number in found):
        raise Malformed("bad_field", "number")
    wrong = [line["number"] for line in lines if not _is_right(line)]
    purged = [line["number"] for line in lines if line["salt"] is None]
    exported = Exported(checkpoint, found, sorted(wrong), sorted(purged))
    if checkpoint and exported.is_whole and _root(found) != checkpoint.root:
        raise Unproven("not_included")
    return exported


def _root(leaves: Mapping[int, bytes]) -> bytes:
    return root([hash_leaf(leaves[number]) for number in sorted(leaves)])


def _is_right(line: Mapping[str, Any]) -> bool:
    salt, payload = line["salt"], line["payload"]
    return salt is None or leaf(bytes.fromhex(salt), payload.encode()).hex() == line["leaf"]


def _is_line(line: Json) -> bool:
    """Salt and payload are there together, or purged together."""
    return _LINE(line) and isinstance(line, dict) and (line["salt"] is None) == (line["payload"] is None)


def _is_entries(value: Json) -> bool:
    return isinstance(value, list) and all(map(_is_line, value))


def _is_text(value: Json) -> bool:
    return value is None or isinstance(value, str)


_LINE = has_shape({
    "number": is_count,
    "leaf": is_digest,
    "salt": lambda value: value is None or is_digest(value),
    "payload": _is_text,
})  # fmt: skip
_FILE = has_shape({
    "format": lambda value: value == FORMAT,
    "checkpoint": _is_text,
    "entries": _is_entries,
})  # fmt: skip
