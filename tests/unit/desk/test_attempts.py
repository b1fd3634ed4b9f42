"""What is taken for an attempt to get round the desk: every request of Airflow's API that can change a Dag with a
human task, and no other."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consigne.rules.attempts import ATTEMPTS, Attempt, attempt, is_shown

DECIDED = ("decide_retention_exception", "change_policy")
DAG, RUN = DECIDED[0], "request__0cc5364e-6a82-445c-9879-c88bf9bd801d"
ID = RUN.partition("__")[2]
BASE = f"/api/v2/dags/{DAG}"
TASKS = f"{BASE}/dagRuns/{RUN}/taskInstances"


def asked(method: str, path: str, body: Any = None) -> Attempt | None:
    return attempt(method, path, b"" if body is None else json.dumps(body).encode(), DECIDED)


@pytest.mark.promise("P5")
@pytest.mark.parametrize(
    ("method", "path", "what"),
    [
        ("PATCH", f"{TASKS}/approve_exception/-1/hitlDetails", "answer"),
        ("PATCH", f"{TASKS}/approve_exception", "mark"),
        ("PATCH", f"{TASKS}/approve_exception/-1", "mark"),
        ("PATCH", TASKS, "mark"),
        ("PATCH", f"{BASE}/dagRuns/{RUN}/taskGroupInstances/g", "mark"),
        ("DELETE", f"{TASKS}/approve_exception", "delete_task"),
        ("POST", f"{BASE}/clearTaskInstances", "clear"),
        ("POST", f"{BASE}/clearDagRuns", "clear"),
        ("POST", f"{BASE}/dagRuns/{RUN}/clear", "clear"),
        ("POST", f"{TASKS}/load_request/xcomEntries", "xcom"),
        ("PATCH", f"{TASKS}/load_request/xcomEntries/a/dry_run", "xcom"),
        ("DELETE", f"{TASKS}/load_request/xcomEntries/list", "xcom"),
        ("PUT", f"{TASKS}/load_request/state-store/k", "store"),
        ("POST", f"{BASE}/dagRuns", "start"),
        ("PATCH", f"{BASE}/dagRuns/{RUN}", "run_state"),
        ("DELETE", f"{BASE}/dagRuns/{RUN}", "delete_run"),
        ("DELETE", f"{BASE}/dagRuns/list", "delete_run"),
        ("PATCH", BASE, "dag"),
        ("DELETE", BASE, "delete_dag"),
        ("DELETE", f"{BASE}/assets/queuedEvents", "other"),
        ("BREW", BASE, "other"),
    ],
)
def test_each_has_its_word(method: str, path: str, what: str) -> None:
    found = asked(method, path, {"dry_run": False})
    assert found and (found.what, found.dag) == (what, DAG)
    assert found.named == ((ID,) if RUN in path else ())


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", f"{TASKS}/approve_exception", None),
        ("POST", f"{BASE}/dagRuns/list", {}),
        ("POST", f"{TASKS}/list", {}),
        ("PATCH", f"{TASKS}/approve_exception/dry_run", {"new_state": "success"}),
        ("PATCH", f"{TASKS}/approve_exception/-1/dry_run", {"new_state": "success"}),
        ("POST", f"{BASE}/clearTaskInstances", {}),
        ("POST", f"{BASE}/clearTaskInstances", {"dry_run": True}),
        ("POST", f"{BASE}/favorite", None),
        ("PATCH", "/api/v2/dags/ingest_recordings", {"is_paused": True}),
        ("POST", "/api/v2/dags/ingest_recordings/dagRuns", {"conf": {"of": DAG}}),
        ("POST", "/api/v2/backfills", {"dag_id": "ingest_recordings"}),
        ("POST", "/api/v2/connections", {"connection_id": DAG}),
    ],
)
def test_what_changes_nothing_of_them_is_none(method: str, path: str, body: Any) -> None:
    assert asked(method, path, body) is None


@pytest.mark.promise("P5")
@pytest.mark.parametrize("dry_run", [False, "false", 0, "no", None, "true", 1])
def test_only_what_is_plainly_a_dry_run_passes_for_one(dry_run: object) -> None:
    assert asked("POST", f"{BASE}/clearTaskInstances", {"dry_run": dry_run}) is not None


@pytest.mark.promise("P5")
def test_requests_over_several_dags_are_seen_through() -> None:
    several = "/api/v2/dags/~/dagRuns/~/taskInstances"
    entities = {"actions": [{"action": "update", "entities": [{"dag_id": DAG, "dag_run_id": RUN}]}]}
    assert asked("PATCH", several, entities) == Attempt("mark", "~", (ID,))
    escaped = json.dumps(entities).replace("decide", "\\u0064ecide").encode()
    assert attempt("PATCH", several, escaped, DECIDED) == Attempt("mark", "~", (ID,))
    assert attempt("PATCH", several, b"{", DECIDED) == Attempt("mark", "~", ())
    entities["actions"][0]["entities"][0]["dag_id"] = "ingest_recordings"
    assert asked("PATCH", several, entities) is None
    assert asked("PATCH", "/api/v2/dags") == Attempt("dag", "~", ())  # whatever fits a pattern in the query
    assert asked("POST", "/api/v2/backfills", {"dag_id": DAG}) == Attempt("backfill", "~", ())


@given(st.binary(max_size=200), st.sampled_from(["POST", "PATCH", "PUT", "DELETE"]), st.text(max_size=40))
def test_nothing_that_is_sent_breaks_it(body: bytes, method: str, rest: str) -> None:
    found = attempt(method, f"{BASE}/dagRuns/x/taskInstances/{rest}", body, DECIDED)
    assert found is None or found.dag == DAG


def test_a_request_names_at_most_twenty() -> None:
    many = [f"0cc5364e-6a82-445c-9879-{n:012x}" for n in range(50)]
    found = asked("POST", f"{BASE}/clearDagRuns", {"dry_run": False, "dag_run_ids": many})
    assert found and len(found.named) == 20


@pytest.mark.promise("P5")
def test_no_route_of_airflow_that_names_a_dag_and_can_change_it_is_forgotten() -> None:
    """Airflow's own routes: a method that can change something is an attempt, or stands here as one that cannot."""
    from airflow.api_fastapi.core_api.routes.public import public_router
    from airflow.api_fastapi.core_api.routes.ui import ui_router

    cannot = {
        "/dagRuns/list", "/taskInstances/list", "/favorite", "/unfavorite", "/dry_run",
    }  # fmt: skip
    changing = [
        (method, str(route.path))  # type: ignore[attr-defined]
        for route in (*public_router.routes, *ui_router.routes)
        for method in getattr(route, "methods", ())
        if method not in ("GET", "HEAD")
    ]
    of_dags = [(method, path) for method, path in changing if "dag_id" in path or path.endswith("/dags")]
    assert len(of_dags) > 25
    for method, path in of_dags:
        named = path.replace("{dag_id}", DAG).replace("{map_index}", "-1")
        found = asked(method, re.sub(r"\{[^}]*\}", "x", named), {"dry_run": False})
        assert (found is None) == path.endswith(tuple(cannot)), (method, path)
        assert found is None or found.what != "other" or "queuedEvents" in path
    others = {
        path.split("/")[3] for _, path in changing if path.startswith("/api/v2/") and (_, path) not in of_dags
    }
    # Of these only a backfill starts runs of a Dag without an outlet or a schedule.
    assert others == {"assets", "backfills", "connections", "parseDagFile", "pools", "variables"}
    assert {path for _, path in changing if not path.startswith("/api/v2/")} == {"/ui/auth/token"}


