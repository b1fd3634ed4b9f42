"""Runs that no longer carry their request: deleted, ended or with their human task ended by other means than the
desk. Airflow's command line on the machine itself goes round the API, so this is looked for afterwards."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from uuid import UUID

from airflow.models.dagrun import DagRun
from airflow.models.taskinstance import TaskInstance
from airflow.utils.session import create_session
from sqlalchemy import select

from consigne.acts.attempts import note_lost
from consigne.acts.journey import Platform

DAG, TASK = "decide_retention_exception", "approve_exception"
ENDED = ("success", "failed", "skipped", "removed", "upstream_failed")


def notice_lost(platform: Platform) -> int:
    """Register each request that waits, and whose run cannot bring its answer to Airflow any more; returns how
    many. The desk takes the answer all the same, and the sweep applies it."""
    with platform.catalog.begin() as tx:
        cases = platform.catalog.cases_open(tx, platform.catalog.now(tx))
    carried = {case["run"]: case["id"] for case in cases if case["run"]}
    return sum(note_lost(platform, id, run, code) for id, run, code in _lost(carried))


def _lost(carried: dict[str, UUID]) -> Iterator[tuple[UUID, str, str]]:
    runs, tasks = _states(carried)
    for run, id in carried.items():
        if run not in runs:
            yield id, run, "gone"
        elif runs[run] in ENDED:
            yield id, run, "ended"
        elif tasks.get(run) in ENDED:
            yield id, run, "task_ended"


def _states(runs: Collection[str]) -> tuple[dict[str, str], dict[str, str | None]]:
    """Run → its state, and that of its human task, as Airflow's database has them."""
    with create_session() as session:
        of_runs = select(DagRun.run_id, DagRun.state).where(DagRun.dag_id == DAG, DagRun.run_id.in_(runs))
        of_tasks = select(TaskInstance.run_id, TaskInstance.state).where(
            TaskInstance.dag_id == DAG, TaskInstance.task_id == TASK, TaskInstance.run_id.in_(runs)
        )
        return dict(session.execute(of_runs).tuples().all()), dict(session.execute(of_tasks).tuples().all())
