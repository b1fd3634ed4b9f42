"""Who decides: over REST, by marking and clearing, with made-up runs, and on the desk. Nothing but a
designated person's recorded decision moves a due date (issue 3, Shown by 4)."""

from __future__ import annotations

import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import httpx
import psycopg
import pytest

from consigne.acts.decide import answer_request, file_request
from consigne.acts.journey import Platform
from consigne.acts.locate import policy_now
from consigne.adapters.catalog import views
from consigne.doors.local import airflow
from consigne.doors.orchestration.accounts import DECIDED, ROLES
from consigne.doors.settings import ACCOUNTS, Settings
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


@pytest.fixture(scope="module")
def office(platform_up: Up) -> Iterator[Office]:
    """With an Airflow Admin of the test's own, made as an operator would."""
    settings = Settings.open(platform_up.state_dir)
    password = uuid.uuid4().hex
    _airflow_sql(
        settings,
        "INSERT INTO ab_user (id, first_name, last_name, username, password, active, email)"
        " SELECT nextval('ab_user_id_seq'), 'a', 'b', %s, %s, true, 'test-admin@example.org'"
        " WHERE NOT EXISTS (SELECT FROM ab_user WHERE username = 'test-admin')",
        ADMIN,
        _hashed(password),
    )
    _airflow_sql(settings, "UPDATE ab_user SET password = %s WHERE username = %s", _hashed(password), ADMIN)
    _give_role(settings, ADMIN, "Admin")
    yield Office(settings, open_platform(settings, "decide"), password)
    _airflow_sql(
        settings, "DELETE FROM ab_user_role USING ab_user WHERE user_id = ab_user.id AND username = %s", ADMIN
    )
    _airflow_sql(settings, "DELETE FROM ab_user WHERE username = %s", ADMIN)


def _hashed(password: str) -> str:
    from werkzeug.security import generate_password_hash

    return str(generate_password_hash(password))


def _airflow_sql(settings: Settings, statement: str, *values: object) -> list[tuple[Any, ...]]:
    url = settings.airflow_database_url("psycopg").replace("+psycopg", "", 1)
    with psycopg.connect(url) as connection:
        done = connection.execute(statement, values)  # type: ignore[arg-type]
        return list(done.fetchall()) if done.description else []


def _give_role(settings: Settings, user: str, role: str) -> None:
    _airflow_sql(
        settings,
        "INSERT INTO ab_user_role (id, user_id, role_id) SELECT nextval('ab_user_role_id_seq'), u.id, r.id"
        " FROM ab_user u, ab_role r WHERE u.username = %s AND r.name = %s ON CONFLICT DO NOTHING",
        user,
        role,
    )


def _until(what: Callable[[], Any], wanted: Callable[[Any], bool]) -> Any:
    deadline = time.monotonic() + PATIENCE_S
    while not wanted(found := what()):
        assert time.monotonic() < deadline, found
        time.sleep(0.2)
    return found


def _states(client: httpx.Client, run: str) -> dict[str, str | None]:
    rows = client.get(f"{DAG}/dagRuns/{run}/taskInstances").json().get("task_instances", [])
    return {row["task_id"]: row["state"] for row in rows}


def _wait_for(client: httpx.Client, run: str, task: str, state: str) -> dict[str, str | None]:
    found = _until(lambda: _states(client, run), lambda states: states.get(task) == state)
    assert isinstance(found, dict)
    return found


def _parked(office: Office, admin: httpx.Client) -> ExceptionRequest:
    request = office.asked()
    office.sweep()
    _wait_for(admin, run_of(request.id), "approve_exception", "awaiting_input")
    return request


def _ended(client: httpx.Client, run: str) -> None:
    _until(
        lambda: client.get(f"{DAG}/dagRuns/{run}").json()["state"],
        lambda state: state in ("success", "failed"),
    )


def _answer(client: httpx.Client, run: str) -> int:
    task = f"{DAG}/dagRuns/{run}/taskInstances/approve_exception/-1/hitlDetails"
    return client.patch(task, json={"chosen_options": ["extend"], "params_input": {}}).status_code


def _start(client: httpx.Client, run: str, id: object, digest: str) -> int:
    conf = {"request_id": str(id), "request_hash": digest}
    body = {"dag_run_id": run, "logical_date": None, "conf": conf}
    return client.post(f"{DAG}/dagRuns", json=body).status_code


def _clear(client: httpx.Client, run: str, *tasks: str) -> int:
    body = {
        "dry_run": False,
        "dag_run_id": run,
        "task_ids": list(tasks),
        "only_failed": False,
        "reset_dag_runs": True,
    }
    return client.post(f"{DAG}/clearTaskInstances", json=body).status_code


