"""*Holds*: place, confirm, lift, and what each one keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, HTTPException, Query, Request, Response
from fastapi.responses import RedirectResponse
from starlette.background import BackgroundTask

from consigne.acts.held import CHUNK, keep_up
from consigne.acts.hold import Mandate, confirm_hold, lift_hold, note_denied, place_hold
from consigne.acts.journey import Platform
from consigne.adapters.catalog import views, views_holds
from consigne.doors.desk.pages.looking import Look, allows, check, looking, platform
from consigne.doors.desk.pages.shown import page, wording
from consigne.doors.desk.pages.told_history import history_told
from consigne.doors.desk.pages.told_holds import caught_told, hold_told
from consigne.doors.desk.pages.until import read_until
from consigne.doors.desk.session import PageReader, Reader, check_form
from consigne.doors.desk.text import TEXTS
from consigne.doors.desk.words import Wording
from consigne.rules.access import Denied, Verb
from consigne.rules.clock import add, local_date, midnight_of, parse_day
from consigne.rules.errors import BadInput, ConsigneError
from consigne.rules.hold import LONGEST_REVIEW, Hold
from consigne.rules.policy.model import Policy
from consigne.rules.values import Private

router = APIRouter()
SHOWN = 50
FIELDS = ("mandate", "authority", "reason", "review", "recording", "agent", "since", "until", "restrict")
"""What the form keeps when it was refused. A caller's number is typed again: it is shown nowhere."""

PageNumber = Annotated[int, Query(alias="page", ge=1, le=100_000)]
Typed = Annotated[str, Form()]


@dataclass(frozen=True, slots=True)
class Refusal:
    """What was not done: the act, why (a code), the field if any, what was typed, and the page's status."""

    act: str
    code: str
    where: str
    form: Mapping[str, str] = field(default_factory=dict)
    status: int = 400


@router.get("/holds")
def holds(request: Request, reader: PageReader, page_number: PageNumber = 1) -> Response:
    """Those that are open first, soonest to be reviewed."""
    with looking(request) as look:
        check(look, reader.actor, Verb.SEE_HOLDS)
        found = views_holds.listed(look.tx, look.now, (page_number - 1) * SHOWN, SHOWN + 1)
    words = wording(request, look.policy.zone)
    told = [hold_told(words, look.now, one) for one in found[:SHOWN]]
    return page(
        request, "holds.html", words, holds=told, may_place=allows(look, reader.actor, Verb.HOLD), number=page_number,
        more=len(found) > SHOWN,
    )  # fmt: skip


@router.get("/holds/place")
def placing(request: Request, reader: PageReader, recording: UUID | None = None) -> Response:
    """The form, over a recording where one is named."""
    with looking(request) as look:
        check(look, reader.actor, Verb.HOLD)
    return _form(request, look, {"recording": str(recording)} if recording else {}, None)


@router.post("/holds/place")
def place(
    request: Request,
    reader: PageReader,
    token: Annotated[str, Form()],
    mandate: Typed = "",
    authority: Typed = "",
    reason: Typed = "",
    review: Typed = "",
    recording: Typed = "",
    caller: Typed = "",
    agent: Typed = "",
    since: Typed = "",
    until: Typed = "",
    restrict: Typed = "",
) -> Response:
    """Place it; from the commit on it keeps what fits."""
    check_form(request, token)
    look = may_act(request, reader, "place", None)
    typed = (mandate, authority, reason, review, recording, agent, since, until, restrict)
    form = dict(zip(FIELDS, typed, strict=True))
    try:
        wanted = read_mandate(form, caller, look.policy.zone)
        done = place_hold(platform(request, "decide"), look.policy, reader.actor, wanted)
    except BadInput as fault:
        return _form(request, look, form, Refusal("place", fault.code, fault.where, form))
    return _after(request, done)


@router.get("/holds/{id}")
def hold(request: Request, reader: PageReader, id: UUID, page_number: PageNumber = 1) -> Response:
    """One hold, what it caught, and its history."""
    return _shown(request, reader, id, page_number)


@router.post("/holds/{id}/confirm")
def confirm(
    request: Request,
    reader: PageReader,
    id: UUID,
    token: Annotated[str, Form()],
    review: Typed = "",
    reason: Typed = "",
) -> Response:
    """Looked at, and still needed until another date."""
    check_form(request, token)
    look, form = may_act(request, reader, "confirm", id), {"review": review, "reason": reason}
    try:
        day = read_review(review)
        done = confirm_hold(platform(request, "decide"), look.policy, reader.actor, id, day, reason)
    except BadInput as fault:
        return _shown(request, reader, id, 1, Refusal("confirm", fault.code, fault.where, form))
    if isinstance(done, Denied):
        return _not_done(request, reader, id, "confirm", done)
    return _after(request, done)


