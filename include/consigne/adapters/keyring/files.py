"""Small secret files that survive a kill: written whole or not at all, destroyed before they are unlinked.

Callers hold the folder's lock (`locked`) for everything that writes; what a killed process left behind
(`….unfinished`) is therefore nobody's and is swept.

Root writes in a folder that a key server of another user owns. It follows no link there: each folder is opened once,
by its own name, and all else is named within it.
"""

from __future__ import annotations

import fcntl
import fnmatch
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
    with _inside(folder) as place:
        lock = os.open("lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=place)
        _give(lock, place)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def read(path: Path, place: int | None = None) -> bytes | None:
    """A secret file's bytes (4096 at most), of the open folder `place` where one is given; None where there is none.
    Misconfigured where others may read it."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=place)
    except FileNotFoundError:
        return None
    try:
        if os.fstat(file).st_mode & 0o077:
            raise Misconfigured("keyring_mode", path.name, "only its owner may read it: chmod 600")
        return os.read(file, 4096)
    finally:
        os.close(file)


def read_credential(path: Path, code: str, what: str) -> str:
    """A token or PIN from its file. Misconfigured(code) where it is empty, missing or cannot be read; `what` says
    which file that is."""
    try:
        found = read(path)
    except OSError as fault:
        raise Misconfigured(code, path.name, fault.strerror or "") from None
    if not found:
        raise Misconfigured(code, path.name, f"{what} is missing")
    return found.decode().strip()


def read_inside(path: Path) -> bytes | None:
    """As `read`, and OSError where its folder is a link."""
    try:
        with _inside(path.parent) as place:
            return read(Path(path.name), place)
    except FileNotFoundError:
        return None


def exists(path: Path) -> bool:
    """Whether anything has that name, a link too. OSError where its folder is one."""
    try:
        with _inside(path.parent) as place:
            os.stat(path.name, dir_fd=place, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def named(folder: Path, pattern: str) -> list[Path]:
    """What has such a name in it; nothing where there is no folder, OSError where it is a link."""
    try:
        with _inside(folder) as place:
            return [folder / name for name in fnmatch.filter(os.listdir(place), pattern)]  # noqa: PTH208
    except FileNotFoundError:
        return []


def write(path: Path, data: bytes) -> None:
    """Put a file of mode 0600 in place; once this returns it outlives a power cut."""
    unfinished, asked = f"{path.name}{_UNFINISHED}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    with _inside(path.parent) as place:
        file = os.open(unfinished, asked | os.O_CLOEXEC, 0o600, dir_fd=place)
        try:
            _give(file, place)
            os.write(file, data)
            os.fsync(file)
        finally:
            os.close(file)
        os.rename(unfinished, path.name, src_dir_fd=place, dst_dir_fd=place)
        os.fsync(place)


@contextmanager
def _inside(folder: Path) -> Iterator[int]:
    """The folder of exactly this name, opened; OSError where a link lies there."""
    place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        yield place
    finally:
        os.close(place)


def _give(file: int, place: int) -> None:
    """To the folder's owner, where root writes beside a key server that is another user."""
    if os.geteuid() == 0:
        of = os.fstat(place)
        os.fchown(file, of.st_uid, of.st_gid)


def destroy(path: Path) -> None:
    """Overwrite, then unlink; nothing to do where it is gone. What a disk remembers of overwritten blocks
    is not in our hands: docs/security.md."""
    with _inside(path.parent) as place:
        try:
            file = os.open(path.name, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=place)
        except FileNotFoundError:
            return
        try:
            os.write(file, os.urandom(os.fstat(file).st_size))
            os.fsync(file)
        finally:
            os.close(file)
        os.unlink(path.name, dir_fd=place)
        os.fsync(place)


def sweep(folder: Path) -> None:
    """Destroy what a killed writer left half done."""
    for path in named(folder, f"*{_UNFINISHED}"):
        destroy(path)


def sync(folder: Path) -> None:
    """Make the folder's entries outlive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
