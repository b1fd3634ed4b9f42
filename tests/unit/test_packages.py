"""`consigne test` installs Debian packages on a machine that is somebody's."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from consigne.doors.cli.test import PACKAGES, SERVICES, no_service_starts


def test_no_service_starts_while_packages_are_installed(tmp_path: Path) -> None:
    policy = tmp_path / "policy-rc.d"
    with pytest.raises(KeyboardInterrupt), no_service_starts([], policy):
        assert subprocess.run([policy, "redis-server", "start"], check=False).returncode == 101
        raise KeyboardInterrupt
    assert not policy.exists()


def test_the_machines_own_policy_stays(tmp_path: Path) -> None:
    policy = tmp_path / "policy-rc.d"
    policy.write_text("theirs")
    with no_service_starts([], policy):
        assert policy.read_text() == "theirs"
    assert policy.read_text() == "theirs"


def test_every_service_is_a_package_that_is_installed() -> None:
    assert {package for packages in PACKAGES.values() for package in packages} >= SERVICES


def test_what_a_killed_run_left_goes(tmp_path: Path) -> None:
    policy, left = tmp_path / "policy-rc.d", tmp_path / "left"
    with no_service_starts([], policy):
        left.write_bytes(policy.read_bytes())
    left.rename(policy)
    with no_service_starts([], policy):
        assert policy.exists()
    assert not policy.exists()
