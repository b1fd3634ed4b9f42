"""Intake as a folder: per call an audio file and a JSON file of the same stem, the JSON written last.

Only regular files directly in the folder are looked at; every access goes through the folder's descriptor
and follows no link, so that nothing outside is read or removed. Content is read only when asked for.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from consigne.acts.ports import Waiting
from consigne.rules.audio import containers
from consigne.rules.errors import Conflict, Unavailable
from consigne.rules.sources.native import LARGEST_JSON_BYTES
from consigne.rules.values import Private

AUDIO_SUFFIXES: Final = frozenset(suffix.removeprefix(".") for suffix in containers.SUFFIXES)
_CLEARING: Final = ".clearing-"
_ABSENT: Final = "-" * 32
_PLAIN: Final = re.compile(r"[A-Za-z0-9._-]{1,100}")
# A long number, a number in groups (a card, an account), a telephone number in pairs.
_NUMBERS: Final = re.compile(r"\d{9}|(?:\d[._-]?){12}|0\d(?:[._-]?\d\d){4}|33[._-]?\d(?:[._-]?\d\d){4}")


@dataclass(frozen=True, slots=True)
class _File:
    """A regular file (or, as a link, something in its place), as the folder shows it."""

    name: str
    fingerprint: str
    bytes: int
    changed_at_s: float
    is_link: bool
    is_readable: bool


class FolderIntake:
    """`blind` is a keyed digest, for the labels of stems that may carry a number. A file is taken for complete
    when nothing about it changed for `settle_s`; alone, after `lone_json_s` or `lone_audio_s`, it is reported."""

    def __init__(
        self,
        path: Path,
        blind: Callable[[bytes], bytes],
        source: str = "folder",
        settle_s: float = 2,
        lone_json_s: float = 60,
        lone_audio_s: float = 3600,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._path, self._blind, self.source, self._now = path, blind, source, now
        self._settle_s, self._lone_json_s, self._lone_audio_s = settle_s, lone_json_s, lone_audio_s

    def waiting(self, size_cap_bytes: int, only: Collection[str] | None = None) -> Iterator[Waiting]:
        now = self._now()
        wanted = None if only is None else {each for both in only for each in both.split(".")}
        with self._opened() as folder:
            _finish_clearing(folder)
            files = list(_files(folder, wanted))
        pairs = [
            (_changed_at_s(audio, metadata), stem, audio, metadata) for stem, audio, metadata in _pairs(files)
        ]
        for changed_at_s, stem, audio, metadata in sorted(pairs, key=lambda pair: pair[:2]):
            fingerprint = f"{_print_of(audio)}.{_print_of(metadata)}"
            patience_s = self._settle_s
            if audio is None:
                patience_s = self._lone_json_s
            elif metadata is None:
                patience_s = self._lone_audio_s
            if now - changed_at_s >= patience_s and (only is None or fingerprint in only):
                yield Waiting(
                    stem,
                    self._label(stem),
                    None if audio is None or audio.is_link else audio.name,
                    None if metadata is None else metadata.name,
                    fingerprint,
                    datetime.fromtimestamp(changed_at_s, UTC),
                    _trouble(audio, metadata, size_cap_bytes),
                )

    def read_json(self, found: Waiting) -> Private[bytes]:
        return self._read(found.json, found.fingerprint.partition(".")[2])

    def read_audio(self, found: Waiting) -> Private[bytes]:
        return self._read(found.audio, found.fingerprint.partition(".")[0])

    def clear(self, found: Waiting) -> None:
        expected = dict(zip((found.audio, found.json), found.fingerprint.split("."), strict=True))
        with self._opened() as folder:
            there = {name: seen for name in expected if name and (seen := _seen(name, folder))}
            if there and all(expected[name] == fingerprint for name, fingerprint in there.items()):
                # The note dooms both files at once: killed from here on, the next look finishes it.
                note = os.open(
                    f"{_CLEARING}{found.fingerprint}",
                    os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW,
                    0o600,
                    dir_fd=folder,
                )
                os.close(note)
                os.fsync(folder)
                if all(name or seen == _ABSENT for name, seen in expected.items()):
                    _end_clearing(there, [f"{_CLEARING}{found.fingerprint}"], folder)
                else:  # a link, which has no name here
                    _finish_clearing(folder)

    def _read(self, name: str | None, fingerprint: str) -> Private[bytes]:
        if name is None:
            raise Conflict("changed")
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with self._opened() as folder:
            try:
                file = os.open(name, flags, dir_fd=folder)
            except OSError as fault:
                if fault.errno not in (errno.ENOENT, errno.ELOOP):
                    raise
                raise Conflict("changed") from None
            with open(file, "rb", buffering=0) as opened:
                before = os.fstat(file)
                if _fingerprint(before) != fingerprint:
                    raise Conflict("changed")
                data = opened.read(before.st_size + 1)
                if len(data) != before.st_size or _fingerprint(os.fstat(file)) != fingerprint:
                    raise Conflict("changed")
        return Private(data)

    def _label(self, stem: str) -> str:
        if _PLAIN.fullmatch(stem) and not _NUMBERS.search(stem):
            return stem
        return "stem-" + self._blind(os.fsencode(stem)).hex()[:12]

    @contextmanager
    def _opened(self) -> Iterator[int]:
        try:
            folder = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as fault:
            raise Unavailable("intake", self.source, os.strerror(fault.errno or 0)) from None
        try:
            yield folder
        except OSError as fault:
            raise Unavailable("intake", self.source, os.strerror(fault.errno or 0)) from None
        finally:
            os.close(folder)


def _files(folder: int, wanted: Collection[str] | None = None) -> Iterator[_File]:
    """Those of these fingerprints, or all."""
    with os.scandir(folder) as entries:
        for entry in entries:
            try:
                status = os.stat(entry.name, dir_fd=folder, follow_symlinks=False)
            except FileNotFoundError:
                continue
            is_link = stat.S_ISLNK(status.st_mode)
            if is_link or stat.S_ISREG(status.st_mode):
                fingerprint = _fingerprint(status)
                if wanted is not None and fingerprint not in wanted:
                    continue
                # The change time, not the modification time: a copy that keeps old dates still settles late.
                yield _File(
                    entry.name, fingerprint, status.st_size, status.st_ctime, is_link,
                    os.access(entry.name, os.R_OK, dir_fd=folder, effective_ids=True, follow_symlinks=False),
                )  # fmt: skip


def _pairs(files: list[_File]) -> Iterator[tuple[str, _File | None, _File | None]]:
    """(stem, audio, JSON), one of them perhaps missing. Of several audio files the first by name belongs to
    the JSON, the others stand alone; so does a linked file without a JSON: it is nobody's delivery."""
    metadata: dict[str, _File] = {}
    audio: dict[str, list[_File]] = {}
    for file in sorted(files, key=lambda file: (file.is_link, file.name)):
        stem, dot, suffix = file.name.rpartition(".")
        if dot and suffix.lower() == "json" and not file.is_link:
            metadata.setdefault(stem, file)
        elif dot and suffix.lower() in AUDIO_SUFFIXES:
            audio.setdefault(stem, []).append(file)
    for stem in sorted(metadata.keys() | audio.keys()):
        sounds = audio.get(stem, [])
        if stem in metadata:
            yield stem, sounds[0] if sounds else None, metadata[stem]
        elif not sounds[0].is_link:
            yield stem, sounds[0], None


