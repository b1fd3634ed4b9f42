"""From inside each worker, by its own user: what it reaches of the others, as the table of docs/security.md says."""

from __future__ import annotations

import json
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from minio.commonconfig import COMPLIANCE
from minio.retention import Retention
from sqlalchemy import text

from consigne.adapters.catalog.session import open_engine
from consigne.doors.arrangement import LISTEN, SERVICES
from consigne.doors.local.services import run_as, share_of, user_of
from consigne.doors.orchestration.queues import DAGS, QUEUES, dags_of
from consigne.doors.settings import AIRFLOW_DATABASE, CHECKOUT, Settings
from system.conftest import Up
from system.inside import settings_of, store_as

pytestmark = pytest.mark.celery
PROBE = (Path(__file__).with_name("probe.py")).read_text()
PAGE = CHECKOUT / "docs" / "security.md"
WORKERS = {f"worker-{queue}": queue for queue in QUEUES}
BY_NAME = {service.name: service for service in SERVICES}
# What a database role may not do; no row need be there for PostgreSQL to refuse.
STATEMENTS = {
    "read the wrapped data keys": "SELECT wrapped FROM data_keys LIMIT 1",
    "read who called, as a keyed digest": "SELECT caller_index FROM recordings LIMIT 1",
    "read the register": "SELECT payload FROM register LIMIT 1",
    "rewrite the register": "UPDATE register SET payload = '' WHERE false",
    "delete from the register": "DELETE FROM register WHERE false",
    "move a due date": "UPDATE artifacts SET due_at = due_at WHERE false",
    "mark an artifact as erased": "UPDATE artifacts SET state = 'erased' WHERE false",
    "delete a data key": "DELETE FROM data_keys WHERE false",
    "delete an artifact's row": "DELETE FROM artifacts WHERE false",
    "write a decision": "INSERT INTO decisions SELECT * FROM decisions WHERE false",
    "write a certificate": "INSERT INTO certificates SELECT * FROM certificates WHERE false",
    "change a policy": "UPDATE policies SET text = '' WHERE false",
}
AIRFLOWS = ("airflow-jwt-secret", "airflow-fernet-key", "airflow-secret-key", "database-airflow")
TOKENS = (
    "import sys; from airflow.executors.base_executor import BaseExecutor as E; make = E().jwt_generator.generate; "
    "print('tokens:', *(make({'sub': one, 'scope': 'execution'}) for one in sys.argv[1:]))"
)


@dataclass(frozen=True)
class Seen:
    """What a worker could do, and all text that it could read of secrets, environments and command lines."""

    did: dict[str, bool]
    text: str


@pytest.fixture(scope="module")
def seen(celery_up: Up) -> Iterator[dict[str, Seen]]:
    settings = settings_of(celery_up)
    if not settings.users_base:
        pytest.skip(
            "separate_users is false: only root that may make mount namespaces gives users of their own"
        )
    _start_runs(settings)
    tasks = _tasks(settings)
    tokens = dict(zip(tasks, _tokens(settings, [task for task, _ in tasks.values()]), strict=True))
    root, name = store_as(celery_up), f"training/probe-{uuid.uuid4()}"
    lock = Retention(COMPLIANCE, datetime.now(UTC) + timedelta(minutes=1))
    evidence = root.put_object("evidence", f"probe/{uuid.uuid4()}", BytesIO(b"x"), 1, retention=lock)
    try:
        yield {
            worker: _probe(settings, worker, queue, (tasks[queue][1], tokens[queue]), root, name, evidence)
            for worker, queue in WORKERS.items()
        }
    finally:
        for left in root.list_objects("recordings", name, include_version=True):
            root.remove_object("recordings", left.object_name or "", left.version_id)


def _probe(
    settings: Settings,
    worker: str,
    queue: str,
    task: tuple[str, str],
    root: Any,
    name: str,
    evidence: Any,
) -> Seen:
    made, service = root.put_object("recordings", name, BytesIO(b"x"), 1), BY_NAME[worker]
    dag, token = task
    given = {
        "paths": _paths(settings, worker, queue),
        "code": [str(CHECKOUT / one) for one in ("include/consigne/doors/settings.py", "dags", "plugins")],
        "processes": _others(settings, worker),
        "another": (user_of(settings, "api-server") or (1, 1))[0],
        "roles": service.database,
        "metadata": AIRFLOW_DATABASE,
        "statements": STATEMENTS,
        "identities": service.store,
        "object": name, "version": made.version_id,
        "evidence": evidence.object_name, "evidence version": evidence.version_id,
        "queue": queue, "queues": QUEUES,
        "token": token, "own dag": dag, "own dags": dags_of(queue),
        "other dag": next(one for one in DAGS if one not in dags_of(queue)),
    }  # fmt: skip
    done = run_as(settings, worker, [sys.executable, "-c", PROBE, json.dumps(given)], timeout_s=240)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout)
    airflows = [(settings.state_dir / "secrets" / one).read_text() for one in AIRFLOWS]
    is_found = any(one in found["seen"] for one in airflows)
    looked = {"find Airflow's JWT secret, Fernet key or database password": is_found}
    return Seen(found["did"] | looked, found["seen"])