@router.post("/holds/{id}/lift")
def lift(
    request: Request, reader: PageReader, id: UUID, token: Annotated[str, Form()], reason: Typed = ""
) -> Response:
    """End it: what it kept is back on its own clock."""
    check_form(request, token)
    look = may_act(request, reader, "lift", id)
    try:
        done = lift_hold(platform(request, "decide"), look.policy, reader.actor, id, reason)
    except BadInput as fault:
        return _shown(request, reader, id, 1, Refusal("lift", fault.code, fault.where, {"reason": reason}))
    if isinstance(done, Denied):
        return _not_done(request, reader, id, "lift", done)
    return _after(request, done)


def read_mandate(form: Mapping[str, str], caller: str, zone: str) -> Mandate:
    """What was typed, on the desk or by the command line. BadInput names the field."""
    try:
        recording = UUID(form["recording"]) if form["recording"].strip() else None
    except ValueError:
        raise BadInput("unknown_recording", "recording") from None
    return Mandate(
        mandate=form["mandate"],
        authority=form["authority"],
        reason=form["reason"],
        review=read_review(form["review"]),
        recording=recording,
        caller=Private(caller) if caller.strip() else None,
        agent=form["agent"].strip() or None,
        since=_instant(form, "since", zone),
        until=_instant(form, "until", zone),
        restrict=bool(form["restrict"]),
    )


def read_review(text: str) -> date:
    """A local day; BadInput('bad_field', 'review')."""
    try:
        return parse_day(text)
    except BadInput:
        raise BadInput("bad_field", "review") from None


def _instant(form: Mapping[str, str], name: str, zone: str) -> datetime | None:
    if not form[name]:
        return None
    try:
        read = read_until(form[name], zone)
        return read if isinstance(read, datetime) else midnight_of(read, zone)
    except BadInput:
        raise BadInput("bad_field", name) from None


def take_up(parts: Platform, at_once: int) -> None:
    """Catch or release at once, so that the page shows it; what fails is the sweep's."""
    try:
        keep_up(parts, at_once)
    except ConsigneError:
        return


def _after(request: Request, done: Hold | Denied) -> Response:
    if isinstance(done, Denied):  # designated a moment ago, not any more
        raise HTTPException(403)
    parts = platform(request, "decide")
    take_up(parts, CHUNK)
    rest = BackgroundTask(take_up, parts, 20 * CHUNK)
    return RedirectResponse(f"{request.scope['root_path']}/holds/{done.id}", 303, background=rest)


def _not_done(request: Request, reader: Reader, id: UUID, act: str, denied: Denied) -> Response:
    if denied.code == "unknown_hold":
        raise HTTPException(404)
    if denied.code != "hold_over":
        raise HTTPException(403)
    return _shown(request, reader, id, 1, Refusal(act, denied.code, "", status=409))


def may_act(request: Request, reader: Reader, act: str, id: UUID | None) -> Look:
    """403 before anything typed is judged; the attempt is in the register."""
    with looking(request) as look:
        policy = look.policy
    if denied := note_denied(platform(request, "decide"), policy, reader.actor, act, id):
        raise HTTPException(403, denied.code)
    return look


def _form(request: Request, look: Look, form: Mapping[str, str], refusal: Refusal | None) -> Response:
    words = wording(request, look.policy.zone)
    return page(
        request,
        "hold_place.html",
        words,
        refusal.status if refusal else 200,
        form={**dict.fromkeys(FIELDS, ""), **form},
        wrong=_why(words, refusal),
        wrong_field=refusal.where if refusal else "",
        days=review_days(look.policy, look.now),
    )


def review_days(policy: Policy, now: datetime) -> tuple[str, str]:
    """The first and the last day that a review date may be."""
    last = local_date(add(now, LONGEST_REVIEW, policy.zone), policy.zone)
    return date.fromordinal(local_date(now, policy.zone).toordinal() + 1).isoformat(), last.isoformat()


def _shown(
    request: Request, reader: Reader, id: UUID, number: int, refusal: Refusal | None = None
) -> Response:
    with looking(request) as look:
        check(look, reader.actor, Verb.SEE_HOLDS)
        found = views_holds.one(look.tx, id, look.now)
        if found is None:
            raise HTTPException(404)
        recordings = views_holds.caught(look.tx, id, (number - 1) * SHOWN, SHOWN + 1)
        entries = views.history(look.tx, [id])
    words = wording(request, look.policy.zone)
    return page(
        request,
        "hold.html",
        words,
        refusal.status if refusal else 200,
        h=hold_told(words, look.now, found),
        recordings=[caught_told(words, look.policy, look.now, one) for one in recordings[:SHOWN]],
        number=number,
        more=len(recordings) > SHOWN,
        lines=history_told(words, look.policy, entries, reasons=True),
        may_act=allows(look, reader.actor, Verb.HOLD),
        wrong=_why(words, refusal),
        refused=refusal.act if refusal else "",
        wrong_field=refusal.where if refusal else "",
        form={"review": "", "reason": "", **(refusal.form if refusal else {})},
        days=review_days(look.policy, look.now),
    )


def _why(words: Wording, refusal: Refusal | None) -> str:
    if refusal is None:
        return ""
    keys = (f"holds.wrong.{refusal.code}", f"holds.wrong.{refusal.where}")
    return words.say(next((key for key in keys if key in TEXTS), "why.other"))
