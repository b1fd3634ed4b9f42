"""The shape of `decide_retention_exception`, and its human task, without a scheduler."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

FILE = Path(__file__).parents[2] / "dags" / "decide_retention_exception.py"


@pytest.fixture(scope="module")
def dag() -> Any:
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(str(FILE))
    assert bag.import_errors == {}
    return bag.dags["decide_retention_exception"]


def test_its_tasks_are_these_in_this_order(dag: Any) -> None:
    assert {task.task_id: task.downstream_task_ids for task in dag.tasks} == {
        "load_request": {"notify_dpo", "close_refused"},
        "notify_dpo": {"approve_exception"},
        "approve_exception": {"record_decision"},
        "record_decision": {"apply_extension", "close_refused"},
        "apply_extension": set(),
        "close_refused": set(),
    }


def test_a_waiting_run_holds_up_no_other_and_is_never_timed_out(dag: Any) -> None:
    assert (dag.max_active_runs, dag.max_active_tasks) == (10_000, 10_000)
    assert dag.dagrun_timeout is None
    assert dag.schedule is None
    assert dag.get_task("close_refused").trigger_rule == "none_failed_min_one_success"


@pytest.mark.promise("P5")
def test_only_the_recorded_decision_leads_to_the_extension(dag: Any) -> None:
    assert dag.get_task("apply_extension").upstream_task_ids == {"record_decision"}
    assert dag.get_task("record_decision").upstream_task_ids == {"approve_exception"}


ID = "0cc5364e-6a82-445c-9879-c88bf9bd801d"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("request_id", "x"),
        ("request_id", "[a](http://evil.invalid)"),
        ("request_id", f"{ID}\n"),
        ("request_hash", "0" * 63),
        ("request_hash", None),
    ],
)
def test_parameters_are_an_id_and_a_digest(dag: Any, name: str, value: str | None) -> None:
    from airflow.sdk.exceptions import ParamValidationError

    params = copy.copy(dag.params)
    params.update({"request_id": ID, "request_hash": "0" * 64})
    params.validate()
    with pytest.raises(ParamValidationError):
        params.update({name: value})


@pytest.mark.promise("P5")
def test_silence_is_refuse_and_only_the_desk_is_asked(dag: Any) -> None:
    task = dag.get_task("approve_exception")
    assert task.options == ["refuse", "extend", "extend_and_restrict", "keep_under_another_purpose"]
    assert task.defaults == ["refuse"]
    assert [each["id"] for each in task.assigned_users] == ["desk:only"]
    assert (task.retries, task.do_xcom_push, list(task.notifiers)) == (0, False, [])


def test_the_human_task_shows_a_reference_and_a_link_alone(dag: Any) -> None:
    task = dag.get_task("approve_exception")
    assert task.subject.endswith("{{ params.request_id }}")
    assert "(/consigne/decide/{{ params.request_id }})" in task.body


@pytest.mark.parametrize("answer", ["refuse", "extend", "extend_and_restrict", "keep_under_another_purpose"])
def test_it_resumes_with_each_answer(dag: Any, answer: str) -> None:
    event = {
        "chosen_options": [answer],
        "params_input": {},
        "responded_at": datetime(2026, 11, 22, tzinfo=UTC),
        "responded_by_user": None,
    }
    done = dag.get_task("approve_exception").execute_complete({}, event)
    assert done["chosen_options"] == [answer]


def test_it_parks_for_what_is_left_of_the_response_time(monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.providers.standard.operators import hitl
    from airflow.sdk.exceptions import TaskAwaitingInput

    from consigne.doors.orchestration.approval import DeskApproval

    written: dict[str, Any] = {}
    monkeypatch.setattr(hitl, "upsert_hitl_detail", lambda **values: written.update(values))
    task = DeskApproval(task_id="t", subject="s", body="b", seconds_left=lambda context: context["left"])
    instance = type("Instance", (), {"id": "i"})()
    with pytest.raises(TaskAwaitingInput) as parked:
        task.execute({"task_instance": instance, "left": 77})
    assert parked.value.timeout == timedelta(seconds=77)
    assert written["defaults"] == ["refuse"]
