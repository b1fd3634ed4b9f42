"""Certificates of destruction: what they say, how they are signed, how one is opened.

A chunk of a run is signed once: a Merkle tree over SHA-256 of each canonical body, and a note over its root
whose origin is `<origin>/certificates/<chunk>`. A certificate's file is one line of canonical JSON,
`{"body": …, "inclusion": {"index", "path", "size"}, "note": "…"}`, and one newline.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from consigne.rules.evidence import merkle
from consigne.rules.evidence.canonical import Json, decode, encode
from consigne.rules.evidence.entry import is_instant
from consigne.rules.evidence.errors import Malformed, Unproven
from consigne.rules.evidence.signature import (
    Checkpoint,
    checkpoint_body,
    open_note,
    read_checkpoint,
    sign_note,
    split_note,
)

FORMAT = "consigne-certificate/2"
FIRST_FORMAT = "consigne-certificate/1"
"""Still read: without `assurance_statement` and `backups`."""
WITH_DRIVES = "consigne-certificate/3"
"""Of an artifact alone, and only where the store was without a drive: `drives_away` and `drives_statement` too."""
ROOM = "/certificates/"
ASSURANCES = ("logical", "provider-attested", "hsm")

STATEMENTS = {
    "artifact": "When listing_empty_at was read, the store listed no version, no marker and no upload under "
    "the object's exact name; when key_row_deleted_at was read, the wrapped data key had been deleted from "
    "the catalog. That no copy of the bytes is left anywhere is not claimed.",
    "epoch": "When destroyed_at was read, the provider reported that it had destroyed the epoch's key, under "
    "which the data keys of the artifacts named here were wrapped. That no copy of the key is left anywhere "
    "is not claimed; those in backups are gone after irrecoverable_after if the declared horizons are kept.",
}

ASSURED = {
    "logical": "Software alone held the epoch's key: it overwrote the key's file, removed it and reports it "
    "gone. A solid-state disk, a snapshot or a copy-on-write file system may hold the old block still; that "
    "none does is not claimed.",
    "provider-attested": "A key service held the epoch's key and never gave it out. It reports that it deleted "
    "the key; what its own disks and backups hold is its operator's to say.",
    "hsm": "A token held the epoch's key, which could not be read out of it. It destroyed the key, and a new "
    "session did not find it; what a backup of the token itself holds is its operator's to say.",
}
"""What an assurance is worth: a fixed text in each certificate."""

DRIVES = (
    "When the object was deleted, the store reported so many of its drives away as drives_away says, fewer than "
    "half of each set. What they hold of the object cannot make it whole, is noise without its key, and is deleted "
    "when they are back. That it was is not claimed here."
)

Check = Callable[[Json], bool]

_DIGEST = re.compile(r"[0-9a-f]{64}")
_LENGTH = re.compile(r"P(?=[0-9T])([0-9]{1,4}[YMWD])*(T([0-9]{1,6}[HMS])+)?")


@dataclass(frozen=True, slots=True)
class Certificate:
    """An opened certificate: its body as `certificate_body` gave it, the chunk's tree, the signing key."""

    body: Mapping[str, Any]
    chunk: Checkpoint
    key_name: str

    @property
    def origin(self) -> str:
        """The register that the chunk belongs to."""
        return self.chunk.origin.partition(ROOM)[0]


