"""The verifier as a stranger gets it: one file, and a Python that has `cryptography` and nothing of ours."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from consigne.doors.pyz import build_pyz
from consigne.rules.evidence.signature import write_public_keys

from .vectors import KEYS, issue_artifacts, issue_epoch


@pytest.fixture(scope="module")
def pyz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("pyz") / "consigne-verify.pyz"
    build_pyz(target)
    return target


def run(pyz: Path, *argv: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", str(pyz), *map(str, argv)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={}, cwd=pyz.parent)


def test_the_same_sources_give_the_same_bytes(pyz: Path, tmp_path: Path) -> None:
    build_pyz(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == pyz.read_bytes()


def test_it_holds_the_evidence_package_alone(pyz: Path) -> None:
    with ZipFile(pyz) as archive:
        empty = {"consigne/__init__.py", "consigne/rules/__init__.py"}
        rest = set(archive.namelist()) - empty - {"__main__.py"}
        assert rest and all(name.startswith("consigne/rules/evidence/") for name in rest)
        assert not any(archive.read(name) for name in empty)


@pytest.mark.promise("P6")
def test_a_stranger_verifies_with_it(pyz: Path, tmp_path: Path) -> None:
    certificate, key = tmp_path / "a.json", tmp_path / "key.pub"
    certificate.write_bytes(issue_artifacts(2)[0])
    key.write_bytes(write_public_keys(KEYS))
    (tmp_path / "e.json").write_bytes(issue_epoch())
    done = run(pyz, "--key", key, certificate)
    assert (done.returncode, done.stderr) == (0, "")
    assert "The proof is cryptographic" in done.stdout
    certificate.write_bytes(issue_artifacts(2)[0].replace(b"period_ended", b"period_bended"))
    assert run(pyz, "--key", key, certificate).returncode == 5
    assert run(pyz).returncode == 2


def test_it_says_what_is_missing(pyz: Path) -> None:
    code = (
        "import sys, runpy; sys.modules['cryptography'] = None; runpy.run_path(sys.argv[1], None, '__main__')"
    )
    command = [sys.executable, "-I", "-c", code, str(pyz)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={})
    assert done.returncode == 3
    assert "needs the Python package cryptography" in done.stderr


def test_who_does_not_read_to_the_end_gets_the_exit_code(pyz: Path, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(issue_artifacts(1)[0])
    (tmp_path / "key.pub").write_bytes(write_public_keys(KEYS))
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-I", str(pyz), str(tmp_path)]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False, env={})
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")
