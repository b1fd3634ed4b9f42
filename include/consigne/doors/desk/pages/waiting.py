"""*Waiting for me*, and the reader's choice of language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from consigne.adapters.catalog import views
from consigne.doors.desk.pages.looking import Look, looking
from consigne.doors.desk.pages.shown import LANGUAGE_COOKIE, page, wording
from consigne.doors.desk.pages.told import request_told
from consigne.doors.desk.session import PageReader, check_form, page_reader
from consigne.doors.desk.text import LANGUAGES
from consigne.rules.access import Allowed, Denied, Target, Verb, may
from consigne.rules.errors import BadInput
from consigne.rules.values import Actor

router = APIRouter()
_YEAR_S = 365 * 86_400
SHOWN = 200
ASKED_SHOWN = 20


@router.get("/")
def waiting(request: Request, reader: PageReader) -> Response:
    """Pending requests that the reader may decide, weightiest consequence first; and what they asked for."""
    with looking(request) as look:
        pending = views.waiting(look.tx, look.now)
        asked = views.asked_by(look.tx, reader.actor.user, ASKED_SHOWN)
    words = wording(request, look.policy.zone)
    mine = [one for one in pending if isinstance(may_decide(look, reader.actor, one), Allowed)]
    decides = isinstance(may(look.policy, reader.actor, Verb.DECIDE, Target(), None, look.now), Allowed)
    return page(
        request,
        "waiting.html",
        words,
        decides=decides,
        asks=bool(asked) or not decides,
        to_decide=[request_told(words, look.policy, look.now, one) for one in mine[:SHOWN]],
        left_out=len(mine) > SHOWN,
        asked=[request_told(words, look.policy, look.now, one) for one in asked],
    )


def may_decide(look: Look, actor: Actor, request: Mapping[str, Any]) -> Allowed | Denied:
    """Whether the reader may decide on a request: on every purpose that it touches."""
    for purpose in {item["purpose"] for item in request["items"]}:
        target = Target(purpose=purpose, requester=request["requester"])
        verdict = may(look.policy, actor, Verb.DECIDE, target, None, look.now)
        if isinstance(verdict, Denied):
            return verdict
    return Allowed()


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
