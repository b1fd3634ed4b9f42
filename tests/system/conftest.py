"""One platform for all system tests, brought up as a newcomer does it, and the command line to ask it with."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from collector import Collector, collecting
from system.browsing import browser, desk, sign_in  # noqa: F401  fixtures for all files here

CHECKOUT = Path(__file__).resolve().parents[2]
# The first `up` of a machine builds MinIO.
LONGEST_UP_S = 1_800
LONGEST_COMMAND_S = 960


@dataclass(frozen=True)
class Up:
    """A running platform. `temporary_dir` is where its processes put temporary files; `collector` is what it sends
    its metrics and traces to."""

    state_dir: Path
    temporary_dir: Path
    status: dict[str, Any] = field(default_factory=dict, repr=False)
    collector: Collector = field(default_factory=lambda: Collector("none:"), repr=False)

    @property
    def intake_dir(self) -> Path:
        return Path(self.status["intake"])

    def consigne(self, *args: str, timeout_s: float = LONGEST_COMMAND_S) -> subprocess.CompletedProcess[str]:
        """Run a command against this platform; its exit code is the caller's to judge."""
        return subprocess.run(
            [CHECKOUT / "consigne", *args, "--state", self.state_dir],
            cwd=CHECKOUT,
            env=os.environ | {"TMPDIR": str(self.temporary_dir), "CONSIGNE_OTLP_URL": self.collector.url},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def json(self, *args: str) -> Any:
        """The document that a command prints with `--json`."""
        done = self.consigne(*args, "--json")
        assert done.returncode == 0, (args, done.returncode, done.stderr[-2_000:])
        return json.loads(done.stdout)


@pytest.fixture(scope="session")
def platform_up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """`consigne up` once, with its sample calls carried through and a clock that can be advanced."""
    folder = tmp_path_factory.mktemp("up")
    with collecting() as collector:
        fresh = Up(folder / "state", folder / "tmp", collector=collector)
        fresh.temporary_dir.mkdir()
        try:
            began = fresh.consigne("up", "--detach", "--test-clock", timeout_s=LONGEST_UP_S)
            assert began.returncode == 0, began.stderr[-4_000:]
            yield replace(fresh, status=fresh.json("status", "--secrets"))
        finally:
            fresh.consigne("down")
