"""*Checks*: what reconciliation found, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, HTTPException, Query, Request, Response
from fastapi.responses import RedirectResponse

from consigne.acts.answer_finding import answer_finding
from consigne.acts.compare_dates import explained_end
from consigne.adapters.catalog import views, views_findings
from consigne.doors.desk.pages.looking import Look, allows, check, looking, platform
from consigne.doors.desk.pages.shown import page, wording
from consigne.doors.desk.pages.told_findings import access_told, finding_told
from consigne.doors.desk.pages.told_history import history_told
from consigne.doors.desk.session import PageReader, check_form
from consigne.doors.desk.text import TEXTS
from consigne.rules.access import Denied, Verb
from consigne.rules.errors import BadInput
from consigne.rules.findings import FindingKind

router = APIRouter()
SHOWN = 50
ACCESSES_SHOWN = 20
PageNumber = Annotated[int, Query(alias="page", ge=1, le=100_000)]
Typed = Annotated[str, Form()]


@router.get("/findings")
def findings(
    request: Request, reader: PageReader, page_number: PageNumber = 1, closed: bool = False
) -> Response:
    """What is open, what asks for a person first; or what was closed."""
    with looking(request) as look:
        check(look, reader.actor, Verb.SEE_FINDINGS)
        found = views_findings.listed(look.tx, not closed, (page_number - 1) * SHOWN, SHOWN + 1)
        last = views_findings.last_run(look.tx)
    words = wording(request, look.policy.zone)
    return page(
        request,
        "findings.html",
        words,
        findings=[finding_told(words, look.policy, one) for one in found[:SHOWN]],
        closed=closed,
        last=words.moment(last) if last else "",
        number=page_number,
        more=len(found) > SHOWN,
    )


@router.get("/findings/{id}")
def finding(request: Request, reader: PageReader, id: UUID) -> Response:
    """One finding, its history, and the form for those who may answer."""
    return _shown(request, reader, id, {})


@router.post("/findings/{id}")
def answer(
    request: Request,
    reader: PageReader,
    id: UUID,
    token: Annotated[str, Form()],
    answer: Typed = "",
    reason: Typed = "",
) -> Response:
    """Close it with a word."""
    check_form(request, token)
    form = {"answer": answer, "reason": reason}
    with looking(request) as look:
        policy = look.policy
    try:
        done = answer_finding(platform(request, "decide"), policy, reader.actor, id, answer, reason)
    except BadInput as fault:
        return _shown(request, reader, id, form, fault.where, fault.code, 400)
    if isinstance(done, Denied):
        if done.code == "unknown_finding":
            raise HTTPException(404)
        if done.code != "finding_closed":
            raise HTTPException(403, done.code)
        return _shown(request, reader, id, form, "", done.code, 409)
    return RedirectResponse(f"{request.scope['root_path']}/findings/{id}", 303)


def _shown(
    request: Request,
    reader: PageReader,
    id: UUID,
    form: Mapping[str, str],
    wrong_field: str = "",
    code: str = "",
    status: int = 200,
) -> Response:
    with looking(request) as look:
        check(look, reader.actor, Verb.SEE_FINDINGS)
        row = views_findings.one(look.tx, id)
        if row is None:
            raise HTTPException(404)
        explained = _explained(request, look, row)
        accesses, count = views_findings.accesses_of(look.tx, id, ACCESSES_SHOWN)
        entries = views.history(look.tx, [id])
    words = wording(request, look.policy.zone)
    keys = (f"findings.wrong.{code}", f"findings.wrong.{wrong_field}", "why.other")
    return page(
        request,
        "finding.html",
        words,
        status,
        f=finding_told(words, look.policy, row),
        accesses=[access_told(words, one) for one in accesses],
        count=count,
        explained=words.moment(explained) if explained else "",
        lines=history_told(words, look.policy, entries, reasons=True),
        may_answer=allows(look, reader.actor, Verb.ANSWER_FINDING),
        wrong=words.say(next(key for key in keys if key in TEXTS)) if code else "",
        wrong_field=wrong_field,
        form={"answer": "", "reason": "", **form},
    )


def _explained(request: Request, look: Look, row: Mapping[str, Any]) -> datetime | None:
    if row["kind"] != FindingKind.MOVED_DUE_DATE or row["state"] != "open":
        return None
    return explained_end(platform(request, "read"), look.tx, row["artifact"])
