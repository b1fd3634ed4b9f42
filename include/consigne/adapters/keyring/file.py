"""The keyring as a folder (0700) of small files (0600). docs/formats.md describes them to the byte.

    root.key                    32 random bytes
    lock                        flock: one writer among all processes
    epochs/<name>.key           an epoch's key, wrapped by the root
    destroyed/<name>.gone       empty: that name never gets a key again
    keys/<name>-<version>.key   signing, blind-index, tombstone, draw: wrapped by the root

Nothing is kept in memory between calls: what another process destroyed is gone here too. A folder without
its root is a keyring that is away (Unavailable), never one whose epochs are gone.
"""

from __future__ import annotations

import hmac
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from consigne.acts.ports import Mac, Signature
from consigne.adapters.keyring.files import destroy, locked, sweep, write
from consigne.rules.errors import BadInput, Conflict, Misconfigured, Tampered, Unavailable

KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_VERSION: Final = b"\x01"
_WRAPPED_BYTES: Final = len(_VERSION) + _NONCE_BYTES + KEY_BYTES + 16
_SIGNING: Final = "signing"
_MACS: Final = ("blind-index", "tombstone", "draw")
_FOLDERS: Final = ("epochs", "destroyed", "keys")


class FileKeyring:
    """Nothing is opened before the first call. One machine, one owner: whoever reads the folder has the keys."""

    provider: Final = "file"
    assurance: Final = "logical"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def prepare(self, first: bool) -> None:
        """Finish every destruction that a kill interrupted. With `first`, make what is missing: say it only
        while nothing was ever stored. Misconfigured where keys lie in the folder without their root."""
        if first:
            self._make()
        self._root()
        with _reachable(), locked(self._folder):
            for folder in ("", *_FOLDERS):
                sweep(self._path(folder))
            for marker in self._path("destroyed").glob("*.gone"):
                destroy(self._path("epochs", f"{marker.stem}.key"))

    def open_epoch(self, name: str) -> None:
        self._root()
        if self._is_destroyed(name):
            raise Conflict("epoch_destroyed", name)
        if not _exists(self._key_file(name)):
            with _reachable(), locked(self._folder):
                self._make_epoch(name)

    def epoch_lives(self, name: str) -> bool:
        self._root()
        lives = _exists(self._key_file(name))
        self._root()  # seen again: the folder did not go away in between
        return lives

    def epochs(self) -> list[str]:
        self._root()
        with _reachable():
            return sorted(unquote(path.stem) for path in self._path("epochs").glob("*.key"))

    def destroy_epoch(self, name: str) -> None:
        self._root()
        with _reachable(), locked(self._folder):
            # The name is reserved first: a kill after this line leaves a key that nothing uses any more.
            write(self._marker(name), b"")
            sweep(self._path("epochs"))
            destroy(self._key_file(name))

    def wrap(self, epoch: str, key: bytes, context: bytes) -> bytes:
        if len(key) != KEY_BYTES:
            raise BadInput("data_key_length")
        return _wrap(self._epoch_key(epoch), key, _bind(epoch, context))

    def unwrap(self, epoch: str, wrapped: bytes, context: bytes) -> bytes:
        return _unwrap(self._epoch_key(epoch), wrapped, _bind(epoch, context), epoch)

    def sign(self, message: bytes) -> Signature:
        key = f"{_SIGNING}-{self._versions(_SIGNING)[-1]}"
        return Signature(key, self._signing_key(key).sign(message))

    def public_keys(self) -> dict[str, bytes]:
        names = [f"{_SIGNING}-{version}" for version in self._versions(_SIGNING)]
        return {name: self._signing_key(name).public_key().public_bytes_raw() for name in names}

    def mac(self, name: str, message: bytes, version: int | None = None) -> Mac:
        if name not in _MACS:
            raise Misconfigured("keyring_key_unknown", name)
        chosen = self._versions(name)[-1] if version is None else version
        return Mac(chosen, hmac.digest(self._key(f"{name}-{chosen}"), message, "sha256"))

    def versions(self, name: str) -> list[int]:
        if name not in (_SIGNING, *_MACS):
            raise Misconfigured("keyring_key_unknown", name)
        return self._versions(name)

    def rotate(self, name: str) -> int:
        raise Misconfigured("keyring_key_unknown", name)

    def _make(self) -> None:
        with _reachable():
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with locked(self._folder):
                self._make_files()

    def _make_files(self) -> None:
        for folder in _FOLDERS:
            self._path(folder).mkdir(mode=0o700, exist_ok=True)
        if not self._path("root.key").exists():
            if any(self._folder.glob("*/*.key")):
                raise Misconfigured(
                    "keyring_root_missing", "root.key", "bring it back; a new one opens nothing"
                )
            write(self._path("root.key"), os.urandom(KEY_BYTES))
        for name in (_SIGNING, *_MACS):
            key = f"{name}-1"
            if not self._path("keys", f"{key}.key").exists():
                self._write_wrapped(self._path("keys", f"{key}.key"), f"key:{key}")

    def _write_wrapped(self, path: Path, bound: str) -> None:
        write(path, _wrap(self._root(), os.urandom(KEY_BYTES), bound.encode()))

    def _make_epoch(self, name: str) -> None:
        if self._is_destroyed(name):
            raise Conflict("epoch_destroyed", name)
        if not self._key_file(name).exists():
            self._write_wrapped(self._key_file(name), f"epoch:{name}")

    def _root(self) -> bytes:
        root = _read(self._path("root.key"))
        if root is None:
            raise Unavailable("keyring", "root.key", "the keyring is away, or `consigne apply` never made it")
        if len(root) != KEY_BYTES:
            raise Tampered("keyring_root", "root.key")
        return root

    def _epoch_key(self, name: str) -> bytes:
        root, wrapped = self._root(), _read(self._key_file(name))
        if wrapped is None or self._is_destroyed(name):
            self._root()  # as in epoch_lives
            raise Conflict("epoch_gone", name)
        return _unwrap(root, wrapped, f"epoch:{name}".encode(), name)

    def _key(self, name: str) -> bytes:
        root, wrapped = self._root(), _read(self._path("keys", f"{name}.key"))
        if wrapped is None:
            raise Misconfigured("keyring_key_missing", name)
        return _unwrap(root, wrapped, f"key:{name}".encode(), name)

    def _signing_key(self, name: str) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self._key(name))

    def _versions(self, name: str) -> list[int]:
        self._root()
        with _reachable():
            found = [path.stem.rpartition("-") for path in self._path("keys").glob("*.key")]
        versions = sorted(int(version) for stem, _, version in found if stem == name)
        if not versions:
            raise Misconfigured("keyring_key_missing", name)
        return versions

    def _is_destroyed(self, name: str) -> bool:
        return _exists(self._marker(name))

    def _marker(self, name: str) -> Path:
        return self._path("destroyed", f"{_encode(name)}.gone")

    def _key_file(self, name: str) -> Path:
        return self._path("epochs", f"{_encode(name)}.key")

    def _path(self, *names: str) -> Path:
        return self._folder.joinpath(*names)


