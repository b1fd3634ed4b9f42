"""Putting a backup back: only this installation's, whole, within its time, and never over what is newer (P6)."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from consigne.adapters.keyring.file import FileKeyring
from consigne.doors.cli.app import main
from consigne.doors.local import restore as door
from consigne.doors.local.backups import (
    Manifest,
    copy_files,
    destroy_parts,
    digest_of,
    find_backups,
    known,
    list_files,
    now_by,
    overdue,
    remember,
    write_list,
    write_manifest,
)
from consigne.doors.local.declared import Said, forget_declared, read_declared
from consigne.doors.local.postgres import runs_as
from consigne.doors.local.report import take_lock
from consigne.doors.local.restore import is_unfinished, restore
from consigne.doors.local.up import Wishes, open_state
from consigne.doors.settings import Settings, write_private
from consigne.rules.clock import iso
from consigne.rules.errors import BadInput, Conflict, Misconfigured, Tampered

KEPT, GONE = "training/2027-05-20/0", "training/2026-11-20/0"
OBJECT = "recordings/training/ab/object/xl.meta"


def say(line: str) -> None:
    print(line)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A state folder that is down, with keys, an object and secrets in it."""
    made = Settings.make(tmp_path / "state")
    keyring = FileKeyring(made.state_dir / "keyring")
    keyring.prepare(first=True)
    keyring.open_epoch(KEPT)
    keyring.open_epoch(GONE)
    file = made.state_dir / "minio" / "data" / OBJECT
    file.parent.mkdir(parents=True)
    file.write_bytes(b"noise")
    made.secret("store-root")
    return made


@pytest.fixture
def backup(settings: Settings, tmp_path: Path) -> Path:
    return back_up(settings, tmp_path / "backups")


def back_up(settings: Settings, above: Path, days: int = 7) -> Path:
    """As `consigne backup` leaves it, without a database."""
    now = now_by(settings)
    settings.secret("backup-mark")
    draft = above / "draft"
    sources = {
        "recordings": settings.state_dir / "minio" / "data" / "recordings",
        "keyring": settings.state_dir / "keyring",
        "secrets": settings.state_dir / "secrets",
    }
    parts = {}
    for part, source in sources.items():
        files = copy_files(source, draft / part, list_files(source))
        parts[part] = write_list(draft, part, files, now + timedelta(days=days))
    manifest = Manifest("0a" * 16, "consigne/test", iso(now), parts)
    write_manifest(settings, draft, manifest)
    made = above / manifest.name
    draft.rename(made)
    remember(settings, made, manifest)
    return made


def keyring_of(settings: Settings) -> FileKeyring:
    return FileKeyring(settings.state_dir / "keyring")


def test_what_is_lost_comes_back_as_it_was(settings: Settings, backup: Path) -> None:
    wrapped = keyring_of(settings).wrap(KEPT, b"k" * 32, b"context")
    for folder in ("keyring", "minio/data", "secrets"):
        shutil.rmtree(settings.state_dir / folder)
    (settings.state_dir / "secrets").mkdir()
    restore(settings, backup.parent, (), False, say)
    assert keyring_of(settings).unwrap(KEPT, wrapped, b"context") == b"k" * 32
    assert (settings.state_dir / "minio" / "data" / OBJECT).read_bytes() == b"noise"
    assert (settings.state_dir / "secrets" / "store-root").exists()
    modes = {file.stat().st_mode & 0o077 for file in (settings.state_dir / "keyring").rglob("*")}
    assert modes == {0} and not is_unfinished(settings)
    assert (settings.state_dir / "restored").read_text().split() == ["keyring", "recordings"]


@pytest.mark.promise("P6")
def test_what_was_done_by_hand_is_declared(settings: Settings) -> None:
    """The words lie where no role of the database may write; `up` signs them."""
    id = "0e6fa1a3-9a3f-4a1f-8f3c-0d7c3c0ab001"
    assert main(["restore", "--declare", "database,recordings", "--state", str(settings.state_dir)]) == 0
    assert main(["restore", "--declare", f"{id},older-keyring", "--state", str(settings.state_dir)]) == 0
    assert read_declared(settings) == Said(("database", "recordings"), (id,), True)
    for wrong in (["--declare", "evidence"], [], ["--declare", "database", str(settings.state_dir)]):
        assert main(["restore", *wrong, "--state", str(settings.state_dir)]) == 2
    assert read_declared(settings) == Said(("database", "recordings"), (id,), True)
    lock = take_lock(settings)
    assert lock is not None
    with lock, pytest.raises(Conflict, match="it_runs"):
        door.declare(settings, ["keyring"])
    forget_declared(settings)
    assert read_declared(settings) == Said((), (), False)
    write_private(settings.state_dir / "restored", "all of it\n")
    with pytest.raises(Misconfigured, match="unknown_part"):
        read_declared(settings)


def test_a_key_destroyed_since_does_not_come_back_where_the_keyring_is_there(
    settings: Settings, backup: Path
) -> None:
    keyring = keyring_of(settings)
    keyring.destroy_epoch(GONE)
    keyring.open_epoch("training/2027-06-01/0")
    restore(settings, backup, ("keyring",), False, say)
    assert keyring.epochs() == [KEPT, "training/2027-06-01/0"]


def test_what_is_newer_is_not_replaced(settings: Settings, backup: Path) -> None:
    (settings.state_dir / "minio" / "data" / OBJECT).write_bytes(b"other")
    write_private(settings.state_dir / "secrets" / "store-root", "changed")
    restore(settings, backup, (), False, say)
    assert (settings.state_dir / "minio" / "data" / OBJECT).read_bytes() == b"other"
    assert settings.secret("store-root") == "changed"


