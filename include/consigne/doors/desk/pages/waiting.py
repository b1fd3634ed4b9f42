"""*Waiting for me*, and the reader's choice of language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from consigne.adapters.catalog import (
    views,
    views_findings,
    views_holds,
    views_losses,
    views_policy,
    views_volumes,
)
from consigne.adapters.catalog.views_attempts import attempts
from consigne.doors.desk.pages.looking import Look, allows, looking
from consigne.doors.desk.pages.seat import Seat, seat_of
from consigne.doors.desk.pages.shown import LANGUAGE_COOKIE, page, wording
from consigne.doors.desk.pages.told import Told, request_told
from consigne.doors.desk.pages.told_attempts import attempts_listed
from consigne.doors.desk.pages.told_exceptions import waits_told
from consigne.doors.desk.pages.told_gap import gap_told
from consigne.doors.desk.pages.told_volumes import volume_told
from consigne.doors.desk.session import PageReader, check_form, page_reader
from consigne.doors.desk.text import LANGUAGES
from consigne.doors.desk.words import Wording
from consigne.rules.access import Verb
from consigne.rules.errors import BadInput
from consigne.rules.request import owners_awaited
from consigne.rules.values import Actor

Asked = Mapping[str, Any]
"""A request as the views give it."""

router = APIRouter()
_YEAR_S = 365 * 86_400
SHOWN = 200
ASKED_SHOWN = 20
ATTEMPTS_SHOWN = 50
ATTEMPTS_FOR = timedelta(days=30)


@router.get("/")
def waiting(request: Request, reader: PageReader) -> Response:
    """What waits for the reader's word, the weightiest consequence of silence first; and what they asked for."""
    with looking(request) as look:
        decides = allows(look, reader.actor, Verb.DECIDE)
        pending = views.waiting(look.tx, look.now)
        asked = views.asked_by(look.tx, reader.actor.user, ASKED_SHOWN)
        holds = views_holds.to_review(look.tx, look.now) if allows(look, reader.actor, Verb.HOLD) else []
        drafts = (
            views_policy.waiting_drafts(look.tx, look.now) if allows(look, reader.actor, Verb.VISA) else []
        )
        confirms = allows(look, reader.actor, Verb.CONFIRM_VOLUME)
        volumes = views_volumes.waiting_volumes(look.tx, look.now) if confirms else []
        findings = views_findings.waiting(look.tx) if allows(look, reader.actor, Verb.ANSWER_FINDING) else 0
        lost = views_losses.lost_last(look.tx) if allows(look, reader.actor, Verb.SEE_FINDINGS) else None
        tried = attempts(look.tx, look.now - ATTEMPTS_FOR, ATTEMPTS_SHOWN) if decides else []
        words = wording(request, look.policy.zone)
        gap = gap_told(request, words, look) if allows(look, reader.actor, Verb.SEE_DESTRUCTION) else ""
    to_decide, to_state, early = _sorted_out(look, reader.actor, pending)
    return page(
        request,
        "waiting.html",
        words,
        decides=decides,
        gap=gap,
        asks=bool(asked) or not decides,
        to_decide=_told(words, look, to_decide[:SHOWN]),
        left_out=len(to_decide) > SHOWN,
        to_state=_told(words, look, to_state[:SHOWN]),
        early=_told(words, look, early[:SHOWN]),
        holds=[_hold_told(words, look, one) for one in holds],
        drafts=[_draft_told(words, look, reader.actor, one) for one in drafts],
        volumes=[_volume_told(words, look, one) for one in volumes],
        attempts=attempts_listed(words, (one for one in tried if one["actor"] != reader.actor.user)),
        asked=_told(words, look, asked),
        findings=findings,
        losses=None
        if lost is None
        else words.say("waiting.losses", count=lost["losses"], at=words.moment(lost["began_at"])),
    )


def _sorted_out(
    look: Look, actor: Actor, pending: Sequence[Asked]
) -> tuple[list[Asked], list[Asked], list[Asked]]:
    """To decide, to state necessity on, and what the reader will decide once the owners have spoken."""
    to_decide: list[Asked] = []
    to_state: list[Asked] = []
    early: list[Asked] = []
    for one in pending:
        owners = owners_awaited(look.policy, one["purposes"], [said["owner"] for said in one["opinions"]])
        if actor.user in owners:
            to_state.append(one)
        elif seat_of(look, actor, one) is Seat.DECIDE:
            (early if owners else to_decide).append(one)
    return to_decide, to_state, early


def _told(words: Wording, look: Look, requests: Sequence[Asked]) -> list[Told]:
    return [_request_told(words, look, one) for one in requests]


def _request_told(words: Wording, look: Look, one: Asked) -> Told:
    told = request_told(words, look.policy, look.now, one)
    return told | {"waits": waits_told(words, look, one) if told["open"] else ""}


def _hold_told(words: Wording, look: Look, one: Mapping[str, Any]) -> Told:
    return {
        "path": f"/holds/{one['id']}",
        "title": one["mandate"],
        "about": one["authority"],
        "is_own": False,
        "left": words.say("waiting.review_left", time=words.span(one["review_at"] - look.now)),
        "silence": words.say("waiting.hold_silence", at=words.moment(one["review_at"])),
    }


def _draft_told(words: Wording, look: Look, actor: Actor, one: Mapping[str, Any]) -> Told:
    return {
        "path": f"/policy/drafts/{one['id']}",
        "title": one["version"],
        "about": words.say("waiting.drafted", user=one["author"], at=words.moment(one["in_force_from"])),
        "is_own": one["author"] == actor.user,
        "left": words.say("left", time=words.span(one["lapses_at"] - look.now)),
        "silence": words.say("waiting.draft_silence", at=words.moment(one["lapses_at"])),
    }


def _volume_told(words: Wording, look: Look, one: Mapping[str, Any]) -> Told:
    told = volume_told(words, look.policy, look.now, one)
    return {
        "path": f"/volumes/{one['id']}",
        "title": words.say("waiting.volume_title", count=told["total"]),
        "about": told["purposes"],
        "is_own": False,
        "left": told["left"],
        "silence": words.say("waiting.volume_silence", at=told["lapses"]),
    }


@router.post("/language", dependencies=[Depends(page_reader)])
def language(
    request: Request,
    token: Annotated[str, Form()],
    language: Annotated[str, Form()],
    back: Annotated[str, Form()] = "/",
) -> Response:
    """Keep the reader's choice in a cookie, and go back to a page of the desk."""
    check_form(request, token)
    if language not in LANGUAGES:
        raise BadInput("bad_field", "language")
    base = request.scope["root_path"]
    answer = RedirectResponse(base + back if back.startswith("/") else f"{base}/", 303)
    kept = {"max_age": _YEAR_S, "path": base, "secure": request.url.scheme == "https"}
    answer.set_cookie(LANGUAGE_COOKIE, language, **kept, httponly=True, samesite="lax")
    return answer