@pytest.fixture(scope="module")
def admin(office: Office) -> httpx.Client:
    return office.sign_in(ADMIN)


@pytest.fixture(scope="module")
def parked(office: Office, admin: httpx.Client) -> ExceptionRequest:
    """A request whose human task waits, for those who may not answer it."""
    return _parked(office, admin)


@pytest.mark.promise("P5")
@pytest.mark.parametrize("user", [*ACCOUNTS, ADMIN])
def test_nobody_answers_the_human_task_but_through_the_desk(
    office: Office, parked: ExceptionRequest, user: str
) -> None:
    assert _answer(office.sign_in(user), run_of(parked.id)) == 403


@pytest.mark.promise("P5")
@pytest.mark.parametrize("user", ACCOUNTS)
def test_no_account_can_bend_the_run(office: Office, parked: ExceptionRequest, user: str) -> None:
    client, run = office.sign_in(user), run_of(parked.id)
    task = f"{DAG}/dagRuns/{run}/taskInstances/approve_exception"
    assert client.patch(DAG, json={"is_paused": True}).status_code == 403
    assert client.patch(task, json={"new_state": "success"}).status_code == 403
    assert _clear(client, run, "approve_exception") == 403
    assert client.patch(f"{DAG}/dagRuns/{run}", json={"state": "success"}).status_code == 403
    assert client.delete(f"{DAG}/dagRuns/{run}").status_code == 403
    entry = f"{DAG}/dagRuns/{run}/taskInstances/load_request/xcomEntries"
    assert client.post(entry, json={"key": "k", "value": "v"}).status_code == 403
    may_start = user in ("trainer", "analyst")  # which is how the desk starts runs, as the person who asks
    assert may_start or _start(client, f"manual__{user}", parked.id, parked.digest) == 403


def test_required_actions_lists_it_to_the_dpo_with_a_link(office: Office, parked: ExceptionRequest) -> None:
    found = office.sign_in("dpo").get("/dags/~/dagRuns/~/hitlDetails", params={"limit": 100}).json()
    [detail] = [each for each in found["hitl_details"] if str(parked.id) in each["subject"]]
    assert f"/consigne/decide/{parked.id}" in detail["body"]
    assert WHY not in str(detail)


@pytest.mark.promise("P5")
def test_an_admin_who_takes_the_role_decides_nothing(
    office: Office, admin: httpx.Client, parked: ExceptionRequest
) -> None:
    _give_role(office.settings, ADMIN, "dpo")
    assert _answer(office.sign_in(ADMIN), run_of(parked.id)) == 403
    made_up = Actor(ADMIN, frozenset({"Admin", "dpo"}))
    policy = policy_now(office.platform)
    outcome = answer_request(
        office.platform, policy, made_up, parked.id, parked.digest, Answer.EXTEND, None, WHY
    )
    assert outcome == Denied("not_designated")
    denied = [each for each in office.register(parked) if each["kind"] == "decide:request:answer_denied"]
    assert (denied[-1]["actor"], denied[-1]["code"]) == (ADMIN, "not_designated")


@pytest.mark.promise("P5")
def test_marking_and_clearing_move_no_due_date(office: Office, admin: httpx.Client) -> None:
    request = _parked(office, admin)
    run, before = run_of(request.id), office.due_at(request)
    task = f"{DAG}/dagRuns/{run}/taskInstances"
    assert admin.patch(f"{task}/approve_exception", json={"new_state": "success"}).status_code == 200
    _wait_for(admin, run, "close_refused", "success")
    for name in ("load_request", "record_decision"):
        entry = f"{task}/{name}/xcomEntries/return_value"
        admin.patch(entry, json={"value": "apply_extension"})
    assert admin.patch(f"{task}/apply_extension", json={"new_state": "success"}).status_code == 200
    assert _clear(admin, run, "record_decision", "apply_extension", "close_refused") == 200
    _ended(admin, run)
    assert office.due_at(request) == before
    closed = [each for each in office.register(request) if each["kind"] == "decide:run:closed"]
    assert {each["outcome"] for each in closed} == {"pending"}
    # The DPO was not bypassed either way: the request still waits, and the sweep applies the decision.
    decision = office.decide(request, Answer.EXTEND)
    _age(office.settings, decision, timedelta(minutes=2))
    office.sweep()
    assert office.due_at(request) > before


def _age(settings: Settings, decision: Decision, by: timedelta) -> None:
    url = settings.database_admin_url().replace("+psycopg", "", 1)
    with psycopg.connect(url) as connection:
        words = "UPDATE decisions SET decided_at = decided_at - %s WHERE id = %s"
        connection.execute(words, (by, decision.id))


