"""
### Change the policy
One run a draft, started by the desk when the draft is filed. `approve_change` waits for the DPO, who gives the
visa or refuses **on the desk**: Airflow's *Required Actions* page links there, and answers given elsewhere are
refused. No answer in the response time means refused. After a visa the version takes force at its date, and
`apply_policy` brings the store's identities in line with it. The minute's sweep, not this Dag, then brings what is
kept under it, within minutes; what is due by it is inaudible from its first second.

**Hazards**: none by hand. Marking tasks, clearing them, editing XCom or starting a run with made-up parameters
changes no policy: every task reads the draft's own row, and what fits no draft is registered. `apply_policy`
changes who may read what in the store, as the visaed version says; run again it changes nothing.

**Example** (the desk fills it in): `{"draft_id": "…", "draft_hash": "…"}`
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from airflow.sdk import Param, dag, get_current_context, task

from consigne.doors.orchestration.approval import DRAFT, DeskApproval
from consigne.doors.orchestration.queues import of_dag
from consigne.doors.orchestration.task import bring_in_line, perform

ID, DIGEST = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", "^[0-9a-f]{64}$"


def _draft(context: Any) -> str:
    return str(context["params"]["draft_id"])


@dag(
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=10_000,
    max_active_tasks=10_000,
    is_paused_upon_creation=False,
    default_args=of_dag("change_policy"),
    params={
        "draft_id": Param(type="string", pattern=ID, maxLength=36, description="the draft's id"),
        "draft_hash": Param(type="string", pattern=DIGEST, maxLength=64, description="the policy's digest"),
    },
    doc_md=__doc__,
    tags=["consigne"],
)
def change_policy() -> None:
    @task.branch
    def load_draft() -> Any:
        context = get_current_context()
        asked = _draft(context), context["params"]["draft_hash"], context["run_id"]
        return perform("decide", "configure.load_draft", *asked)

    @task
    def announce_draft() -> Any:
        return perform("decide", "configure.announce_draft", _draft(get_current_context()))

    approve_change = DeskApproval(
        task_id="approve_change",
        answers=DRAFT,
        subject="Policy / politique {{ params.draft_id }}",
        body="[Decide on the desk / Décider](/consigne/policy/drafts/{{ params.draft_id }})",
        seconds_left=lambda context: perform("decide", "configure.draft_seconds_left", _draft(context)),
    )

    # Also where the human task ended badly: the desk's row alone counts, and a visaed version must be applied.
    @task.branch(trigger_rule="all_done")
    def record_visa() -> Any:
        context = get_current_context()
        return perform("decide", "configure.record_visa", _draft(context), context["run_id"])

    @task
    def apply_policy() -> None:
        bring_in_line()

    @task(trigger_rule="none_failed_min_one_success")
    def close_draft() -> Any:
        context = get_current_context()
        return perform("decide", "configure.close_draft", _draft(context), context["run_id"])

    loaded, recorded, closed = load_draft(), record_visa(), close_draft()
    loaded >> announce_draft() >> approve_change >> recorded >> [apply_policy(), closed]
    loaded >> closed


change_policy()