def _changed_at_s(*files: _File | None) -> float:
    return max(file.changed_at_s for file in files if file is not None)


def _trouble(audio: _File | None, metadata: _File | None, size_cap_bytes: int) -> tuple[str, str] | None:
    if audio is None or audio.is_link or not audio.is_readable:
        return "missing_audio", "audio"
    if metadata is None or not metadata.is_readable:
        return "bad_json", "json"
    if audio.bytes > size_cap_bytes:
        return "too_large", "audio"
    if metadata.bytes > LARGEST_JSON_BYTES:
        return "too_large", "json"
    return None


def _finish_clearing(folder: int) -> None:
    """Remove the files that a note names by their fingerprints, then the note."""
    notes = {name for name in os.listdir(folder) if name.startswith(_CLEARING)}
    if not notes:
        return
    doomed = {part for note in notes for part in note.removeprefix(_CLEARING).split(".")}
    _end_clearing([file.name for file in _files(folder, doomed)], notes, folder)


def _end_clearing(doomed: Collection[str], notes: Collection[str], folder: int) -> None:
    for names in (doomed, notes):
        for name in names:
            _unlink(name, folder)
        os.fsync(folder)


def _seen(name: str, folder: int) -> str | None:
    """The fingerprint of the file of that name; None where there is none."""
    try:
        return _fingerprint(os.stat(name, dir_fd=folder, follow_symlinks=False))
    except FileNotFoundError:
        return None


def _unlink(name: str, folder: int) -> None:
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        return


def _print_of(file: _File | None) -> str:
    return _ABSENT if file is None else file.fingerprint


def _fingerprint(status: os.stat_result) -> str:
    seen = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    return hashlib.sha256(repr(seen).encode()).hexdigest()[:32]