def test_keys_of_another_root_are_not_mixed(settings: Settings, backup: Path) -> None:
    write_private(settings.state_dir / "keyring" / "root.key", "x" * 32)
    with pytest.raises(Conflict, match="other_root"):
        restore(settings, backup, (), False, say)


@pytest.mark.promise("P6")
def test_a_backup_beyond_its_time_is_refused_and_named(settings: Settings, backup: Path) -> None:
    assert overdue(settings) == []
    later = settings.remember(clock_offset_s=7 * 86_400 + 1)
    assert overdue(later) == [str(backup)]
    with pytest.raises(Conflict, match="beyond_horizon"):
        restore(later, backup, ("recordings",), False, say)


@pytest.mark.parametrize("change", ["file", "list", "missing", "end"])
def test_an_altered_backup_is_refused_before_anything_is_written(
    settings: Settings, backup: Path, change: str
) -> None:
    shutil.rmtree(settings.state_dir / "minio" / "data")
    match change:
        case "file":
            (backup / OBJECT).write_bytes(b"nOise")
        case "list":
            (backup / "recordings.files").write_text("")
        case "missing":
            (backup / OBJECT).unlink()
        case "end":
            text = (backup / "manifest.json").read_text()
            (backup / "manifest.json").write_text(
                text.replace('"destroy_before": "20', '"destroy_before": "21')
            )
    with pytest.raises((Tampered, Conflict)) as fault:
        restore(settings, backup, ("recordings",), False, say)
    assert fault.value.code == ("other_installation" if change == "end" else "backup_altered")
    assert not (settings.state_dir / "minio" / "data").exists() and not is_unfinished(settings)


def test_another_installations_backup_is_refused(settings: Settings, backup: Path, tmp_path: Path) -> None:
    other = Settings.make(tmp_path / "other")
    other.secret("backup-mark")
    with pytest.raises(Conflict, match="other_installation"):
        restore(other, backup, (), False, say)
    assert find_backups(other, backup.parent) == {}
    with pytest.raises(BadInput, match="no_backup"):
        restore(other, tmp_path, (), False, say)
    with pytest.raises(BadInput, match="unknown_part"):
        restore(settings, backup, ("database",), False, say)


def test_a_restore_that_was_cut_short_is_run_again(
    settings: Settings, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> int:
        raise KeyboardInterrupt

    shutil.rmtree(settings.state_dir / "keyring")
    with monkeypatch.context() as cut:
        cut.setattr(door, "_put_back", die)
        with pytest.raises(KeyboardInterrupt):
            restore(settings, backup, (), False, say)
    with pytest.raises(Conflict, match="restore_unfinished"):
        open_state(settings.state_dir, Wishes())
    restore(settings, backup, (), False, say)
    assert KEPT in keyring_of(settings).epochs() and not is_unfinished(settings)


def with_database(settings: Settings, backup: Path) -> Path:
    """The same backup with a database in it."""
    data = backup / "database"
    (data / "pg_wal" / "archive_status").mkdir(parents=True)
    (data / "PG_VERSION").write_text("18\n")
    [manifest] = find_backups(settings, backup.parent).values()
    files = {name: digest_of(data / name) for name in list_files(data)}
    part = write_list(backup, "database", files, now_by(settings) + timedelta(days=7))
    write_manifest(settings, backup, replace(manifest, parts={"database": part, **manifest.parts}))
    return backup


def test_a_database_is_replaced_whole_and_only_where_it_is_said(settings: Settings, backup: Path) -> None:
    with_database(settings, backup)
    data = settings.state_dir / "postgres" / "data"
    data.mkdir()
    (data / "newer").touch()
    with pytest.raises(Conflict, match="database_there"):
        restore(settings, backup, (), False, say)
    restore(settings, backup, (), True, say)
    assert [file.name for file in data.iterdir() if file.is_file()] == ["PG_VERSION"]
    assert (data / "pg_wal" / "archive_status").is_dir()
    owner = runs_as() or (os.getuid(), os.getgid())
    assert {(file.stat().st_uid, file.stat().st_mode & 0o077) for file in data.rglob("*")} == {(owner[0], 0)}
    assert [one.name for one in (settings.state_dir / "postgres").iterdir()] == ["data"]
    assert "database" in (settings.state_dir / "restored").read_text()


def test_a_database_that_a_restore_was_putting_back_is_put_back_again(
    settings: Settings, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_database(settings, backup)
    data = settings.state_dir / "postgres" / "data"
    data.mkdir()

    def die(*_: object, **__: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as cut:  # between the two renames
        cut.setattr(Path, "rename", lambda one, to: one.replace(to) if one == data else die())
        with pytest.raises(KeyboardInterrupt):
            restore(settings, backup, ("database",), True, say)
    assert not data.exists()
    restore(settings, backup, ("database",), False, say)
    assert (data / "PG_VERSION").exists()
    with monkeypatch.context() as cut:  # after the database
        cut.setattr(door, "add_declared", die)
        with pytest.raises(KeyboardInterrupt):
            restore(settings, backup, ("database",), True, say)
    restore(settings, backup, ("database",), False, say)
    assert not is_unfinished(settings)


@pytest.mark.promise("P6")
def test_destroying_a_part_leaves_nothing_of_it(settings: Settings, backup: Path) -> None:
    manifest = find_backups(settings, backup.parent)[backup]
    destroy_parts(settings, backup, manifest, ["keyring", "secrets"])
    left = find_backups(settings, backup.parent)[backup]
    assert list(left.parts) == ["recordings"] == list(known(settings)[str(backup)].parts)
    assert not [name for name in list_files(backup) if "key" in name or "secret" in name]
    destroy_parts(settings, backup, left, ["recordings"])
    assert not backup.exists() and known(settings) == {}