def _encode(name: str) -> str:
    """Percent-encoded, dots too: no name is hidden or climbs."""
    return quote(name, safe="").replace(".", "%2E")


def _bind(epoch: str, context: bytes) -> bytes:
    return struct.pack(">H", len(context)) + context + epoch.encode()


def _wrap(key: bytes, secret: bytes, bound: bytes) -> bytes:
    """version (1 byte) ‖ nonce (12, random) ‖ AES-256-GCM of 32 bytes with its tag (48)."""
    nonce = os.urandom(_NONCE_BYTES)
    return _VERSION + nonce + AESGCM(key).encrypt(nonce, secret, bound)


def _unwrap(key: bytes, wrapped: bytes, bound: bytes, name: str) -> bytes:
    if len(wrapped) != _WRAPPED_BYTES or wrapped[:1] != _VERSION:
        raise Tampered("wrapped_key", name)
    nonce, sealed = wrapped[1 : 1 + _NONCE_BYTES], wrapped[1 + _NONCE_BYTES :]
    try:
        return AESGCM(key).decrypt(nonce, sealed, bound)
    except InvalidTag:
        raise Tampered("wrapped_key", name) from None


def _exists(path: Path) -> bool:
    with _reachable():
        return path.exists()


def _read(path: Path) -> bytes | None:
    with _reachable():
        try:
            file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            if os.fstat(file).st_mode & 0o077:
                raise Misconfigured("keyring_mode", path.name, "only its owner may read it: chmod 600")
            return os.read(file, 4096)
        finally:
            os.close(file)


@contextmanager
def _reachable() -> Iterator[None]:
    """The file system's faults as Consigne's, without a path."""
    try:
        yield
    except PermissionError:
        raise Misconfigured("keyring_denied", "keyring", "its folder belongs to another user") from None
    except OSError as fault:
        raise Unavailable("keyring", os.strerror(fault.errno or 0)) from None
