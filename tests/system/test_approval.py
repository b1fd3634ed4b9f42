"""Who decides: over REST, by marking and clearing, with made-up runs, and on the desk. Nothing but a
designated person's recorded decision moves a due date (issue 3, Shown by 4)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta

import httpx
import psycopg
import pytest

from consigne.acts.decide import answer_request
from consigne.acts.locate import policy_now
from consigne.doors.local import airflow
from consigne.doors.orchestration.accounts import ROLES
from consigne.doors.settings import ACCOUNTS, Settings
from consigne.rules.access import Denied
from consigne.rules.clock import Duration
from consigne.rules.request import Answer, Decision, ExceptionRequest, run_of
from consigne.rules.values import Actor
from system.conftest import Up
from system.office import (
    ADMIN,
    DAG,
    WHY,
    Office,
    airflow_sql,
    answer,
    clear,
    ended,
    give_role,
    open_office,
    parked,
    start,
    states,
    wait_for,
)


@pytest.fixture(scope="module")
def office(platform_up: Up) -> Iterator[Office]:
    with open_office(platform_up) as opened:
        yield opened


@pytest.fixture(scope="module")
def admin(office: Office) -> httpx.Client:
    return office.sign_in(ADMIN)


@pytest.fixture(scope="module")
def parked_one(office: Office, admin: httpx.Client) -> ExceptionRequest:
    """A request whose human task waits, for those who may not answer it."""
    return parked(office, admin)


@pytest.mark.promise("P5")
@pytest.mark.parametrize("user", [*ACCOUNTS, ADMIN])
def test_nobody_answers_the_human_task_but_through_the_desk(
    office: Office, parked_one: ExceptionRequest, user: str
) -> None:
    assert answer(office.sign_in(user), run_of(parked_one.id)) == 403


@pytest.mark.promise("P5")
@pytest.mark.parametrize("user", ACCOUNTS)
def test_no_account_can_bend_the_run(office: Office, parked_one: ExceptionRequest, user: str) -> None:
    client, run = office.sign_in(user), run_of(parked_one.id)
    task = f"{DAG}/dagRuns/{run}/taskInstances/approve_exception"
    assert client.patch(DAG, json={"is_paused": True}).status_code == 403
    assert client.patch(task, json={"new_state": "success"}).status_code == 403
    assert clear(client, run, "approve_exception") == 403
    assert client.patch(f"{DAG}/dagRuns/{run}", json={"state": "success"}).status_code == 403
    assert client.delete(f"{DAG}/dagRuns/{run}").status_code == 403
    entry = f"{DAG}/dagRuns/{run}/taskInstances/load_request/xcomEntries"
    assert client.post(entry, json={"key": "k", "value": "v"}).status_code == 403
    may_start = user in ("trainer", "analyst")  # which is how the desk starts runs, as the person who asks
    assert may_start or start(client, f"manual__{user}", parked_one.id, parked_one.digest) == 403


def test_required_actions_lists_it_to_the_dpo_with_a_link(
    office: Office, parked_one: ExceptionRequest
) -> None:
    found = office.sign_in("dpo").get("/dags/~/dagRuns/~/hitlDetails", params={"limit": 100}).json()
    [detail] = [each for each in found["hitl_details"] if str(parked_one.id) in each["subject"]]
    assert f"/consigne/decide/{parked_one.id}" in detail["body"]
    assert WHY not in str(detail)


@pytest.mark.promise("P5")
def test_an_admin_who_takes_the_role_decides_nothing(
    office: Office, admin: httpx.Client, parked_one: ExceptionRequest
) -> None:
    give_role(office.settings, ADMIN, "dpo")
    assert answer(office.sign_in(ADMIN), run_of(parked_one.id)) == 403
    made_up = Actor(ADMIN, frozenset({"Admin", "dpo"}))
    policy = policy_now(office.platform)
    outcome = answer_request(
        office.platform, policy, made_up, parked_one.id, parked_one.digest, Answer.EXTEND, None, WHY
    )
    assert outcome == Denied("not_designated")
    denied = [each for each in office.register(parked_one) if each["kind"] == "decide:request:answer_denied"]
    assert (denied[-1]["actor"], denied[-1]["code"]) == (ADMIN, "not_designated")


@pytest.mark.promise("P5")
def test_marking_and_clearing_move_no_due_date(office: Office, admin: httpx.Client) -> None:
    request = parked(office, admin)
    run, before = run_of(request.id), office.due_at(request)
    task = f"{DAG}/dagRuns/{run}/taskInstances"
    assert admin.patch(f"{task}/approve_exception", json={"new_state": "success"}).status_code == 200
    wait_for(admin, run, "close_refused", "success")
    for name in ("load_request", "record_decision"):
        entry = f"{task}/{name}/xcomEntries/return_value"
        admin.patch(entry, json={"value": "apply_extension"})
    assert admin.patch(f"{task}/apply_extension", json={"new_state": "success"}).status_code == 200
    assert clear(admin, run, "record_decision", "apply_extension", "close_refused") == 200
    ended(admin, run)
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
        assert start(admin, run, request.id, digest) == 200
    assert start(admin, "manual__c", "no id", "0" * 64) == 400
    for run in runs:
        states = wait_for(admin, run, "close_refused", "success")
        skipped = ("notify_dpo", "approve_exception", "record_decision", "apply_extension")
        assert {states[name] for name in skipped} == {"skipped"}
    refused = [each for each in office.register(request) if each["kind"] == "decide:run:refused"]
    assert {each["run"] for each in refused} == set(runs)
    assert office.due_at(request) == before
    office.decide(request, Answer.REFUSE)


@pytest.mark.promise("P8")
def test_an_answer_given_at_once_is_not_lost(office: Office, admin: httpx.Client) -> None:
    requests = [parked(office, admin) for _ in range(2)]
    before = [office.due_at(request) for request in requests]
    for request, said in zip(requests, (Answer.EXTEND, Answer.REFUSE), strict=True):
        office.decide(request, said)
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
    ended(admin, run_of(request.id))
    return states(admin, run_of(request.id))


@pytest.mark.promise("P5")
def test_no_answer_in_the_response_time_means_refused(office: Office, admin: httpx.Client) -> None:
    request = office.asked(Duration.parse("PT40S"))
    before = office.due_at(request)
    office.sweep()
    wait_for(admin, run_of(request.id), "close_refused", "success")
    closed = [each for each in office.register(request) if each["kind"] == "decide:run:closed"]
    assert [each["outcome"] for each in closed] == ["lapsed"]
    assert office.due_at(request) == before


def test_roles_are_read_afresh(office: Office) -> None:
    client = office.sign_in("adviser")
    me = f"{office.settings.airflow_url}/consigne/api/me"
    assert client.get(me).json()["roles"] == ["adviser"]
    taken = "DELETE FROM ab_user_role USING ab_user u WHERE user_id = u.id AND u.username = 'adviser' RETURNING role_id"
    airflow_sql(office.settings, taken)
    try:
        assert client.get(me).status_code == 403
    finally:
        give_role(office.settings, "adviser", "adviser")


def test_accounts_are_brought_back_in_line(office: Office) -> None:
    give_role(office.settings, "ops", "Admin")
    airflow_sql(
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
    held = airflow_sql(
        office.settings,
        "SELECT u.username, r.name FROM ab_user u JOIN ab_user_role ur ON ur.user_id = u.id"
        " JOIN ab_role r ON r.id = ur.role_id WHERE u.username <> %s",
        ADMIN,
    )
    assert dict(held) == dict(ACCOUNTS) and len(held) == len(ACCOUNTS)
    granted = airflow_sql(
        office.settings,
        "SELECT r.name, a.name, v.name FROM ab_role r JOIN ab_permission_view_role pr ON pr.role_id = r.id"
        " JOIN ab_permission_view p ON p.id = pr.permission_view_id"
        " JOIN ab_permission a ON a.id = p.permission_id JOIN ab_view_menu v ON v.id = p.view_menu_id",
    )
    for role, wanted in ROLES.items():
        assert {grant[1:] for grant in granted if grant[0] == role} == set(wanted)
