"""*Decide*: one page that is enough, for the owner's word of necessity and for the decision itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from starlette.background import BackgroundTask

from consigne.acts.decide import answer_request
from consigne.acts.necessity import state_necessity
from consigne.acts.repurpose import movables
from consigne.adapters.catalog import views
from consigne.doors.desk.pages.looking import Look, looking, platform
from consigne.doors.desk.pages.seat import Seat, seat_of
from consigne.doors.desk.pages.shown import page, wording
from consigne.doors.desk.pages.told import (
    Told,
    earlier_told,
    recordings_told,
    request_told,
)
from consigne.doors.desk.pages.told_attempts import attempts_told
from consigne.doors.desk.pages.told_decide import awaited_told, moves_told, opinions_told, outcome_told
from consigne.doors.desk.pages.until import read_until, write_until
from consigne.doors.desk.session import PageReader, Reader, check_form
from consigne.doors.desk.text import TEXTS
from consigne.doors.desk.words import Wording
from consigne.doors.orchestration.decisions import answer_airflow
from consigne.rules.access import Denied, Verb, seen_purposes
from consigne.rules.errors import BadInput
from consigne.rules.request import Answer

router = APIRouter()
STATED = {"necessary": True, "not_necessary": False}


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that was not taken: what was typed, why (a code of the texts' `why.`), the page's status, and
    whether the register has it already."""

    form: dict[str, str]
    why: str
    status: int
    registered: bool = False

    @property
    def seat(self) -> Seat:
        """Whose answer it was to be."""
        return Seat.STATE if self.form["answer"] in STATED else Seat.DECIDE


@router.get("/decide/{id}")
def decide(request: Request, reader: PageReader, id: UUID) -> Response:
    """The request with all that a decision needs: for who decides, an owner who is asked, and, without a form, who
    asked. 403 for others, and their attempt is in the register."""
    return _shown(request, reader, id)


@router.post("/decide/{id}")
def record(
    request: Request,
    reader: PageReader,
    id: UUID,
    token: Annotated[str, Form()],
    digest: Annotated[str, Form()] = "",
    answer: Annotated[str, Form()] = "",
    until: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
    purpose: Annotated[str, Form()] = "",
) -> Response:
    """Record the owner's word, or the decision and, once it is committed, have Airflow answered. Sent twice, it
    counts once."""
    check_form(request, token)
    form = {"answer": answer, "until": until, "reason": reason, "digest": digest, "purpose": purpose}
    try:
        verdict = _record(request, reader, id, form)
    except BadInput as fault:
        why = fault.code if f"why.{fault.code}" in TEXTS else fault.where
        return _shown(request, reader, id, Refusal(form, why, 400))
    if isinstance(verdict, Denied):
        return _shown(request, reader, id, Refusal(form, verdict.code, 409, registered=True))
    path = f"{request.scope['root_path']}/decide/{id}"
    return RedirectResponse(path, 303, background=BackgroundTask(answer_airflow, id))


def _record(request: Request, reader: Reader, id: UUID, form: dict[str, str]) -> object:
    with looking(request) as look:
        asked = views.request(look.tx, id)
    parts, policy, actor = platform(request, "decide"), look.policy, reader.actor
    if form["answer"] in STATED:
        said = STATED[form["answer"]]
        return state_necessity(parts, policy, actor, id, form["digest"], said, form["reason"])
    if form["answer"] not in {one.value for one in Answer}:
        raise BadInput("bad_field", "answer")
    chosen, zone = Answer(form["answer"]), policy.zone
    as_asked = asked is not None and form["until"] == write_until(asked["until"], zone)[1]
    extends = chosen in (Answer.EXTEND, Answer.EXTEND_AND_RESTRICT)
    until = read_until(form["until"], zone) if extends and not as_asked else None
    given = chosen, until, form["reason"], form["purpose"] or None
    return answer_request(parts, policy, actor, id, form["digest"], *given)


def _shown(request: Request, reader: Reader, id: UUID, refusal: Refusal | None = None) -> Response:
    with looking(request) as look:
        asked = views.request(look.tx, id)
        if asked is None:
            raise HTTPException(404)
        seat = seat_of(look, reader.actor, asked)
        artifacts = [item["artifact"] for item in asked["items"]]
        earlier = [one for one in views.decisions_on(look.tx, artifacts) if one["request"] != id]
        heard = views.history(look.tx, list({item["recording"] for item in asked["items"]}))
        if seat is not Seat.DECIDE:  # who listens for other purposes is not theirs to see
            seen = seen_purposes(look.policy, reader.actor, Verb.SEE_RECORDINGS)
            heard = [entry for entry in heard if seen is None or entry.get("purpose") in seen]
        history = views.history(look.tx, [id])
        moving = movables(platform(request, "read"), look.tx, artifacts) if seat is Seat.DECIDE else []
    if isinstance(seat, Denied) or (refusal and seat is not refusal.seat):
        if not (refusal and refusal.registered):
            _register_attempt(request, reader, id, seat.code if isinstance(seat, Denied) else "not_yours")
        raise HTTPException(403)
    words = wording(request, look.policy.zone)
    told = _told(words, look, asked, heard)
    return page(
        request,
        "decide.html",
        words,
        refusal.status if refusal else 200,
        r=told,
        form=form_values(look, asked, refusal.form if refusal else {}),
        trouble=_why(words, refusal.why) if refusal else "",
        asks=_asks(seat, reader, asked, told),
        moves=moves_told(words, look, reader.actor, moving),
        outcome=outcome_told(words, look, asked, history),
        earlier=earlier_told(words, earlier),
        attempts=attempts_told(words, history),
    )


def _register_attempt(request: Request, reader: Reader, id: UUID, code: str) -> None:
    catalog = platform(request, "decide").catalog
    with catalog.begin() as tx:
        entry = {"subject": str(id), "code": code}
        catalog.append(tx, reader.actor.user, "decide:request:look_denied", [entry])


def _told(words: Wording, look: Look, asked: dict[str, Any], heard: Any) -> Told:
    return request_told(words, look.policy, look.now, asked) | {
        "recordings": recordings_told(words, look.policy, look.now, asked, heard),
        "why_not_less": asked["why_not_less"],
        "opinions": opinions_told(words, asked),
        "awaited": awaited_told(words, look, asked),
    }


def _asks(seat: Seat, reader: Reader, asked: dict[str, Any], told: Told) -> str:
    """Which form the page holds: `decide`, `state`, or none."""
    if not told["open"]:
        return ""
    if seat is Seat.DECIDE:
        return "" if told["awaited"] else "decide"
    spoken = {one["owner"] for one in asked["opinions"]}
    return "state" if seat is Seat.STATE and reader.actor.user not in spoken else ""


def form_values(look: Look, asked: dict[str, Any], form: dict[str, str]) -> dict[str, str]:
    """What the form holds: first what was asked, then what the reader had typed."""
    kind, until = write_until(asked["until"], look.policy.zone)
    first = {"answer": "", "until": until, "reason": "", "purpose": ""}
    # Always the request as shown: after a change the reader reads it again before answering.
    return first | form | {"digest": asked["digest"], "until_type": kind, "until_max": until}


def _why(words: Wording, why: str) -> str:
    known = (key for key in (f"why.{why}", f"move.{why}") if key in TEXTS)
    return words.say(next(known, "why.other"))
