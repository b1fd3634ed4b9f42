"""What Airflow asks of every task instance before it is queued; imported by its name (Airflow's *cluster policies*)."""

from __future__ import annotations

from typing import Any

from consigne.doors.orchestration.queues import DAGS, queue_of


def task_instance_mutation_hook(task_instance: Any, dag_run: Any) -> None:
    """The queue of today, also where the database still holds a Dag of a version that had one queue for all: in that
    one nobody would look, and the run would stand before all later ones."""
    if task_instance.dag_id in DAGS:
        task_instance.queue = queue_of(task_instance.dag_id, task_instance.task_id)
