"""`up`, `status` and `down` as a person uses them, and what is left when something is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from consigne.doors.local import processes, report
from consigne.doors.local.components import COMPONENTS
from consigne.doors.settings import CHECKOUT, Settings

LONGEST_COMMAND_S = 1_800  # the first `up` of a machine builds MinIO


def consigne(state: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [CHECKOUT / "consigne", *args, "--state", state],
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LONGEST_COMMAND_S,
        check=False,
    )


def document(state: Path, *args: str) -> dict[str, Any]:
    done = consigne(state, "status", "--json", *args)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def states(state: Path) -> set[str]:
    return {part["state"] for part in document(state)["components"].values()}


def settle(condition: Callable[[], bool], patience_s: float = 120.0) -> None:
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.5)


def left_of(settings: Settings) -> list[int]:
    """Processes that still work in a folder of the state folder."""
    folders = [component.folder(settings).resolve() for component in COMPONENTS]
    return [process.pid for folder in folders for process in processes.workers_in(folder)]


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    above = tmp_path_factory.mktemp("local")
    above.chmod(0o700)
    folder = above / "a state"
    try:
        done = consigne(folder, "up", "--detach", "--no-samples")
        assert done.returncode == 0, done.stderr
        yield folder
    finally:
        consigne(folder, "down")


def test_status_shows_every_component_healthy(state: Path) -> None:
    found = document(state)
    names = {component.name for component in COMPONENTS if not component.is_step}
    assert set(found["components"]) == names | {"keyring"}
    assert states(state) == {"healthy"}
    assert found["policy"]["version"]
    assert found["clock"] == {"test": False, "offset_s": 0}
    assert "secret_key" not in json.dumps(found)
    assert "password" not in json.dumps(found)


def test_status_gives_secrets_only_when_asked(state: Path) -> None:
    found = document(state, "--secrets")
    assert all(account["password"] for account in found["accounts"].values())
    assert found["store"]["root"]["secret_key"]
    assert {"ingest", "expire", "reconcile", "evidence", "listen-training"} <= set(
        found["store"]["identities"]
    )


def test_up_again_says_that_it_runs(state: Path) -> None:
    before = report.read(Settings.open(state))
    done = consigne(state, "up", "--detach", "--no-samples")
    assert (done.returncode, "already" in done.stderr) == (0, True)
    after = report.read(Settings.open(state))
    assert before and after
    assert before.pid == after.pid


@pytest.mark.promise("P3")
def test_no_secret_in_any_command_line_environment_or_log(state: Path) -> None:
    told = "MINIO_AUDIT_WEBHOOK_"  # where MinIO sends its log: of these the token alone is secret, a file of its own
    secrets = {
        line.partition("=")[2] or line
        for file in (state / "secrets").iterdir()
        for line in file.read_text().splitlines()
        if len(line) > 15 and not line.startswith(told)
    }
    settings, seen = Settings.open(state), b""
    for pid in left_of(settings):
        for name in ("cmdline", "environ"):
            try:
                seen += Path(f"/proc/{pid}/{name}").read_bytes()
            except OSError:
                continue
    logs = b"".join(file.read_bytes() for file in (state / "logs").rglob("*") if file.is_file())
    assert b"airflow" in seen
    assert len(logs) > 1_000
    assert not [secret for secret in secrets if secret.encode() in seen + logs]


@pytest.mark.promise("P8")
@pytest.mark.parametrize("name", ["minio", "postgres", "api-server", "scheduler", "dag-processor", "sealer"])
def test_what_is_killed_is_started_again(state: Path, name: str) -> None:
    settings = Settings.open(state)
    found = report.ours(settings)
    assert found
    os.kill(found.parts[name].pid, signal.SIGKILL)

    def is_back() -> bool:
        now = report.ours(settings)
        return bool(
            now and now.parts[name].pid not in (0, found.parts[name].pid) and states(state) == {"healthy"}
        )

    settle(is_back)


@pytest.mark.promise("P8")
def test_after_a_killed_supervisor_nothing_runs_unwatched_and_up_goes_on(state: Path) -> None:
    settings = Settings.open(state)
    found = report.ours(settings)
    assert found
    os.kill(found.pid, signal.SIGKILL)
    done = consigne(state, "up", "--detach", "--no-samples")
    assert done.returncode == 0, done.stderr
    now = report.ours(settings)
    assert now
    assert now.pid != found.pid
    assert not {part.pid for part in found.parts.values() if part.pid} & set(left_of(settings))
    assert document(state)["url"] == f"http://127.0.0.1:{settings.airflow_port}"
    assert states(state) == {"healthy"}


def test_down_leaves_nothing_and_says_so(state: Path) -> None:
    settings = Settings.open(state)
    assert left_of(settings)
    assert consigne(state, "down").returncode == 0
    assert left_of(settings) == []
    told = {name: part["state"] for name, part in document(state)["components"].items()}
    assert told.pop("keyring") == "healthy"  # no process: it is there or not
    assert set(told.values()) == {"stopped"}
    assert "nothing ran" in consigne(state, "down").stderr


def test_a_wrong_policy_is_refused_before_anything_starts(state: Path) -> None:
    policy = state.with_name("wrong.yaml")
    policy.write_text("version: 1\n")
    assert consigne(state, "up", "--detach", "--no-samples", "--policy", str(policy)).returncode == 2
    assert left_of(Settings.open(state)) == []


def test_a_part_that_does_not_come_up_is_named_with_its_log(state: Path) -> None:
    policy = state.with_name("changed.yaml")  # `apply` refuses it: the first policy is in force
    policy.write_text((CHECKOUT / "config" / "demo.yaml").read_text().replace("Exemple SA", "Autre SA"))
    done = consigne(state, "up", "--detach", "--no-samples", "--policy", str(policy))
    assert done.returncode == 3
    assert "not_up: prepare-catalog" in done.stderr
    assert f"read {state}/logs/prepare-catalog.log" in done.stderr
    assert left_of(Settings.open(state)) == []
    assert Settings.open(state).policy_file == CHECKOUT / "config" / "demo.yaml"
