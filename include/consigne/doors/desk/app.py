"""The desk: FastAPI and Jinja2, mounted in Airflow's api-server at /consigne.

Routes are plain functions, so that they run in threads: the api-server has one worker, and blocking calls
in its event loop would stop it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from starlette.types import Message, Receive, Scope, Send

from consigne.acts.journey import Platform
from consigne.doors.desk.pages import (
    api,
    api_holds,
    api_people,
    api_policy,
    batches,
    calendar,
    certificates,
    decide,
    destruction,
    draws,
    exceptions,
    findings,
    health,
    holds,
    hooks,
    losses,
    metrics,
    notices,
    objections,
    operations,
    policy,
    recordings,
    register,
    rules,
    volumes,
    waiting,
)
from consigne.doors.desk.pages.shown import fault_page, inner_path
from consigne.doors.desk.session import Forged, NoDesk, SignInNeeded
from consigne.rules.errors import BadInput, Conflict, ConsigneError, Unavailable

_HERE = Path(__file__).parent
_HEADERS = (
    (b"cache-control", b"no-store"),
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
        b"frame-ancestors 'self'",
    ),
    (b"x-content-type-options", b"nosniff"),
    # Not `no-referrer`: browsers would then send forms with `Origin: null`, and we compare it.
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)

PAGES = (
    waiting, decide, recordings, exceptions, holds, calendar, policy, notices, rules, objections, draws, batches, volumes,
    operations, destruction, certificates, findings, losses, register, api,
    api_holds, api_people, api_policy, hooks, metrics, health,
)  # fmt: skip


class Desk(FastAPI):
    """An application whose every answer, faults included, carries the headers above."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                names = {name for name, _ in _HEADERS}
                kept = [header for header in message.get("headers", []) if header[0].lower() not in names]
                message = {**message, "headers": [*kept, *_HEADERS]}
            await send(message)

        await super().__call__(scope, receive, guarded)


def make_desk(platform: Callable[[str], Platform], sweep_secret: Callable[[], str]) -> Desk:
    """The application. `platform` opens the parts for a role (`read`, `decide`, `listen`) at first use."""
    desk = Desk(title="Consigne", docs_url=None, redoc_url=None, openapi_url=None)
    desk.state.platform = platform
    desk.state.sweep_secret = sweep_secret
    desk.mount("/static", StaticFiles(directory=_HERE / "static"))
    for page in PAGES:
        desk.include_router(page.router)
    for kind, answer in _ANSWERS.items():
        desk.add_exception_handler(kind, answer)
    return desk


def _is_api(request: Request) -> bool:
    path = inner_path(request)
    return path == "/draw" or path.startswith(("/api/", "/internal/"))


def _said(request: Request, status: int, fault: str, code: str, field: str = "") -> Response:
    """One fault, as JSON to programs and as a page to people; never a value, never a traceback."""
    if _is_api(request):
        return JSONResponse({"code": code, "field": field} if field else {"code": code}, status)
    return fault_page(request, status, fault, code)


def _sign_in(request: Request, _: Exception) -> Response:
    back = request.scope["root_path"] + (inner_path(request) if request.method == "GET" else "/")
    return RedirectResponse(f"{request.scope.get('app_root_path', '')}/auth/login/?next={quote(back)}", 303)


def _malformed(request: Request, fault: Exception) -> Response:
    # FastAPI's own answer would quote what was sent.
    assert isinstance(fault, RequestValidationError)
    first = fault.errors()[0]
    path = [] if first["type"] == "extra_forbidden" else [str(part) for part in first["loc"][1:]]
    return _said(request, 400, "bad_input", "bad_field", ".".join(path) or "body")


def _http(request: Request, fault: Exception) -> Response:
    assert isinstance(fault, HTTPException)
    name = {403: "denied", 404: "absent", 405: "absent"}.get(fault.status_code, "broken")
    return _said(request, fault.status_code, name, str(fault.detail) if _is_api(request) else "")


def _consigne(request: Request, fault: Exception) -> Response:
    assert isinstance(fault, ConsigneError)
    if fault.code == "restored_unreplayed":
        return _said(request, 503, "unavailable", fault.code, fault.where)
    for kind, status, name in (
        (Unavailable, 503, "unavailable"),
        (BadInput, 400, "bad_input"),
        (Conflict, 409, "unavailable"),
    ):
        if isinstance(fault, kind):
            return _said(request, status, name, fault.code, fault.where)
    raise fault


_ANSWERS: dict[type[Exception], Callable[[Request, Exception], Response]] = {
    SignInNeeded: _sign_in,
    NoDesk: lambda request, _: _said(request, 403, "closed", "no_desk"),
    Forged: lambda request, _: _said(request, 403, "forged", "forged"),
    RequestValidationError: _malformed,
    HTTPException: _http,
    ConsigneError: _consigne,
    Exception: lambda request, _: _said(request, 500, "broken", "broken"),
}
