"""Airflow told what the desk has recorded: runs started, human tasks answered. In the api-server only.

The catalog is ahead of Airflow, always: whatever is lost here, `sweep` finds in the catalog and does again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID

import httpx
from airflow.providers.fab.auth_manager.models import User
from anyio import to_thread

from consigne.acts.decide import lapse_requests
from consigne.acts.extend import apply_decision, unapplied
from consigne.acts.journey import Platform
from consigne.acts.locate import policy_now
from consigne.doors.orchestration.auth import as_person, person_named
from consigne.doors.orchestration.clockwork import CLOCKWORK
from consigne.doors.settings import Settings
from consigne.doors.wiring import open_platform
from consigne.rules.errors import ConsigneError
from consigne.rules.request import Decision, ExceptionRequest, run_of

log = logging.getLogger("consigne")
T = TypeVar("T")

DAG = "decide_retention_exception"
TASK = "approve_exception"
PARKED_S = 5
"""An answer within about a second of parking is lost, and the task fails (facts/airflow.md); none after 4 s."""
LOST_S = 60
"""A granted extension that no run applied by then is applied by the sweep."""


@lru_cache(maxsize=1)
def _platform() -> Platform:
    return open_platform(Settings.from_environment(), "decide")


async def _read(act: Callable[[Platform], T]) -> T:
    # The api-server has one event loop; what blocks goes to a thread.
    return await to_thread.run_sync(lambda: act(_platform()))


async def start_run(user: User, request: ExceptionRequest) -> bool:
    """Start the request's one run as the person who asked; false where Airflow did not take it (the sweep
    tries again). Idempotent."""
    body = {
        "dag_run_id": run_of(request.id),
        "logical_date": None,
        "conf": {"request_id": str(request.id), "request_hash": request.digest},
    }
    async with as_person(user) as airflow:
        answer = await airflow.post(f"/dags/{DAG}/dagRuns", json=body)
    if answer.status_code not in (httpx.codes.OK, httpx.codes.CONFLICT):
        log.warning("request %s: Airflow did not start its run: %d", request.id, answer.status_code)
        return False
    await _read(lambda platform: _bind(platform, request.id))
    return True


def _bind(platform: Platform, id: UUID) -> None:
    with platform.catalog.begin() as tx:
        platform.catalog.bind_run(tx, id, run_of(id))


async def answer_airflow(request_id: UUID) -> bool:
    """Tell the request's human task what was decided, as the person who decided, once it has parked for
    PARKED_S; false where it could not be told yet (the sweep tries again). Idempotent."""
    request, decision = await _read(lambda platform: _decided(platform, request_id))
    if request is None or decision is None or request.answered_at_airflow is not None:
        return request is not None and decision is not None
    person = await to_thread.run_sync(person_named, decision.decided_by)
    if person is None or not await _tell(person, request, decision):
        return False
    await _read(lambda platform: _mark_answered(platform, request_id))
    return True


def _decided(platform: Platform, id: UUID) -> tuple[ExceptionRequest | None, Decision | None]:
    with platform.catalog.begin() as tx:
        return platform.catalog.request(tx, id), platform.catalog.decision(tx, id)


def _mark_answered(platform: Platform, id: UUID) -> None:
    with platform.catalog.begin() as tx:
        platform.catalog.mark_answered(tx, id, platform.catalog.now(tx))


async def _tell(person: User, request: ExceptionRequest, decision: Decision) -> bool:
    run = f"/dags/{DAG}/dagRuns/{run_of(request.id)}"
    task = f"{run}/taskInstances/{TASK}/-1/hitlDetails"
    async with as_person(person, answering=True) as airflow:
        found = await airflow.get(task)
        if found.status_code == httpx.codes.NOT_FOUND:
            return await _is_over(airflow, run)
        detail = found.json() if found.status_code == httpx.codes.OK else {}
        if (
            detail.get("response_received")
            or detail.get("task_instance", {}).get("state") != "awaiting_input"
        ):
            return bool(detail.get("response_received")) or await _is_over(airflow, run)
        await asyncio.sleep(_still_settling_s(detail))
        answer = await airflow.patch(
            task, json={"chosen_options": [str(decision.answer)], "params_input": {}}
        )
    return answer.status_code in (httpx.codes.OK, httpx.codes.CONFLICT)


async def _is_over(airflow: httpx.AsyncClient, run: str) -> bool:
    # A run that is gone or has ended wants no answer any more.
    found = await airflow.get(run)
    if found.status_code == httpx.codes.NOT_FOUND:
        return True
    return found.status_code == httpx.codes.OK and found.json()["state"] in ("success", "failed")


def _still_settling_s(detail: dict[str, Any]) -> float:
    # Airflow's own clock, not the catalog's, which a test may have shifted. After a clear `created_at` is old.
    parked = max(
        datetime.fromisoformat(detail["created_at"]),
        datetime.fromisoformat(detail["task_instance"]["start_date"]),
    )
    return max(0.0, PARKED_S - (datetime.now(UTC) - parked).total_seconds())


async def sweep() -> dict[str, int]:
    """Do what an api-server or a run that died left undone: lapse, start runs, apply, answer. One trouble never
    stops the others; returns counts by outcome."""
    counts = {
        "lapsed": len(await _read(lapse_requests)),
        "started": 0,
        "applied": 0,
        "answered": 0,
        "failed": 0,
    }
    for name, act in CLOCKWORK:
        counts[name] = await _count(act)
    without_run, unanswered, late = await _read(_left)
    for request in without_run:
        counts["started" if await _quietly(_start(request)) else "failed"] += 1
    for id in late:
        counts["applied" if await _quietly(_apply(id)) else "failed"] += 1
    for request in unanswered:
        counts["answered" if await _quietly(answer_airflow(request.id)) else "failed"] += 1
    return counts


def _left(platform: Platform) -> tuple[list[ExceptionRequest], list[ExceptionRequest], list[UUID]]:
    with platform.catalog.begin() as tx:
        without_run, unanswered = platform.catalog.without_run(tx), platform.catalog.unanswered(tx)
    return without_run, unanswered, unapplied(platform, LOST_S)


async def _start(request: ExceptionRequest) -> bool:
    person = await to_thread.run_sync(person_named, request.requester)
    return person is not None and await start_run(person, request)


async def _apply(id: UUID) -> bool:
    await _read(lambda platform: apply_decision(platform, policy_now(platform), id))
    return True


async def _count(act: Callable[[Platform], int]) -> int:
    try:
        return await _read(act)
    except ConsigneError as fault:
        log.warning("sweep: %s", fault.code)
        return 0


async def _quietly(work: Awaitable[bool]) -> bool:
    try:
        return await work
    except (ConsigneError, httpx.HTTPError, KeyError, TypeError, ValueError) as fault:
        log.warning("sweep: %s", fault.code if isinstance(fault, ConsigneError) else type(fault).__name__)
        return False
