"""Where MinIO comes from: PATH, the cache, or a build; the build with a stand-in for Go that makes a stand-in."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from consigne.doors.local import minio
from consigne.rules.errors import Misconfigured

WORKS = "#!/bin/sh\nexit 0\n"
BROKEN = "#!/bin/sh\nexit 1\n"


def program(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(0o755)
    return file


def go(version: str, made: str = WORKS) -> str:
    """Says its version; installs a `minio` and leaves a note of how it was asked."""
    return f"""#!/bin/sh
if [ "$1" = env ]; then echo {version}; exit; fi
printf '%s\\n' "$@" "CGO_ENABLED=$CGO_ENABLED" "GOTOOLCHAIN=$GOTOOLCHAIN" >"$(dirname "$0")/asked"
echo "go: downloading one v1" >&2
printf '%s' '{made}' >"$GOBIN/minio"; chmod +x "$GOBIN/minio"
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and a PATH with no MinIO and no Go."""
    (tmp_path / "bin").mkdir()
    for name in ("sh", "dirname", "chmod"):
        (tmp_path / "bin" / name).symlink_to(shutil.which(name) or "")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("CONSIGNE_CACHE", str(tmp_path / "cache"))
    return tmp_path


def cached(place: Path) -> Path:
    return place / "cache" / f"minio-{minio.VERSION}"


def find() -> Path:
    return minio.find(lambda _: None)


def test_the_maintained_fork_on_path_goes_before_all(place: Path) -> None:
    program(place / "bin" / "minio", WORKS)
    fork = program(place / "bin" / "silo", WORKS)
    assert find() == fork


def test_the_cached_build_is_used(place: Path) -> None:
    program(cached(place), WORKS)
    assert find() == cached(place)


@pytest.mark.parametrize("before", [None, BROKEN])
def test_it_is_built_once_and_kept_outside_the_checkout(place: Path, before: str | None) -> None:
    tool = program(place / "bin" / "go", go("go1.24.1"))
    if before:
        program(cached(place), before)
    (place / "cache" / "build-left").mkdir(parents=True)
    assert find() == cached(place)
    asked = tool.with_name("asked").read_text().splitlines()
    assert asked[0] == "install"
    assert {minio.MODULE, "CGO_ENABLED=0", "GOTOOLCHAIN=local"} <= set(asked)
    assert sorted(file.name for file in (place / "cache").iterdir()) == ["lock", cached(place).name]
    tool.unlink()
    assert find() == cached(place)


def test_a_build_that_does_not_run_is_not_kept(place: Path) -> None:
    program(place / "bin" / "go", go("go1.25", BROKEN))
    with pytest.raises(Misconfigured, match="minio_build_failed"):
        find()
    assert not cached(place).exists()


def test_an_old_go_gives_way_to_the_one_of_the_lock(place: Path) -> None:
    old = program(place / "bin" / "go", go("go1.23.9"))
    found = minio._find_go()
    assert found != old
    assert found.parts[-3:] == ("go", "bin", "go")


def test_without_any_go_the_error_says_what_to_install(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minio.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(Misconfigured, match=r"no_minio.*CONSIGNE_STORE_URL"):
        find()
