"""The shape of `change_policy`, and its human task, without a scheduler."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from consigne.doors.orchestration.accounts import DECIDED, ROLES

FILE = Path(__file__).parents[2] / "dags" / "change_policy.py"
ID = "0cc5364e-6a82-445c-9879-c88bf9bd801d"


@pytest.fixture(scope="module")
def dag() -> Any:
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(str(FILE))
    assert bag.import_errors == {}
    return bag.dags["change_policy"]


def test_its_tasks_are_these_in_this_order(dag: Any) -> None:
    assert {task.task_id: task.downstream_task_ids for task in dag.tasks} == {
        "load_draft": {"announce_draft", "close_draft"},
        "announce_draft": {"approve_change"},
        "approve_change": {"record_visa"},
        "record_visa": {"apply_policy", "close_draft"},
        "apply_policy": set(),
        "close_draft": set(),
    }
    assert dag.get_task("apply_policy").upstream_task_ids == {"record_visa"}


def test_a_waiting_run_holds_up_no_other_and_is_never_timed_out(dag: Any) -> None:
    assert (dag.max_active_runs, dag.max_active_tasks) == (10_000, 10_000)
    assert (dag.dagrun_timeout, dag.schedule) == (None, None)
    assert (
        dag.get_task("record_visa").trigger_rule == "all_done"
    )  # a human task that Airflow lost stops nothing


@pytest.mark.promise("P5")
def test_silence_is_refuse_and_only_the_desk_is_asked(dag: Any) -> None:
    task = dag.get_task("approve_change")
    assert (task.options, task.defaults) == (["refuse", "visa"], ["refuse"])
    assert [each["id"] for each in task.assigned_users] == ["desk:only"]
    assert (task.retries, task.do_xcom_push, list(task.notifiers)) == (0, False, [])
    assert task.subject.endswith("{{ params.draft_id }}")
    assert "(/consigne/policy/drafts/{{ params.draft_id }})" in task.body


@pytest.mark.parametrize("answer", ["refuse", "visa"])
def test_it_resumes_with_each_answer(dag: Any, answer: str) -> None:
    event = {
        "chosen_options": [answer],
        "params_input": {},
        "responded_at": datetime(2026, 11, 22, tzinfo=UTC),
        "responded_by_user": None,
    }
    assert dag.get_task("approve_change").execute_complete({}, event)["chosen_options"] == [answer]


@pytest.mark.parametrize(
    ("name", "value"),
    [("draft_id", "x"), ("draft_id", f"{ID}\n"), ("draft_hash", "0" * 63), ("draft_hash", None)],
)
def test_parameters_are_an_id_and_a_digest(dag: Any, name: str, value: str | None) -> None:
    from airflow.sdk.exceptions import ParamValidationError

    params = copy.copy(dag.params)
    params.update({"draft_id": ID, "draft_hash": "0" * 64})
    params.validate()
    with pytest.raises(ParamValidationError):
        params.update({name: value})


@pytest.mark.promise("P5")
def test_nobody_may_edit_a_dag_with_a_human_task() -> None:
    assert "change_policy" in DECIDED
    for grants in ROLES.values():
        assert not {("can_edit", f"DAG:{dag}") for dag in DECIDED} & set(grants)
    may_start = {role for role, grants in ROLES.items() if ("can_create", "DAG Run:change_policy") in grants}
    assert may_start == {"ops", "dpo", "analyst", "trainer"}
