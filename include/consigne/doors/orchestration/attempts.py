"""Requests to Airflow's API that would get round the desk: noticed before Airflow sees them.

The register's entry is committed first, as before a listening; where it cannot be written, Airflow is not asked.
"""

from __future__ import annotations

import json
import logging
import time
from functools import lru_cache

from airflow.api_fastapi.core_api.security import bearer_scheme, get_user
from anyio import to_thread
from fastapi import HTTPException, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from consigne.acts.attempts import note_attempt, note_outcome
from consigne.acts.journey import Platform
from consigne.doors.logs import about
from consigne.doors.orchestration.accounts import DECIDED
from consigne.doors.orchestration.auth import is_desks_own
from consigne.doors.settings import Settings
from consigne.doors.wiring import open_platform
from consigne.rules.attempts import Attempt, attempt
from consigne.rules.errors import ConsigneError

log = logging.getLogger("consigne")

NOBODY = "nobody"
MOST_BODY_BYTES = 4 * 1024 * 1024
NOBODY_EVERY_S = 60.0


@lru_cache(maxsize=1)
def _platform() -> Platform:
    return open_platform(Settings.from_environment(), "decide")


class _Nobody:
    """Who is not signed in gets nothing from Airflow, and cannot fill the register: one entry a minute."""

    noted_at_s = -NOBODY_EVERY_S

    def is_to_be_noted(self) -> bool:
        now_s = time.monotonic()
        if now_s - self.noted_at_s < NOBODY_EVERY_S:
            return False
        self.noted_at_s = now_s
        return True


_nobody = _Nobody()


async def pass_on(app: ASGIApp, path: str, scope: Scope, receive: Receive, send: Send) -> None:
    """Let Airflow answer a request that might be an attempt, `path` being the one within Airflow; if it is one,
    register it before and its outcome after. What the desk asks in somebody's name is none. 503 where it cannot be registered, 413 for a body past its limit."""
    if is_desks_own():
        return await app(scope, receive, send)
    body, again = await _read(receive)
    if body is None:
        return await answer(send, 413, "too_large")
    found = attempt(scope["method"], path, body, DECIDED)
    actor = NOBODY if found is None else await _actor(scope)
    if found is None or (actor == NOBODY and not _nobody.is_to_be_noted()):
        return await app(scope, again, send)
    try:
        subjects = await to_thread.run_sync(lambda: note_attempt(_platform(), actor, found))
    except ConsigneError as fault:
        log.warning("attempt not registered, so not passed on", extra=about(code=fault.code))
        return await answer(send, 503, "not_registered")
    return await _pass_noted(app, scope, again, send, actor, found, subjects)


async def _pass_noted(
    app: ASGIApp,
    scope: Scope,
    receive: Receive,
    send: Send,
    actor: str,
    found: Attempt,
    subjects: tuple[str, ...],
) -> None:
    told = False

    async def tell(status: int) -> None:
        nonlocal told
        told = True
        try:
            await to_thread.run_sync(lambda: note_outcome(_platform(), actor, found, subjects, status))
        except ConsigneError as fault:  # that it was tried is in the register already
            log.warning("outcome of an attempt not registered", extra=about(code=fault.code))

    async def answered(message: Message) -> None:
        if message["type"] == "http.response.start":
            await tell(message["status"])
        await send(message)

    try:
        await app(scope, receive, answered)
    finally:
        if not told:
            await tell(500)


async def _read(receive: Receive) -> tuple[bytes | None, Receive]:
    """The body, None where it is too large; and what gives it again, then whatever else comes."""
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] != "http.request":  # the client left
            break
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        more = message.get("more_body", False)
        if size > MOST_BODY_BYTES:
            return None, receive
    body, given = b"".join(parts), False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return body, again


async def _actor(scope: Scope) -> str:
    """The account, as Airflow itself will find it."""
    request = Request(scope)
    try:
        account = await get_user(request, None, await bearer_scheme(request))
    except HTTPException:
        return NOBODY
    return str(account.username)


async def answer(send: Send, status: int, code: str) -> None:
    """In Airflow's place."""
    body = json.dumps({"detail": code}).encode()
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