@pytest.mark.promise("P5")
def test_made_up_runs_end_refused_and_registered(office: Office, admin: httpx.Client) -> None:
    request = office.asked()
    before = office.due_at(request)
    runs = {f"manual__a{request.id}": request.digest, f"manual__b{request.id}": "0" * 64}
    for run, digest in runs.items():
        assert _start(admin, run, request.id, digest) == 200
    assert _start(admin, "manual__c", "no id", "0" * 64) == 400
    for run in runs:
        states = _wait_for(admin, run, "close_refused", "success")
        skipped = ("notify_dpo", "approve_exception", "record_decision", "apply_extension")
        assert {states[name] for name in skipped} == {"skipped"}
    refused = [each for each in office.register(request) if each["kind"] == "decide:run:refused"]
    assert {each["run"] for each in refused} == set(runs)
    assert office.due_at(request) == before
    office.decide(request, Answer.REFUSE)


@pytest.mark.promise("P8")
def test_an_answer_given_at_once_is_not_lost(office: Office, admin: httpx.Client) -> None:
    requests = [_parked(office, admin) for _ in range(2)]
    before = [office.due_at(request) for request in requests]
    for request, answer in zip(requests, (Answer.EXTEND, Answer.REFUSE), strict=True):
        office.decide(request, answer)
    office.sweep()
    granted, refused = (_until_over(admin, request) for request in requests)
    assert (granted["approve_exception"], granted["apply_extension"]) == ("success", "success")
    assert (refused["close_refused"], refused["apply_extension"]) == ("success", "skipped")
    assert office.due_at(requests[0]) > before[0]
    assert office.due_at(requests[1]) == before[1]
    answered = admin.get(
        f"{DAG}/dagRuns/{run_of(requests[0].id)}/taskInstances/approve_exception/-1/hitlDetails"
    ).json()
    assert (answered["responded_by_user"]["name"], answered["chosen_options"]) == ("dpo", ["extend"])


def _until_over(admin: httpx.Client, request: ExceptionRequest) -> dict[str, str | None]:
    _ended(admin, run_of(request.id))
    return _states(admin, run_of(request.id))


@pytest.mark.promise("P5")
def test_no_answer_in_the_response_time_means_refused(office: Office, admin: httpx.Client) -> None:
    request = office.asked(Duration.parse("PT40S"))
    before = office.due_at(request)
    office.sweep()
    _wait_for(admin, run_of(request.id), "close_refused", "success")
    closed = [each for each in office.register(request) if each["kind"] == "decide:run:closed"]
    assert [each["outcome"] for each in closed] == ["lapsed"]
    assert office.due_at(request) == before


def test_roles_are_read_afresh(office: Office) -> None:
    client = office.sign_in("adviser")
    me = f"{office.settings.airflow_url}/consigne/api/me"
    assert client.get(me).json()["roles"] == ["adviser"]
    taken = "DELETE FROM ab_user_role USING ab_user u WHERE user_id = u.id AND u.username = 'adviser' RETURNING role_id"
    _airflow_sql(office.settings, taken)
    try:
        assert client.get(me).status_code == 403
    finally:
        _give_role(office.settings, "adviser", "adviser")


def test_accounts_are_brought_back_in_line(office: Office) -> None:
    _give_role(office.settings, "ops", "Admin")
    _airflow_sql(
        office.settings,
        "INSERT INTO ab_permission_view_role (id, permission_view_id, role_id)"
        " SELECT nextval('ab_permission_view_role_id_seq'), p.id, r.id FROM ab_role r, ab_permission_view p"
        " JOIN ab_permission a ON a.id = p.permission_id JOIN ab_view_menu v ON v.id = p.view_menu_id"
        " WHERE r.name = 'dpo' AND a.name = 'can_edit' AND v.name = 'DAGs'",
    )
    subprocess.run(
        [sys.executable, "-m", "consigne.doors.orchestration.accounts"],
        env=airflow.environment(office.settings),
        check=True,
        capture_output=True,
    )
    held = _airflow_sql(
        office.settings,
        "SELECT u.username, r.name FROM ab_user u JOIN ab_user_role ur ON ur.user_id = u.id"
        " JOIN ab_role r ON r.id = ur.role_id WHERE u.username <> %s",
        ADMIN,
    )
    assert dict(held) == dict(ACCOUNTS) and len(held) == len(ACCOUNTS)
    granted = _airflow_sql(
        office.settings,
        "SELECT r.name, a.name, v.name FROM ab_role r JOIN ab_permission_view_role pr ON pr.role_id = r.id"
        " JOIN ab_permission_view p ON p.id = pr.permission_view_id"
        " JOIN ab_permission a ON a.id = p.permission_id JOIN ab_view_menu v ON v.id = p.view_menu_id",
    )
    for role, wanted in ROLES.items():
        assert {grant[1:] for grant in granted if grant[0] == role} == set(wanted)
