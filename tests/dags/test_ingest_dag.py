"""The shape of `ingest_recordings`."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from consigne.acts.transcribe import BUDGET
from consigne.adapters.transcriber.open import LONGEST_TIMEOUT_S

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def dag() -> Any:
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(str(CHECKOUT / "dags" / "ingest_recordings.py"))
    assert bag.import_errors == {}
    return bag.dags["ingest_recordings"]


def test_its_tasks_are_these_in_this_order(dag: Any) -> None:
    assert {task.task_id: task.downstream_task_ids for task in dag.tasks} == {
        "discover_intake": {"validate_metadata"},
        "validate_metadata": {
            "admit_recordings", "transcribe_recordings", "protect_recordings", "confirm_stored", "clear_source",
        },
        "admit_recordings": {"transcribe_recordings"},
        "transcribe_recordings": {"protect_recordings"},
        "protect_recordings": {"confirm_stored"},
        "confirm_stored": {"clear_source"},
        "clear_source": {"report_batch", "take_rest"},
        "report_batch": set(),
        "take_rest": set(),
    }  # fmt: skip


def test_one_stuck_call_fails_the_run_and_keeps_the_rest_of_a_flood_from_nothing(dag: Any) -> None:
    assert {dag.get_task(task).trigger_rule for task in ("report_batch", "take_rest")} == {"all_done"}


def test_calls_with_words_go_on_where_transcription_fails(dag: Any) -> None:
    assert dag.get_task("protect_recordings").trigger_rule == "all_done"


def test_a_pool_that_a_task_asks_for_is_made(dag: Any) -> None:
    source = (CHECKOUT / "include/consigne/doors/local/prepare_airflow.py").read_text()
    made = {
        ast.literal_eval(call.args[0])
        for call in ast.walk(ast.parse(source))
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "Pool.create_or_update_pool"
    }
    assert {task.pool for task in dag.tasks} - {"default_pool"} == made


def test_the_task_outlives_the_longest_recording_that_it_may_begin(dag: Any) -> None:
    longest = dag.get_task("transcribe_recordings").execution_timeout.total_seconds()
    assert longest > BUDGET.total_seconds() + LONGEST_TIMEOUT_S
