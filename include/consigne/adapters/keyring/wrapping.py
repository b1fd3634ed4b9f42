"""What the providers share: the layout of a wrapped key, and what it is bound to (docs/formats.md)."""

from __future__ import annotations

import os
import struct
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from consigne.rules.errors import BadInput, Misconfigured, Tampered

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
SIGNING: Final = "signing"
MACS: Final = ("blind-index", "tombstone", "draw")
NAMES: Final = (SIGNING, *MACS)
_VERSION: Final = b"\x01"
_WRAPPED_BYTES: Final = len(_VERSION) + NONCE_BYTES + KEY_BYTES + TAG_BYTES


def bind(epoch: str, context: bytes) -> bytes:
    """The associated data of a data key: length of the context (2 bytes, big-endian) ‖ context ‖ epoch."""
    return struct.pack(">H", len(context)) + context + epoch.encode()


def check_data_key(key: bytes) -> None:
    """BadInput unless it is 32 bytes long."""
    if len(key) != KEY_BYTES:
        raise BadInput("data_key_length")


def check_name(name: str, known: tuple[str, ...] = NAMES) -> None:
    """Misconfigured unless the keyring has a key of that name."""
    if name not in known:
        raise Misconfigured("keyring_key_unknown", name if name in (*NAMES, "root") else "name")


def join(nonce: bytes, sealed: bytes) -> bytes:
    """version (1 byte) ‖ nonce (12) ‖ AES-256-GCM of 32 bytes with its tag (48)."""
    return _VERSION + nonce + sealed


def split(wrapped: bytes, name: str) -> tuple[bytes, bytes]:
    """Nonce and sealed key; Tampered where it is no wrapped key."""
    if len(wrapped) != _WRAPPED_BYTES or wrapped[:1] != _VERSION:
        raise Tampered("wrapped_key", name)
    return wrapped[1 : 1 + NONCE_BYTES], wrapped[1 + NONCE_BYTES :]


def wrap(key: bytes, secret: bytes, bound: bytes) -> bytes:
    """Wrap 32 bytes under a key that is at hand, with a random nonce."""
    nonce = os.urandom(NONCE_BYTES)
    return join(nonce, AESGCM(key).encrypt(nonce, secret, bound))


def unwrap(keys: list[bytes], wrapped: bytes, bound: bytes, name: str) -> bytes:
    """Open it by the first of the keys that does. Tampered where none does."""
    nonce, sealed = split(wrapped, name)
    for key in keys:
        try:
            return AESGCM(key).decrypt(nonce, sealed, bound)
        except InvalidTag:
            continue
    raise Tampered("wrapped_key", name)
