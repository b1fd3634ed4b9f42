"""`./consigne` itself, in a small checkout of its own: a lock with nothing but uv, a command line that only
says how it was started."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from consigne.doors.cli.test import PACKAGES
from consigne.doors.settings import CHECKOUT

MAIN = "import os, sys; print(sys.argv[1:], sys.prefix, os.environ['PYTHONPATH'], sep='\\n')\n"
EXTRA = "# the lock has changed\n"
LEFT_OUT = ("PYTHONPATH", "VIRTUAL_ENV", "CONSIGNE_EXTRAS")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("launcher") / "a checkout"
    package = folder / "include" / "consigne" / "doors" / "cli"
    package.mkdir(parents=True)
    (package / "__main__.py").write_text(MAIN)
    shutil.copy2(CHECKOUT / "consigne", folder / "consigne")
    lock = (CHECKOUT / "requirements.txt").read_text()
    found = re.search(r"^uv==.*?(?=^[a-z])", lock, flags=re.MULTILINE | re.DOTALL)
    assert found
    (folder / "requirements.txt").write_text(found[0])
    (folder / "requirements-dev.txt").write_text("")
    dev = (CHECKOUT / "requirements-dev.txt").read_text()
    small = re.search(r"^iniconfig==.*?(?=^[a-z])", dev, flags=re.MULTILINE | re.DOTALL)
    assert small
    (folder / "requirements-small.txt").write_text(small[0])
    return folder


def start(checkout: Path, *args: str, extras: str | None = None) -> subprocess.Popen[str]:
    kept = {name: value for name, value in os.environ.items() if name not in LEFT_OUT}
    return subprocess.Popen(
        [checkout / "consigne", *args],
        cwd="/",
        env=kept if extras is None else kept | {"CONSIGNE_EXTRAS": extras},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(checkout: Path, *args: str, extras: str | None = None) -> tuple[str, str]:
    process = start(checkout, *args, extras=extras)
    out, told = process.communicate(timeout=300)
    assert process.returncode == 0, told
    return out, told


def test_it_makes_its_environment_once_also_when_called_twice_at_once(checkout: Path) -> None:
    both = [start(checkout, "show", "a b"), start(checkout, "show", "a b")]
    ended = [process.communicate(timeout=300) for process in both]
    assert [process.returncode for process in both] == [0, 0], ended
    expected = ["['show', 'a b']", str(checkout / ".venv"), str(checkout / "include")]
    assert [out.splitlines() for out, _ in ended] == [expected, expected]
    assert sum("installing the packages" in told for _, told in ended) == 1
    assert run(checkout)[1] == ""


def test_it_is_made_again_when_the_lock_changes(checkout: Path) -> None:
    run(checkout)
    with (checkout / "requirements.txt").open("a") as lock:
        lock.write(EXTRA)
    assert "installing the packages" in run(checkout)[1]
    assert run(checkout)[1] == ""


def test_an_extra_comes_when_it_is_named_and_stays_until_another_set_is(checkout: Path) -> None:
    def has_it() -> bool:
        return any((checkout / ".venv").glob("lib/*/site-packages/iniconfig"))

    run(checkout)
    assert not has_it()
    assert "installing the packages" in run(checkout, extras="small")[1]
    assert has_it()
    assert run(checkout)[1] == run(checkout, extras="small")[1] == ""
    run(checkout, "test")
    assert has_it()
    run(checkout, extras="")
    assert not has_it()
    assert run(checkout)[1] == ""


@pytest.mark.parametrize("name", ["dev", "../small", "none", "small,none"])
def test_an_extra_that_nobody_knows_is_refused_before_anything_is_installed(
    checkout: Path, name: str
) -> None:
    process = start(checkout, extras=name)
    told = process.communicate(timeout=300)[1]
    assert process.returncode == 2
    assert "known: small" in told


def test_it_is_found_through_a_link(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(checkout / "consigne")
    process = subprocess.run([tmp_path / "link"], capture_output=True, text=True, timeout=300, check=True)
    assert str(checkout / ".venv") in process.stdout


@pytest.mark.parametrize(
    "args", [("--without", "foo"), ("--without=browser,foo",), ("--long", "--without", "hsm,x")]
)
def test_a_part_that_nobody_knows_is_refused_before_anything_is_installed(
    checkout: Path, tmp_path: Path, args: tuple[str, ...]
) -> None:
    shutil.copy2(checkout / "consigne", tmp_path / "consigne")
    done = subprocess.run([tmp_path / "consigne", "test", *args], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert ", ".join(PACKAGES) in done.stderr
    assert [one.name for one in tmp_path.iterdir()] == ["consigne"]


def test_every_known_part_may_be_left_out(checkout: Path) -> None:
    assert "--without" in run(checkout, "test", "--without", ",".join(PACKAGES))[0]
