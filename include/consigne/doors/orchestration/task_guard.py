"""Before the execution API: a task is let through with what ours need (rules/task_requests.py), else 403."""

from __future__ import annotations

import json
import logging
from base64 import urlsafe_b64decode
from functools import lru_cache
from uuid import UUID

from airflow.models.taskinstance import TaskInstance
from airflow.utils.session import create_session
from anyio import to_thread
from sqlalchemy import select
from starlette.types import ASGIApp, Receive, Scope, Send

from consigne.doors.logs import about
from consigne.doors.orchestration.attempts import answer
from consigne.rules.task_requests import Place, handed_on, is_free, may_touch

log = logging.getLogger("consigne")


async def guard(app: ASGIApp, path: str, scope: Scope, receive: Receive, send: Send) -> None:
    """Let Airflow answer, or refuse. The token is not verified here: Airflow does, for the same task."""
    if is_free(scope["method"], path) or await _is_own(path, scope):
        return await app(scope, receive, send)
    log.warning("refused: not for tasks", extra=about(act="/".join(path.split("/")[1:3])))
    return await answer(send, 403, "not_for_tasks")


async def _is_own(path: str, scope: Scope) -> bool:
    asked, task = handed_on(path), _task(scope)
    if asked is None or task is None:
        return False
    own = await to_thread.run_sync(_place, task)
    return own is not None and may_touch(scope["method"], own, asked)


def _task(scope: Scope) -> UUID | None:
    """Whose token it says it is; None where that is not said exactly once."""
    given = [value for name, value in scope["headers"] if name == b"authorization"]
    try:
        [value] = given
        claims = value.partition(b" ")[2].strip().split(b".")[1]
        return UUID(json.loads(urlsafe_b64decode(claims + b"=" * (-len(claims) % 4)))["sub"])
    except (ValueError, IndexError, KeyError, TypeError, AttributeError):
        return None


@lru_cache(maxsize=4096)
def _known(task: UUID) -> Place:
    with create_session() as session:
        row = session.execute(
            select(TaskInstance.dag_id, TaskInstance.run_id, TaskInstance.task_id).where(
                TaskInstance.id == task
            )
        ).one()
    return Place(*row)


def _place(task: UUID) -> Place | None:
    try:
        return _known(task)
    except Exception as fault:  # gone meanwhile, or the database is away: nothing is remembered
        log.warning("whose task asks cannot be told", extra=about(code=type(fault).__name__))
        return None