def _paths(settings: Settings, worker: str, queue: str) -> dict[str, list[str]]:
    state, shares = settings.state_dir, settings.state_dir / "shares"
    logs = state / "logs" / "airflow"
    found = {
        "another service's share or secrets": [
            str(shares / one.name / part)
            for one in SERVICES
            if one.name != worker and not one.is_step  # `up` takes the step itself
            for part in (".", "settings.json", "secrets", "airflow/airflow.cfg")
        ],
        "the installation's own secrets": [str(state / one) for one in ("secrets", "settings.json")],
        "the keys": [str(state / "keyring")],
        "the files of database, store and broker": [
            str(state / one) for one in ("postgres", "minio", "broker")
        ],
        "intake": [str(settings.intake_dir)],
        "its own tasks' logs": [str(logs / queue)],
        "another queue's logs": [str(logs / one) for one in QUEUES if one != queue],
    }
    assert all(Path(one).exists() for paths in found.values() for one in paths)
    return found


def _others(settings: Settings, worker: str) -> list[int]:
    """Processes of the other services, and the supervisor."""
    own = user_of(settings, worker)
    found = [
        process.info["pid"]
        for process in psutil.process_iter(["pid", "uids", "environ"])
        if str(settings.state_dir) in (process.info["environ"] or {}).get("CONSIGNE_STATE", "")
        and own
        and process.info["uids"].real != own[0]
    ]
    assert len(found) > 5
    return found


def _start_runs(settings: Settings) -> None:
    """A run for each queue, so that there is a task of each. Nothing fits what the one that decides is given: it
    ends by itself, and moves nothing."""
    for user, dag, conf in [
        ("ops", "ingest_recordings", {}),
        ("ops", "reconcile_storage", {}),
        ("ops", "expire_recordings", {"dry_run": True}),
        ("analyst", "decide_retention_exception", {"request_id": str(uuid.uuid4()), "request_hash": "0" * 64}),
    ]:  # fmt: skip
        login = {"username": user, "password": settings.account_password(user)}
        token = httpx.post(
            f"{settings.airflow_url}/auth/token", json=login, timeout=60, trust_env=False
        ).json()
        started = httpx.post(
            f"{settings.airflow_url}/api/v2/dags/{dag}/dagRuns",
            headers={"Authorization": f"Bearer {token['access_token']}"},
            json={"logical_date": None, "conf": conf},
            timeout=60,
            trust_env=False,
        )
        assert started.status_code == 200, started.text


def _tasks(settings: Settings) -> dict[str, tuple[str, str]]:
    """Queue → the id and Dag of a task of it."""
    engine, until_s = open_engine(settings.airflow_database_url("psycopg")), time.monotonic() + 120
    while True:
        with engine.begin() as tx:
            rows = tx.execute(text("SELECT DISTINCT ON (queue) queue, id, dag_id FROM task_instance")).all()
        found = {row.queue: (str(row.id), row.dag_id) for row in rows}
        if found.keys() >= set(QUEUES):
            return found
        assert time.monotonic() < until_s, found
        time.sleep(1)


def _tokens(settings: Settings, tasks: list[str]) -> list[str]:
    """As the scheduler gives them to those tasks."""
    done = run_as(settings, "scheduler", [sys.executable, "-c", TOKENS, *tasks], 120)
    assert "tokens:" in done.stdout, done.stderr[-2000:]
    return done.stdout.rpartition("tokens:")[2].split()


def _table(seen: dict[str, Seen]) -> list[str]:
    """As the page shows it."""
    rows = [["tries to", *WORKERS], ["---"] * (len(WORKERS) + 1)]
    for name in next(iter(seen.values())).did:
        rows.append([name, *("**does**" if seen[worker].did[name] else "refused" for worker in WORKERS)])
    return [f"| {' | '.join(row)} |" for row in rows]


@pytest.mark.promise("P3", "P5", "P6", "P7")
def test_each_worker_reaches_what_the_table_says_and_no_more(seen: dict[str, Seen]) -> None:
    measured = _table(seen)
    print("\n".join(measured))
    page = PAGE.read_text(encoding="utf-8").splitlines()
    begins = page.index(measured[0])
    assert page[begins : begins + len(measured)] == measured


@pytest.mark.promise("P3", "P6")
def test_what_is_refused_to_all(seen: dict[str, Seen]) -> None:
    for worker, found in seen.items():
        did = {name for name, done in found.did.items() if done}
        assert not {one for one in did if "another" in one or "Airflow's" in one}, worker
        assert not did & {"read the keys", "read the installation's own secrets", "rewrite the register"}
    assert (
        not seen["worker-ingest"].did["delete an object"] and not seen["worker-ingest"].did["read an object"]
    )
    assert (
        not seen["worker-expire"].did["read an object"] and not seen["worker-expire"].did["unwrap a data key"]
    )


@pytest.mark.promise("P3")
def test_a_worker_can_read_no_secret_that_is_not_its_own(celery_up: Up, seen: dict[str, Seen]) -> None:
    settings = settings_of(celery_up)
    secrets = {file.name: file.read_text() for file in (settings.state_dir / "secrets").iterdir()}
    for worker, queue in WORKERS.items():
        share = {file.name for file in (share_of(settings, worker) / "secrets").iterdir()}
        derived = {one for one in secrets if "-listen-" in one and LISTEN in BY_NAME[worker].store}
        own = share | derived | {f"broker-{queue}", f"keyring-token-{queue}"}
        found = {name for name, value in secrets.items() if value in seen[worker].text}
        assert found <= own, worker
        assert f"database-{BY_NAME[worker].database[0]}" in found  # it is looked for where it is
        settled = (share_of(settings, worker) / "airflow" / "airflow.cfg").read_text()
        lacking = ("sql_alchemy_conn", "jwt_secret", "fernet_key", "secret_key")
        assert not [one for one in lacking if one in settled], worker
