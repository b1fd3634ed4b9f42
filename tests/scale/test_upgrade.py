"""From the first version that was tagged to this one, on one state folder, with what was under way then (P5, P6)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from consigne.doors.settings import Settings
from system.browsing import Desk
from system.conftest import CHECKOUT, LONGEST_UP_S, Up

FIRST = "v0.1.0"
ITS_COMMIT = "9ffc01a"
LONGEST_COMMAND_S = 300
WHY = "The caller disputes what was agreed."
OVER = "PT11M"
"""Calls of the purpose `trial` live ten minutes."""
EXPIRY = "/api/v2/dags/expire_recordings"

# Run by the first version's own code, as a task does; what it does after that, nobody does.
DELIVER = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from consigne.doors.samples.generate import generate
from consigne.doors.settings import Settings
from consigne.rules.policy.load import load
policy = load(Settings.from_environment().policy_file.read_text()).policy
generate(Path(sys.argv[1]), 12, 5, datetime.now(UTC) + timedelta(minutes=11), policy)
"""
CUT_SHORT = """
from consigne.acts import expire
from consigne.doors.settings import Settings
from consigne.doors.wiring import open_platform
platform = open_platform(Settings.from_environment(), "expire")
expire.freeze_manifest(platform, "cut", False)
for chunk in expire.measure_volume(platform, "cut"):
    print(expire.recheck(platform, chunk), expire.destroy_keys(platform, chunk))
"""


@dataclass(frozen=True)
class Version(Up):
    """A platform, spoken to by the code of one tree."""

    tree: Path = CHECKOUT

    def consigne(self, *args: str, timeout_s: float = LONGEST_COMMAND_S) -> subprocess.CompletedProcess[str]:
        return self.python(
            "-m", "consigne.doors.cli", *args, "--state", str(self.state_dir), timeout_s=timeout_s
        )

    def python(self, *args: str, timeout_s: float = LONGEST_COMMAND_S) -> subprocess.CompletedProcess[str]:
        """This interpreter, with the packages of the present lock, on that tree's code."""
        ours = {
            "PYTHONPATH": str(self.tree / "include"),
            "CONSIGNE_STATE": str(self.state_dir),
            "TMPDIR": str(self.temporary_dir),
        }
        return subprocess.run(
            [sys.executable, *args], cwd=self.tree, env=os.environ | ours, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=timeout_s, check=False,
        )  # fmt: skip

    def must(self, *args: str, timeout_s: float = LONGEST_COMMAND_S) -> str:
        done = self.consigne(*args, timeout_s=timeout_s)
        assert done.returncode == 0, (args, done.returncode, done.stdout[-1_000:], done.stderr[-2_000:])
        return done.stdout

    def artifacts(self) -> dict[str, dict[str, Any]]:
        """By id, each with its recording's source id."""
        return {
            one["id"]: one | {"call": each["source_id"]}
            for each in self.json("recordings")
            for one in each["artifacts"]
        }

    def client(self, user: str) -> httpx.Client:
        """Airflow's REST, signed in."""
        settings = Settings.open(self.state_dir)
        sent = {
            "username": user,
            "password": (settings.state_dir / "secrets" / f"account-{user}").read_text(),
        }
        answer = httpx.post(f"{settings.airflow_url}/auth/token", json=sent, timeout=60, trust_env=False)
        headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        return httpx.Client(base_url=settings.airflow_url, headers=headers, timeout=60, trust_env=False)

    def person(self, user: str, *args: str) -> str:
        return self.must(
            *args, "--as", user, "--password-file", str(self.state_dir / "secrets" / f"account-{user}")
        )


@dataclass(frozen=True)
class Upgraded:
    """What the first version left, and the platform as the newest brought it up on the same folder."""

    new: Version
    before: dict[str, dict[str, Any]]
    request: str
    asked: str
    certificates: Path
    cut: set[str]


