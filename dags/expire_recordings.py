"""
### Expire recordings
Hourly (every minute while a purpose in force ends by the minute): what is past its end is destroyed, in the
order of `docs/formats.md`: manifest, authorisation, key, objects, absence, certificate, epoch.

**Hazards**: this destroys, for good. Every destroying task demands the catalog's authorisation of the frozen
manifest, and checks each artifact again. `dry_run` is on when you run it by hand and do not say otherwise.

**Example**: `{"dry_run": false}`
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from airflow.sdk import Param, dag, get_current_context, task, task_group

from consigne.doors.orchestration.queues import of_dag
from consigne.doors.orchestration.schedule import EXPIRY
from consigne.doors.orchestration.task import is_dry_run, perform


@dag(
    schedule=EXPIRY,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    default_args=of_dag("expire_recordings"),
    params={"dry_run": Param(None, type=["null", "boolean"], description="off on schedule, on by hand")},
    doc_md=__doc__,
    tags=["consigne"],
)
def expire_recordings() -> None:
    @task
    def freeze_manifest() -> Any:
        context = get_current_context()
        return perform("expire", "expire.freeze_manifest", context["run_id"], is_dry_run(context))

    @task
    def measure_volume() -> Any:
        return perform("expire", "expire.measure_volume", get_current_context()["run_id"])

    @task
    def recheck(chunk: str) -> Any:
        return perform("expire", "expire.recheck", chunk)

    @task
    def destroy_keys(chunk: str) -> Any:
        return perform("expire", "expire.destroy_keys", chunk)

    @task
    def delete_objects(chunk: str) -> Any:
        return perform("expire", "expire.delete_objects", chunk)

    @task
    def verify_absent(chunk: str) -> Any:
        return perform("expire", "expire.verify_absent", chunk)

    @task
    def sign_certificate(chunk: str) -> Any:
        return perform("expire", "expire.sign_certificate", chunk)

    @task(trigger_rule="all_done")
    def close_epochs() -> Any:
        return perform("expire", "close.close_epochs", is_dry_run(get_current_context()))

    @task(trigger_rule="all_done", retries=0)
    def report_expiry() -> Any:
        return perform("expire", "expire.report_expiry", get_current_context()["run_id"])

    @task_group(prefix_group_id=False)
    def destroy(chunk: str) -> None:
        started = recheck(chunk)
        (
            started
            >> destroy_keys(chunk)
            >> delete_objects(chunk)
            >> verify_absent(chunk)
            >> sign_certificate(chunk)
        )

    chunks = measure_volume()
    freeze_manifest() >> chunks
    destroy.expand(chunk=chunks) >> close_epochs() >> report_expiry()


expire_recordings()
