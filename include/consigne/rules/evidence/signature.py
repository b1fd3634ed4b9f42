"""Signed notes and checkpoints (c2sp.org/signed-note, c2sp.org/tlog-checkpoint), Ed25519 alone.

note       body with its newline; an empty line; a line or more `— <key name> base64(key ID ‖ signature)`
key ID     first 4 bytes of SHA-256(key name ‖ 0x0A ‖ 0x01 ‖ public key)
checkpoint body of three lines: origin, tree size, base64 of the root
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from consigne.rules.evidence.errors import Malformed, Unproven

MOST_SIGNATURES = 100  # C2SP: at least 16 must be accepted, and there must be an end

_ED25519 = b"\x01"
_DASH = "\N{EM DASH} "
_SIZE = re.compile(r"0|[1-9][0-9]{0,15}")
_CONTROL = re.compile("[\\x00-\\x09\\x0b-\\x1f]")
_VKEY = re.compile(r"([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]{44})")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree at one size: whose, how many leaves, the root (32 bytes)."""

    origin: str
    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Signed:
    """An opened note: the text that was signed, and the name of the key that signed it."""

    body: bytes
    key_name: str


def fingerprint(key_name: str, public_key: bytes) -> str:
    """SHA-256 of what the key ID is cut from, hex: 64 digits of which the first 8 are the key ID."""
    return sha256(key_name.encode() + b"\n" + _ED25519 + public_key).hexdigest()


def checkpoint_body(origin: str, size: int, root: bytes) -> bytes:
    """The text to sign, without extension lines."""
    if not _is_name(origin) or size < 0 or len(root) != 32:
        raise Malformed("bad_checkpoint")
    return f"{origin}\n{size}\n{b64encode(root).decode()}\n".encode()


def read_checkpoint(body: bytes) -> Checkpoint:
    """The inverse of `checkpoint_body`; Malformed unless the bytes are exactly its output."""
    lines = _read_text(body).split("\n")
    if len(lines) != 4 or not _SIZE.fullmatch(lines[1]):
        raise Malformed("bad_checkpoint")
    checkpoint = Checkpoint(lines[0], int(lines[1]), _read_base64(lines[2]))
    if checkpoint_body(checkpoint.origin, checkpoint.size, checkpoint.root) != body:
        raise Malformed("bad_checkpoint")
    return checkpoint


def sign_note(body: bytes, key_name: str, sign: Callable[[bytes], bytes], public_key: bytes) -> bytes:
    """The note with one signature; `sign` gives Ed25519's 64 bytes. Opened again before it is handed out."""
    if not body.endswith(b"\n") or not _is_name(key_name):
        raise Malformed("bad_note")
    _read_text(body)
    key_id = bytes.fromhex(fingerprint(key_name, public_key)[:8])
    line = f"{_DASH}{key_name} {b64encode(key_id + sign(body)).decode()}\n"
    note = body + b"\n" + line.encode()
    open_note(note, {key_name: public_key})
    return note


def open_note(note: bytes, keys: Mapping[str, bytes]) -> Signed:
    """The body, once every signature by a known key (name → 32 bytes) holds and there is one at least.

    Signatures by unknown keys are passed over (C2SP). Malformed; Unproven `unknown_key`, `bad_signature`.
    """
    body, signatures = split_note(note)
    signers = []
    for name, blob in signatures:
        public_key = keys.get(name)
        if public_key is None or blob[:4].hex() != fingerprint(name, public_key)[:8]:
            continue
        try:
            Ed25519PublicKey.from_public_bytes(public_key).verify(blob[4:], body)
        except (InvalidSignature, ValueError):
            raise Unproven("bad_signature") from None
        signers.append(name)
    if not signers:
        raise Unproven("unknown_key")
    return Signed(body, signers[0])


def split_note(note: bytes) -> tuple[bytes, list[tuple[str, bytes]]]:
    """Body, and each signature line as (key name, key ID ‖ signature). Nothing is verified."""
    _read_text(note)
    body, gap, tail = note.rpartition(b"\n\n")
    lines = tail.decode().split("\n")
    if not gap or lines.pop() or not 0 < len(lines) <= MOST_SIGNATURES:
        raise Malformed("bad_note")
    return body + b"\n", [_read_line(line) for line in lines]


def public_key_line(key_name: str, public_key: bytes) -> str:
    """`name+key ID+base64(0x01 ‖ public key)`: one line of a public key file, without its newline."""
    if not _is_name(key_name) or len(public_key) != 32:
        raise Malformed("bad_key")
    return f"{key_name}+{fingerprint(key_name, public_key)[:8]}+{b64encode(_ED25519 + public_key).decode()}"


def write_public_keys(keys: Mapping[str, bytes]) -> bytes:
    """A public key file: one line a key, by name."""
    return "".join(f"{public_key_line(name, key)}\n" for name, key in sorted(keys.items())).encode()


def read_public_keys(text: bytes) -> dict[str, bytes]:
    """Key name → public key (32 bytes) of a public key file: one line a key, each with its newline."""
    lines = _read_text(text).split("\n")
    if lines.pop() or not lines:
        raise Malformed("bad_key")
    keys: dict[str, bytes] = {}
    for line in lines:
        parts = _VKEY.fullmatch(line)
        blob = _read_base64(parts[3]) if parts else b""
        if parts is None or parts[1] in keys or public_key_line(parts[1], blob[1:]) != line:
            raise Malformed("bad_key")
        keys[parts[1]] = blob[1:]
    return keys


def _read_line(line: str) -> tuple[str, bytes]:
    name, gap, signature = line.removeprefix(_DASH).partition(" ")
    blob = _read_base64(signature)
    if not line.startswith(_DASH) or not gap or not _is_name(name) or len(blob) < 5:
        raise Malformed("bad_note")
    return name, blob


def _is_name(name: str) -> bool:
    """Of keys and origins; what cannot be printed is refused too, for it would reach a terminal."""
    return bool(name) and name.isprintable() and " " not in name and "+" not in name


def _read_text(data: bytes) -> str:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise Malformed("not_utf8") from None
    if _CONTROL.search(text):
        raise Malformed("control_character")
    return text


def _read_base64(text: str) -> bytes:
    """Only what an encoder writes: no stray characters, no loose bits in the last one."""
    try:
        data = b64decode(text, validate=True)
    except ValueError:
        raise Malformed("bad_base64") from None
    if b64encode(data).decode() != text:
        raise Malformed("bad_base64")
    return data
