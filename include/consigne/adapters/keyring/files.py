"""Small secret files that survive a kill: written whole or not at all, destroyed before they are unlinked.

Callers hold the folder's lock (`locked`) for everything that writes; what a killed process left behind
(`….unfinished`) is therefore nobody's and is swept.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from consigne.rules.errors import Misconfigured

_UNFINISHED: Final = ".unfinished"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Alone among all processes; the kernel lets go when this one dies."""
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _give(lock, folder)
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def read(path: Path) -> bytes | None:
    """A secret file's bytes (4096 at most); None where there is none. Misconfigured where others may read it."""
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


def write(path: Path, data: bytes) -> None:
    """Put a file of mode 0600 in place; once this returns it outlives a power cut."""
    unfinished = path.parent / f"{path.name}{_UNFINISHED}"
    file = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        _give(file, path.parent)
        os.write(file, data)
        os.fsync(file)
    finally:
        os.close(file)
    unfinished.rename(path)
    sync(path.parent)


def _give(file: int, folder: Path) -> None:
    """To the folder's owner, where root writes beside a key server that is another user."""
    if os.geteuid() == 0:
        of = folder.stat()
        os.fchown(file, of.st_uid, of.st_gid)


def destroy(path: Path) -> None:
    """Overwrite, then unlink; nothing to do where it is gone. What a disk remembers of overwritten blocks
    is not in our hands: docs/security.md."""
    try:
        file = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        os.write(file, os.urandom(os.fstat(file).st_size))
        os.fsync(file)
    finally:
        os.close(file)
    path.unlink()
    sync(path.parent)


def sweep(folder: Path) -> None:
    """Destroy what a killed writer left half done."""
    for path in folder.glob(f"*{_UNFINISHED}"):
        destroy(path)


def sync(folder: Path) -> None:
    """Make the folder's entries outlive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
