"""The keyring as a folder (0700) of small files (0600). docs/formats.md describes them to the byte.

    root.key, root-<n>.key      32 random bytes; the highest n (none: 1) is the root, others are on their way out
    lock                        flock: one writer among all processes
    epochs/<name>.key           an epoch's key, wrapped by the root
    destroyed/<name>.gone       empty: that name never gets a key again
    keys/<name>-<version>.key   signing, blind-index, tombstone, draw: wrapped by the root

Nothing is kept in memory between calls: what another process destroyed is gone here too. A folder without
its root is a keyring that is away (Unavailable), never one whose epochs are gone.
"""

from __future__ import annotations

import errno
import hmac
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consigne.acts.ports import Mac, Signature
from consigne.adapters.keyring.files import destroy, exists, locked, named, read_inside, sweep, write
from consigne.adapters.keyring.wrapping import (
    KEY_BYTES,
    MACS,
    NAMES,
    SIGNING,
    bind,
    check_data_key,
    check_name,
    unwrap,
    wrap,
)
from consigne.rules.errors import Conflict, Misconfigured, Tampered, Unavailable

_ROOT: Final = "root"
_FOLDERS: Final = ("epochs", "destroyed", "keys")
_TRIES: Final = 3


class FileKeyring:
    """Nothing is opened before the first call. One machine, one owner: whoever reads the folder has the keys."""

    provider: Final = "file"
    assurance: Final = "logical"

    def __init__(self, folder: Path) -> None:
        # A link to the keyring is its operator's; in the keyring there are none.
        self._folder = folder.resolve()

    def check(self) -> None:
        """Nothing that could be missing: `prepare` makes the folder."""

    def prepare(self, first: bool) -> None:
        """Finish every destruction and rotation that a kill interrupted. With `first`, make what is missing: say it
        only while nothing was ever stored. Misconfigured where keys lie in the folder without their root."""
        if first:
            self._make()
        self._roots()
        with _reachable(), locked(self._folder):
            for folder in ("", *_FOLDERS):
                sweep(self._path(folder))
            for marker in named(self._path("destroyed"), "*.gone"):
                destroy(self._path("epochs", f"{marker.stem}.key"))
            self._leave_old_roots()

    def open_epoch(self, name: str) -> None:
        self._roots()
        if self._is_destroyed(name):
            raise Conflict("epoch_destroyed", name)
        if not _exists(self._key_file(name)):
            with _reachable(), locked(self._folder):
                self._make_epoch(name)

    def epoch_lives(self, name: str) -> bool:
        self._roots()
        lives = _exists(self._key_file(name))
        self._roots()  # seen again: the folder did not go away in between
        return lives

    def epochs(self) -> list[str]:
        self._roots()
        with _reachable():
            return sorted(unquote(path.stem) for path in named(self._path("epochs"), "*.key"))

    def destroy_epoch(self, name: str) -> None:
        self._roots()
        with _reachable(), locked(self._folder):
            # The name is reserved first: a kill after this line leaves a key that nothing uses any more.
            write(self._marker(name), b"")
            sweep(self._path("epochs"))
            destroy(self._key_file(name))

    def wrap(self, epoch: str, key: bytes, context: bytes) -> bytes:
        check_data_key(key)
        return wrap(self._epoch_key(epoch), key, bind(epoch, context))

    def unwrap(self, epoch: str, wrapped: bytes, context: bytes) -> bytes:
        return unwrap([self._epoch_key(epoch)], wrapped, bind(epoch, context), epoch)

    def sign(self, message: bytes) -> Signature:
        key = f"{SIGNING}-{self.versions(SIGNING)[-1]}"
        return Signature(key, self._signing_key(key).sign(message))

    def public_keys(self) -> dict[str, bytes]:
        names = [f"{SIGNING}-{version}" for version in self.versions(SIGNING)]
        return {name: self._signing_key(name).public_key().public_bytes_raw() for name in names}

    def mac(self, name: str, message: bytes, version: int | None = None) -> Mac:
        check_name(name, MACS)
        chosen = self.versions(name)[-1] if version is None else version
        return Mac(chosen, hmac.digest(self._key(f"{name}-{chosen}"), message, "sha256"))

    def versions(self, name: str) -> list[int]:
        check_name(name)
        self._roots()
        with _reachable():
            found = [path.stem.rpartition("-") for path in named(self._path("keys"), "*.key")]
        versions = sorted(int(version) for stem, _, version in found if stem == name)
        if not versions:
            raise Misconfigured("keyring_key_missing", name)
        return versions

    def root_versions(self) -> list[int]:
        """The root's, oldest first: two where a kill interrupted its rotation, else one."""
        self._roots()
        return sorted(self._root_files())

    def rotate(self, name: str) -> int:
        check_name(name, (*NAMES, _ROOT))
        self._roots()
        with _reachable(), locked(self._folder):
            if name == _ROOT:
                return self._rotate_root()
            version = self.versions(name)[-1] + 1
            self._write_key(f"{name}-{version}")
            return version

    def _rotate_root(self) -> int:
        """A new root beside the old one, every key wrapped anew, the old one destroyed. Killed in between, the
        newest root is used for what is new, each file opens under its own, and the next call goes on."""
        roots = self._root_files()
        version = max(roots)
        if len(roots) == 1:
            version += 1
            write(self._path(f"{_ROOT}-{version}.key"), os.urandom(KEY_BYTES))
        self._leave_old_roots()
        return version

    def _leave_old_roots(self) -> None:
        files = self._root_files()
        newest = max(files)
        if len(files) == 1:
            return
        for folder, kind in (("epochs", "epoch"), ("keys", "key")):
            sweep(self._path(folder))
            for path in sorted(named(self._path(folder), "*.key")):
                self._wrap_anew(path, f"{kind}:{unquote(path.stem)}")
        for version in sorted(files.keys() - {newest}):
            destroy(files[version])

    def _wrap_anew(self, path: Path, bound: str) -> None:
        """Under the newest root, unless it is already; what opens under none stays as it is, and says so when used."""
        newest, *older = self._roots()
        wrapped = read_inside(path)
        if wrapped is None:
            return
        try:
            unwrap([newest], wrapped, bound.encode(), "")
        except Tampered:
            try:
                secret = unwrap(older, wrapped, bound.encode(), "")
            except Tampered:
                return
            write(path, wrap(newest, secret, bound.encode()))

    def _make(self) -> None:
        with _reachable():
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with locked(self._folder):
                self._make_files()

    def _make_files(self) -> None:
        for folder in _FOLDERS:
            self._path(folder).mkdir(mode=0o700, exist_ok=True)
        if not self._root_files():
            if any(named(self._path(folder), "*.key") for folder in _FOLDERS):
                raise Misconfigured(
                    "keyring_root_missing", "root.key", "bring it back; a new one opens nothing"
                )
            write(self._path("root.key"), os.urandom(KEY_BYTES))
        for name in NAMES:
            if not named(self._path("keys"), f"{name}-*.key"):
                self._write_key(f"{name}-1")

    def _write_key(self, key: str) -> None:
        self._write_wrapped(self._path("keys", f"{key}.key"), f"key:{key}")

    def _write_wrapped(self, path: Path, bound: str) -> None:
        write(path, wrap(self._roots()[0], os.urandom(KEY_BYTES), bound.encode()))

    def _make_epoch(self, name: str) -> None:
        if self._is_destroyed(name):
            raise Conflict("epoch_destroyed", name)
        if not exists(self._key_file(name)):
            self._write_wrapped(self._key_file(name), f"epoch:{name}")

    def _root_files(self) -> dict[int, Path]:
        """Version → file of every root that lies there."""
        first = self._path("root.key")
        known = {1: first} if exists(first) else {}
        found = [(path.stem.rpartition("-")[2], path) for path in named(self._folder, f"{_ROOT}-*.key")]
        return known | {int(version): path for version, path in found if version.isdecimal()}

    def _roots(self) -> list[bytes]:
        """The roots, the newest first. Looked for again where one went between its listing and its reading."""
        for _ in range(_TRIES):
            with _reachable():
                files = self._root_files()
            found = [_read(files[version]) for version in sorted(files, reverse=True)]
            roots = [root for root in found if root is not None]
            if any(len(root) != KEY_BYTES for root in roots):
                raise Tampered("keyring_root", "root.key")
            if roots and len(roots) == len(found):
                return roots
        raise Unavailable("keyring", "root.key", "the keyring is away, or `consigne apply` never made it")

    def _opened(self, path: Path, bound: str, name: str) -> bytes | None:
        """What a key file wraps; None where there is none. Read again where the root was rotated meanwhile."""
        for _ in range(_TRIES):
            roots, wrapped = self._roots(), _read(path)
            if wrapped is None:
                self._roots()  # as in epoch_lives
                return None
            try:
                return unwrap(roots, wrapped, bound.encode(), name)
            except Tampered:
                if self._roots() == roots and _read(path) == wrapped:
                    raise
        raise Unavailable("keyring", name, "its root is being rotated")

    def _epoch_key(self, name: str) -> bytes:
        try:
            key = self._opened(self._key_file(name), f"epoch:{name}", name)
        except Tampered:  # perhaps half destroyed
            if not self._is_destroyed(name):
                raise
            key = None
        if key is None or self._is_destroyed(name):
            raise Conflict("epoch_gone", name)
        return key

    def _key(self, name: str) -> bytes:
        key = self._opened(self._path("keys", f"{name}.key"), f"key:{name}", name)
        if key is None:
            raise Misconfigured("keyring_key_missing", name)
        return key

    def _signing_key(self, name: str) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self._key(name))

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


def _exists(path: Path) -> bool:
    with _reachable():
        return exists(path)


def _read(path: Path) -> bytes | None:
    with _reachable():
        return read_inside(path)


@contextmanager
def _reachable() -> Iterator[None]:
    """The file system's faults as Consigne's, without a path."""
    try:
        yield
    except PermissionError:
        raise Misconfigured("keyring_denied", "keyring", "its folder belongs to another user") from None
    except OSError as fault:
        if fault.errno in (errno.ELOOP, errno.ENOTDIR):
            why = "a link lies in it: see who put it there"
            raise Misconfigured("folder_not_ours", "keyring", why) from None
        raise Unavailable("keyring", os.strerror(fault.errno or 0)) from None
