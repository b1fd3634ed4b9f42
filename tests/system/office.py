"""The running platform as people and an attacker meet it: signed in, and behind Airflow's doors."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import httpx
import psycopg

from consigne.acts.decide import answer_request, file_request
from consigne.acts.journey import Platform
from consigne.acts.locate import policy_now
from consigne.adapters.catalog import views
from consigne.doors.orchestration.accounts import DECIDED
from consigne.doors.settings import Settings
from consigne.doors.wiring import open_platform
from consigne.rules.access import Denied
from consigne.rules.clock import Duration
from consigne.rules.request import Answer, Decision, ExceptionRequest, run_of
from consigne.rules.values import Actor
from system.conftest import Up

DAG = f"/dags/{DECIDED[0]}"
WHY = "The caller disputes what was agreed."
TRAINER, DPO = Actor("trainer", frozenset({"trainer"})), Actor("dpo", frozenset({"dpo"}))
PATIENCE_S = 120
ADMIN = "test-admin"


@dataclass(frozen=True)
class Office:
    """The running platform as people and an attacker meet it."""

    settings: Settings
    platform: Platform
    admin_password: str

    def sign_in(self, user: str) -> httpx.Client:
        password = self.admin_password if user == ADMIN else self.settings.account_password(user)
        url = self.settings.airflow_url
        answer = httpx.post(f"{url}/auth/token", json={"username": user, "password": password}, timeout=60)
        token = answer.json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.Client(base_url=f"{url}/api/v2", headers=headers, timeout=60)

    def artifact(self, id: uuid.UUID) -> Any:
        with self.platform.catalog.begin() as tx:
            return self.platform.catalog.artifact(tx, id)

    def asked(self, response_time: Duration | None = None) -> ExceptionRequest:
        """The trainer's request for some kept recording of theirs."""
        policy = policy_now(self.platform)
        policy = replace(policy, response_time=response_time or policy.response_time)
        with self.platform.catalog.begin() as tx:
            rows = [each for one in views.recordings(tx) for each in one["artifacts"]]
        for id in (
            uuid.UUID(row["id"]) for row in rows if row["purpose"] == "training" and not row["extension"]
        ):
            until = self.artifact(id).due_at + timedelta(days=60)
            filed = file_request(self.platform, policy, TRAINER, [id], until, "dispute", WHY)
            if not isinstance(filed, Denied):
                return filed
        raise AssertionError("no recording is left to ask for")

    def decide(self, request: ExceptionRequest, answer: Answer) -> Decision:
        policy = policy_now(self.platform)
        made = answer_request(self.platform, policy, DPO, request.id, request.digest, answer, None, WHY)
        assert isinstance(made, Decision), made
        return made

    def sweep(self) -> None:
        """As the sealer does each minute, which may be now too."""
        url = f"{self.settings.airflow_url}/consigne/internal/sweep"
        headers = {"X-Consigne-Sweep": self.settings.secret("desk-sweep")}
        httpx.post(url, headers=headers, timeout=60).raise_for_status()

    def due_at(self, request: ExceptionRequest) -> Any:
        return self.artifact(request.items[0].artifact).due_at

    def register(self, request: ExceptionRequest) -> list[dict[str, Any]]:
        with self.platform.catalog.begin() as tx:
            return [dict(entry) for entry in views.history(tx, [request.id])]


def hashed(password: str) -> str:
    from werkzeug.security import generate_password_hash

    return str(generate_password_hash(password))


def airflow_sql(settings: Settings, statement: str, *values: object) -> list[tuple[Any, ...]]:
    url = settings.airflow_database_url("psycopg").replace("+psycopg", "", 1)
    with psycopg.connect(url) as connection:
        done = connection.execute(statement, values)
        return list(done.fetchall()) if done.description else []


def give_role(settings: Settings, user: str, role: str) -> None:
    airflow_sql(
        settings,
        "INSERT INTO ab_user_role (id, user_id, role_id) SELECT nextval('ab_user_role_id_seq'), u.id, r.id"
        " FROM ab_user u, ab_role r WHERE u.username = %s AND r.name = %s ON CONFLICT DO NOTHING",
        user,
        role,
    )


def until(what: Callable[[], Any], wanted: Callable[[Any], bool]) -> Any:
    deadline = time.monotonic() + PATIENCE_S
    while not wanted(found := what()):
        assert time.monotonic() < deadline, found
        time.sleep(0.2)
    return found


def states(client: httpx.Client, run: str) -> dict[str, str | None]:
    rows = client.get(f"{DAG}/dagRuns/{run}/taskInstances").json().get("task_instances", [])
    return {row["task_id"]: row["state"] for row in rows}


def wait_for(client: httpx.Client, run: str, task: str, state: str) -> dict[str, str | None]:
    found = until(lambda: states(client, run), lambda states: states.get(task) == state)
    assert isinstance(found, dict)
    return found


def parked(office: Office, admin: httpx.Client) -> ExceptionRequest:
    request = office.asked()
    office.sweep()
    wait_for(admin, run_of(request.id), "approve_exception", "awaiting_input")
    return request


def ended(client: httpx.Client, run: str) -> None:
    until(
        lambda: client.get(f"{DAG}/dagRuns/{run}").json()["state"],
        lambda state: state in ("success", "failed"),
    )


def answer(client: httpx.Client, run: str) -> int:
    task = f"{DAG}/dagRuns/{run}/taskInstances/approve_exception/-1/hitlDetails"
    return client.patch(task, json={"chosen_options": ["extend"], "params_input": {}}).status_code


def start(client: httpx.Client, run: str, id: object, digest: str) -> int:
    conf = {"request_id": str(id), "request_hash": digest}
    body = {"dag_run_id": run, "logical_date": None, "conf": conf}
    return client.post(f"{DAG}/dagRuns", json=body).status_code


def clear(client: httpx.Client, run: str, *tasks: str) -> int:
    body = {
        "dry_run": False,
        "dag_run_id": run,
        "task_ids": list(tasks),
        "only_failed": False,
        "reset_dag_runs": True,
    }
    return client.post(f"{DAG}/clearTaskInstances", json=body).status_code


@contextmanager
def open_office(up: Up) -> Iterator[Office]:
    """With an Airflow Admin of the test's own, made as an operator would."""
    settings = Settings.open(up.state_dir)
    password = uuid.uuid4().hex
    airflow_sql(
        settings,
        "INSERT INTO ab_user (id, first_name, last_name, username, password, active, email)"
        " SELECT nextval('ab_user_id_seq'), 'a', 'b', %s, %s, true, 'test-admin@example.org'"
        " WHERE NOT EXISTS (SELECT FROM ab_user WHERE username = 'test-admin')",
        ADMIN,
        hashed(password),
    )
    airflow_sql(settings, "UPDATE ab_user SET password = %s WHERE username = %s", hashed(password), ADMIN)
    give_role(settings, ADMIN, "Admin")
    yield Office(settings, open_platform(settings, "decide"), password)
    airflow_sql(
        settings, "DELETE FROM ab_user_role USING ab_user WHERE user_id = ab_user.id AND username = %s", ADMIN
    )
    airflow_sql(settings, "DELETE FROM ab_user WHERE username = %s", ADMIN)
