"""Whether this process lives, and whether the installation is ready: for load balancers and orchestrators.

Without a credential, so by the names of parts alone (doors/desk/health.py).
"""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

router = APIRouter()


@router.get("/health/live")
def live() -> Response:
    """200: this process answers, whatever else is away."""
    return JSONResponse({"live": True})


@router.get("/health/ready")
def ready(request: Request) -> Response:
    """200, or 503 and the parts that are away."""
    away = request.app.state.health.away()
    return JSONResponse({"ready": not away, "away": away}, 503 if away else 200)
