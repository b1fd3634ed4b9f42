"""What a fault becomes on the command line: one line and an exit code, whatever it was."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from consigne.doors.cli import app
from consigne.doors.cli.operate import read_step
from consigne.rules.clock import Duration
from consigne.rules.errors import BadInput, Misconfigured

PLANTED = "zyglophane"


def _fail_with(fault: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    def status() -> None:
        raise fault

    monkeypatch.setattr(app, "import_module", lambda _: type("module", (), {"status": status, "up": status}))


@pytest.mark.promise("P2")
@pytest.mark.parametrize(
    ("fault", "code", "line"),
    [
        (Misconfigured("a_code", "a field"), 2, "a_code: a field"),
        (PermissionError(13, "Permission denied", "/a\nfile"), 2, "/a file: Permission denied"),
        (OSError(28, "No space left on device"), 2, "No space left on device"),
        (ConnectionRefusedError(111, "Connection refused"), 3, "is it up?"),
        (OperationalError(PLANTED, {"word": PLANTED}, psycopg.OperationalError(PLANTED)), 3, "is it up?"),
        (psycopg.OperationalError(PLANTED), 3, "is it up?"),
        (OSError(PLANTED), 1, "fault in our own code: OSError"),
        (KeyError(PLANTED), 1, "fault in our own code: KeyError"),
    ],
)
def test_a_fault_is_one_line_without_a_value(
    fault: Exception,
    code: int,
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    _fail_with(fault, monkeypatch)
    assert app.main(["status"]) == code
    out, told = capsys.readouterr()
    assert (out, told.count("\n")) == ("", 1)
    assert line in told
    assert PLANTED not in told


@pytest.mark.parametrize(("command", "code"), [("status", 130), ("up", 0)])
def test_only_up_is_meant_to_be_interrupted(command: str, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    _fail_with(KeyboardInterrupt(), monkeypatch)
    assert app.main([command]) == code


def test_help_names_what_is_typed(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.main(["status", "--help"]) == 0
    assert "./consigne status" in capsys.readouterr().out


@pytest.mark.parametrize("command", [("status",), ("down",), ("recordings",), ("verify", "--register")])
def test_only_up_makes_a_state_folder(
    command: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert app.main([*command, "--state", str(tmp_path / "none")]) == 2
    assert "not a state folder" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["status", "up"])
def test_a_state_folder_without_a_name_is_not_the_one_we_are_in(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert app.main([command, "--state", ""]) == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("typed", ["P10Y1D", "P200Y", "P99999999D", "soon", "", "-P1D"])
def test_the_test_clock_goes_ten_years_at_most_in_one_step(typed: str) -> None:
    with pytest.raises(BadInput) as fault:
        read_step(typed)
    assert (fault.value.code, fault.value.where) == ("bad_duration", "--advance")
    assert read_step("P10Y") == Duration(years=10)


def test_a_finding_without_a_field_leaves_no_gap(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text("{[1]: 2}")
    assert app.main(["policy", "check", str(file)]) == 2
    assert capsys.readouterr().out.splitlines() == ["bad.yaml:1:2: error: a key is a word"]