def certificate_body(scope: str, facts: Mapping[str, Json]) -> dict[str, Json]:
    """The body of an `artifact` or `epoch` certificate: the facts, and what the format itself says.

    Facts of both: id, provider, assurance, issued_at, irrecoverable_after, backups {database, keyring} (how long
    the policy lets backups of them live, ISO 8601), purpose, epoch, entry (the register entry's leaf, hex),
    clock {test, offset_s}. Of an artifact: artifact, recording, part, object,
    due_at, ground, policy {version, digest}, earlier_epochs (every other epoch under which its key was ever
    wrapped), steps {key_row_deleted_at, listing_empty_at, versions_deleted, uploads_aborted}, drives_away where
    any was. Of an epoch: destroyed_at, artifacts (ids, sorted). Instants are UTC in ms. Malformed names the field
    that is wrong.
    """
    proof = {"artifact": "logical", "epoch": "cryptographic"}.get(scope, "")
    own: dict[str, Json] = {
        "format": FORMAT, "scope": scope, "proof": proof, "statement": STATEMENTS.get(scope, ""),
        "assurance_statement": ASSURED.get(str(facts.get("assurance")), ""),
    }  # fmt: skip
    if "drives_away" in facts:
        own |= {"format": WITH_DRIVES, "drives_statement": DRIVES}
    body = {**facts, **own}
    check_body(body)
    return body


def check_body(body: Json) -> None:
    """Malformed, naming the field, unless it is exactly a body of this format."""
    if not isinstance(body, dict) or body.get("scope") not in _BODIES:
        raise Malformed("bad_field", "scope")
    shape = _BODIES[str(body["scope"])]
    if body.get("format") == FIRST_FORMAT:
        shape = {name: check for name, check in shape.items() if name not in _SECOND} | {
            "format": _is_one_of(FIRST_FORMAT)
        }
    elif body.get("format") == WITH_DRIVES and body["scope"] == "artifact":
        shape = shape | _DRIVES
    for name in sorted(shape.keys() | body.keys()):
        if name not in body or name not in shape or not shape[name](body[name]):
            raise Malformed("bad_field", name)
    if body.get("assurance_statement", ASSURED[str(body["assurance"])]) != ASSURED[str(body["assurance"])]:
        raise Malformed("bad_field", "assurance_statement")


def issue(
    bodies: Sequence[dict[str, Json]],
    *,
    origin: str,
    chunk: str,
    key_name: str,
    sign: Callable[[bytes], bytes],
    public_key: bytes,
) -> list[bytes]:
    """The files of a chunk's certificates, in the order of their bodies, with one signature for all."""
    for body in bodies:
        check_body(body)
    hashes = [_hash_body(body) for body in bodies]
    text = checkpoint_body(origin + ROOM + chunk, len(hashes), merkle.root(hashes))
    note = sign_note(text, key_name, sign, public_key).decode()
    files = []
    paths = merkle.inclusion_proofs(hashes, range(len(hashes)))
    for index, (body, path) in enumerate(zip(bodies, paths, strict=True)):
        inclusion = {"index": index, "path": [node.hex() for node in path], "size": len(hashes)}
        files.append(encode({"body": body, "inclusion": inclusion, "note": note}) + b"\n")
    return files


def open_certificate(data: bytes, keys: Mapping[str, bytes]) -> Certificate:
    """The certificate in a file, if every byte is as it was issued and a known key signed it.

    Malformed for the form, Unproven for the signature (`unknown_key`, `bad_signature`) or the place in the
    chunk (`not_included`).
    """
    parts = read_parts(data)
    body, inclusion, note = parts["body"], parts["inclusion"], parts["note"].encode()
    check_body(body)
    if len(split_note(note)[1]) != 1:  # one by an unknown key could be altered unnoticed
        raise Malformed("bad_note")
    signed = open_note(note, keys)
    chunk = read_checkpoint(signed.body)
    if ROOM not in chunk.origin:
        raise Malformed("bad_field", "note")
    path = [bytes.fromhex(node) for node in inclusion["path"]]
    found = merkle.verify_inclusion(_hash_body(body), inclusion["index"], chunk.size, path, chunk.root)
    if not found or inclusion["size"] != chunk.size:
        raise Unproven("not_included")
    return Certificate(body, chunk, signed.key_name)


def read_parts(data: bytes) -> dict[str, Any]:
    """`body`, `inclusion` and `note` of a certificate's file, of the right types; nothing is verified."""
    if not data.endswith(b"\n"):
        raise Malformed("no_newline")
    parts = decode(data[:-1])
    if not isinstance(parts, dict) or not _FILE(parts):
        raise Malformed("not_a_certificate")
    return parts


