"""*Rules for advisers*: what is recorded and why, in plain words; and "the caller objects"."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from consigne.acts.object import Spoken, object_to
from consigne.adapters.catalog import views_people
from consigne.doors.desk.pages.looking import allows, check, looking, platform
from consigne.doors.desk.pages.shown import page, wording
from consigne.doors.desk.session import PageReader, Reader, check_form
from consigne.doors.desk.words import Wording
from consigne.rules.access import Denied, Verb
from consigne.rules.errors import BadInput
from consigne.rules.notice_words import chosen_in_words, length_in_words
from consigne.rules.notices import basis, by_choice_and_by_law, kept_in_words, served, spoken
from consigne.rules.objections import ALTERNATIVES
from consigne.rules.policy.model import Policy, Purpose
from consigne.rules.values import Private

router = APIRouter()
Told = dict[str, Any]


@router.get("/rules")
def rules(request: Request, reader: PageReader) -> Response:
    """The queues, with what each one's calls are recorded for."""
    with looking(request) as look:
        check(look, reader.actor, Verb.READ_POLICY)
    words = wording(request, look.policy.zone)
    queues = [
        {"name": queue, "purposes": [_title(words, one) for one in served(look.policy, queue)]}
        for queue in look.policy.routing
    ]
    return page(request, "rules.html", words, queues=queues)


@router.get("/rules/{queue}")
def rules_of(
    request: Request,
    reader: PageReader,
    queue: str,
    recorded: UUID | None = None,
    withdrawn: int | None = None,
) -> Response:
    """One queue's rules, and the form where the reader may record an objection."""
    with looking(request) as look:
        known = views_people.objection(look.tx, recorded) if recorded else None
    words = wording(request, look.policy.zone)
    done = words.say("object.done", short=str(recorded)[:8]) if known else ""
    done = words.say("withdraw.done", count=withdrawn) if withdrawn is not None else done
    return _shown(request, reader, queue, {"done": done})


@router.post("/rules/{queue}/object")
def caller_objects(
    request: Request,
    reader: PageReader,
    queue: str,
    token: Annotated[str, Form()],
    call: Annotated[str, Form()] = "",
    source: Annotated[str, Form()] = "",
    caller: Annotated[str, Form()] = "",
    purpose: Annotated[list[str], Form()] = [],  # noqa: B006 - FastAPI copies it
    alternative: Annotated[str, Form()] = "",
) -> Response:
    """Record an objection. 403 for others, and their attempt is in the register."""
    check_form(request, token)
    with looking(request) as look:
        policy = look.policy
    said = Spoken(call, source, Private(caller), tuple(purpose), alternative)
    try:
        made = object_to(platform(request, "decide"), policy, reader.actor, said)
    except BadInput as fault:
        form = {"call": call, "source": source, "caller": caller, "purposes": purpose}
        typed = {"form": form | {"alternative": alternative}, "wrong_field": fault.where}
        return _shown(request, reader, queue, typed, 400)
    if isinstance(made, Denied):
        raise HTTPException(403)
    path = f"{request.scope['root_path']}/rules/{quote(queue, safe='')}"
    return RedirectResponse(f"{path}?recorded={made.id}", 303)


def _shown(request: Request, reader: Reader, queue: str, outcome: Told, status: int = 200) -> Response:
    with looking(request) as look:
        check(look, reader.actor, Verb.READ_POLICY)
        objects = allows(look, reader.actor, Verb.OBJECT)
    if queue not in look.policy.routing:
        raise HTTPException(404)
    words, told = wording(request, look.policy.zone), served(look.policy, queue)
    source = platform(request, "read").intake.source
    first = {"call": "", "source": source, "caller": "", "purposes": [], "alternative": ALTERNATIVES[0]}
    wrong_field = outcome.get("wrong_field", "")
    return page(
        request,
        "rules_queue.html",
        words,
        status,
        queue=queue,
        notices=_heard(words, look.policy, told),
        purposes=[_purpose(words, one) for one in told],
        **_rights(words, told),
        contact=look.policy.controller.contact,
        alternatives=ALTERNATIVES,
        objects=objects,
        form=outcome.get("form", first),
        wrong_field=wrong_field,
        wrong=words.say(f"object.wrong.{wrong_field}") if wrong_field else "",
        done=outcome.get("done", ""),
    )


def _heard(words: Wording, policy: Policy, told: list[Purpose]) -> list[Told]:
    """What is said at the start, by each notice that covers one of the purposes."""
    found = []
    for version, notice in policy.notices.items():
        covered = [one for one in told if one.name in notice.covers]
        if covered:
            lines = spoken(policy, version, covered, words.language)
            within = length_in_words(notice.announced_within, words.language)
            found.append({"version": version, "within": within, "lines": lines})
    return found


def _rights(words: Wording, told: list[Purpose]) -> Told:
    """What is said of objecting, and whether there is anything to object to."""
    free, demanded = by_choice_and_by_law(told)
    names = {
        "purposes": ", ".join(_title(words, one) for one in free),
        "demanded": ", ".join(_title(words, one) for one in demanded),
    }
    key = "rights_object" if not demanded else "rights_object_to" if free else "rights_none"
    return {"may_object": bool(free) or not demanded, "right": words.say(f"rules.{key}", **names)}


def _purpose(words: Wording, purpose: Purpose) -> Told:
    listeners = [
        words.say(
            "rules.listener",
            role=words.label("role", role),
            reasons=", ".join(words.label("reason", reason) for reason in reasons),
        )
        for role, reasons in purpose.listeners.items()
    ]
    return {
        "name": purpose.name,
        "title": _title(words, purpose),
        "law": purpose.legal_text or "",
        "basis": basis(purpose, words.language),
        "chosen": chosen_in_words(purpose, words.language),
        "kept": kept_in_words(purpose, words.language),
        "listeners": listeners,
    }


def _title(words: Wording, purpose: Purpose) -> str:
    return purpose.title.get(words.language) or purpose.name
