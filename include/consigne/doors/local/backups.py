"""Backups as they lie in a folder: one folder each, whose manifest says until when it may exist.

    consigne-20261122T091403Z-1a2b3c4d/
      manifest.json        which installation, when, each part's end and digest, under a MAC
      database.files …     SHA-256 and name of each file of the part, a line each
      database/ …          the files

`backups.json` in the state folder names every backup that was begun and is not destroyed yet, so that one on a
disk that is away is not forgotten.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from consigne.adapters.keyring.files import destroy
from consigne.doors.settings import Settings, write_private
from consigne.rules.clock import iso, parse_instant
from consigne.rules.errors import BadInput, Conflict, Tampered
from consigne.rules.evidence.canonical import encode

PARTS = ("database", "recordings", "keyring", "secrets")
FORMAT = "consigne-backup/1"
MARK = "backup-mark"
"""The secret that makes a manifest this installation's."""
SECRET_PARTS = ("keyring", "secrets")  # overwritten before they are removed
_READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Part:
    """`destroy_before` is when it must be gone; `digest` the SHA-256 (hex) of its list of files."""

    destroy_before: str
    files: int
    bytes: int
    digest: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds; `made_at` is when it was begun, by the catalog's clock."""

    id: str
    origin: str
    made_at: str
    parts: dict[str, Part]

    @property
    def name(self) -> str:
        """Of its folder."""
        return f"consigne-{self.made_at[:19].replace('-', '').replace(':', '')}Z-{self.id[:8]}"

    def due(self, now: datetime) -> list[str]:
        """Parts that must be gone."""
        return [name for name, part in self.parts.items() if parse_instant(part.destroy_before) <= now]


def now_by(settings: Settings) -> datetime:
    """The catalog's clock as far as the state folder knows it: the database may be away, or its own backup."""
    return datetime.now(UTC) + timedelta(seconds=settings.clock_offset_s)


def write_manifest(settings: Settings, folder: Path, manifest: Manifest) -> None:
    """Whole or not at all."""
    body = asdict(manifest) | {"format": FORMAT}
    mac = hmac.digest(settings.secret(MARK).encode(), encode(body), "sha256").hex()
    write_private(folder / "manifest.json", json.dumps(body | {"mac": mac}, indent=1) + "\n")


