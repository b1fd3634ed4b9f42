"""The envelope: what an artifact's bytes look like in the store. The layout, to the byte, stands in
docs/formats.md.

    header (79 bytes) ‖ chunk 0 ‖ chunk 1 ‖ … ‖ last chunk

Each chunk is AES-256-GCM (NIST SP 800-38D) over up to 1 MiB, its tag (16 bytes) behind it, the whole
header as associated data. Nonces follow STREAM (Hoang, Reyhanitabar, Rogaway, Vizár 2015): prefix ‖
counter ‖ last. The content key and the nonce prefix come from the data key by HKDF-SHA256 (RFC 5869);
so does the commitment in the header, because AES-GCM alone lets one ciphertext open under two keys.

A data key seals once: `acts.safe` draws a new one for each attempt.
"""

from __future__ import annotations

import hmac
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from consigne.rules.errors import BadInput, Tampered
from consigne.rules.values import ArtifactName

MAGIC: Final = b"CNSG"
VERSION: Final = 1
AES_256_GCM_STREAM: Final = 1
CHUNK_BYTES_LOG2: Final = 20
CHUNK_BYTES: Final = 1 << CHUNK_BYTES_LOG2
TAG_BYTES: Final = 16
KEY_BYTES: Final = 32
PREFIX_BYTES: Final = 7
MAX_CHUNKS: Final = 1 << 32
_FORMAT: Final = struct.pack(">4sBBB", MAGIC, VERSION, AES_256_GCM_STREAM, CHUNK_BYTES_LOG2)
_HEADER: Final = struct.Struct(">7s16s16sQ32s")
HEADER_BYTES: Final = _HEADER.size

Bytes: TypeAlias = bytes | bytearray | memoryview


@dataclass(frozen=True, slots=True, repr=False)
class _Opened:
    """A header that fits its key, its name and the object's length."""

    header: bytes
    cipher: AESGCM
    prefix: bytes
    plaintext_bytes: int


def sealed_bytes(plaintext_bytes: int) -> int:
    """Length of the envelope around a plaintext of this length."""
    return HEADER_BYTES + plaintext_bytes + TAG_BYTES * _chunks(plaintext_bytes)


def seal(key: Bytes, name: ArtifactName, plaintext: Bytes) -> memoryview:
    """Encrypt `plaintext` (may be empty) under a 32-byte data key that is used this once.

    BadInput where the key has another length or the plaintext is beyond 2^32 chunks.
    """
    if _chunks(len(plaintext)) > MAX_CHUNKS:
        raise BadInput("envelope_too_long")
    content_key, prefix, commitment = _derive(key, name)
    header = _HEADER.pack(_FORMAT, name.artifact.bytes, name.attempt.bytes, len(plaintext), commitment)
    # Not a bytearray: it writes zeros first, which costs an eighth of the encryption.
    sealed = np.empty(sealed_bytes(len(plaintext)), np.uint8).data
    sealed[:HEADER_BYTES] = header
    cipher, source = AESGCM(content_key), memoryview(plaintext)
    for index in range(_chunks(len(plaintext))):
        plain, place = _places(index, len(plaintext))
        cipher.encrypt_into(_nonce(prefix, index, len(plaintext)), source[plain], header, sealed[place])
    return sealed


def open_sealed(key: Bytes, name: ArtifactName, sealed: Bytes) -> bytes:
    """The plaintext of a whole envelope. Tampered where anything was altered, cut, moved or exchanged."""
    source = memoryview(sealed)
    return open_range(
        lambda start, length: source[start : start + length], len(sealed), key, name, 0, len(sealed)
    )


