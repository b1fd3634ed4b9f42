"""Holds by the command line: JSON, a Bearer token; whatever else as *Holds* does."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from airflow.configuration import conf
from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.background import BackgroundTask

from consigne.acts.held import CHUNK
from consigne.acts.hold import confirm_hold, lift_hold, place_hold
from consigne.adapters.catalog import views_holds
from consigne.doors.desk.pages.holds import FIELDS, may_act, read_mandate, read_review, take_up
from consigne.doors.desk.pages.looking import check, looking, platform
from consigne.doors.desk.session import ApiReader
from consigne.rules.access import Denied, Verb
from consigne.rules.clock import iso
from consigne.rules.errors import BadInput
from consigne.rules.hold import Hold
from consigne.rules.request import REASON_CHARS

router = APIRouter()
LISTED = 1000
_INSTANTS = ("since", "until", "placed_at", "review_at", "ended_at")

Short = Annotated[str, Field(max_length=200)]
Reason = Annotated[str, Field(max_length=REASON_CHARS)]


class Wanted(BaseModel):
    """A hold; `review` is a local day, `since` and `until` days or instants (ISO 8601)."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    mandate: Short
    authority: Short
    reason: Reason
    review: Short
    recording: Short = ""
    caller: Annotated[str, Field(max_length=60, repr=False)] = ""
    agent: Short = ""
    since: Short = ""
    until: Short = ""
    restrict: bool = False


class Confirmed(BaseModel):
    """Another review date, and why."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    review: Short
    reason: Reason


class Lifted(BaseModel):
    """Why it ends."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    reason: Reason


@router.get("/api/holds")
def holds(request: Request, reader: ApiReader) -> Response:
    """The newest LISTED holds, those that are open first."""
    with looking(request) as look:
        check(look, reader.actor, Verb.SEE_HOLDS)
        found = views_holds.listed(look.tx, look.now, 0, LISTED)
    return JSONResponse([_document(one) for one in found])


def _document(one: dict[str, Any]) -> dict[str, Any]:
    dates = {name: iso(one[name]) if one[name] else None for name in _INSTANTS}
    ids = {name: one[name] and str(one[name]) for name in ("id", "recording")}
    return one | dates | ids


@router.post("/api/holds")
def place(request: Request, reader: ApiReader, wanted: Wanted) -> Response:
    """Place it; 201 with its id, its page and its review date."""
    policy = may_act(request, reader, "place", None).policy
    form = {name: str(getattr(wanted, name)) for name in FIELDS if name != "restrict"}
    form["restrict"] = "yes" if wanted.restrict else ""
    mandate = read_mandate(form, wanted.caller, policy.zone)
    return _told(request, place_hold(platform(request, "decide"), policy, reader.actor, mandate), 201)


@router.post("/api/holds/{id}/confirm")
def confirm(request: Request, reader: ApiReader, id: UUID, said: Confirmed) -> Response:
    """Until another review date."""
    policy = may_act(request, reader, "confirm", id).policy
    day = read_review(said.review)
    done = confirm_hold(platform(request, "decide"), policy, reader.actor, id, day, said.reason)
    return _told(request, done)


@router.post("/api/holds/{id}/lift")
def lift(request: Request, reader: ApiReader, id: UUID, said: Lifted) -> Response:
    """End it."""
    policy = may_act(request, reader, "lift", id).policy
    return _told(request, lift_hold(platform(request, "decide"), policy, reader.actor, id, said.reason))


def _told(request: Request, done: Hold | Denied, status: int = 200) -> Response:
    if isinstance(done, Denied):
        if done.code in ("unknown_hold", "hold_over"):
            raise BadInput(done.code, "id")
        raise HTTPException(403, done.code)
    parts = platform(request, "decide")
    take_up(parts, CHUNK)
    base = conf.get_mandatory_value("api", "base_url").rstrip("/")
    told = {
        "id": str(done.id),
        "url": f"{base}/consigne/holds/{done.id}",
        "state": str(done.state),
        "review_at": iso(done.review_at),
    }
    return JSONResponse(told, status, background=BackgroundTask(take_up, parts, 20 * CHUNK))
