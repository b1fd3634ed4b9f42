"""
### Reconcile the store
Every night, and by hand at any time: the bucket is compared with the catalog, keys with rows, due dates with what
was decided, and the store's audit log with the register. Each thing that is not as it should be is a finding, kept
once however often it is seen: on the desk under *Checks*, by `consigne findings`, and in the register.
`sweep_findings` removes what is noise without a key (objects that no row names, other versions than the recorded one,
uploads that were never completed), by version, registered before and after. All else waits for the DPO's answer.

**Hazards**: it deletes, but never a version that a row records, and no object younger than an hour that may be an
ingest's. Run again, it finds nothing new and removes nothing more. Where a backup was restored and is not yet brought
to the truth, it refuses.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from airflow.sdk import dag, task

from consigne.doors.orchestration.queues import of_dag, queue_of
from consigne.doors.orchestration.task import perform


@dag(
    schedule="17 3 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    default_args=of_dag("reconcile_storage"),
    doc_md=__doc__,
    tags=["consigne"],
)
def reconcile_storage() -> None:
    @task
    def compare_store() -> Any:
        return perform("reconcile", "compare.compare_store")

    @task
    def compare_keys() -> Any:
        return perform("reconcile", "compare.compare_keys")

    @task
    def compare_dates() -> Any:
        return perform("reconcile", "compare_dates.compare_dates")

    @task
    def explain_accesses() -> Any:
        return perform("reconcile", "accesses.explain_accesses")

    @task(queue=queue_of("reconcile_storage", "sweep_findings"))
    def sweep_findings() -> Any:
        return perform("expire", "reconcile.sweep_findings")

    @task
    def report_findings() -> Any:
        return perform("reconcile", "reconcile.report_findings")

    swept = compare_store() >> sweep_findings()
    [swept, compare_keys(), compare_dates(), explain_accesses()] >> report_findings()


reconcile_storage()
