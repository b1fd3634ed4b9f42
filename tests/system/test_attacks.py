"""Every way round the desk: over REST, by Airflow's command line on the machine itself, and in the browser. Nothing
moves, the register has each attempt, and the DPO reads it (issue 5, point 3, Shown by 3)."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page
from sqlalchemy import select

from consigne.adapters.catalog import tables as t
from consigne.adapters.catalog.views_attempts import attempts
from consigne.doors.local import airflow
from consigne.rules.request import Answer, ExceptionRequest, run_of
from system.browsing import until
from system.conftest import Up
from system.inside import reading
from system.office import ADMIN, DAG, Office, airflow_sql, open_office, parked, states, wait_for

Requests = list[tuple[str, str, str, Any]]
PATHS = "/api/v2"
BULK = "/dags/~/dagRuns/~/taskInstances"


@pytest.fixture(scope="module")
def office(platform_up: Up) -> Iterator[Office]:
    with open_office(platform_up) as opened:
        yield opened


@pytest.fixture(scope="module")
def admin(office: Office) -> httpx.Client:
    return office.sign_in(ADMIN)


@pytest.fixture(scope="module")
def asked_for(office: Office, admin: httpx.Client) -> Iterator[ExceptionRequest]:
    """A request whose human task waits; refused by the DPO in the end."""
    asked = parked(office, admin)
    yield asked
    office.decide(asked, Answer.REFUSE)


def kept(up: Up, request: ExceptionRequest) -> tuple[Any, ...]:
    """All that a decision could change of what is asked for: dates, restriction, epoch, key; and the request's own
    state."""
    [item] = request.items
    keyed = t.artifacts.join(t.data_keys, t.data_keys.c.artifact == t.artifacts.c.id)
    columns = (t.artifacts, t.data_keys.c.epoch.label("key_epoch"), t.data_keys.c.wrapped)
    with reading(up, "owner") as tx:
        artifact = tx.execute(
            select(*columns).select_from(keyed).where(t.artifacts.c.id == item.artifact)
        ).one()
        state = tx.execute(select(t.requests.c.state).where(t.requests.c.id == request.id)).scalar_one()
    return (*artifact, state)


def attempts_on(office: Office, request: ExceptionRequest, kind: str) -> list[tuple[str, str]]:
    """(who, what was asked of Airflow), oldest first."""
    entries = office.register(request)
    return [(entry["actor"], entry["what"]) for entry in entries if entry["kind"] == f"decide:task:{kind}"]


def ways(request: ExceptionRequest) -> Requests:
    """What can be asked of Airflow to bend a run: (word, method, path, body)."""
    run, dag = run_of(request.id), DAG.removeprefix("/dags/")
    of_run = f"{DAG}/dagRuns/{run}"
    task = f"{of_run}/taskInstances/approve_exception"
    this = {"dag_id": dag, "dag_run_id": run, "task_id": "approve_exception", "new_state": "success"}
    conf = {"request_id": str(request.id), "request_hash": request.digest}
    clear = {"dry_run": False, "dag_run_id": run, "task_ids": ["approve_exception"], "only_failed": False}
    bulk = {"actions": [{"action": "update", "entities": [this]}]}
    return [
        ("answer", "PATCH", f"{task}/-1/hitlDetails", {"chosen_options": ["extend"], "params_input": {}}),
        ("start", "POST", f"{DAG}/dagRuns", {"dag_run_id": f"manual__{uuid.uuid4()}", "logical_date": None, "conf": conf}),
        ("xcom", "POST", f"{of_run}/taskInstances/load_request/xcomEntries", {"key": "k", "value": "apply_extension"}),
        ("mark", "PATCH", f"{of_run}/taskInstances/apply_extension", {"new_state": "success"}),
        ("mark", "PATCH", BULK, bulk),
        ("mark", "PATCH", task, {"new_state": "success"}),
        ("clear", "POST", f"{DAG}/clearTaskInstances", clear),
        ("run_state", "PATCH", of_run, {"state": "failed"}),
        ("clear", "POST", f"{of_run}/clear", {"dry_run": False, "only_failed": False}),
        # A run that goes on is not deleted.
        ("run_state", "PATCH", of_run, {"state": "failed"}),
        ("delete_run", "DELETE", of_run, None),
    ]  # fmt: skip


def go(client: httpx.Client, requests: Requests) -> dict[tuple[str, str], int]:
    return {
        (method, path): client.request(method, path, json=body).status_code
        for _, method, path, body in requests
    }


@pytest.mark.promise("P5")
@pytest.mark.parametrize("user", ["ops", "trainer", "dpo"])
def test_what_an_account_tries_over_rest_is_denied_and_registered(
    platform_up: Up, office: Office, admin: httpx.Client, asked_for: ExceptionRequest, user: str
) -> None:
    before, requests = kept(platform_up, asked_for), ways(asked_for)
    if user == "trainer":  # who may start runs: that is how the desk starts them for whoever asks
        requests = [each for each in requests if each[0] != "start"]
    answers = go(office.sign_in(user), requests)
    # To whom edits other Dags, Airflow answers a request over several with 200, and denies each part within.
    passed = [path for (_, path), status in answers.items() if status != 403]
    assert passed == ([BULK] if user == "ops" else []), answers

    def mine(kind: str) -> list[str]:
        return [what for who, what in attempts_on(office, asked_for, kind) if who == user]

    assert mine("tried") == [what for what, *_ in requests]
    assert (len(mine("denied")), len(mine("touched"))) == (len(requests) - len(passed), len(passed))
    assert states(admin, run_of(asked_for.id))["approve_exception"] == "awaiting_input"
    assert kept(platform_up, asked_for) == before


@pytest.mark.promise("P5")
def test_what_an_admin_does_over_rest_is_registered_and_moves_nothing(
    platform_up: Up, office: Office, admin: httpx.Client
) -> None:
    request = parked(office, admin)
    before, requests = kept(platform_up, request), ways(request)
    answers = go(admin, requests)
    assert answers["PATCH", requests[0][2]] == 403
    done = [status for status in answers.values() if status < 300]
    assert len(done) > len(requests) / 2, answers
    told = attempts_on(office, request, "touched") + attempts_on(office, request, "denied")
    assert sorted(told) == sorted((ADMIN, what) for what, *_ in requests)

    def lost() -> list[str]:
        go(admin, requests[-2:])  # a run that the scheduler has just taken up is not deleted
        office.sweep()
        return [entry["code"] for entry in office.register(request) if entry["kind"] == "decide:run:lost"]

    until(lost, lambda codes: "gone" in codes)
    assert kept(platform_up, request) == before
    # Whatever became of the run: the DPO's word on the desk still counts.
    office.decide(request, Answer.REFUSE)


@pytest.mark.promise("P5")
def test_who_is_not_signed_in_and_who_only_looks_or_works_elsewhere(
    office: Office, asked_for: ExceptionRequest
) -> None:
    url = office.settings.airflow_url + PATHS
    assert httpx.patch(url + DAG, json={"is_paused": True}, timeout=60).status_code == 401
    before = len(attempts_on(office, asked_for, "tried"))
    dpo = office.sign_in("dpo")
    assert dpo.get(f"{DAG}/dagRuns/{run_of(asked_for.id)}/taskInstances").status_code == 200
    ops = office.sign_in("ops")
    assert ops.patch("/dags/ingest_recordings", json={"is_paused": False}).status_code == 200
    assert len(attempts_on(office, asked_for, "tried")) == before
    # What names no request is found by its kind.
    for method, body in (("PATCH", {"is_paused": True}), ("DELETE", None)):
        assert ops.request(method, DAG, json=body).status_code == 403
    with office.platform.catalog.begin() as tx:
        newest = attempts(tx, office.platform.catalog.now(tx) - timedelta(minutes=5), 20)
    by_ops = [entry["what"] for entry in newest if entry["actor"] == "ops" and "what" in entry]
    assert by_ops[:2] == ["delete_dag", "dag"]  # the sweep may have noticed something since


COMMANDS = """
import json, sys
from airflow.cli.cli_parser import get_parser
for command in json.loads(sys.argv[1]):
    try:
        args = get_parser().parse_args(command)
        args.func(args)
        print("DONE", command[:2])
    except (Exception, SystemExit) as fault:
        print("FAILED", command[:2], type(fault).__name__)
