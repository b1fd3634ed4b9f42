"""*Decide*: one page that is enough, and the decision itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from starlette.background import BackgroundTask

from consigne.acts.decide import answer_request
from consigne.adapters.catalog import views
from consigne.doors.desk.pages.looking import Look, looking, platform
from consigne.doors.desk.pages.shown import page, wording
from consigne.doors.desk.pages.told import (
    Told,
    attempts_told,
    earlier_told,
    outcome_line,
    recordings_told,
    request_told,
)
from consigne.doors.desk.pages.until import read_until, write_until
from consigne.doors.desk.pages.waiting import may_decide
from consigne.doors.desk.session import PageReader, Reader, check_form
from consigne.doors.desk.text import TEXTS
from consigne.doors.desk.words import Wording
from consigne.doors.orchestration.decisions import answer_airflow
from consigne.rules.access import Denied
from consigne.rules.errors import BadInput
from consigne.rules.request import Answer

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that was not taken: what was typed, why (a code of the texts' `why.`), the page's status, and
    whether the register has it already."""

    form: dict[str, str]
    why: str
    status: int
    registered: bool = False


@router.get("/decide/{id}")
def decide(request: Request, reader: PageReader, id: UUID) -> Response:
    """The request with all that a decision needs. 403 for others, and their attempt is in the register."""
    return _shown(request, reader, id)


@router.post("/decide/{id}")
def record(
    request: Request,
    reader: PageReader,
    id: UUID,
    token: Annotated[str, Form()],
    digest: Annotated[str, Form()],
    answer: Annotated[str, Form()] = "",
    until: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Record the decision and, once it is committed, have Airflow answered. Sent twice, it counts once."""
    check_form(request, token)
    form = {"answer": answer, "until": until, "reason": reason, "digest": digest}
    try:
        verdict = _record(request, reader, id, form)
    except BadInput as fault:
        return _shown(request, reader, id, Refusal(form, fault.where, 400))
    if isinstance(verdict, Denied):
        return _shown(request, reader, id, Refusal(form, verdict.code, 409, registered=True))
    path = f"{request.scope['root_path']}/decide/{id}"
    return RedirectResponse(path, 303, background=BackgroundTask(answer_airflow, id))


def _record(request: Request, reader: Reader, id: UUID, form: dict[str, str]) -> object:
    if form["answer"] not in {one.value for one in Answer}:
        raise BadInput("bad_field", "answer")
    with looking(request) as look:
        asked = views.request(look.tx, id)
    chosen, zone = Answer(form["answer"]), look.policy.zone
    as_asked = asked is not None and form["until"] == write_until(asked["until"], zone)[1]
    until = None if chosen is Answer.REFUSE or as_asked else read_until(form["until"], zone)
    parts, said = platform(request, "decide"), (chosen, until, form["reason"])
    return answer_request(parts, look.policy, reader.actor, id, form["digest"], *said)


def _shown(request: Request, reader: Reader, id: UUID, refusal: Refusal | None = None) -> Response:
    with looking(request) as look:
        asked = views.request(look.tx, id)
        if asked is None:
            raise HTTPException(404)
        verdict = may_decide(look, reader.actor, asked)
        artifacts = [item["artifact"] for item in asked["items"]]
        earlier = [one for one in views.decisions_on(look.tx, artifacts) if one["request"] != id]
        heard = views.history(look.tx, list({item["recording"] for item in asked["items"]}))
        attempts = views.history(look.tx, [id])
    if isinstance(verdict, Denied):
        if not (refusal and refusal.registered):
            _register_attempt(request, reader, id, verdict)
        raise HTTPException(403)
    words = wording(request, look.policy.zone)
    return page(
        request,
        "decide.html",
        words,
        refusal.status if refusal else 200,
        r=_told(words, look, asked, heard),
        form=form_values(look, asked, refusal.form if refusal else {}),
        trouble=_why(words, refusal.why) if refusal else "",
        outcome=_outcome(words, asked),
        earlier=earlier_told(words, earlier),
        attempts=attempts_told(words, attempts),
    )


def _register_attempt(request: Request, reader: Reader, id: UUID, verdict: Denied) -> None:
    catalog = platform(request, "decide").catalog
    with catalog.begin() as tx:
        entry = {"subject": str(id), "code": verdict.code}
        catalog.append(tx, reader.actor.user, "decide:request:look_denied", [entry])


def _told(words: Wording, look: Look, asked: dict[str, Any], heard: Any) -> Told:
    recordings = recordings_told(words, look.policy, look.now, asked, heard)
    return request_told(words, look.policy, look.now, asked) | {"recordings": recordings}


def form_values(look: Look, asked: dict[str, Any], form: dict[str, str]) -> dict[str, str]:
    """What the form holds: first what was asked, then what the reader had typed."""
    kind, until = write_until(asked["until"], look.policy.zone)
    first = {"answer": "", "until": until, "reason": ""}
    # Always the request as shown: after a change the reader reads it again before answering.
    return first | form | {"digest": asked["digest"], "until_type": kind, "until_max": until}


def _why(words: Wording, why: str) -> str:
    key = f"why.{why}"
    return words.say(key if key in TEXTS else "why.other")


def _outcome(words: Wording, asked: dict[str, Any]) -> Told | None:
    if asked["answer"] is None:
        return None
    refused = asked["answer"] == Answer.REFUSE
    applied = asked["applied_at"]
    after = "outcome.refused" if refused else "outcome.applied" if applied else "outcome.applying"
    return {
        "line": outcome_line(words, asked),
        "until": "" if refused else words.say("outcome.until", until=words.moment(asked["decided_until"])),
        "after": words.say(after, at=words.moment(applied) if applied else ""),
        "reason": asked["decided_reason"],
    }
