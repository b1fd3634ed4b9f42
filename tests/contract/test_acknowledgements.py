"""The file that says which agent was informed, as a platform reads it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from consigne.doors.settings import CHECKOUT, Settings
from consigne.doors.wiring import open_platform
from consigne.rules.errors import Misconfigured
from consigne.rules.policy.load import load


@pytest.mark.promise("P8")
@pytest.mark.parametrize("broken", [b"agent,notice\n", b"agent,notice,acknowledged_at\na,b\n", b"\xff\xfe"])
def test_a_broken_file_is_our_fault_and_sets_no_delivery_aside(tmp_path: Path, broken: bytes) -> None:
    """BadInput would quarantine every delivery, to be cleared at its deadline."""
    shutil.copy(CHECKOUT / "config" / "policy.yaml", tmp_path)
    file = tmp_path / "policy.yaml"
    policy = load(file.read_text("utf-8")).policy
    assert policy.agents
    (tmp_path / policy.agents.acknowledgements).write_bytes(broken)
    settings = Settings.make(tmp_path / "state").remember(policy_file=file)
    with pytest.raises(Misconfigured, match="bad_acknowledgements"):
        open_platform(settings, "ingest").acknowledged(policy, "a.martin")
