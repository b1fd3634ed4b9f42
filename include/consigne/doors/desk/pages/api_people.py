"""The API behind `acknowledge`, `object` and `objections`: JSON, a Bearer token, no cookies."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from consigne.acts.inform import MOST_CHARS, acknowledge, import_acknowledgements
from consigne.acts.object import Spoken, object_to, withdraw, withdraw_of_caller
from consigne.adapters.catalog import views_people
from consigne.doors.desk.pages.looking import check, looking, platform
from consigne.doors.desk.session import ApiReader
from consigne.rules.access import Denied, Verb
from consigne.rules.clock import iso
from consigne.rules.errors import BadInput
from consigne.rules.objections import ALTERNATIVES
from consigne.rules.policy.model import Policy
from consigne.rules.values import Private

router = APIRouter()
SHOWN = 1_000
_Short = Annotated[str, Field(max_length=128)]


class Form(BaseModel):
    """Unknown keys are errors, and no error shows a value."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class Read(Form):
    """The version that the person has read; empty is the one that the policy in force asks for."""

    notice: _Short = ""


class Imported(Form):
    """A file of the form of `agents.csv`."""

    csv: Annotated[str, Field(max_length=MOST_CHARS)]


class Said(Form):
    """`acts.object.Spoken`; an empty source is intake's own."""

    call: _Short = ""
    source: Annotated[str, Field(max_length=64)] = ""
    caller: Annotated[str, Field(max_length=32)] = ""
    purposes: Annotated[list[_Short], Field(max_length=100)] = []
    alternative: _Short = ALTERNATIVES[0]


class TakenBack(Form):
    """Either an objection's id or the caller's number."""

    id: UUID | None = None
    caller: Annotated[str, Field(max_length=32)] = ""


@router.post("/api/acknowledgements")
def read(request: Request, reader: ApiReader, said: Read) -> Response:
    """The person has read a version of the notice to employees."""
    policy = _policy(request)
    notice = said.notice or (policy.agents.notice if policy.agents else "")
    at = acknowledge(platform(request, "decide"), policy, reader.actor, notice, "cli")
    if isinstance(at, Denied):
        raise HTTPException(403, at.code)
    return JSONResponse({"agent": reader.actor.user, "notice": notice, "acknowledged_at": iso(at)})


@router.post("/api/acknowledgements/import")
def import_file(request: Request, reader: ApiReader, sent: Imported) -> Response:
    """Take in a file; all of it or nothing."""
    parts = platform(request, "decide")
    changed = import_acknowledgements(parts, _policy(request), reader.actor, sent.csv, "file")
    if isinstance(changed, Denied):
        raise HTTPException(403, changed.code)
    return JSONResponse({"changed": changed})


@router.post("/api/objections")
def caller_objects(request: Request, reader: ApiReader, said: Said) -> Response:
    """Record what a caller said."""
    parts = platform(request, "decide")
    source = said.source or parts.intake.source
    told = Spoken(said.call, source, Private(said.caller), said.purposes, said.alternative)
    made = object_to(parts, _policy(request), reader.actor, told)
    if isinstance(made, Denied):
        raise HTTPException(403, made.code)
    return JSONResponse({"id": str(made.id), "objected_at": iso(made.objected_at)}, 201)


@router.get("/api/objections")
def objections(
    request: Request, reader: ApiReader, number: Annotated[int, Query(alias="page", ge=1, le=10_000)] = 1
) -> Response:
    """The newest first, a thousand a page."""
    with looking(request) as look:
        check(look, reader.actor, Verb.SEE_OBJECTIONS)
        found = views_people.objections(look.tx, (number - 1) * SHOWN, SHOWN)
    return JSONResponse([_written(one) for one in found])


@router.post("/api/objections/withdraw")
def take_back(request: Request, reader: ApiReader, said: TakenBack) -> Response:
    """A caller takes back one objection, or all."""
    parts, policy = platform(request, "decide"), _policy(request)
    if (said.id is None) == (not said.caller):
        raise BadInput("bad_field", "id")
    if said.id is not None:
        ended = withdraw(parts, policy, reader.actor, said.id)
    else:
        ended = withdraw_of_caller(parts, policy, reader.actor, Private(said.caller))
    if isinstance(ended, Denied):
        raise HTTPException(403, ended.code)
    return JSONResponse({"withdrawn": [str(id) for id in ended]})


def _policy(request: Request) -> Policy:
    with looking(request) as look:
        return look.policy


def _written(one: dict[str, Any]) -> dict[str, Any]:
    instants = {name: one[name] and iso(one[name]) for name in ("objected_at", "withdrawn_at")}
    ids = {name: one[name] and str(one[name]) for name in ("id", "recording")}
    return one | instants | ids
