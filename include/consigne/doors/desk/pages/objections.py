"""*Objections*: those that hold, and withdrawing one."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Form, HTTPException, Query, Request, Response
from fastapi.responses import RedirectResponse

from consigne.acts.object import withdraw, withdraw_of_caller
from consigne.adapters.catalog import views_people
from consigne.doors.desk.pages.looking import allows, check, looking, platform
from consigne.doors.desk.pages.shown import page, wording
from consigne.doors.desk.session import PageReader, Reader, check_form
from consigne.doors.desk.words import Wording
from consigne.rules.access import Denied, Verb
from consigne.rules.errors import BadInput
from consigne.rules.policy.model import Policy
from consigne.rules.values import Private

router = APIRouter()
SHOWN = 50
Told = dict[str, Any]


@router.get("/objections")
def objections(
    request: Request,
    reader: PageReader,
    page_number: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1,
    withdrawn: int | None = None,
) -> Response:
    """All of them, the newest first, without any number."""
    return _shown(request, reader, page_number, {"withdrawn": withdrawn})


@router.post("/objections/{id}/withdraw")
def withdraw_one(request: Request, reader: PageReader, id: UUID, token: Annotated[str, Form()]) -> Response:
    """The caller took it back; the DPO says so."""
    check_form(request, token)
    with looking(request) as look:
        policy = look.policy
    ended = withdraw(platform(request, "decide"), policy, reader.actor, id)
    if isinstance(ended, Denied):
        raise HTTPException(403)
    return RedirectResponse(f"{request.scope['root_path']}/objections?withdrawn={len(ended)}", 303)


@router.post("/objections/withdraw")
def withdraw_by_number(
    request: Request,
    reader: PageReader,
    token: Annotated[str, Form()],
    caller: Annotated[str, Form()] = "",
    queue: Annotated[str, Form()] = "",
) -> Response:
    """All that a caller objected to, by the number; back to the queue's rules where an adviser came from them."""
    check_form(request, token)
    with looking(request) as look:
        policy = look.policy
    try:
        ended = withdraw_of_caller(platform(request, "decide"), policy, reader.actor, Private(caller))
    except BadInput as fault:
        if queue:
            raise
        return _shown(request, reader, 1, {"wrong_field": fault.where, "caller": caller}, 400)
    if isinstance(ended, Denied):
        raise HTTPException(403)
    base = request.scope["root_path"]
    path = f"{base}/rules/{quote(queue, safe='')}" if queue else f"{base}/objections"
    return RedirectResponse(f"{path}?withdrawn={len(ended)}", 303)


def _shown(request: Request, reader: Reader, number: int, outcome: Told, status: int = 200) -> Response:
    with looking(request) as look:
        check(look, reader.actor, Verb.SEE_OBJECTIONS)
        withdraws = allows(look, reader.actor, Verb.OBJECT)
        found = views_people.objections(look.tx, (number - 1) * SHOWN, SHOWN + 1)
    words, withdrawn = wording(request, look.policy.zone), outcome.get("withdrawn")
    wrong_field = outcome.get("wrong_field", "")
    return page(
        request,
        "objections.html",
        words,
        status,
        found=[objection_told(words, look.policy, one) for one in found[:SHOWN]],
        number=number,
        more=len(found) > SHOWN,
        withdraws=withdraws,
        done=words.say("withdraw.done", count=withdrawn) if withdrawn is not None else "",
        wrong=words.say(f"object.wrong.{wrong_field}") if wrong_field else "",
        caller=outcome.get("caller", ""),
    )


def objection_told(words: Wording, policy: Policy, one: Told) -> Told:
    """One row in the reader's words."""
    titles = {name: purpose.title.get(words.language, name) for name, purpose in policy.purposes.items()}
    named = ", ".join(titles.get(name, name) for name in one["purposes"])
    if one["withdrawn_at"]:
        taken_back = {"at": words.moment(one["withdrawn_at"]), "user": one["withdrawn_by"]}
        state = words.say("objections.withdrawn", **taken_back)
    else:
        state = words.say("objections.stands" if one["stands"] else "objections.this_call")
    by_source = one["recorded_by"] == "consigne"
    unknown = words.say("objections.call_unknown") if one["of_call"] else ""
    return {
        "id": one["id"],
        "at": words.moment(one["objected_at"]),
        "purposes": named or words.say("objections.all"),
        "alternative": words.label("alternative", one["alternative"]) if one["alternative"] else "",
        "by": words.say("objections.source") if by_source else one["recorded_by"],
        "call": one["source_id"] or unknown,
        "recording": one["recording"],
        "stands": one["stands"],
        "state": state,
    }
