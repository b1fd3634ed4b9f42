"""*Exceptions*: ask, and what became of each request."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, HTTPException, Query, Request, Response
from fastapi.responses import RedirectResponse
from starlette.background import BackgroundTask

from consigne.acts.decide import file_request
from consigne.adapters.catalog import views_exceptions
from consigne.doors.desk.pages.api import FIELDS
from consigne.doors.desk.pages.looking import allows, looking, platform
from consigne.doors.desk.pages.shown import fault_page, page, wording
from consigne.doors.desk.pages.told_exceptions import Asking, asking_told, exception_told
from consigne.doors.desk.pages.until import read_until
from consigne.doors.desk.session import PageReader, Reader, check_form
from consigne.doors.desk.text import TEXTS
from consigne.doors.orchestration.decisions import start_run
from consigne.rules.access import Denied, Verb
from consigne.rules.errors import BadInput
from consigne.rules.redaction.typed import check_typed
from consigne.rules.request import ExceptionRequest

router = APIRouter()
SHOWN = 50
MOST_ASKED = 1000

Artifacts = Annotated[list[str], Query(alias="artifact", default_factory=list, max_length=MOST_ASKED)]


@router.get("/exceptions")
def exceptions(
    request: Request,
    reader: PageReader,
    state: str = "",
    page_number: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1,
) -> Response:
    """Requests, those that wait first: all of them for the DPO and the auditor, for others their own."""
    if state not in ("", *views_exceptions.STATES):
        raise BadInput("bad_field", "state")
    with looking(request) as look:
        sees_all = allows(look, reader.actor, Verb.SEE_REQUESTS)
        requester, first = None if sees_all else reader.actor.user, (page_number - 1) * SHOWN
        found = views_exceptions.requests(look.tx, look.now, requester, state or None, first, SHOWN + 1)
    words = wording(request, look.policy.zone)
    return page(
        request,
        "exceptions.html",
        words,
        sees_all=sees_all,
        states=views_exceptions.STATES,
        state=state,
        number=page_number,
        more=len(found) > SHOWN,
        requests=[exception_told(words, look, reader.actor, one) for one in found[:SHOWN]],
    )


@router.get("/exceptions/ask")
def ask(request: Request, reader: PageReader, artifacts: Artifacts) -> Response:
    """The form for one artifact or a selection, with what each one's clock allows."""
    try:
        return _form(request, reader, Asking([UUID(id) for id in artifacts]))
    except ValueError:
        return fault_page(request, 400, "no_part")


@router.post("/exceptions/ask")
def file(
    request: Request,
    reader: PageReader,
    token: Annotated[str, Form()],
    artifact: Annotated[list[UUID], Form(default_factory=list, max_length=MOST_ASKED)],
    until: Annotated[str, Form()] = "",
    ground: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
    why_not_less: Annotated[str, Form()] = "",
) -> Response:
    """File the request; once it is committed, Airflow gets a run for it (the sweep's work where that fails)."""
    check_form(request, token)
    asking = Asking(
        artifact, {"until": until, "ground": ground, "reason": reason, "why_not_less": why_not_less}
    )
    try:
        filed = _file(request, reader, asking)
    except BadInput as fault:
        keys = (f"ask.wrong.{fault.where}.{fault.code}", f"ask.wrong.{fault.where}")
        why = next((key for key in keys if key in TEXTS), "why.other")
        return _form(request, reader, asking.refused(why, fault.where), 400)
    if isinstance(filed, Denied):
        why = next(
            (key for key in (f"ask.no.{filed.code}", f"why.{filed.code}") if key in TEXTS), "why.other"
        )
        return _form(request, reader, asking.refused(why, FIELDS.get(filed.code, "")), 409)
    path = f"{request.scope['root_path']}/decide/{filed.id}"
    return RedirectResponse(path, 303, background=BackgroundTask(start_run, reader.account, filed))


def _file(request: Request, reader: Reader, asking: Asking) -> ExceptionRequest | Denied:
    with looking(request) as look:
        policy = look.policy
    form = asking.form
    # The first that is wrong, in the form's order.
    if not form["ground"]:
        raise BadInput("bad_field", "ground")
    check_typed(form["reason"], "reason")
    check_typed(form["why_not_less"], "why_not_less", is_needed=False)
    until = read_until(form["until"], policy.zone)
    typed = (form["ground"], form["reason"], form["why_not_less"])
    return file_request(platform(request, "decide"), policy, reader.actor, asking.artifacts, until, *typed)


def _form(request: Request, reader: Reader, asking: Asking, status: int = 200) -> Response:
    with looking(request) as look:
        found = views_exceptions.askable(look.tx, asking.artifacts)
    if not found or len(found) < len(set(asking.artifacts)):
        return fault_page(request, 404 if asking.artifacts else 400, "no_part")
    words = wording(request, look.policy.zone)
    told = asking_told(words, look, reader.actor, found, asking)
    if told is None:
        raise HTTPException(403)
    return page(request, "ask.html", words, status, **told)