def test_the_first_version_is_there(first: Path) -> None:
    assert (first / "include" / "consigne" / "acts" / "expire.py").is_file()


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree of the tag."""
    folder = tmp_path_factory.mktemp("first")
    for name in (FIRST, ITS_COMMIT):
        packed = subprocess.run(["git", "archive", name], cwd=CHECKOUT, capture_output=True, check=False)
        if packed.returncode == 0:
            subprocess.run(["tar", "-x", "-C", folder], input=packed.stdout, check=True)
            return folder
    pytest.fail(f"history is missing: git fetch --tags --unshallow (or: git fetch origin tag {FIRST})")


@pytest.fixture(scope="module", params=("local", "celery"))
def upgraded(
    request: pytest.FixtureRequest, first: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Upgraded]:
    """As the first version ran, and at once as workers by queue: what waits then was meant for none of them."""
    folder = tmp_path_factory.mktemp("upgrade")
    (folder / "tmp").mkdir()
    old = Version(folder / "state", folder / "tmp", tree=first)
    new = Version(folder / "state", folder / "tmp")
    try:
        old.must("up", "--detach", "--test-clock", timeout_s=LONGEST_UP_S)
        left = _leave_work(old, folder)
        old.must("down")
        new.must("up", "--detach", "--no-samples", "--executor", request.param, timeout_s=LONGEST_UP_S)
        yield Upgraded(new, *left)
    finally:
        new.consigne("down")


def _leave_work(old: Version, folder: Path) -> tuple[dict[str, dict[str, Any]], str, str, Path, set[str]]:
    """Certificates, an erasure whose keys are gone and whose objects lie there, a request that waits for the DPO."""
    old.must("clock", "--advance", OVER)
    old.must("expire", "--wait")
    old.must("certificates", "--out", str(folder / "certificates"))
    delivered = old.python("-c", DELIVER, str(folder / "calls"))
    assert delivered.returncode == 0, delivered.stderr
    old.must("ingest", str(folder / "calls"), "--wait")
    with old.client("ops") as ops:
        assert ops.patch(EXPIRY, json={"is_paused": True}).status_code == 200
        at_work = {"state": ["running", "queued"]}  # a run that is cut off here goes on after the upgrade
        _until(
            lambda: not ops.get(f"{EXPIRY}/dagRuns/~/taskInstances", params=at_work).json()["total_entries"]
        )
    old.must("clock", "--advance", OVER)
    cut = old.python("-c", CUT_SHORT)
    assert cut.returncode == 0, cut.stderr
    before = old.artifacts()
    asked = next(
        id
        for id, one in before.items()
        if (one["purpose"], one["state"], one["part"]) == ("training", "kept", "audio")
    )
    until = before[asked]["cap_at"][:10]
    filed = json.loads(
        old.person(
            "trainer",
            "request-exception",
            asked,
            "--until",
            until,
            "--ground",
            "dispute",
            "--reason",
            WHY,
            "--json",
        )
    )
    with old.client("dpo") as dpo:
        _until(
            lambda: filed["id"] in dpo.get("/api/v2/dags/~/dagRuns/~/hitlDetails", params={"limit": 100}).text
        )
    erasing = {id for id, one in before.items() if one["state"] == "erasing"}
    return old.artifacts(), filed["id"], asked, folder / "certificates", erasing


def _until(what: Any, patience_s: float = 300) -> Any:
    deadline = time.monotonic() + patience_s
    while not (found := what()):
        assert time.monotonic() < deadline, found
        time.sleep(0.5)
    return found


@pytest.mark.promise("P8")
def test_nothing_is_lost(upgraded: Upgraded, tmp_path: Path) -> None:
    """Every row is there with its dates, and a recording of before opens."""
    now = upgraded.new.artifacts()
    assert set(now) >= set(upgraded.before)
    for id, one in upgraded.before.items():
        if id not in upgraded.cut | {upgraded.asked}:
            assert {
                name: now[id][name] for name in ("state", "due_at", "cap_at", "epoch", "object", "version")
            } == {name: one[name] for name in ("state", "due_at", "cap_at", "epoch", "object", "version")}
    kept = [
        id
        for id, one in upgraded.before.items()
        if (one["state"], one["part"], one["purpose"]) == ("kept", "audio", "training")
    ]
    out = tmp_path / "call"
    upgraded.new.person("trainer", "export", kept[-1], "--reason", "coaching", "--out", str(out))
    assert out.read_bytes()[:4] in (b"fLaC", b"OggS")


@pytest.mark.promise("P6", "P8")
def test_an_erasure_that_was_cut_short_ends(upgraded: Upgraded) -> None:
    assert upgraded.cut
    with upgraded.new.client("ops") as ops:  # who paused it before the upgrade
        assert ops.patch(EXPIRY, json={"is_paused": False}).status_code == 200
    upgraded.new.must("expire", "--wait")
    now = upgraded.new.artifacts()
    assert {now[id]["state"] for id in upgraded.cut} == {"erased"}
    certified = {one["artifact"] for one in upgraded.new.json("certificates")}
    assert upgraded.cut <= certified


@pytest.mark.promise("P5")
def test_a_request_of_before_is_decided_and_applied(upgraded: Upgraded) -> None:
    new = upgraded.new
    desk = Desk(cast(Up, new), Settings.open(new.state_dir))
    was, until = (upgraded.before[upgraded.asked][name] for name in ("due_at", "cap_at"))
    why = "In proportion to the dispute."
    told = desk.send_form("dpo", upgraded.request, answer="extend", until=until[:10], reason=why)
    assert told.status_code == 303, told.text[-3_000:]
    _until(lambda: new.artifacts()[upgraded.asked]["due_at"] > was)


@pytest.mark.promise("P6")
def test_certificates_of_before_verify(upgraded: Upgraded, tmp_path: Path) -> None:
    """As they were handed out then, alone and among those of now."""
    handed_out = sorted(upgraded.certificates.rglob("*.json"))
    assert handed_out
    for folder in (upgraded.certificates, tmp_path / "now"):
        if folder != upgraded.certificates:
            upgraded.new.must("certificates", "--out", str(folder))
        done = upgraded.new.consigne("verify", str(folder))
        assert done.returncode == 0, done.stdout[-2_000:]
    done = upgraded.new.consigne("verify", str(upgraded.certificates), str(tmp_path / "now"))
    assert done.returncode == 0, done.stdout[-2_000:]


@pytest.mark.promise("P7")
def test_the_register_goes_on(upgraded: Upgraded) -> None:
    done = upgraded.new.consigne("verify", "--register")
    assert done.returncode == 0, done.stdout[-2_000:] + done.stderr[-500:]


def test_new_calls_come_in(upgraded: Upgraded, tmp_path: Path) -> None:
    upgraded.new.must("samples", str(tmp_path / "calls"), "--count", "12", "--seed", "23")
    upgraded.new.must("ingest", str(tmp_path / "calls"), "--wait")
    added = {one["call"] for id, one in upgraded.new.artifacts().items() if id not in upgraded.before}
    assert added
