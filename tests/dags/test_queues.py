"""Which worker gets a task is said in one place, and holds for Dags that an older version wrote (P5)."""

from __future__ import annotations

import uuid

import pytest

from consigne.doors.orchestration.queues import DAGS, ELSEWHERE


@pytest.mark.promise("P5")
@pytest.mark.parametrize(("dag", "task", "queue"), [
    *((dag, "any", queue) for dag, queue in DAGS.items()), *((*key, queue) for key, queue in ELSEWHERE.items()),
    ("somebody_elses", "any", "default"),
])  # fmt: skip
def test_a_task_of_a_dag_without_queues_goes_where_its_worker_looks(dag: str, task: str, queue: str) -> None:
    from airflow.models.taskinstance import TaskInstance
    from airflow.sdk import DAG, BaseOperator
    from airflow.serialization.serialized_objects import DagSerialization

    with DAG(dag, schedule=None) as made:
        BaseOperator(task_id=task)
    read = DagSerialization.from_dict(DagSerialization.to_dict(made)).get_task(task)
    assert TaskInstance(read, dag_version_id=uuid.uuid4(), run_id="of before").queue == queue
