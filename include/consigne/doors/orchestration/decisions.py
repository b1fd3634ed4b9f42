"""Airflow told what the desk has recorded: runs started, human tasks answered. In the api-server only.

The catalog is ahead of Airflow, always: whatever is lost here, `sweep` finds in the catalog and does again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Any, TypeVar
from uuid import UUID

import httpx
from airflow.providers.fab.auth_manager.models import User
from anyio import to_thread

from consigne.acts.catalog import Catalog, Transaction
from consigne.acts.decide import lapse_requests
from consigne.acts.extend import apply_decision, unapplied
from consigne.acts.journey import Platform
from consigne.acts.locate import policy_now
from consigne.acts.truth import is_shut
from consigne.doors.logs import about
from consigne.doors.orchestration.auth import as_person, person_named
from consigne.doors.orchestration.clockwork import CLOCKWORK
from consigne.doors.settings import Settings
from consigne.doors.wiring import open_platform
from consigne.rules.access import designated
from consigne.rules.errors import ConsigneError, place_of
from consigne.rules.policy.draft import Draft, run_of_draft
from consigne.rules.request import Decision, ExceptionRequest, run_of
from consigne.rules.volume import Volume, run_of_volume

log = logging.getLogger("consigne")
T = TypeVar("T")

PARKED_S = 10
"""An answer within about a second of parking is lost, and the task fails (facts/airflow.md); on a busy machine
after five, too."""
LOST_S = 60
"""A granted extension that no run applied by then is applied by the sweep."""


@dataclass(frozen=True, slots=True)
class Matter:
    """What waits in Airflow for a person's word, whatever its kind: who brought it, what its run is given, and, once
    there is one, the answer and who gave it."""

    id: UUID
    brought_by: str
    conf: Mapping[str, str]
    answer: str | None
    decided_by: str | None
    is_told: bool


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of matter: its Dag and human task, and where the catalog has it. `left`: those without a run, and those
    whose run was not told the answer."""

    dag: str
    task: str
    run_of: Callable[[UUID], str]
    find: Callable[[Catalog, Transaction, UUID], Matter | None]
    left: Callable[[Catalog, Transaction], tuple[list[Matter], list[Matter]]]
    bind: Callable[[Catalog, Transaction, UUID, str], None]
    mark: Callable[[Catalog, Transaction, UUID, datetime], None]


def _of_request(request: ExceptionRequest, decision: Decision | None) -> Matter:
    conf = {"request_id": str(request.id), "request_hash": request.digest}
    answer, decided_by = (str(decision.answer), decision.decided_by) if decision else (None, None)
    is_told = request.answered_at_airflow is not None
    return Matter(request.id, request.requester, conf, answer, decided_by, is_told)


def _find_request(catalog: Catalog, tx: Transaction, id: UUID) -> Matter | None:
    request = catalog.request(tx, id)
    return _of_request(request, catalog.decision(tx, id)) if request else None


def _left_requests(catalog: Catalog, tx: Transaction) -> tuple[list[Matter], list[Matter]]:
    without_run = [_of_request(each, None) for each in catalog.without_run(tx)]
    return without_run, [_of_request(each, catalog.decision(tx, each.id)) for each in catalog.unanswered(tx)]


def _of_draft(draft: Draft) -> Matter:
    conf = {"draft_id": str(draft.id), "draft_hash": draft.digest}
    answer = str(draft.answer) if draft.answer else None
    is_told = draft.answered_at_airflow is not None
    return Matter(draft.id, draft.author, conf, answer, draft.decided_by, is_told)


def _find_draft(catalog: Catalog, tx: Transaction, id: UUID) -> Matter | None:
    draft = catalog.draft(tx, id)
    return _of_draft(draft) if draft else None


def _left_drafts(catalog: Catalog, tx: Transaction) -> tuple[list[Matter], list[Matter]]:
    found = catalog.drafts_without_run(tx), catalog.unanswered_drafts(tx)
    return [_of_draft(each) for each in found[0]], [_of_draft(each) for each in found[1]]


def _of_volume(volume: Volume, brought_by: str = "") -> Matter:
    conf = {"volume_id": str(volume.id), "volume_hash": volume.digest}
    answer = str(volume.answer) if volume.answer else None
    is_told = volume.answered_at_airflow is not None
    return Matter(volume.id, brought_by, conf, answer, volume.decided_by, is_told)


def _find_volume(catalog: Catalog, tx: Transaction, id: UUID) -> Matter | None:
    volume = catalog.volume(tx, id)
    return _of_volume(volume) if volume else None


def _left_volumes(catalog: Catalog, tx: Transaction) -> tuple[list[Matter], list[Matter]]:
    """Nobody brought a volume: its run is started as somebody for whom it waits."""
    without_run = [volume for volume in catalog.volumes_waiting(tx) if volume.run is None]
    policy = catalog.policy_at(tx, now := catalog.now(tx)) if without_run else None
    brought_by = min(designated(policy, now), default="") if policy else ""
    found = [_of_volume(volume, brought_by) for volume in without_run]
    return found, [_of_volume(volume) for volume in catalog.unanswered_volumes(tx)]


