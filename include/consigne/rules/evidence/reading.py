"""Files from disk: those named, those of named folders, and those that lie beside the named."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from consigne.rules.evidence.files import Named

LARGEST_FILE_BYTES = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Read:
    """What was read: `named` are the files named and those of named folders, `neighbours` lie beside named files;
    the names of those too large to read (`unread`), and of PDF sheets in a named folder (`sheets`)."""

    named: list[Named]
    neighbours: list[Named]
    unread: list[str]
    sheets: list[str]


def read_files(paths: Iterable[str]) -> Read:
    """Hidden files and the verifier itself are left out of folders. OSError where a named file cannot be read."""
    named: dict[Path, bytes | None] = {}
    folders: dict[Path, None] = {}
    sheets: dict[Path, None] = {}
    for path in map(Path, paths):
        if path.is_dir():
            found = {file: read_file(file) for file in sorted(_list_folder(path.rglob("*")))}
            sheets.update((file, None) for file, data in found.items() if _is_sheet(file, data))
            named.update((file, data) for file, data in found.items() if not _is_sheet(file, data))
        else:
            named[path] = read_file(path)
            folders[path.parent] = None
    seen = {path.resolve() for path in named}
    beside = [
        (str(path), data)
        for folder in folders
        for path in sorted(_list_folder(folder.iterdir()))
        if path.resolve() not in seen and (data := _read_neighbour(path)) is not None
    ]
    read = [(str(path), data) for path, data in named.items() if data is not None]
    unread = [str(path) for path, data in named.items() if data is None]
    return Read(read, beside, unread, [str(path) for path in sheets if path not in named])


def read_file(path: Path) -> bytes | None:
    """None where it is larger than LARGEST_FILE_BYTES. OSError."""
    with path.open("rb") as file:
        data = file.read(LARGEST_FILE_BYTES + 1)  # a device tells no size
    return data if len(data) <= LARGEST_FILE_BYTES else None


def _is_sheet(path: Path, data: bytes | None) -> bool:
    return path.suffix == ".pdf" and data is not None and data.startswith(b"%PDF")


def _list_folder(paths: Iterable[Path]) -> list[Path]:
    # the verifier itself may lie among what it verifies
    return [
        path for path in paths if path.is_file() and not path.name.startswith(".") and path.suffix != ".pyz"
    ]


def _read_neighbour(path: Path) -> bytes | None:
    try:
        return read_file(path)
    except OSError:
        return None
