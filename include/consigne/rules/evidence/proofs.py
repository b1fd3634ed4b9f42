"""Files that tie things to the published register: an entry to a checkpoint, an older checkpoint to a newer.

register proof     {"checkpoint": note, "format": …, "index", "leaf", "path"}
consistency proof  {"format": …, "newer": note, "older": note, "path"}
Both are one line of canonical JSON and one newline; hashes are lower-case hex.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from consigne.rules.evidence import merkle
from consigne.rules.evidence.canonical import Json, decode, encode
from consigne.rules.evidence.certificate import ROOM, has_shape, is_count, is_digest, is_path
from consigne.rules.evidence.errors import Malformed, Unproven
from consigne.rules.evidence.restoration import generation
from consigne.rules.evidence.signature import Checkpoint, open_note, read_checkpoint, split_note

REGISTER_PROOF = "consigne-register-proof/1"
CONSISTENCY_PROOF = "consigne-consistency-proof/1"


@dataclass(frozen=True, slots=True)
class Registered:
    """An entry's leaf (32 bytes), its number (0-based), and the checkpoint that holds it."""

    leaf: bytes
    index: int
    checkpoint: Checkpoint


@dataclass(frozen=True, slots=True)
class Extended:
    """Two checkpoints of one register; the older is the beginning of the newer."""

    older: Checkpoint
    newer: Checkpoint


def write_register_proofs(leaves: Sequence[bytes], indices: Sequence[int], note: bytes) -> list[bytes]:
    """A file for each of these entries; `leaves` are the entries' leaves up to the checkpoint's size."""
    hashes = [merkle.hash_leaf(leaf) for leaf in leaves[: _read_size(note)]]
    return [
        _write(
            {
                "format": REGISTER_PROOF,
                "leaf": leaves[index].hex(),
                "index": index,
                "path": [node.hex() for node in path],
                "checkpoint": note.decode(),
            }
        )
        for index, path in zip(indices, merkle.inclusion_proofs(hashes, indices), strict=True)
    ]


def write_consistency_proof(leaves: Sequence[bytes], older: bytes, newer: bytes) -> bytes:
    """The file for two checkpoints (notes); `leaves` are the entries' leaves up to the newer one's size."""
    sizes = _read_size(older), _read_size(newer)
    path = merkle.consistency_proof([merkle.hash_leaf(leaf) for leaf in leaves[: sizes[1]]], *sizes)
    return _write(
        {
            "format": CONSISTENCY_PROOF,
            "path": [node.hex() for node in path],
            "older": older.decode(),
            "newer": newer.decode(),
        }
    )


def open_checkpoint(note: bytes, keys: Mapping[str, bytes]) -> Checkpoint:
    """A register's checkpoint, signed by a known key. Malformed; Unproven."""
    checkpoint = read_checkpoint(open_note(note, keys).body)
    if ROOM in checkpoint.origin:
        raise Malformed("bad_field", "origin")
    generation(checkpoint.origin)
    return checkpoint


def open_register_proof(data: bytes, keys: Mapping[str, bytes]) -> Registered:
    """What a register proof proves. Malformed; Unproven `not_included` and those of the note."""
    parts = read_proof(data, REGISTER_PROOF)
    checkpoint = open_checkpoint(parts["checkpoint"].encode(), keys)
    leaf, path = bytes.fromhex(parts["leaf"]), [bytes.fromhex(node) for node in parts["path"]]
    hashed = merkle.hash_leaf(leaf)
    if not merkle.verify_inclusion(hashed, parts["index"], checkpoint.size, path, checkpoint.root):
        raise Unproven("not_included")
    return Registered(leaf, parts["index"], checkpoint)


def open_consistency_proof(data: bytes, keys: Mapping[str, bytes]) -> Extended:
    """What a consistency proof proves. Malformed; Unproven `not_consistent` and those of the notes."""
    parts = read_proof(data, CONSISTENCY_PROOF)
    older, newer = (open_checkpoint(parts[name].encode(), keys) for name in ("older", "newer"))
    path = [bytes.fromhex(node) for node in parts["path"]]
    holds = merkle.verify_consistency(older.size, newer.size, path, older.root, newer.root)
    if older.origin != newer.origin or not holds:
        raise Unproven("not_consistent")
    return Extended(older, newer)


def read_proof(data: bytes, format: str) -> dict[str, Any]:
    """The parts of a proof file of this format; nothing is verified."""
    if not data.endswith(b"\n"):
        raise Malformed("no_newline")
    parts = decode(data[:-1])
    if not isinstance(parts, dict) or not _FILES[format](parts):
        raise Malformed("not_a_proof")
    return parts


def _write(parts: dict[str, Json]) -> bytes:
    return encode(parts) + b"\n"


def _read_size(note: bytes) -> int:
    return read_checkpoint(split_note(note)[0]).size


def _is_text(value: Json) -> bool:
    return isinstance(value, str)


_FILES = {
    REGISTER_PROOF: has_shape({
        "format": lambda value: value == REGISTER_PROOF,
        "leaf": is_digest,
        "index": is_count,
        "path": is_path,
        "checkpoint": _is_text,
    }),
    CONSISTENCY_PROOF: has_shape({
        "format": lambda value: value == CONSISTENCY_PROOF,
        "path": is_path,
        "older": _is_text,
        "newer": _is_text,
    }),
}  # fmt: skip
