"""What a command does with paths that are not what it hopes for."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from consigne.doors.cli.app import main
from consigne.doors.cli.operate import hand_over
from consigne.rules.errors import BadInput


@pytest.fixture
def intake(tmp_path: Path) -> Path:
    (tmp_path / "intake").mkdir()
    return tmp_path / "intake"


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    (tmp_path / "calls").mkdir()
    for name in ("a.json", "a.wav"):
        (tmp_path / "calls" / name).write_bytes(name.encode() * 300_000)
    return tmp_path / "calls"


def test_files_are_handed_over_whole(calls: Path, intake: Path) -> None:
    (calls / "empty.wav").touch()
    assert hand_over(calls, intake) == 3
    assert {one.name: one.read_bytes() for one in intake.iterdir()} == {
        one.name: one.read_bytes() for one in calls.iterdir()
    }


@pytest.mark.promise("P2")
def test_a_link_is_left_and_told_without_its_number(
    calls: Path, intake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "outside").write_bytes(b"not a call")
    (calls / "call-0612345678\n.wav").symlink_to(tmp_path / "outside")
    (calls / "06.12.34_56-78.wav").symlink_to(tmp_path / "outside")
    (calls / "loop").symlink_to(calls / "loop")
    os.mkfifo(calls / "b.wav")
    assert hand_over(calls, intake) == 2
    assert {one.name for one in intake.iterdir()} == {"a.json", "a.wav"}
    told = capsys.readouterr().err
    assert told.count("\n") == 3 and "loop" in told and not re.search(r"345678|34_56", told)


def test_holes_stay_holes(calls: Path, intake: Path) -> None:
    with (calls / "sparse.wav").open("wb") as file:
        file.seek(1 << 30)
        file.write(b"in the middle")
        file.truncate(10 << 30)
    assert hand_over(calls, intake) == 3
    copied = (intake / "sparse.wav").stat()
    assert copied.st_size == 10 << 30 and copied.st_blocks * 512 < 1 << 20
    with (intake / "sparse.wav").open("rb") as file:
        file.seek(1 << 30)
        assert file.read(14) == b"in the middle\0"


def test_intake_itself_is_not_handed_over(intake: Path, tmp_path: Path) -> None:
    (intake / "a.json").write_text("{}")
    before = (intake / "a.json").stat()
    (tmp_path / "link").symlink_to(intake)
    assert hand_over(intake, intake) == hand_over(tmp_path / "link", intake) == 0
    assert (intake / "a.json").stat() == before


def test_what_cannot_be_copied_is_named_and_leaves_no_draft(calls: Path, intake: Path) -> None:
    (intake / "a.wav").mkdir()
    (intake / "a.wav" / "x").touch()
    with pytest.raises(BadInput, match=r"not_copied: a\.wav: Is a directory"):
        hand_over(calls, intake)
    assert [one.name for one in intake.iterdir()] == ["a.wav"]


def test_a_file_is_no_folder_for_samples(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "none").mkdir()
    for path in (tmp_path / "file", tmp_path / "file" / "under"):
        assert main(["samples", str(path), "--count", "1", "--state", str(tmp_path / "none")]) == 2
        assert capsys.readouterr().err.startswith("consigne: not_writable: DIR: ")


def test_the_register_is_not_verified_against_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", "--register", "c.json", "--state", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("consigne: too_many: FILE: ")
