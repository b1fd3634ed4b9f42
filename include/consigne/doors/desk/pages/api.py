"""The API behind the command line: JSON, a Bearer token, no cookies."""

from __future__ import annotations

import hmac
from typing import Annotated
from uuid import UUID

from airflow.configuration import conf
from fastapi import APIRouter, Header, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.background import BackgroundTask

from consigne.acts.decide import file_request
from consigne.acts.listen import export
from consigne.doors.desk.pages.looking import looking, platform
from consigne.doors.desk.pages.until import read_until
from consigne.doors.desk.session import ApiReader
from consigne.doors.orchestration.decisions import start_run, sweep
from consigne.rules.access import Denied, is_designated
from consigne.rules.errors import BadInput
from consigne.rules.request import REASON_CHARS

router = APIRouter()
MEDIA = {b"fLaC": "audio/flac", b"OggS": "audio/ogg"}
"""What an artifact is, by its first bytes; JSON otherwise."""

FIELDS = {
    "unknown_artifact": "artifact",
    "ground_not_listed": "ground",
    "not_later": "until",
    "step_too_long": "until",
    "past_cap": "until",
}
"""Denials that the asker can mend → the field to mend; all others are 403."""


class Asked(BaseModel):
    """A request for an exception; `until` is a local day or an instant (ISO 8601)."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    artifacts: Annotated[list[UUID], Field(min_length=1, max_length=1000)]
    until: Annotated[str, Field(max_length=40)]
    ground: Annotated[str, Field(min_length=1, max_length=100)]
    reason: Annotated[str, Field(min_length=1, max_length=REASON_CHARS)]
    why_not_less: Annotated[str, Field(max_length=REASON_CHARS)] = ""


class Wanted(BaseModel):
    """Why an artifact is exported: a code of the policy's list."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    reason: Annotated[str, Field(min_length=1, max_length=100)]


@router.get("/api/me")
def me(request: Request, reader: ApiReader) -> Response:
    """Who is signed in, with which roles, and whether the policy designates them today."""
    with looking(request) as look:
        designated = is_designated(look.policy, reader.actor.user, look.now)
    actor = reader.actor
    return JSONResponse({"user": actor.user, "roles": sorted(actor.roles), "designated": designated})


@router.post("/api/requests")
def ask(request: Request, reader: ApiReader, asked: Asked) -> Response:
    """File a request; once it is committed, Airflow gets a run for it (the sweep's work where that fails)."""
    with looking(request) as look:
        policy = look.policy
    until = read_until(asked.until, policy.zone)
    decide = platform(request, "decide")
    typed = (asked.ground, asked.reason, asked.why_not_less)
    filed = file_request(decide, policy, reader.actor, asked.artifacts, until, *typed)
    if isinstance(filed, Denied):
        raise _no(filed)
    base = conf.get_mandatory_value("api", "base_url").rstrip("/")
    told = {"id": str(filed.id), "url": f"{base}/consigne/decide/{filed.id}"}
    return JSONResponse(told, 201, background=BackgroundTask(start_run, reader.account, filed))


@router.post("/internal/sweep")
async def sweep_now(request: Request, x_consigne_sweep: Annotated[str, Header()] = "") -> Response:
    """Start the runs and give the answers that an earlier api-server still owed Airflow."""
    if not hmac.compare_digest(x_consigne_sweep.encode(), request.app.state.sweep_secret().encode()):
        raise HTTPException(403, "not_the_sealer")
    request.app.state.meter.note_sweep()
    return JSONResponse(await sweep())


@router.post("/api/artifacts/{id}/export")
def export_artifact(request: Request, reader: ApiReader, id: UUID, wanted: Wanted) -> Response:
    """The artifact's bytes, for someone entitled; the register's entry is committed before the first one."""
    offered = export(platform(request, "listen"), reader.actor, id, wanted.reason)
    if isinstance(offered, Denied):
        raise _no(offered)
    content = offered.content.reveal()
    return Response(content, media_type=MEDIA.get(content[:4], "application/json"))


def _no(denied: Denied) -> Exception:
    if field := FIELDS.get(denied.code):
        return BadInput(denied.code, field)
    return HTTPException(403, denied.code)
