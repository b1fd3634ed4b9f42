"""
### Confirm a volume of expiry
One run a volume, started by the minute's sweep when `measure_volume` has set aside what fell due beyond the
forecast of the day before. `confirm_volume` waits for the DPO, who answers **on the desk**: *delete*, or *hold* until
a date, with a ground; Airflow's *Required Actions* page links there, and answers given elsewhere are refused. No
answer in 24 hours means delete: the next run of `expire_recordings` takes it. What waits is inaudible all the time.

**Hazards**: none by hand. Marking tasks, clearing them, editing XCom or starting a run with made-up parameters
neither deletes nor keeps anything: the wait ends by the catalog's clock or by the desk's row, whatever becomes of
this run, and what fits no volume is registered.

**Example** (the sweep fills it in): `{"volume_id": "…", "volume_hash": "…"}`
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from airflow.sdk import Param, dag, get_current_context, task

from consigne.doors.orchestration.approval import DELETE, VOLUME, DeskApproval
from consigne.doors.orchestration.queues import of_dag
from consigne.doors.orchestration.task import perform

ID, DIGEST = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", "^[0-9a-f]{64}$"


def _volume(context: Any) -> str:
    return str(context["params"]["volume_id"])


@dag(
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=10_000,
    max_active_tasks=10_000,
    is_paused_upon_creation=False,
    default_args=of_dag("confirm_expiry_volume"),
    params={
        "volume_id": Param(type="string", pattern=ID, maxLength=36, description="the volume's id"),
        "volume_hash": Param(
            type="string", pattern=DIGEST, maxLength=64, description="the digest of what is set aside"
        ),
    },
    doc_md=__doc__,
    tags=["consigne"],
)
def confirm_expiry_volume() -> None:
    @task.branch
    def load_volume() -> Any:
        context = get_current_context()
        asked = _volume(context), context["params"]["volume_hash"], context["run_id"]
        return perform("decide", "volume.load_volume", *asked)

    @task
    def announce_volume() -> Any:
        return perform("decide", "volume.announce_volume", _volume(get_current_context()))

    confirm_volume = DeskApproval(
        task_id="confirm_volume",
        answers=VOLUME,
        silence=DELETE,
        subject="Volume {{ params.volume_id }}",
        body="[Decide on the desk / Décider](/consigne/volumes/{{ params.volume_id }})",
        seconds_left=lambda context: perform("decide", "volume.volume_seconds_left", _volume(context)),
    )

    # Also where the human task ended badly: the desk's row alone counts.
    @task(trigger_rule="all_done")
    def record_answer() -> Any:
        context = get_current_context()
        return perform("decide", "volume.record_answer", _volume(context), context["run_id"])

    loaded, recorded = load_volume(), record_answer()
    loaded >> announce_volume() >> confirm_volume >> recorded
    loaded >> recorded


confirm_expiry_volume()