def read_manifest(folder: Path, mark: str | None) -> Manifest | None:
    """None where the folder holds no backup that was made under this mark."""
    try:
        body: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
        said = bytes.fromhex(body.pop("mac"))
        if mark is None or body.pop("format") != FORMAT:
            return None
        if not hmac.compare_digest(
            said, hmac.digest(mark.encode(), encode(body | {"format": FORMAT}), "sha256")
        ):
            return None
        return Manifest(**body | {"parts": {name: Part(**part) for name, part in body["parts"].items()}})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def find_backups(settings: Settings, folder: Path) -> dict[Path, Manifest]:
    """This installation's backups in a folder, oldest first."""
    mark, found = settings.secret(MARK), sorted(folder.glob("consigne-*"))
    return {one: manifest for one in found if (manifest := read_manifest(one, mark))}


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """One backup or restore at a time. Conflict('backup_runs')."""
    with (settings.state_dir / "run" / "backup.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict("backup_runs", str(settings.state_dir), "wait until it has ended") from None
        yield


def known(settings: Settings) -> dict[str, Manifest]:
    """Path → what `backups.json` says of a backup that is not destroyed yet."""
    try:
        found = json.loads(ledger(settings.state_dir).read_text())
    except FileNotFoundError:
        return {}
    parts = {path: {name: Part(**part) for name, part in one["parts"].items()} for path, one in found.items()}
    return {path: Manifest(**one | {"parts": parts[path]}) for path, one in found.items()}


def overdue(settings: Settings) -> list[str] | None:
    """Paths of backups that exist beyond their end, for all we know; None for a service that was given no list."""
    if settings.holder and not ledger(settings.state_dir).exists():
        return None
    now = now_by(settings)
    return [path for path, manifest in known(settings).items() if manifest.due(now)]


def remember(settings: Settings, path: Path, manifest: Manifest) -> None:
    """Note what a backup holds; one that holds nothing is forgotten."""
    kept = known(settings) | {str(path): manifest}
    document = {name: asdict(one) for name, one in kept.items() if one.parts}
    write_private(ledger(settings.state_dir), json.dumps(document, indent=1) + "\n")


def ledger(folder: Path) -> Path:
    """Where the list of backups lies in a state folder or a share."""
    return folder / "backups.json"


def copy_files(source: Path, target: Path, names: Iterable[str]) -> dict[str, tuple[str, int]]:
    """Copy regular files (0600), each whole or not at all, and all folders (0700); name → SHA-256 (hex) and bytes.
    What is gone meanwhile is left out."""
    copied = {}
    for above, _, _ in os.walk(source):  # empty ones too
        _make_folders(target, Path(above).relative_to(source))
    for name in names:
        try:
            descriptor = os.open(source / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        with open(descriptor, "rb") as held:
            _make_folders(target, Path(name).parent)  # made meanwhile
            draft = target / f"{name}.unfinished"
            with open(
                os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb"
            ) as copy:
                shutil.copyfileobj(held, copy, _READ_BYTES)
            draft.rename(target / name)
        copied[name] = digest_of(target / name)
    return copied


def _make_folders(root: Path, inner: Path) -> None:
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    for folder in reversed([inner, *inner.parents]):  # parents= would make them by the umask
        (root / folder).mkdir(mode=0o700, exist_ok=True)


def list_files(folder: Path) -> list[str]:
    """Names of the regular files below a folder, sorted."""
    found = []
    for above, _, names in os.walk(folder):
        place = Path(above)
        found += [str((place / one).relative_to(folder)) for one in names if not (place / one).is_symlink()]
    return sorted(found)


def digest_of(file: Path) -> tuple[str, int]:
    """SHA-256 (hex) and length in bytes."""
    with file.open("rb") as held:
        return hashlib.file_digest(held, "sha256").hexdigest(), os.fstat(held.fileno()).st_size


def write_list(folder: Path, part: str, files: dict[str, tuple[str, int]], destroy_before: datetime) -> Part:
    """Write a part's list of files; what the manifest says of it."""
    lines = "".join(f"{digest}  {json.dumps(name)}\n" for name, (digest, _) in files.items())
    write_private(folder / f"{part}.files", lines)
    size_bytes = sum(length for _, length in files.values())
    return Part(iso(destroy_before), len(files), size_bytes, hashlib.sha256(lines.encode()).hexdigest())


def read_list(folder: Path, part: str, manifest: Manifest) -> dict[str, str]:
    """name → SHA-256 (hex). Tampered('backup_altered') where it is not the list of the manifest."""
    try:
        lines = (folder / f"{part}.files").read_bytes()
    except OSError:
        raise BadInput("not_readable", f"{folder}/{part}.files") from None
    if hashlib.sha256(lines).hexdigest() != manifest.parts[part].digest:
        raise Tampered("backup_altered", f"{folder}/{part}.files")
    split = (line.split("  ", 1) for line in lines.decode().splitlines())
    return {json.loads(name): digest for digest, name in split}


def check_files(folder: Path, part: str, files: dict[str, str]) -> None:
    """Tampered('backup_altered') where a file is not what was written."""
    for name, digest in files.items():
        try:
            found, _ = digest_of(folder / part / name)
        except OSError:
            raise Tampered("backup_altered", f"{folder}/{part}", "a file is missing") from None
        if found != digest:
            raise Tampered("backup_altered", f"{folder}/{part}/{name}")


def destroy_parts(settings: Settings, folder: Path, manifest: Manifest, parts: Iterable[str]) -> None:
    """Remove parts of a backup, key files overwritten; with its last part the backup is gone. Killed half-way,
    the same call goes on."""
    left = dict(manifest.parts)
    for part in parts:
        remove_part(folder, part)
        left.pop(part, None)
    changed = replace(manifest, parts=left)
    if left:
        write_manifest(settings, folder, changed)
    else:
        shutil.rmtree(folder, ignore_errors=True)
    remember(settings, folder, changed)


def remove_part(folder: Path, part: str) -> None:
    """A part's files and its list."""
    if part in SECRET_PARTS:
        for name in list_files(folder / part):
            destroy(folder / part / name)
    if (folder / part).exists():
        shutil.rmtree(folder / part)
    (folder / f"{part}.files").unlink(missing_ok=True)
