"""A service without a network door is alive as long as it says so."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from consigne.doors.alive import LIMIT_S, LIMITS_S, beat, is_alive
from consigne.doors.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.make(tmp_path / "state")


def aged(settings: Settings, service: str, by_s: float) -> None:
    file = settings.state_dir / "run" / f"alive-{service}"
    os.utime(file, (time.time() - by_s,) * 2)


@pytest.mark.parametrize("service", ["sealer", "applier", "worker-ingest"])
def test_alive_for_as_long_as_its_round_may_take(settings: Settings, service: str) -> None:
    assert not is_alive(settings.state_dir, service)
    beat(settings, service)
    assert is_alive(settings.state_dir, service)
    assert not is_alive(settings.state_dir, "another")
    limit = LIMITS_S.get(service, LIMIT_S)
    aged(settings, service, limit - 5)
    assert is_alive(settings.state_dir, service)
    aged(settings, service, limit + 5)
    assert not is_alive(settings.state_dir, service)
    beat(settings, service)
    assert is_alive(settings.state_dir, service)


def test_a_beat_that_cannot_be_written_stops_nothing(settings: Settings) -> None:
    (settings.state_dir / "run").rename(settings.state_dir / "gone")
    beat(settings, "sealer")
    assert not is_alive(settings.state_dir, "sealer")


def test_as_a_command_it_answers_by_its_exit_code(settings: Settings) -> None:
    def asked() -> int:
        command = [sys.executable, "-m", "consigne.doors.alive", "sealer"]
        return subprocess.run(
            command, env=os.environ | {"CONSIGNE_STATE": str(settings.state_dir)}, timeout=60, check=False
        ).returncode

    assert asked() == 1
    beat(settings, "sealer")
    assert asked() == 0
