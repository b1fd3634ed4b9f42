"""A run of the ingest leads to its report on the desk."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from consigne.doors.orchestration.batch_link import BatchLink

CHECKOUT = Path(__file__).resolve().parents[2]


def test_the_link_leads_to_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "http://127.0.0.1:8080/")
    key = SimpleNamespace(run_id="manual__2026-11-22T10:00:00.123+00:00")
    link = BatchLink().get_link(None, ti_key=key)
    assert link == "http://127.0.0.1:8080/consigne/batches/manual__2026-11-22T10%3A00%3A00.123%2B00%3A00"


def test_the_report_carries_it_to_the_api_server() -> None:
    from airflow.dag_processing.dagbag import DagBag
    from airflow.serialization.serialized_objects import DagSerialization

    dag = DagBag(str(CHECKOUT / "dags")).dags["ingest_recordings"]
    restored = DagSerialization.from_dict(DagSerialization.to_dict(dag))
    assert list(restored.get_task("report_batch").operator_extra_link_dict) == [BatchLink.name]
    assert not any(task.operator_extra_links for task in restored.tasks if task.task_id != "report_batch")
