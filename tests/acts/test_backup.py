"""A backup exists for as long as the policy says and is destroyed by the next; without a word in the policy there is
none (P6)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from consigne.adapters.keyring.file import FileKeyring
from consigne.doors.local import backup as door
from consigne.doors.local.backups import alone, find_backups, known, list_files, overdue
from consigne.doors.settings import Settings
from consigne.rules.clock import iso
from consigne.rules.errors import BadInput, Conflict, Misconfigured, Unavailable

from .world import TEXT, World

pytestmark = pytest.mark.promise("P6")
DECLARED = "backups: {database: P7D, keyring: P7D}"


@pytest.fixture
def settings(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A state folder whose catalog is the world's, on a given server."""
    url = world.engine.url.render_as_string(hide_password=False)
    monkeypatch.setattr(Settings, "database_url", lambda _, role: url)
    made = Settings.make(tmp_path / "state").remember(database_given=True)
    FileKeyring(made.state_dir / "keyring").prepare(first=True)
    (made.state_dir / "minio" / "data" / "recordings").mkdir(parents=True)
    (made.state_dir / "minio" / "data" / "recordings" / "xl.meta").write_bytes(b"noise")
    return made


def back_up(settings: Settings, folder: Path, *only: str) -> Path:
    return door.back_up(settings, folder, only, print)


def declare(world: World, what: str) -> None:
    """Another version of the policy, in force from now on."""
    assert DECLARED in TEXT
    text = TEXT.replace(DECLARED, what)
    policy = replace(world.policy, digest=str(hash(what)), version="other", in_force_from=world.now())
    with world.platform.catalog.begin() as tx:
        world.platform.catalog.add_policy(tx, policy, text, world.now())


def test_nothing_is_backed_up_that_the_policy_does_not_declare(
    world: World, settings: Settings, tmp_path: Path
) -> None:
    declare(world, "")
    with pytest.raises(Misconfigured, match="backups_not_declared"):
        back_up(settings, tmp_path / "backups")
    declare(world, "backups: {database: P3D}")
    with pytest.raises(Misconfigured, match=r"backups_not_declared: backups\.keyring"):
        back_up(settings, tmp_path / "backups", "recordings", "keyring")
    assert not (tmp_path / "backups").exists()
    made = back_up(settings, tmp_path / "backups")
    assert set(find_backups(settings, made.parent)[made].parts) == {"recordings", "secrets"}


def test_each_run_destroys_what_is_beyond_its_time(world: World, settings: Settings, tmp_path: Path) -> None:
    first = back_up(settings, tmp_path / "backups")
    [manifest] = find_backups(settings, first.parent).values()
    ends = {part.destroy_before for part in manifest.parts.values()}
    assert manifest.made_at <= iso(world.now()) and len(ends) == 1
    world.pass_time(timedelta(days=6))
    second = back_up(settings, tmp_path / "backups", "keyring")
    assert first.exists() and second.exists()
    week_s = 7 * 86_400 + 60
    world.pass_time(timedelta(seconds=week_s))
    assert overdue(settings.remember(clock_offset_s=week_s)) == [str(first)]
    third = back_up(settings, tmp_path / "backups", "secrets")
    assert sorted(first.parent.iterdir()) == sorted([second, third])
    assert sorted(known(settings)) == sorted(map(str, (second, third)))
    made, destroyed = (world.register(f"backup:part:{what}") for what in ("made", "destroyed"))
    assert [entry["part"] for entry in made] == ["recordings", "keyring", "secrets", "keyring", "secrets"]
    assert {entry["part"] for entry in destroyed} == {"recordings", "keyring", "secrets"}
    assert {entry["subject"] for entry in destroyed} == {made[0]["subject"]}


def test_what_was_made_is_destroyed_also_where_none_may_be_made_any_more(
    world: World, settings: Settings, tmp_path: Path
) -> None:
    made = back_up(settings, tmp_path / "backups")
    declare(world, "")
    world.pass_time(timedelta(days=8))
    with pytest.raises(Misconfigured, match="backups_not_declared"):
        back_up(settings, made.parent)
    assert list(made.parent.iterdir()) == [] and known(settings) == {}


def test_what_fails_or_is_killed_leaves_no_key_behind(
    world: World, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "backups"

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(door, "write_manifest", fail)
        with pytest.raises(OSError, match="space"):
            back_up(settings, folder)
    assert list(folder.iterdir()) == [] and known(settings) == {}
    with monkeypatch.context() as killed:
        killed.setattr(door, "write_manifest", fail)
        killed.setattr(door, "_abandon", lambda *_: None)
        with pytest.raises(OSError, match="space"):
            back_up(settings, folder)
    assert [name for name in list_files(folder) if name.endswith("root.key")] and len(known(settings)) == 1
    made = back_up(settings, folder)
    assert list(folder.iterdir()) == [made] and list(known(settings)) == [str(made)]


def test_others_backups_are_left_alone(settings: Settings, tmp_path: Path) -> None:
    theirs = tmp_path / "backups" / "consigne-20200101T000000Z-00000000"
    theirs.mkdir(parents=True)
    (tmp_path / "backups").chmod(0o700)
    (theirs / "manifest.json").write_text('{"format": "consigne-backup/1", "mac": "00", "parts": {}}')
    back_up(settings, tmp_path / "backups")
    assert theirs.exists()


def test_where_a_backup_may_not_go(settings: Settings, tmp_path: Path) -> None:
    open_to_all = tmp_path / "open"
    open_to_all.mkdir(mode=0o755)
    open_to_all.chmod(0o755)
    for folder, code in ((settings.state_dir / "backups", "inside_state"), (open_to_all, "others_may_read")):
        with pytest.raises(BadInput, match=code):
            back_up(settings, folder)
    for only, kind, code in (
        ("evidence", BadInput, "unknown_part"),
        ("database", Misconfigured, "not_ours"),
    ):
        with pytest.raises(kind, match=code):
            back_up(settings, tmp_path / "backups", only)
    (settings.state_dir / "keyring").rename(tmp_path / "away")
    with pytest.raises(Unavailable, match="keyring"):
        back_up(settings, tmp_path / "backups")


def test_one_at_a_time(settings: Settings, tmp_path: Path) -> None:
    with alone(settings), pytest.raises(Conflict, match="backup_runs"):
        back_up(settings, tmp_path / "backups")
