"""
### Ingest recordings
Every five minutes, and at once on an event of the asset `intake`: what waits in intake is claimed, checked as
a batch, judged by the gate, redacted and proven, encrypted into the store, confirmed, and cleared at its
source. What needs a transcript and brings none is transcribed first, where a transcriber is configured, for five
minutes a chunk. One bad call never stops the others; what a run leaves is taken up by the next. `report_batch` says
how many ended how, by code and check, and links (*Details*) to the run's report on the desk. A run carries 5 000
deliveries at most; where new ones wait, stuck ones are no more than half of it. Where it brought some to their end
and more lie in intake, `take_rest` begins the next run at once.

**Hazards**: nothing kept is destroyed here. `clear_source` removes a delivery's files from intake once every
part is confirmed or a rule refused it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import (
    Asset,
    AssetOrTimeSchedule,
    CronTriggerTimetable,
    dag,
    get_current_context,
    task,
    task_group,
)

from consigne.doors.orchestration.batch_link import BatchLink
from consigne.doors.orchestration.queues import of_dag, queue_of
from consigne.doors.orchestration.task import go_on_if, perform

INTAKE = Asset("intake")


@dag(
    schedule=AssetOrTimeSchedule(
        timetable=CronTriggerTimetable("*/5 * * * *", timezone="UTC"), assets=[INTAKE]
    ),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    default_args=of_dag("ingest_recordings"),
    doc_md=__doc__,
    tags=["consigne"],
)
def ingest_recordings() -> None:
    @task
    def discover_intake() -> Any:
        return perform("ingest", "ingest.discover_intake", get_current_context()["run_id"])

    @task
    def validate_metadata(chunks: list[str]) -> Any:
        return perform("ingest", "ingest.validate_metadata", chunks)

    @task
    def admit_recordings(chunk: str) -> Any:
        return perform("ingest", "ingest.admit_recordings", chunk)

    @task(pool="transcribe", execution_timeout=timedelta(minutes=90))
    def transcribe_recordings(chunk: str) -> Any:
        return perform("ingest", "transcribe.transcribe_recordings", chunk)

    # Words that could not be found must not stop the calls that brought theirs.
    @task(pool="protect", trigger_rule="all_done")
    def protect_recordings(chunk: str) -> Any:
        return perform("ingest", "protect.protect_recordings", chunk)

    @task(queue=queue_of("ingest_recordings", "confirm_stored"))
    def confirm_stored(chunk: str) -> Any:
        return perform("prove", "protect.confirm_stored", chunk)

    @task
    def clear_source(chunk: str) -> Any:
        return perform("ingest", "ingest.clear_source", chunk)

    @task(trigger_rule="all_done", retries=0)
    def report_batch() -> Any:
        return perform("ingest", "report.report_batch", get_current_context()["run_id"])

    # Beside the report: one call that is stuck must not keep a flood waiting for the next five minutes.
    @task(outlets=[INTAKE], trigger_rule="all_done")
    def take_rest() -> None:
        go_on_if(perform("ingest", "ingest.take_rest", get_current_context()["run_id"]))

    @task_group(prefix_group_id=False)
    def carry(chunk: str) -> None:
        done = admit_recordings(chunk) >> transcribe_recordings(chunk) >> protect_recordings(chunk)
        done >> confirm_stored(chunk) >> clear_source(chunk)

    reported = report_batch()
    reported.operator.operator_extra_links = (BatchLink(),)
    carry.expand(chunk=validate_metadata(discover_intake())) >> [reported, take_rest()]


ingest_recordings()
