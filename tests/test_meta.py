"""The tests tested: every promise has one, and the walls are held by something that falls when they break."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]
PROMISES = {f"P{number}" for number in range(1, 9)}
# One breach a contract of pyproject.toml: the file, and a line that must not stand there.
BREACHES = {
    "Four floors: doors, acts | adapters, rules": ("acts/seal.py", "import consigne.adapters.catalog.open"),
    "rules are pure": ("rules/clock.py", "import sqlalchemy"),
    "the verifier needs nothing of ours": ("rules/evidence/merkle.py", "import consigne.rules.values"),
    "rooms of the outside world know nothing of each other": (
        "adapters/store/probe.py",
        "import consigne.adapters.keyring.open",
    ),
}


def _held(folder: Path) -> set[str]:
    """The promises that tests under a folder are marked with."""
    return {
        promise
        for file in folder.rglob("test_*.py")
        for function in ast.walk(ast.parse(file.read_text()))
        if isinstance(function, ast.FunctionDef) and function.name.startswith("test_")
        for promise in _marks(function)
    }


def _marks(function: ast.FunctionDef) -> Iterator[str]:
    for mark in function.decorator_list:
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.promise":
            yield from (ast.literal_eval(argument) for argument in mark.args)


def test_every_promise_has_a_test() -> None:
    assert _held(CHECKOUT / "tests") == PROMISES


@pytest.mark.parametrize("promise", sorted(PROMISES))
def test_a_promise_that_loses_its_tests_is_missed(tmp_path: Path, promise: str) -> None:
    for file in (CHECKOUT / "tests").rglob("test_*.py"):
        copy = tmp_path / file.relative_to(CHECKOUT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(file.read_text().replace(f'"{promise}"', '"P0"'))
    assert _held(tmp_path) == PROMISES - {promise} | {"P0"}


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The checkout as a tool needs it."""
    for name in ("include", "dags", "plugins", "tests/dags"):
        shutil.copytree(CHECKOUT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(CHECKOUT / "pyproject.toml", tmp_path)
    return tmp_path


def _lint(checkout: Path) -> tuple[int, str]:
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=checkout,
        env=os.environ | {"PYTHONPATH": str(checkout / "include"), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return done.returncode, done.stdout


def test_the_import_rules_hold(copied: Path) -> None:
    code, said = _lint(copied)
    assert code == 0, said
    assert [f"{name} KEPT" in said for name in BREACHES] == [True] * len(BREACHES), said


def test_each_import_rule_falls_when_it_is_broken(copied: Path) -> None:
    for place, line in BREACHES.values():
        file = copied / "include" / "consigne" / place
        file.write_text(f"{file.read_text()}\n{line}\n")
    code, said = _lint(copied)
    assert code != 0
    assert [f"{name} BROKEN" in said for name in BREACHES] == [True] * len(BREACHES), said


def test_a_dag_file_that_is_removed_is_missed(copied: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-k", "these_dags", "tests/dags/test_bag.py"]
    environment = os.environ | {"PYTHONPATH": str(copied / "include")}

    def passes() -> bool:
        done = subprocess.run(
            command, cwd=copied, env=environment, capture_output=True, timeout=300, check=False
        )
        assert done.returncode in (0, 1), done.stdout[-2_000:]
        return done.returncode == 0

    assert passes()
    (copied / "dags" / "expire_recordings.py").unlink()
    assert not passes()
