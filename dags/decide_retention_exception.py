"""
### Decide on an exception
One run a request, started by the desk when the request is filed. `approve_exception` waits for the DPO, who
decides **on the desk**: Airflow's *Required Actions* page links there, and answers given elsewhere are refused.
Where a purpose asks its owner first, the owner states necessity on the same page of the desk before that. No
answer in the response time means refused.

**Hazards**: none by hand. Marking tasks, clearing them, editing XCom or starting a run with made-up parameters
changes no due date: every task reads the decision's own row, and what fits no request is registered.

**Example** (the desk fills it in): `{"request_id": "…", "request_hash": "…"}`
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from airflow.sdk import Param, dag, get_current_context, task

from consigne.doors.orchestration.approval import DeskApproval
from consigne.doors.orchestration.queues import of_dag
from consigne.doors.orchestration.task import perform

ID, DIGEST = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", "^[0-9a-f]{64}$"


def _request(context: Any) -> str:
    return str(context["params"]["request_id"])


@dag(
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=10_000,
    max_active_tasks=10_000,
    is_paused_upon_creation=False,
    default_args=of_dag("decide_retention_exception"),
    params={
        "request_id": Param(type="string", pattern=ID, maxLength=36, description="the request's id"),
        "request_hash": Param(
            type="string", pattern=DIGEST, maxLength=64, description="the request's digest"
        ),
    },
    doc_md=__doc__,
    tags=["consigne"],
)
def decide_retention_exception() -> None:
    @task.branch
    def load_request() -> Any:
        context = get_current_context()
        asked = _request(context), context["params"]["request_hash"], context["run_id"]
        return perform("decide", "extend.load_request", *asked)

    @task
    def notify_dpo() -> Any:
        return perform("decide", "extend.notify_dpo", _request(get_current_context()))

    approve_exception = DeskApproval(
        task_id="approve_exception",
        subject="Exception / dérogation {{ params.request_id }}",
        body="[Decide on the desk / Décider](/consigne/decide/{{ params.request_id }})",
        seconds_left=lambda context: perform("decide", "extend.seconds_left", _request(context)),
    )

    @task.branch
    def record_decision() -> Any:
        context = get_current_context()
        return perform("decide", "extend.record_decision", _request(context), context["run_id"])

    @task
    def apply_extension() -> Any:
        return perform("decide", "extend.apply_extension", _request(get_current_context()))

    @task(trigger_rule="none_failed_min_one_success")
    def close_refused() -> Any:
        context = get_current_context()
        return perform("decide", "extend.close_refused", _request(context), context["run_id"])

    loaded, recorded, refused = load_request(), record_decision(), close_refused()
    loaded >> notify_dpo() >> approve_exception >> recorded >> [apply_extension(), refused]
    loaded >> refused


decide_retention_exception()
