"""All Dags together: which there are, what they import, and what stands before a deletion."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from consigne.doors.settings import DATABASE_ROLES

CHECKOUT = Path(__file__).resolve().parents[2]
DAG_IDS = {
    *("ingest_recordings", "decide_retention_exception", "expire_recordings", "change_policy"),
    *("confirm_expiry_volume", "reconcile_storage"),
}
HUMAN = {"approve_exception", "approve_change", "confirm_volume"}
OF_THE_DOORS = {"apply_policy", "take_rest"}  # `consigne apply`: no act; skipped where its act says so
MAY_IMPORT = ("airflow", "consigne.doors", "__future__", "datetime", "typing")
DESTROYING = ("destroy_keys", "delete_objects", "verify_absent", "sign_certificate")


@pytest.fixture(scope="module")
def bag() -> Any:
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(str(CHECKOUT / "dags"))


def test_these_dags_and_no_others_are_there(bag: Any) -> None:
    assert bag.import_errors == {}
    assert set(bag.dags) == DAG_IDS


WIRING = sorted(file for folder in ("dags", "plugins") for file in (CHECKOUT / folder).rglob("*.py"))


@pytest.mark.parametrize("file", WIRING, ids=lambda file: file.name)
def test_wiring_imports_airflow_and_doors_alone(file: Path) -> None:
    for name in _imports(ast.parse(file.read_text())):
        assert any(name == allowed or name.startswith(f"{allowed}.") for allowed in MAY_IMPORT), name


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module
            yield node.module
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("__import__", "import_module"):
            raise AssertionError("a module is imported by name")


def test_each_task_is_a_function_of_its_act(bag: Any) -> None:
    """The task's name, the function that wires it and the act's function are one word."""
    performed = {}
    for file in (CHECKOUT / "dags").glob("*.py"):
        for function in ast.walk(ast.parse(file.read_text())):
            if isinstance(function, ast.FunctionDef) and (call := _performed(function)):
                performed[function.name] = call
    assert (
        set(performed)
        == {task.task_id for dag in bag.dags.values() for task in dag.tasks} - HUMAN - OF_THE_DOORS
    )
    for task, (role, act) in performed.items():
        module, name = act.split(".")
        assert name == task
        assert role in DATABASE_ROLES
        assert callable(getattr(import_module(f"consigne.acts.{module}"), name))


def _performed(function: ast.FunctionDef) -> tuple[str, str] | None:
    """Database role and act of a task that is nothing but the call of one."""
    last = function.body[-1]
    if not (isinstance(last, ast.Return) and isinstance(last.value, ast.Call)):
        return None
    if ast.unparse(last.value.func) != "perform":
        return None
    role, act = (ast.literal_eval(argument) for argument in last.value.args[:2])
    return role, act


@pytest.mark.promise("P5")
@pytest.mark.promise("P6")
@pytest.mark.parametrize("task", DESTROYING)
def test_each_step_of_a_deletion_waits_for_all_before_it(bag: Any, task: str) -> None:
    """The order of design.md, section 4. None of what stands before may fail or be left out."""
    dag = bag.dags["expire_recordings"]
    order = ["freeze_manifest", "measure_volume", "recheck", *DESTROYING]
    before = dag.get_task(task).get_flat_relative_ids(upstream=True)
    assert before == set(order[: order.index(task)])
    assert {dag.get_task(each).trigger_rule for each in (*before, task)} == {"all_success"}


@pytest.mark.promise("P6")
def test_what_closes_and_reports_runs_also_after_a_failure(bag: Any) -> None:
    dag = bag.dags["expire_recordings"]
    assert [dag.get_task(task).trigger_rule for task in ("close_epochs", "report_expiry")] == ["all_done"] * 2


@pytest.mark.promise("P6")
def test_deletion_happens_in_no_other_dag(bag: Any) -> None:
    for id, dag in bag.dags.items():
        assert id == "expire_recordings" or not {task.task_id for task in dag.tasks} & set(DESTROYING)


@pytest.mark.promise("P5")
@pytest.mark.parametrize("dag", ["ingest_recordings", "expire_recordings", "reconcile_storage"])
def test_what_runs_by_itself_starts_unpaused_and_alone(bag: Any, dag: str) -> None:
    found = bag.dags[dag]
    assert found.is_paused_upon_creation is False
    assert (found.max_active_runs, found.catchup) == (1, False)
    assert found.timetable.can_be_scheduled
    reports = {"ingest_recordings": ["report_batch"], "expire_recordings": ["report_expiry"]}
    assert [task.task_id for task in found.tasks if task.retries == 0] == reports.get(dag, [])


@pytest.mark.parametrize("dag", sorted(DAG_IDS))
def test_each_dag_says_what_it_does_and_what_it_risks(bag: Any, dag: str) -> None:
    assert "**Hazards**" in bag.dags[dag].doc_md
    assert bag.dags[dag].access_control is None
