"""*Volume*: what exceeds the forecast, and the DPO's word on it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from starlette.background import BackgroundTask

from consigne.acts.volume import answer_volume, deny_confirmation
from consigne.adapters.catalog import views, views_volumes
from consigne.doors.desk.pages.looking import allows, check, looking, platform
from consigne.doors.desk.pages.shown import page, wording
from consigne.doors.desk.pages.told_history import history_told
from consigne.doors.desk.pages.told_volumes import (
    choices_told,
    examples_told,
    measured_told,
    volume_told,
    why_told,
)
from consigne.doors.desk.session import PageReader, Reader, check_form
from consigne.doors.desk.text import TEXTS
from consigne.doors.orchestration.decisions import VOLUME, answer_airflow
from consigne.rules.access import Allowed, Denied, Target, Verb, may
from consigne.rules.clock import parse_day
from consigne.rules.errors import BadInput
from consigne.rules.volume import VolumeAnswer, Word

router = APIRouter()
EXAMPLES_SHOWN = 12
STALE = ("digest_differs", "already_decided", "lapsed", "past_cap")
"""Denials that somebody who may answer is told on the page; all others are 403."""


@router.get("/volumes/{id}")
def volume(request: Request, reader: PageReader, id: UUID) -> Response:
    """A volume with all that an answer needs; the form for those who may give it."""
    return _page(request, reader, id, {})


@router.post("/volumes/{id}")
def answer(
    request: Request,
    reader: PageReader,
    id: UUID,
    token: Annotated[str, Form()],
    digest: Annotated[str, Form()] = "",
    answer: Annotated[str, Form()] = "",
    until: Annotated[str, Form()] = "",
    ground: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Record the answer and, once it is committed, have Airflow answered. Sent twice, it counts once."""
    check_form(request, token)
    form = {"answer": answer, "until": until, "ground": ground, "reason": reason}
    parts = platform(request, "decide")
    if denied := deny_confirmation(parts, reader.actor, id):
        raise HTTPException(404 if denied.code == "unknown_volume" else 403)
    try:
        said = _said(form)
        decided = answer_volume(parts, reader.actor, id, digest, said)
    except BadInput as fault:
        return _page(request, reader, id, form, fault.code, fault.where, 400)
    if isinstance(decided, Denied):
        if decided.code not in STALE:
            raise HTTPException(403)
        return _page(request, reader, id, form, decided.code, status=409)
    path = f"{request.scope['root_path']}/volumes/{id}"
    return RedirectResponse(path, 303, background=BackgroundTask(answer_airflow, id, VOLUME))


def _said(form: dict[str, str]) -> Word:
    if form["answer"] not in tuple(VolumeAnswer):
        raise BadInput("bad_field", "answer")
    answer = VolumeAnswer(form["answer"])
    if answer is VolumeAnswer.DELETE:
        return Word(answer, form["reason"])
    try:
        day = parse_day(form["until"])
    except BadInput:
        raise BadInput("bad_field", "until") from None
    return Word(answer, form["reason"], day, form["ground"])


def _page(
    request: Request, reader: Reader, id: UUID, form: dict[str, str], wrong: str = "", field: str = "",
    status: int = 200,
) -> Response:  # fmt: skip
    with looking(request) as look:
        check(look, reader.actor, Verb.SEE_DESTRUCTION)
        found = views_volumes.volume(look.tx, id, look.policy.zone)
        if found is None:
            raise HTTPException(404)
        sees_calls = allows(look, reader.actor, Verb.SEE_RECORDINGS)
        calls = views_volumes.examples(look.tx, id, EXAMPLES_SHOWN) if sees_calls else []
        sees_register = allows(look, reader.actor, Verb.SEE_REGISTER)
        entries = views.history(look.tx, [id]) if sees_register else []
    words = wording(request, look.policy.zone)
    told = volume_told(words, look.policy, look.now, found)
    targets = (Target(purpose=purpose) for purpose in found["counts"])
    verdicts = (may(look.policy, reader.actor, Verb.CONFIRM_VOLUME, one, None, look.now) for one in targets)
    key = f"volume.why_not.{wrong}.{field}" if wrong == "bad_field" else f"volume.why_not.{wrong}"
    return page(
        request,
        "volume.html",
        words,
        status,
        v=told,
        lines=measured_told(words, look.policy, found),
        whys=why_told(words, found),
        foretold=words.moment(found["forecast"]["made_at"]) if found["forecast"] else "",
        calls=examples_told(words, calls),
        sees_calls=sees_calls,
        answers=told["open"] and all(isinstance(verdict, Allowed) for verdict in verdicts),
        wrong=words.say(key if key in TEXTS else "volume.why_not.other") if wrong else "",
        wrong_field=field,
        form={"answer": "", "until": "", "ground": "", "reason": ""} | form,
        sees_register=sees_register,
        history=history_told(words, look.policy, entries, reasons=False),
        **choices_told(words, look.policy, look.now, found["counts"]),
    )