"""


@pytest.mark.promise("P5")
def test_a_run_cleared_made_up_or_altered_on_the_machine_itself_moves_nothing_and_is_noticed(
    platform_up: Up, office: Office, admin: httpx.Client
) -> None:
    request = parked(office, admin)
    run, dag, made_up = run_of(request.id), DAG.removeprefix("/dags/"), f"manual__{uuid.uuid4()}"
    before = kept(platform_up, request)
    body = {"dry_run": False, "only_failed": False}
    assert admin.post(f"{DAG}/dagRuns/{run}/clear", json=body).status_code == 200
    until(lambda: "decide:run:repeated" in {entry["kind"] for entry in office.register(request)}, bool)
    conf = json.dumps({"request_id": str(request.id), "request_hash": request.digest})
    commands = [
        ["tasks", "test", dag, "apply_extension", run],
        ["dags", "trigger", dag, "-r", made_up, "-c", conf],
        ["dags", "trigger", dag, "-r", run, "-c", conf],  # there is one of that name
    ]
    done = subprocess.run(
        [sys.executable, "-c", COMMANDS, json.dumps(commands)],
        env=airflow.environment(office.settings),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert "DONE ['dags', 'trigger']" in done.stdout and "FAILED ['dags', 'trigger']" in done.stdout, (
        done.stdout
    )
    wait_for(admin, made_up, "close_refused", "success")
    refused = [entry for entry in office.register(request) if entry["kind"] == "decide:run:refused"]
    assert [entry["code"] for entry in refused] == ["not_its_run"]
    # Airflow's own tables, written by hand.
    airflow_sql(
        office.settings,
        "UPDATE task_instance SET state = 'success' WHERE run_id = %s AND task_id = 'approve_exception'",
        run,
    )
    office.sweep()
    airflow_sql(office.settings, "DELETE FROM dag_run WHERE run_id = %s", run)
    office.sweep()
    lost = [entry["code"] for entry in office.register(request) if entry["kind"] == "decide:run:lost"]
    assert lost == ["task_ended", "gone"]
    assert kept(platform_up, request) == before
    office.decide(request, Answer.REFUSE)


@pytest.mark.browser
@pytest.mark.promise("P5")
def test_the_buttons_of_required_actions_do_nothing(
    platform_up: Up, office: Office, asked_for: ExceptionRequest, sign_in: Callable[..., Page]
) -> None:
    before = kept(platform_up, asked_for)
    page = sign_in("dpo", "/required_actions", locale="en-GB")
    subject = page.get_by_role("link", name=str(asked_for.id))

    def listed() -> bool:
        page.goto(f"{office.settings.airflow_url}/required_actions")
        page.wait_for_load_state("networkidle")
        return subject.count() > 0

    until(listed, bool)
    subject.first.click()
    already = len(attempts_on(office, asked_for, "denied"))
    with page.expect_response(re.compile("hitlDetails$")) as answered:
        page.get_by_role("button", name=re.compile("^extend$", re.IGNORECASE)).click()
    assert answered.value.status == 403
    assert attempts_on(office, asked_for, "denied")[already:] == [("dpo", "answer")]
    assert kept(platform_up, asked_for) == before


@pytest.mark.promise("P5")
def test_the_dpo_reads_who_tried_what(office: Office, asked_for: ExceptionRequest) -> None:
    """On the request's page and on Waiting."""
    ops, requests = office.sign_in("ops"), ways(asked_for)
    go(ops, requests[:1])
    url = office.settings.airflow_url
    token = office.sign_in("dpo").headers["Authorization"].removeprefix("Bearer ")
    with httpx.Client(
        base_url=url, cookies={"_token": token}, headers={"Accept-Language": "en"}, timeout=60
    ) as reader:
        decide, waiting = reader.get(f"/consigne/decide/{asked_for.id}").text, reader.get("/consigne/").text
    assert "Attempts by others" in decide
    assert re.search(r"· ops ·[^<]*answer the task", decide)
    [row, *_] = [row for row in waiting.split("<tr>") if "<td>ops</td>" in row]
    assert "answer the task" in row and str(asked_for.id)[:8] in row
