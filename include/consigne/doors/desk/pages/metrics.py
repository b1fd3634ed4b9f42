"""The figures of this installation, for Prometheus (doors/desk/metrics.py)."""

from __future__ import annotations

import hmac
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import JSONResponse

router = APIRouter()


@router.get("/metrics")
def metrics(
    request: Request, authorization: Annotated[str, Header()] = "", accept: Annotated[str, Header()] = ""
) -> Response:
    """By `Authorization: Bearer <secret>` alone; nobody's session opens it. The Prometheus text format, or OpenMetrics
    where `Accept` asks for it."""
    scheme, _, given = authorization.partition(" ")
    known = hmac.compare_digest(given.encode(), request.app.state.metrics_secret().encode())
    if scheme.lower() != "bearer" or not known:
        return JSONResponse({"code": "not_a_scraper"}, 401, headers={"WWW-Authenticate": "Bearer"})
    body, media = request.app.state.meter.write(accept)
    return Response(body, headers={"content-type": media})