REQUEST = Kind(
    dag="decide_retention_exception",
    task="approve_exception",
    run_of=run_of,
    find=_find_request,
    left=_left_requests,
    bind=lambda catalog, tx, id, run: catalog.bind_run(tx, id, run),
    mark=lambda catalog, tx, id, at: catalog.mark_answered(tx, id, at),
)
DRAFT = Kind(
    dag="change_policy",
    task="approve_change",
    run_of=run_of_draft,
    find=_find_draft,
    left=_left_drafts,
    bind=lambda catalog, tx, id, run: catalog.bind_draft_run(tx, id, run),
    mark=lambda catalog, tx, id, at: catalog.mark_draft_answered(tx, id, at),
)
VOLUME = Kind(
    dag="confirm_expiry_volume",
    task="confirm_volume",
    run_of=run_of_volume,
    find=_find_volume,
    left=_left_volumes,
    bind=lambda catalog, tx, id, run: catalog.bind_volume_run(tx, id, run),
    mark=lambda catalog, tx, id, at: catalog.mark_volume_answered(tx, id, at),
)
KINDS = (REQUEST, DRAFT, VOLUME)


@lru_cache(maxsize=1)
def _platform() -> Platform:
    return open_platform(Settings.from_environment(), "decide")


async def _read(act: Callable[[Platform], T]) -> T:
    # The api-server has one event loop; what blocks goes to a thread.
    return await to_thread.run_sync(lambda: act(_platform()))


async def start_run(user: User, request: ExceptionRequest) -> bool:
    """Start the request's one run as the person who asked; false where Airflow did not take it (the sweep
    tries again). Idempotent."""
    return await _start_run(user, REQUEST, _of_request(request, None))


async def start_draft_run(user: User, draft: Draft) -> bool:
    """The same for a draft of the policy, as its author."""
    return await _start_run(user, DRAFT, _of_draft(draft))


async def _start_run(user: User, kind: Kind, matter: Matter) -> bool:
    run = kind.run_of(matter.id)
    body = {"dag_run_id": run, "logical_date": None, "conf": dict(matter.conf)}
    async with as_person(user) as airflow:
        answer = await airflow.post(f"/dags/{kind.dag}/dagRuns", json=body)
    if answer.status_code not in (httpx.codes.OK, httpx.codes.CONFLICT):
        log.warning("Airflow did not start a run", extra=about(run=run, code=answer.status_code))
        return False
    await _read(lambda platform: _bind(platform, kind, matter.id, run))
    return True


def _bind(platform: Platform, kind: Kind, id: UUID, run: str) -> None:
    with platform.catalog.begin() as tx:
        kind.bind(platform.catalog, tx, id, run)


async def answer_airflow(id: UUID, kind: Kind = REQUEST) -> bool:
    """Tell the matter's human task what was decided, as the person who decided, once it has parked for
    PARKED_S; false where it could not be told yet (the sweep tries again). Idempotent."""
    matter = await _read(lambda platform: _found(platform, kind, id))
    if matter is None or matter.decided_by is None:
        return False
    if matter.is_told:
        return True
    person = await to_thread.run_sync(person_named, matter.decided_by)
    if person is None or not await _tell(person, kind, matter):
        return False
    await _read(lambda platform: _mark_answered(platform, kind, id))
    return True


def _found(platform: Platform, kind: Kind, id: UUID) -> Matter | None:
    with platform.catalog.begin() as tx:
        return kind.find(platform.catalog, tx, id)


def _mark_answered(platform: Platform, kind: Kind, id: UUID) -> None:
    with platform.catalog.begin() as tx:
        kind.mark(platform.catalog, tx, id, platform.catalog.now(tx))


async def _tell(person: User, kind: Kind, matter: Matter) -> bool:
    run = f"/dags/{kind.dag}/dagRuns/{kind.run_of(matter.id)}"
    task = f"{run}/taskInstances/{kind.task}/-1/hitlDetails"
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
        answer = await airflow.patch(task, json={"chosen_options": [matter.answer], "params_input": {}})
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
    counts = dict.fromkeys(("lapsed", "started", "applied", "answered", "failed"), 0)
    if await _read(is_shut):  # a backup came back: the next start brings it to the truth
        return counts
    counts["lapsed"] = len(await _read(lapse_requests))
    for name, act in CLOCKWORK:
        counts[name] = await _count(act)
    for id in await _read(lambda platform: unapplied(platform, LOST_S)):
        counts["applied" if await _quietly(_apply(id)) else "failed"] += 1
    for kind in KINDS:
        without_run, unanswered = await _read(partial(_left, kind=kind))
        for matter in without_run:
            counts["started" if await _quietly(_start(kind, matter)) else "failed"] += 1
        for matter in unanswered:
            counts["answered" if await _quietly(answer_airflow(matter.id, kind)) else "failed"] += 1
    return counts


def _left(platform: Platform, *, kind: Kind) -> tuple[list[Matter], list[Matter]]:
    with platform.catalog.begin() as tx:
        return kind.left(platform.catalog, tx)


async def _start(kind: Kind, matter: Matter) -> bool:
    person = await to_thread.run_sync(person_named, matter.brought_by)
    return person is not None and await _start_run(person, kind, matter)


async def _apply(id: UUID) -> bool:
    await _read(lambda platform: apply_decision(platform, policy_now(platform), id))
    return True


async def _count(act: Callable[[Platform], int]) -> int:
    try:
        return await _read(act)
    except ConsigneError as fault:
        log.warning("sweep", extra=about(code=fault.code))
    except Exception as fault:  # one trouble never stops the others
        log.warning("sweep: fault in our own code; please report it", extra=about(fault=place_of(fault)))
    return 0


async def _quietly(work: Awaitable[bool]) -> bool:
    try:
        return await work
    except ConsigneError as fault:
        log.warning("sweep", extra=about(code=fault.code))
    except httpx.HTTPError as fault:
        log.warning("sweep", extra=about(fault=type(fault).__name__))
    except Exception as fault:  # one trouble never stops the others
        log.warning("sweep: fault in our own code; please report it", extra=about(fault=place_of(fault)))
    return False
