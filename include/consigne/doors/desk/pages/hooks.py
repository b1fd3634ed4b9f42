"""The webhook that sources and stores call when something came into intake: a hint, nothing more.

It holds a secret of its own, takes no content, and only makes the asset event that starts the ingest at once;
the ingest's own schedule finds everything anyway.
"""

from __future__ import annotations

import hmac
from typing import Annotated

from fastapi import APIRouter, Header, HTTPException, Request, Response
from fastapi.responses import JSONResponse

from consigne.doors.orchestration.events import announce_intake

router = APIRouter()


@router.post("/internal/intake")
async def intake_changed(request: Request, authorization: Annotated[str, Header()] = "") -> Response:
    """`Authorization: Bearer <secret>`, as MinIO's webhook target sends its auth token. The body is not read."""
    wanted = f"Bearer {request.app.state.hook_secret()}"
    if not hmac.compare_digest(authorization.encode(), wanted.encode()):
        raise HTTPException(403, "not_a_source")
    announced = await announce_intake()
    return JSONResponse({"announced": announced}, 202 if announced else 503)