ANSWER, VISA = "decide:request:answer_denied", "configure:policy:visa_denied"


@pytest.mark.promise("P5")
@pytest.mark.parametrize(
    ("kind", "code", "shown"),
    [
        *((kind, None, True) for kind in ATTEMPTS),
        *((ANSWER, code, True) for code in ("role_missing", "not_designated", "is_requester", "is_owner")),
        *(
            (ANSWER, code, True)
            for code in ("digest_differs", "already_decided", "lapsed", "stated_necessity")
        ),
        ("decide:request:necessity_denied", "not_owner", True),
        ("decide:request:look_denied", "role_missing", True),
        *((VISA, code, True) for code in ("role_missing", "digest_differs", "base_changed", "unknown_draft")),
        (ANSWER, "a code of tomorrow", True),
        *((ANSWER, code, False) for code in ("not_later", "past_cap", "step_too_long", "beyond_request")),
        *(
            (ANSWER, code, False)
            for code in ("owner_first", "not_kept", "held", "redaction_differs", "objected")
        ),
        *((VISA, code, False) for code in ("known_version", "version_reused", "no_dpo")),
        ("decide:request:filed", None, False),
        ("listen:artifact:denied", "role_missing", False),
    ],
)
def test_the_slips_of_who_may_decide_are_no_attempts(kind: str, code: str | None, shown: bool) -> None:
    assert is_shown(kind, code) is shown
