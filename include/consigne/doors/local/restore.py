"""`consigne restore`: parts of a backup back in place, while everything is down.

Files are added where they are missing, and none is replaced: what is there is newer. The database alone is one
piece: it is put in whole. What is gone stays gone: `up` replays what `evidence` says before ingest and desk open.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from consigne.doors.local import postgres, report, services
from consigne.doors.local.backup import keyring_folder, ours
from consigne.doors.local.backups import (
    MARK,
    PARTS,
    Manifest,
    alone,
    check_files,
    copy_files,
    digest_of,
    now_by,
    read_list,
    read_manifest,
)
from consigne.doors.local.declared import add_declared
from consigne.doors.local.supervisor import stop_leftovers
from consigne.doors.settings import Settings, write_private
from consigne.rules.errors import BadInput, Conflict, Tampered

Say = Callable[[str], None]


def restore(settings: Settings, folder: Path, only: Sequence[str], replace: bool, say: Say) -> None:
    """Put parts of a backup (its folder, or the newest in a folder) back. All of it is checked before anything is
    written; cut short, `up` refuses until it was run again.

    Conflict: `it_runs`, `other_installation`, `beyond_horizon`, `database_there` (unless `replace`), `other_root`.
    Tampered('backup_altered').
    """
    lock = report.take_lock(settings, patience_s=2.0)
    if lock is None:
        raise Conflict("it_runs", str(settings.state_dir), "`down` first")
    with lock, alone(settings):
        stop_leftovers(settings)
        place, manifest = _find(settings, folder)
        parts = _choose(settings, manifest, only)
        if due := [part for part in manifest.due(now_by(settings)) if part in parts]:
            raise Conflict("beyond_horizon", ", ".join(due), "its time is up: `backup` destroys it")
        lists = {part: read_list(place, part, manifest) for part in parts}
        for part, files in lists.items():
            check_files(place, part, files)
        _refuse_to_lose(settings, place, parts, replace)
        write_private(_unfinished(settings), "".join(f"{part}\n" for part in parts))
        for part, files in lists.items():
            added = _put_back(settings, place / part, part, files)
            say(f"{part}: {added} of {len(files)} files put back, as of {manifest.made_at}")
        add_declared(settings, [part for part in parts if part != "secrets"])
        os.sync()
        _unfinished(settings).unlink()


def declare(settings: Settings, words: Sequence[str]) -> None:
    """Say of parts that they were put back by hand, or of a restoration (its id) that it was; the next `up` signs it.
    Conflict('it_runs'); BadInput('unknown_part')."""
    lock = report.take_lock(settings, patience_s=2.0)
    if lock is None:
        raise Conflict("it_runs", str(settings.state_dir), "`down` first")
    with lock, alone(settings):
        add_declared(settings, words)


def is_unfinished(settings: Settings) -> bool:
    """Whether a restore was cut short: nothing may start on what it left."""
    return _unfinished(settings).exists()


def _unfinished(settings: Settings) -> Path:
    return settings.state_dir / "run" / "restoring"


def _find(settings: Settings, folder: Path) -> tuple[Path, Manifest]:
    """The backup, made by this installation; its mark comes from the backup where all secrets are lost."""
    candidates = [folder] if (folder / "manifest.json").is_file() else sorted(folder.glob("consigne-*/"))
    if not candidates:
        raise BadInput("no_backup", str(folder), "no backup lies there")
    files = (settings.state_dir / "secrets" / MARK, candidates[-1] / "secrets" / MARK)
    mark = next((file.read_text() for file in files if file.is_file()), None)
    manifest = read_manifest(candidates[-1], mark)
    if manifest is None:
        raise Conflict(
            "other_installation", str(candidates[-1]), "another installation made it, or it was altered"
        )
    return candidates[-1], manifest


def _choose(settings: Settings, manifest: Manifest, only: Sequence[str]) -> list[str]:
    for part in only:
        if part not in PARTS or part not in manifest.parts:
            raise BadInput("unknown_part", "--only", f"it holds: {', '.join(manifest.parts)}")
    return [part for part in ours(settings) if part in (only or manifest.parts)]


def _refuse_to_lose(settings: Settings, place: Path, parts: Sequence[str], replace: bool) -> None:
    """What would be lost by it: decisions newer than the backup, or keys under another root."""
    going_on = is_unfinished(settings) and "database" in _unfinished(settings).read_text().split()
    if "database" in parts and postgres.data_folder(settings).exists() and not (replace or going_on):
        raise Conflict(
            "database_there",
            str(postgres.data_folder(settings)),
            "what was decided since goes: say --replace",
        )
    if "keyring" in parts:
        here, there = (_roots(folder) for folder in (keyring_folder(settings), place / "keyring"))
        if here and here != there:
            raise Conflict("other_root", str(keyring_folder(settings)), "move this keyring away first")


def _roots(folder: Path) -> dict[str, str]:
    return {file.name: digest_of(file)[0] for file in folder.glob("root*.key")}


def _put_back(settings: Settings, source: Path, part: str, files: dict[str, str]) -> int:
    if part == "database":
        return _replace_database(settings, source, files)
    target = {
        "recordings": settings.state_dir / "minio" / "data" / "recordings",
        "keyring": keyring_folder(settings),
        "secrets": settings.state_dir / "secrets",
    }[part]
    missing = {name: digest for name, digest in files.items() if not (target / name).exists()}
    if part == "keyring":
        if target == (settings.state_dir / "keyring").resolve():  # perhaps a key server's by now
            services.take_back(target)
        missing = {name: digest for name, digest in missing.items() if not _is_destroyed(target, name)}
    copied = copy_files(source, target, missing)
    for name, digest in missing.items():
        if copied.get(name, ("",))[0] != digest:
            raise Tampered("backup_altered", f"{source}/{name}", "it changed while it was read")
    return len(copied)


def _is_destroyed(keyring: Path, name: str) -> bool:
    """Whether the keyring has reserved that epoch's name since: its key does not come back."""
    return name.startswith("epochs/") and (keyring / "destroyed" / f"{Path(name).stem}.gone").exists()


def _replace_database(settings: Settings, source: Path, files: dict[str, str]) -> int:
    data = postgres.data_folder(settings)
    draft, replaced = data.with_name("restoring"), data.with_name("replaced")
    for left in (draft, replaced):
        shutil.rmtree(left, ignore_errors=True)
    shutil.copytree(source, draft)
    check_files(draft.parent, draft.name, files)
    owner = postgres.runs_as()
    for one in (*sorted(draft.rglob("*"), reverse=True), draft):
        one.chmod(0o700 if one.is_dir() else 0o600)
        if owner:
            os.chown(one, *owner)
    if data.exists():
        data.rename(replaced)
    draft.rename(data)
    shutil.rmtree(replaced, ignore_errors=True)
    return len(files)
