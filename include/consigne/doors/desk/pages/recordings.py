"""*Recordings*: search, and one recording with its parts, clocks, masked intervals and history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Form, HTTPException, Query, Request, Response

from consigne.acts.find import caller_indexes
from consigne.adapters.catalog import views, views_losses, views_recordings
from consigne.adapters.catalog.views_recordings import CALLERS_FOUND, STATES, Search
from consigne.doors.desk.pages.filters import FIELDS, read_filters
from consigne.doors.desk.pages.looking import Look, allows, looking, platform
from consigne.doors.desk.pages.shown import page, wording
from consigne.doors.desk.pages.told import purpose_title
from consigne.doors.desk.pages.told_history import history_told, only_of
from consigne.doors.desk.pages.told_recording import recording_told, row_told
from consigne.doors.desk.session import PageReader, Reader, check_form
from consigne.doors.desk.words import Wording
from consigne.rules.access import Denied, Target, Verb, may, seen_purposes
from consigne.rules.errors import BadInput

router = APIRouter()
Typed = Annotated[str, Query(max_length=100)]
_SEES_ALL = Verb.SEE_REGISTER


@router.get("/recordings")
def recordings(
    request: Request,
    reader: PageReader,
    since: Annotated[str, Query(alias="from", max_length=100)] = "",
    until: Typed = "",
    purpose: Typed = "",
    queue: Typed = "",
    agent: Typed = "",
    state: Typed = "",
    due_from: Typed = "",
    due_until: Typed = "",
    before: UUID | None = None,
) -> Response:
    """Calls newest first, filtered; a listener's or owner's are those of their purposes."""
    values = (since, until, purpose, queue, agent, state, due_from, due_until)
    typed = dict(zip(FIELDS, values, strict=True))
    with looking(request) as look:
        seen = _seen(look, reader)
        try:
            asked = read_filters(typed, look.policy.zone, seen, before)
        except BadInput as fault:
            return _shown(request, reader, look, typed, [], wrong=fault.where)
        found, more = views_recordings.search(look.tx, asked, look.now)
        return _shown(request, reader, look, typed, found, more=more)


@router.post("/recordings")
def recordings_of_caller(
    request: Request,
    reader: PageReader,
    token: Annotated[str, Form()],
    caller: Annotated[str, Form(max_length=60)] = "",
) -> Response:
    """Calls of one number, by its blind index; who searched and how many were found is in the register, the number
    is nowhere."""  # fmt: skip
    check_form(request, token)
    with looking(request) as look:
        seen = _seen(look, reader, tried=request)
        try:
            callers = caller_indexes(platform(request, "decide"), caller)
        except BadInput as fault:
            return _shown(request, reader, look, {}, [], wrong=fault.where)
        catalog = platform(request, "decide").catalog
        with catalog.begin() as tx:
            asked = Search(purposes=seen, callers=callers)
            found, more = views_recordings.search(tx, asked, look.now, CALLERS_FOUND)
            entry = {"found": len(found), "policy": look.policy.digest}
            catalog.append(tx, reader.actor.user, "look:recordings:caller", [entry])
        return _shown(request, reader, look, {}, found, of_caller=True, more=more)


def _seen(look: Look, reader: Reader, tried: Request | None = None) -> frozenset[str] | None:
    """The purposes that the reader sees. 403 where there is none; `tried`: the attempt is registered."""
    verdict = may(look.policy, reader.actor, Verb.SEE_RECORDINGS, Target(), None, look.now)
    if isinstance(verdict, Denied):
        if tried is not None:
            catalog = platform(tried, "decide").catalog
            with catalog.begin() as tx:
                catalog.append(tx, reader.actor.user, "look:recordings:denied", [{"code": verdict.code}])
        raise HTTPException(403)
    return seen_purposes(look.policy, reader.actor, Verb.SEE_RECORDINGS)


def _shown(
    request: Request,
    reader: Reader,
    look: Look,
    typed: Mapping[str, str],
    found: Sequence[Mapping[str, Any]],
    wrong: str = "",
    of_caller: bool = False,
    more: bool = False,
) -> Response:
    words = wording(request, look.policy.zone)
    rows = [row_told(words, look, reader.actor, one) for one in found]
    kept = {name: value for name, value in typed.items() if value}
    return page(
        request,
        "recordings.html",
        words,
        400 if wrong else 200,
        rows=rows,
        asks=any(part["asks"] for row in rows for group in row["groups"] for part in group["parts"]),
        typed={name: typed.get(name, "") for name in FIELDS},
        purposes=_purposes(words, look, reader),
        queues=views_recordings.queues(look.tx),
        states=STATES,
        wrong=wrong,
        of_caller=of_caller,
        first=f"?{urlencode(kept)}" if "before" in request.query_params else "",
        older=f"?{urlencode(kept | {'before': str(found[-1]['id'])})}" if more and not of_caller else "",
        most=CALLERS_FOUND if more and of_caller else 0,
    )


def _purposes(words: Wording, look: Look, reader: Reader) -> list[tuple[str, str]]:
    seen = seen_purposes(look.policy, reader.actor, Verb.SEE_RECORDINGS)
    names = [name for name in look.policy.purposes if seen is None or name in seen]
    return [(name, purpose_title(words, look.policy, name)) for name in names]


@router.get("/recordings/{id}")
def recording(request: Request, reader: PageReader, id: UUID) -> Response:
    """One recording, erased or not; a listener or owner sees the parts and lines of their purposes."""
    with looking(request) as look:
        seen = _seen(look, reader)
        found = views_recordings.recording(look.tx, id, seen)
        if found is None:
            raise HTTPException(404)
        sees_all = allows(look, reader.actor, _SEES_ALL)
        named = _named_by(found, sees_all)
        entries = views.history(look.tx, named)
        lost = views_losses.lost_of(look.tx, [one["id"] for one in found["artifacts"]])
    if not sees_all:
        entries = only_of(entries, seen or (), {str(id) for id in named})
    words = wording(request, look.policy.zone)
    return page(
        request,
        "recording.html",
        words,
        r=recording_told(words, look, reader.actor, found),
        lines=history_told(
            words, look.policy, entries, sees_all, {str(one["id"]): one["part"] for one in found["artifacts"]}
        ),
        sees_all=sees_all,
        lost={str(id): words.say(f"losses.part.{reason}") for id, reason in lost.items()},
        sees_losses=allows(look, reader.actor, Verb.SEE_FINDINGS),
        sees_certificates=allows(look, reader.actor, Verb.SEE_CERTIFICATES),
    )


def _named_by(found: Mapping[str, Any], sees_all: bool) -> list[UUID]:
    """What the register names a recording's acts by; holds and requests are about others' recordings too."""
    ids = [found["id"], *(one["id"] for kind in ("artifacts", "deliveries") for one in found[kind])]
    return ids + [one["id"] for kind in ("requests", "holds") for one in found[kind]] if sees_all else ids
