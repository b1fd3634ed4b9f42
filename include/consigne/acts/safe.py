"""The only place where a data key exists: drawn, used once, wrapped, dropped. No key leaves a function.

CPython cannot promise that a freed key is overwritten; what stands is that keys live for one call, never
rest outside the keyring's wrapping, and that processes of Consigne leave no core dump.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from consigne.acts.ports import Keyring, Store
from consigne.rules.envelope import KEY_BYTES, open_sealed, seal
from consigne.rules.errors import Tampered
from consigne.rules.values import ArtifactName, Private


@dataclass(frozen=True, slots=True)
class PutIn:
    """What the catalog records of an attempt: the object's version, length and SHA-256 (32 bytes), and the
    data key wrapped under the epoch. Until it is recorded the object is noise that nothing opens."""

    name: ArtifactName
    object: str
    version: str
    digest: bytes
    epoch: str
    wrapped: bytes
    bytes: int


def put_in(
    store: Store,
    keyring: Keyring,
    epoch: str,
    name: ArtifactName,
    object: str,
    content: Private[bytes],
    random: Callable[[int], bytes],
) -> PutIn:
    """Seal `content` under a new data key from `random(32)` and store it as `object`.

    Call it again only under a new attempt. Faults as `Store.put` and `Keyring.wrap`.
    """
    key = random(KEY_BYTES)
    # Wrapped first: where the keyring is away or the epoch is gone, nothing is stored.
    wrapped = keyring.wrap(epoch, key, name.context())
    sealed = seal(key, name, content.reveal())
    digest = hashlib.sha256(sealed).digest()
    stored = store.put(object, sealed, digest)
    return PutIn(name, object, stored.version, digest, epoch, wrapped, stored.bytes)


def take_out(
    store: Store,
    keyring: Keyring,
    epoch: str,
    name: ArtifactName,
    object: str,
    version: str,
    wrapped: bytes,
    digest: bytes,
) -> Private[bytes]:
    """The content of a stored artifact, as `listen-<purpose>`.

    Tampered where the object is not the recorded one or does not open; Conflict where it or its epoch is gone.
    """
    sealed = store.get(name.purpose, object, version)
    if hashlib.sha256(sealed).digest() != digest:
        raise Tampered("object_digest", object)
    return Private(open_sealed(keyring.unwrap(epoch, wrapped, name.context()), name, sealed))


def rewrap(keyring: Keyring, old_epoch: str, new_epoch: str, wrapped: bytes, name: ArtifactName) -> bytes:
    """The same data key, wrapped under another epoch. Faults as `Keyring.wrap` and `unwrap`."""
    return keyring.wrap(new_epoch, keyring.unwrap(old_epoch, wrapped, name.context()), name.context())
