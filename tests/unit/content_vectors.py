"""Vectors of what is no evidence: envelope, wrapped key, keyed digests, draw. Written by the book on the primitives
alone, so that the code and docs/formats.md are both held to them."""

from __future__ import annotations

import hashlib
import hmac
import struct
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

ARTIFACT, ATTEMPT = UUID(int=0xA1), UUID(int=0xB2)
PURPOSE, EPOCH = "training", "training/2027-05-20/0"
DATA_KEY, EPOCH_KEY = bytes(range(32)), bytes(range(32, 64))
TOMBSTONE_KEY, BLIND_KEY, DRAW_KEY = (bytes(range(first, first + 32)) for first in (64, 96, 128))
NONCE = bytes(range(12))
PLAINTEXT = b"bonjour"
CALLER, SOURCE, CALL, MONTH = "+33612345678", "folder", "pbx1-2026-000123", "2026-11"


def envelope() -> bytes:
    """One chunk, which is the last."""
    form, ids = b"CNSG\x01\x01\x14", ARTIFACT.bytes + ATTEMPT.bytes

    def derive(word: bytes, length: int) -> bytes:
        return HKDF(algorithm=SHA256(), length=length, salt=form, info=word + ids).derive(DATA_KEY)

    content, commitment = derive(b"content", 39), derive(b"commit", 32)
    header = form + ids + struct.pack(">Q", len(PLAINTEXT)) + commitment
    nonce = content[32:] + struct.pack(">IB", 0, 1)
    return header + AESGCM(content[:32]).encrypt(nonce, PLAINTEXT, header)


def wrapped() -> bytes:
    """The data key under the epoch's."""
    context = ARTIFACT.bytes + ATTEMPT.bytes + PURPOSE.encode()
    bound = struct.pack(">H", len(context)) + context + EPOCH.encode()
    return b"\x01" + NONCE + AESGCM(EPOCH_KEY).encrypt(NONCE, DATA_KEY, bound)


def digests() -> dict[str, str]:
    """What stands in the catalog and in tombstones in place of identifiers, files and numbers (hex)."""
    sound, words = hashlib.sha256(b"RIFF").digest(), hashlib.sha256(b"{}").digest()
    name = f'{{"id":"{CALL}","source":"{SOURCE}"}}'.encode()

    def keyed(key: bytes, message: bytes) -> str:
        return hmac.digest(key, message, "sha256").hex()

    secret = hmac.digest(DRAW_KEY, MONTH.encode(), "sha256")
    drawn = f'["{SOURCE}","{CALL}","{PURPOSE}"]'.encode()
    return {
        "identity": keyed(TOMBSTONE_KEY, b"identity" + name),
        "audio": keyed(TOMBSTONE_KEY, b"audio" + sound),
        "content": keyed(TOMBSTONE_KEY, b"content" + sound + words),
        "stem": keyed(TOMBSTONE_KEY, b"stem" + b"call-1"),
        "caller": keyed(BLIND_KEY, CALLER.encode()),
        "month's secret": secret.hex(),
        "commitment": hashlib.sha256(b"consigne-draw-commitment-v1\0" + secret).hexdigest(),
        "draw": keyed(secret, b"consigne-draw-v1\0" + drawn),
    }
