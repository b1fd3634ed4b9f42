"""Tombstones as the evidence bucket holds them: a line of canonical JSON, signed where the keyring answered.

What falls due goes even while the keyring is away, so a signature is never a precondition of erasing; what an
unsigned one is worth when a backup comes back, `acts.replay` says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from consigne.acts.journey import Platform
from consigne.acts.ports import Erasure
from consigne.rules.clock import iso, parse_instant
from consigne.rules.errors import BadInput, Unavailable
from consigne.rules.evidence.canonical import decode, encode
from consigne.rules.evidence.errors import EvidenceError
from consigne.rules.evidence.signature import open_note, sign_note

ROOM = "tombstones/"


@dataclass(frozen=True, slots=True)
class Tombstone:
    """One of the evidence bucket's, as it was written there."""

    artifact: UUID
    recording: UUID
    purpose: str
    part: str
    epoch: str
    attempt: UUID
    object: str
    identity_digest: bytes
    audio_digest: bytes
    key_version: int
    ground: str
    erasing_at: datetime


def tombstone(erasure: Erasure) -> dict[str, object]:
    """What outlives an artifact: keyed digests and dates, no content (docs/formats.md)."""
    return {
        "artifact": str(erasure.artifact), "recording": str(erasure.recording), "purpose": erasure.purpose,
        "part": erasure.part, "epoch": erasure.epoch, "attempt": str(erasure.attempt), "object": erasure.object,
        "identity_digest": erasure.identity_digest.hex(), "audio_digest": erasure.audio_digest.hex(),
        "key_version": erasure.key_version, "ground": erasure.ground, "erasing_at": iso(erasure.erasing_at),
    }  # fmt: skip


def write_tombstones(platform: Platform, erasures: Sequence[Erasure]) -> bytes:
    """The object for these: canonical JSON and one newline, then, unless the keyring is away, a signed note's empty
    line and signature."""
    body = encode([tombstone(erasure) for erasure in erasures]) + b"\n"
    try:
        signature = platform.keyring.sign(body)
        public_key = platform.keyring.public_keys()[signature.key]
    except Unavailable:
        return body
    return sign_note(body, signature.key, lambda _: signature.bytes, public_key)


def read_tombstones(data: bytes, keys: Mapping[str, bytes]) -> tuple[list[Tombstone], bool]:
    """The tombstones of an object, and whether a known key signed them; none where it is no object of ours."""
    try:
        body, is_signed = open_note(data, keys).body, True
    except EvidenceError:
        body, is_signed = data.partition(b"\n")[0] + b"\n", False
    try:
        lines = decode(body[:-1])
        return [_read(line) for line in lines] if isinstance(lines, list) else [], is_signed
    except (EvidenceError, BadInput, KeyError, TypeError, ValueError):
        return [], False


def _read(line: Any) -> Tombstone:
    return Tombstone(
        artifact=UUID(line["artifact"]),
        recording=UUID(line["recording"]),
        purpose=str(line["purpose"]),
        part=str(line["part"]),
        epoch=str(line["epoch"]),
        attempt=UUID(line["attempt"]),
        object=str(line["object"]),
        identity_digest=bytes.fromhex(line["identity_digest"]),
        audio_digest=bytes.fromhex(line["audio_digest"]),
        key_version=int(line["key_version"]),
        ground=str(line["ground"]),
        erasing_at=parse_instant(str(line["erasing_at"])),
    )
