"""The shape of `confirm_expiry_volume`, and its human task, without a scheduler."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from consigne.doors.orchestration.accounts import DECIDED, ROLES

DAG = "confirm_expiry_volume"
FILE = Path(__file__).parents[2] / "dags" / f"{DAG}.py"
ID = "0cc5364e-6a82-445c-9879-c88bf9bd801d"


@pytest.fixture(scope="module")
def dag() -> Any:
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(str(FILE))
    assert bag.import_errors == {}
    return bag.dags[DAG]


def test_its_tasks_are_these_in_this_order(dag: Any) -> None:
    assert {task.task_id: task.downstream_task_ids for task in dag.tasks} == {
        "load_volume": {"announce_volume", "record_answer"},
        "announce_volume": {"confirm_volume"},
        "confirm_volume": {"record_answer"},
        "record_answer": set(),
    }
    # a human task that Airflow lost stops nothing
    assert dag.get_task("record_answer").trigger_rule == "all_done"


def test_a_waiting_run_holds_up_no_other_and_is_never_timed_out(dag: Any) -> None:
    assert (dag.max_active_runs, dag.max_active_tasks) == (10_000, 10_000)
    assert (dag.dagrun_timeout, dag.schedule) == (None, None)


@pytest.mark.promise("P5")
def test_silence_is_delete_and_only_the_desk_is_asked(dag: Any) -> None:
    task = dag.get_task("confirm_volume")
    assert (task.options, task.defaults) == (["delete", "hold"], ["delete"])
    assert [each["id"] for each in task.assigned_users] == ["desk:only"]
    assert (task.retries, task.do_xcom_push, list(task.notifiers)) == (0, False, [])
    assert task.subject.endswith("{{ params.volume_id }}")
    assert "(/consigne/volumes/{{ params.volume_id }})" in task.body


@pytest.mark.parametrize("answer", ["delete", "hold"])
def test_it_resumes_with_each_answer(dag: Any, answer: str) -> None:
    event = {
        "chosen_options": [answer],
        "params_input": {},
        "responded_at": datetime(2026, 11, 22, tzinfo=UTC),
        "responded_by_user": None,
    }
    assert dag.get_task("confirm_volume").execute_complete({}, event)["chosen_options"] == [answer]


@pytest.mark.parametrize(
    ("name", "value"),
    [("volume_id", "x"), ("volume_id", f"{ID}\n"), ("volume_hash", "0" * 63), ("volume_hash", None)],
)
def test_parameters_are_an_id_and_a_digest(dag: Any, name: str, value: str | None) -> None:
    from airflow.sdk.exceptions import ParamValidationError

    params = copy.copy(dag.params)
    params.update({"volume_id": ID, "volume_hash": "0" * 64})
    params.validate()
    with pytest.raises(ParamValidationError):
        params.update({name: value})


@pytest.mark.promise("P5")
def test_nobody_edits_it_and_it_is_started_in_the_dpos_name_alone() -> None:
    assert DAG in DECIDED
    for grants in ROLES.values():
        assert not {("can_edit", f"DAG:{dag}") for dag in DECIDED} & set(grants)
    assert {role for role, grants in ROLES.items() if ("can_create", f"DAG Run:{DAG}") in grants} == {"dpo"}
    assert {role for role, grants in ROLES.items() if ("can_read", f"DAG:{DAG}") in grants} == {"dpo", "ops"}
