"""Workers by queue with Redis between them: a worker and Redis are killed in the middle, and the end is the
undisturbed one (issue 7, Shown by 1)."""

from __future__ import annotations

import json
import time
from pathlib import Path

import psutil
import pytest

from consigne.doors.arrangement import SERVICES
from consigne.doors.local import report
from consigne.doors.local.apart import is_possible
from consigne.doors.local.services import share_of, user_of
from consigne.doors.orchestration.queues import QUEUES, dags_of
from system.conftest import Up
from system.inside import processes, recordings, sample_calls, settings_of, wait_until
from system.undisturbed import Source, assert_all_open, assert_nothing_twice, assert_undisturbed

pytestmark = pytest.mark.celery

CALLS = 400
PATIENCE_S = 420


def process_of(up: Up, name: str) -> psutil.Process:
    """The leader of a component, once it runs."""
    told: list[int] = []

    def runs() -> bool:
        found = report.read(settings_of(up))
        told[:] = [found.parts[name].pid] if found and found.lives(name) else []
        return bool(told)

    wait_until(runs, f"{name} to run")
    return psutil.Process(told[0])


@pytest.fixture(scope="module")
def disturbed(celery_up: Up) -> Source:
    """400 calls ingested, while a worker is killed, then Redis, then another worker with all that it started."""
    calls = [call for call in sample_calls(celery_up, "celery") if call[1].kind != "trial"][:CALLS]
    assert len(calls) == CALLS
    source = Source(celery_up, calls)
    for victim in ("worker-ingest-1", "broker", "worker-prove-1", "broker"):
        source.hand_in(CALLS // 4)
        wait_until(source.has_begun, "the ingest to begin")
        moment = time.monotonic() + 4
        while time.monotonic() < moment:
            source.carry_on()
        process_of(celery_up, victim).kill()
    wait_until(source.is_settled, "all to be judged", PATIENCE_S)
    return source


@pytest.mark.promise("P8")
def test_the_end_is_as_foretold_and_nothing_is_done_twice(disturbed: Source) -> None:
    assert_undisturbed(disturbed)
    assert_nothing_twice(disturbed)
    assert_all_open(disturbed)


def test_every_part_is_back_and_well(disturbed: Source) -> None:
    def is_well() -> bool:
        shown = disturbed.up.json("status")["components"]
        return {one["state"] for one in shown.values()} == {"healthy"}

    wait_until(is_well, "every part to be back")


@pytest.mark.promise("P5")
@pytest.mark.promise("P6")
def test_what_falls_due_is_destroyed_by_its_own_worker(disturbed: Source) -> None:
    """All that was ingested is past its end two years later, but for what has a longer life."""
    up = disturbed.up
    shorter = {"training", "quality"}
    assert shorter & {
        one["purpose"] for each in recordings(up, disturbed.prefix) for one in each["artifacts"]
    }
    assert up.consigne("clock", "--advance", "P2Y").returncode == 0
    done = up.consigne("expire", "--wait")
    assert done.returncode == 0, done.stderr
    left = {
        (one["purpose"], one["state"])
        for each in recordings(up, disturbed.prefix)
        for one in each["artifacts"]
        if one["purpose"] in shorter
    }
    assert {state for _, state in left} == {"erased"}
    logs = up.state_dir / "logs" / "airflow"
    assert list((logs / "expire").glob("dag_id=expire_recordings/**/*.log"))
    assert not list((logs / "ingest").glob("dag_id=expire_recordings/**/*.log"))


def test_each_service_has_a_user_a_share_and_secrets_of_its_own(celery_up: Up) -> None:
    settings = settings_of(celery_up)
    is_apart = is_possible()
    assert celery_up.json("status")["separate_users"] is is_apart
    for service in SERVICES:
        if service.is_step:
            continue
        name = f"{service.name}-1" if service.queue else service.name
        process = process_of(celery_up, name)
        if is_apart:
            assert process.uids().effective == (user_of(settings, service.name) or (0,))[0] >= 20_000
            assert _capabilities(process) == 0
        share = share_of(settings, service.name)
        found = share.stat()
        if is_apart:  # root's, and its own group may read
            assert (found.st_uid, found.st_gid) == (0, (user_of(settings, service.name) or (0, 0))[1])
            assert found.st_mode & 0o7777 == 0o750
        else:
            assert found.st_mode & 0o777 == 0o700
        assert Path(f"/proc/{process.pid}/cwd").readlink() == share.resolve() / "run" / "1"
        if service.queue:
            assert {file.stem for file in (share / "dags").glob("*.py")} == set(dags_of(service.queue))
    if is_apart:
        users = {user_of(settings, service.name) for service in SERVICES}
        assert len(users) == len(SERVICES)


def test_no_secret_stands_in_an_environment_or_a_command_line(celery_up: Up) -> None:
    settings = settings_of(celery_up)
    secrets = [file.read_bytes() for file in (settings.state_dir / "secrets").iterdir()]
    seen, environments = b"", 0
    for process in processes(celery_up):
        folder = Path(f"/proc/{process.pid}")
        try:
            environment = (folder / "environ").read_bytes()
            seen += environment + (folder / "cmdline").read_bytes()
        except OSError:
            continue
        environments += b"CONSIGNE_STATE=" in environment
    assert environments >= len(QUEUES)
    assert not [secret for secret in secrets if len(secret) > 8 and secret in seen]


def test_status_says_how_it_runs(celery_up: Up) -> None:
    shown = celery_up.json("status")
    assert shown["executor"] == "celery"
    assert {"worker-ingest-1", "worker-ingest-2", "worker-expire-1", "broker"} <= set(shown["components"])
    assert json.dumps(shown).count("password") == 0
    again = celery_up.consigne("up", "--detach", "--executor", "local")
    assert again.returncode != 0
    assert "runs_otherwise" in again.stderr


def _capabilities(process: psutil.Process) -> int:
    """Of the effective and the permitted set (proc(5))."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return sum(int(line.split()[1], 16) for line in lines if line.startswith(("CapEff:", "CapPrm:")))