def is_digest(value: Json) -> bool:
    """64 lower-case hexadecimal digits."""
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None


def is_count(value: Json) -> bool:
    """An integer from 0, not a boolean."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def is_path(value: Json) -> bool:
    """A Merkle path: digests, at most 64."""
    return isinstance(value, list) and len(value) <= 64 and all(map(is_digest, value))


def has_shape(fields: Mapping[str, Check]) -> Check:
    """A check that a value is a dict of exactly these fields, each passing its own check."""

    def check(value: Json) -> bool:
        return (
            isinstance(value, dict)
            and value.keys() == fields.keys()
            and all(passes(value[name]) for name, passes in fields.items())
        )

    return check


def _hash_body(body: Json) -> bytes:
    return merkle.hash_leaf(sha256(encode(body)).digest())


def _is_text(value: Json) -> bool:
    """Printable, on one line: it will be shown on a terminal."""
    return isinstance(value, str) and 0 < len(value) <= 1024 and value.isprintable()


def _is_offset(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_set(value: Json) -> bool:
    """Texts, sorted, each once."""
    if not isinstance(value, list):
        return False
    texts = [item for item in value if isinstance(item, str) and _is_text(item)]
    return texts == value and texts == sorted(set(texts))


def _is_length(value: Json) -> bool:
    """An ISO 8601 duration, such as `P35D`; `PT0S` where there is no backup."""
    return isinstance(value, str) and _LENGTH.fullmatch(value) is not None


def _is_one_of(*values: str) -> Check:
    return lambda value: isinstance(value, str) and value in values


_FILE = has_shape({
    "body": lambda value: isinstance(value, dict),
    "inclusion": has_shape({"index": is_count, "path": is_path, "size": is_count}),
    "note": lambda value: isinstance(value, str),
})  # fmt: skip

_SECOND: dict[str, Check] = {
    "assurance_statement": _is_one_of(*ASSURED.values()),
    "backups": has_shape({"database": _is_length, "keyring": _is_length}),
}
"""What the second format added."""

_COMMON: dict[str, Check] = {
    **_SECOND,
    "format": _is_one_of(FORMAT),
    "id": _is_text,
    "provider": _is_text,
    "assurance": _is_one_of(*ASSURANCES),
    "issued_at": is_instant,
    "irrecoverable_after": is_instant,
    "purpose": _is_text,
    "epoch": _is_text,
    "entry": is_digest,
    "clock": has_shape({"test": lambda value: isinstance(value, bool), "offset_s": _is_offset}),
}

_DRIVES: dict[str, Check] = {
    "format": _is_one_of(WITH_DRIVES),
    "drives_away": lambda value: is_count(value) and bool(value),
    "drives_statement": _is_one_of(DRIVES),
}
"""What the third adds."""

_BODIES: dict[str, dict[str, Check]] = {
    "artifact": {
        **_COMMON,
        "scope": _is_one_of("artifact"),
        "proof": _is_one_of("logical"),
        "statement": _is_one_of(STATEMENTS["artifact"]),
        "artifact": _is_text,
        "recording": _is_text,
        "part": _is_text,
        "object": _is_text,
        "due_at": is_instant,
        "ground": _is_text,
        "earlier_epochs": _is_set,
        "policy": has_shape({"version": _is_text, "digest": is_digest}),
        "steps": has_shape({
            "key_row_deleted_at": is_instant,
            "listing_empty_at": is_instant,
            "versions_deleted": is_count,
            "uploads_aborted": is_count,
        }),
    },
    "epoch": {
        **_COMMON,
        "scope": _is_one_of("epoch"),
        "proof": _is_one_of("cryptographic"),
        "statement": _is_one_of(STATEMENTS["epoch"]),
        "destroyed_at": is_instant,
        "artifacts": _is_set,
    },
}  # fmt: skip
