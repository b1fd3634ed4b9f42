"""A process that sees less than we do: an unprivileged user, no capability, and of folders that are closed to it only
what it needs, in a mount namespace of its own (mount_namespaces(7)). Only root can give a process this."""

from __future__ import annotations

import ctypes
import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

_CLONE_NEWNS = 0x00020000
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_REMOUNT, _MS_BIND = 1, 2, 4, 32, 4096
_MS_REC, _MS_PRIVATE = 16384, 1 << 18
_PR_SET_NO_NEW_PRIVS = 38
UNREACHABLE_CODE = 4
"""With which a process ends that cannot reach what it needs; its log names the path."""

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Apart:
    """Who runs it (uid, gid), and what it sees of folders that are closed to that user: `reads` and, below or beside
    them, `writes`. What is not closed to everybody stays as it is."""

    user: tuple[int, int]
    reads: tuple[Path, ...]
    writes: tuple[Path, ...] = ()


def needed_for_python() -> tuple[Path, ...]:
    """Where our interpreter and its packages lie."""
    found = (sys.prefix, sys.base_prefix)
    return tuple(dict.fromkeys(one for path in found for one in (Path(path), Path(path).resolve())))


def enter(apart: Apart, folder: Path) -> None:
    """Between fork and exec: make the narrow view, work in `folder`, become the user. Ends the process with
    UNREACHABLE_CODE, the path on stderr, where something stays out of reach."""
    try:
        _enter(apart, folder)
    except OSError as fault:
        _give_up(f"{fault.filename or folder}: {fault.strerror}")


def _enter(apart: Apart, folder: Path) -> None:
    paths = sorted({*apart.reads, *apart.writes}, key=lambda path: len(path.parts))
    closed = sorted({top for path in paths if (top := _closed_above(path, apart.user))})
    if closed:
        _narrow(closed, paths, set(apart.reads) - set(apart.writes))
    os.chdir(folder)
    os.setgroups([])
    os.setresgid(apart.user[1], apart.user[1], apart.user[1])
    os.setresuid(apart.user[0], apart.user[0], apart.user[0])
    _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    for path in paths:
        if not os.access(path, os.R_OK | (os.X_OK if path.is_dir() else 0)):
            _give_up(f"{path}: let every user read it")


def _give_up(why: str) -> NoReturn:
    os.write(2, f"unreachable: {why}\n".encode())
    os._exit(UNREACHABLE_CODE)


def is_possible() -> bool:
    """Whether we may set a process apart: as root, but in most containers not even then."""
    if os.getuid() != 0:
        return False
    child = os.fork()
    if child == 0:
        os._exit(0 if _libc.unshare(_CLONE_NEWNS) == 0 else 1)
    return os.waitpid(child, 0)[1] == 0


def _closed_above(path: Path, user: tuple[int, int]) -> Path | None:
    """The topmost folder above it that the user cannot pass."""
    for folder in reversed(path.parents):
        found = folder.stat()
        if found.st_uid == user[0]:
            bit = stat.S_IXUSR
        else:
            bit = stat.S_IXGRP if found.st_gid == user[1] else stat.S_IXOTH
        if not found.st_mode & bit:
            return folder
    return None


def _narrow(closed: list[Path], paths: list[Path], read_only: set[Path]) -> None:
    """Cover each closed folder by an empty one, and bind back into it what is needed."""
    _check(_libc.unshare(_CLONE_NEWNS), Path("/"))
    _mount("none", Path("/"), "", _MS_REC | _MS_PRIVATE)
    held = {path: os.open(path, os.O_PATH | os.O_CLOEXEC) for path in paths}
    for folder in closed:
        _mount("tmpfs", folder, "tmpfs", _MS_NOSUID | _MS_NODEV, "mode=0755,size=1m")
    for path, descriptor in held.items():
        if not any(folder in path.parents for folder in closed):
            continue
        if not path.exists():
            _make_room(path, descriptor)
        _mount(f"/proc/self/fd/{descriptor}", path, "", _MS_BIND)
        flags = _MS_RDONLY if path in read_only else 0
        _mount("", path, "", _MS_REMOUNT | _MS_BIND | _MS_NOSUID | _MS_NODEV | flags)
    for folder in closed:
        _mount("", folder, "", _MS_REMOUNT | _MS_BIND | _MS_NOSUID | _MS_NODEV | _MS_RDONLY)


def _make_room(path: Path, descriptor: int) -> None:
    mask = os.umask(0o022)
    if stat.S_ISDIR(os.fstat(descriptor).st_mode):
        path.mkdir(parents=True)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    os.umask(mask)


def _mount(source: str, target: Path, kind: str, flags: int, data: str = "") -> None:
    words = [os.fsencode(word) if word else None for word in (source, str(target), kind)]
    _check(_libc.mount(*words, ctypes.c_ulong(flags), data.encode() or None), target)


def _check(answer: int, path: Path) -> None:
    if answer != 0:
        raise OSError(ctypes.get_errno(), "mount", str(path))
