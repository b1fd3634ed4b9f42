"""Tombstones: what outlives an artifact whose erasing began. An object of them is a canonical JSON list and one
newline; then, where the keyring answered, a signed note's empty line and signature."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from consigne.rules.evidence.canonical import Json, decode, encode
from consigne.rules.evidence.certificate import has_shape, is_count, is_digest
from consigne.rules.evidence.entry import is_instant
from consigne.rules.evidence.errors import Malformed
from consigne.rules.evidence.signature import open_note

NOTE = "\n\n\N{EM DASH} ".encode()
"""Between a note's text and its signatures: no canonical JSON holds it."""


@dataclass(frozen=True, slots=True)
class Tombstone:
    """One of the evidence bucket's, as it was written there: names, keyed digests and dates, no content."""

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
    earlier_epochs: Sequence[str] = ()
    """Every other epoch under which its key was ever wrapped; the first tombstones did not say."""


@dataclass(frozen=True, slots=True)
class Buried:
    """An opened object of tombstones; `key_name` is None where nobody signed it."""

    tombstones: Sequence[Tombstone]
    key_name: str | None


def tombstones_body(lines: Sequence[Mapping[str, object]]) -> bytes:
    """The text to sign, or to publish as it is. Malformed where a line is no tombstone."""
    body = encode([dict(line) for line in lines]) + b"\n"
    read_lines(body)
    return body


def open_tombstones(data: bytes, keys: Mapping[str, bytes]) -> Buried:
    """What an object says; where it carries a signature, it is one by a known key. Malformed; Unproven."""
    if NOTE not in data:
        return Buried(read_lines(data), None)
    signed = open_note(data, keys)
    return Buried(read_lines(signed.body), signed.key_name)


def read_lines(body: bytes) -> list[Tombstone]:
    """The tombstones of a body, of which nothing is verified. Malformed unless it is exactly one."""
    if not body.endswith(b"\n"):
        raise Malformed("no_newline")
    lines = decode(body[:-1])
    if not isinstance(lines, list) or not lines or not all(map(_is_line, lines)):
        raise Malformed("not_tombstones")
    return [_read(line) for line in lines]


def _read(line: Any) -> Tombstone:
    ids = {name: UUID(line[name]) for name in ("artifact", "recording", "attempt")}
    digests = {name: bytes.fromhex(line[name]) for name in ("identity_digest", "audio_digest")}
    at = datetime.fromisoformat(line["erasing_at"].replace("Z", "+00:00"))
    return Tombstone(**{**line, **ids, **digests, "erasing_at": at})


def _is_uuid(value: Json) -> bool:
    try:
        return isinstance(value, str) and str(UUID(value)) == value
    except ValueError:
        return False


def _is_text(value: Json) -> bool:
    return isinstance(value, str) and bool(value)


def _is_texts(value: Json) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_line(value: Json) -> bool:
    return _IS_WHOLE(value) or _IS_FIRST(value)


_FIRST: dict[str, Callable[[Json], bool]] = {
    "artifact": _is_uuid, "recording": _is_uuid, "attempt": _is_uuid,
    "purpose": _is_text, "part": _is_text, "epoch": _is_text, "object": _is_text, "ground": _is_text,
    "identity_digest": is_digest, "audio_digest": is_digest, "key_version": is_count, "erasing_at": is_instant,
}  # fmt: skip
_IS_FIRST = has_shape(_FIRST)
_IS_WHOLE = has_shape({**_FIRST, "earlier_epochs": _is_texts})
