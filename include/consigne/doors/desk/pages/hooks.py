"""Webhooks, each with a secret of its own.

`intake`: sources and stores call it when something came into intake: a hint, nothing more. It takes no content, and
only makes the asset event that starts the ingest at once; the ingest's own schedule finds everything anyway.
`store-audit`: the store sends its audit log, of which next to nothing is kept (rules/store_audit.py).
"""

from __future__ import annotations

import hmac
from datetime import UTC, datetime
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Header, HTTPException, Request, Response
from fastapi.responses import JSONResponse

from consigne.acts.accesses import keep_accesses
from consigne.doors.desk.pages.looking import platform
from consigne.doors.orchestration.events import announce_intake
from consigne.rules.store_audit import RECORDINGS, UNKNOWN, Access, read_audit

router = APIRouter()
LARGEST_AUDIT_BYTES = 8 * 1024 * 1024


@router.post("/internal/intake")
async def intake_changed(request: Request, authorization: Annotated[str, Header()] = "") -> Response:
    """`Authorization: Bearer <secret>`, as MinIO's webhook target sends its auth token. The body is not read."""
    _check(authorization, request.app.state.hook_secret())
    announced = await announce_intake()
    return JSONResponse({"announced": announced}, 202 if announced else 503)


@router.post("/internal/store-audit")
async def store_audit(request: Request, authorization: Annotated[str, Header()] = "") -> Response:
    """A batch of MinIO's audit records, JSON, one a line. 503 makes the store keep and send it again; what it could
    not be read for its size is told as such, or whoever fills a batch would hide in it."""
    _check(authorization, request.app.state.audit_secret())
    body = bytearray()
    async for piece in request.stream():
        if len(body) <= LARGEST_AUDIT_BYTES:
            body += piece
    kept = await to_thread.run_sync(lambda: _keep(request, bytes(body)))
    return JSONResponse({"kept": kept}, 202)


def _keep(request: Request, body: bytes) -> int:
    parts = platform(request, "decide")
    if len(body) > LARGEST_AUDIT_BYTES:
        id = f"too-large-{parts.new_id()}"
        found = [Access(id, datetime.now(UTC), UNKNOWN, "TooLarge", RECORDINGS, "", None, 200)]
    else:
        found = list(read_audit(body, request.app.state.store_naming()))
    return keep_accesses(parts, found) if found else 0


def _check(authorization: str, secret: str) -> None:
    if not hmac.compare_digest(authorization.encode(), f"Bearer {secret}".encode()):
        raise HTTPException(403, "not_a_source")