def open_range(
    read: Callable[[int, int], Bytes],
    object_bytes: int,
    key: Bytes,
    name: ArtifactName,
    start: int,
    length: int,
) -> bytes:
    """Plaintext bytes `start` to `start + length`, cut at the end as a slice is, from as few chunks as
    hold them.

    `read(offset, length)` gives bytes of the object, whose whole length is `object_bytes`. At least one
    chunk is always opened, and with it the header is authenticated: a cut object is seen even when only
    the first chunk is read. Tampered as in `open_sealed`.
    """
    if start < 0 or length < 0:
        raise BadInput("bad_range")
    opened = _open_header(bytes(_read_exactly(read, 0, HEADER_BYTES)), object_bytes, key, name)
    end = min(start + length, opened.plaintext_bytes)
    start = min(start, end)
    final = _chunks(opened.plaintext_bytes) - 1
    first, last = min(start // CHUNK_BYTES, final), min(max(end - 1, start) // CHUNK_BYTES, final)
    chunks = [_open_chunk(opened, index, read) for index in range(first, last + 1)]
    offset = first * CHUNK_BYTES
    return b"".join(chunks)[start - offset : end - offset]


def _open_header(header: bytes, object_bytes: int, key: Bytes, name: ArtifactName) -> _Opened:
    form, artifact, attempt, plaintext_bytes, commitment = _HEADER.unpack(header)
    if form != _FORMAT:
        raise Tampered("envelope_format")
    if (artifact, attempt) != (name.artifact.bytes, name.attempt.bytes):
        raise Tampered("envelope_name")
    content_key, prefix, expected_commitment = _derive(key, name)
    if not hmac.compare_digest(commitment, expected_commitment):
        raise Tampered("envelope_key")
    if _chunks(plaintext_bytes) > MAX_CHUNKS or object_bytes != sealed_bytes(plaintext_bytes):
        raise Tampered("envelope_length")
    return _Opened(header, AESGCM(content_key), prefix, plaintext_bytes)


def _open_chunk(opened: _Opened, index: int, read: Callable[[int, int], Bytes]) -> bytes:
    place = _places(index, opened.plaintext_bytes)[1]
    sealed = _read_exactly(read, place.start, place.stop - place.start)
    nonce = _nonce(opened.prefix, index, opened.plaintext_bytes)
    try:
        return opened.cipher.decrypt(nonce, sealed, opened.header)
    except InvalidTag:
        raise Tampered("envelope_chunk", str(index)) from None


def _read_exactly(read: Callable[[int, int], Bytes], start: int, length: int) -> Bytes:
    found = read(start, length)
    if len(found) != length:
        raise Tampered("envelope_length")
    return found


def _chunks(plaintext_bytes: int) -> int:
    # An empty plaintext has one empty chunk: its tag is what authenticates the header.
    return max(1, -(-plaintext_bytes // CHUNK_BYTES))


def _places(index: int, plaintext_bytes: int) -> tuple[slice, slice]:
    """Where a chunk lies in the plaintext, and with its tag in the envelope."""
    start, end = index * CHUNK_BYTES, min((index + 1) * CHUNK_BYTES, plaintext_bytes)
    shift = HEADER_BYTES + index * TAG_BYTES
    return slice(start, end), slice(shift + start, shift + end + TAG_BYTES)


def _nonce(prefix: bytes, index: int, plaintext_bytes: int) -> bytes:
    return struct.pack(">7sIB", prefix, index, index == _chunks(plaintext_bytes) - 1)


def _derive(key: Bytes, name: ArtifactName) -> tuple[bytes, bytes, bytes]:
    """Content key (32 bytes), nonce prefix (7 bytes), commitment (32 bytes)."""
    if len(key) != KEY_BYTES:
        raise BadInput("envelope_key_length")
    # The format is the salt, so that a later version or suite derives other keys.
    prk = hmac.digest(_FORMAT, key, "sha256")
    bound = name.artifact.bytes + name.attempt.bytes
    content = _expand(prk, b"content" + bound, 2)
    content_key, prefix = content[:KEY_BYTES], content[KEY_BYTES : KEY_BYTES + PREFIX_BYTES]
    return content_key, prefix, _expand(prk, b"commit" + bound, 1)


def _expand(prk: bytes, info: bytes, blocks: int) -> bytes:
    """HKDF-Expand (RFC 5869, 2.3) with SHA-256: `blocks` times 32 bytes."""
    block = output = b""
    for count in range(1, blocks + 1):
        block = hmac.digest(prk, block + info + bytes([count]), "sha256")
        output += block
    return output
