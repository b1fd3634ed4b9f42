"""*Draws*: how much is recorded against the rate; and the draw at call set-up."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import parse_qsl

from anyio import to_thread
from fastapi import APIRouter, Header, HTTPException, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from consigne.acts.draw import draw_call
from consigne.adapters.catalog import views_draws
from consigne.doors.desk.pages.looking import check, looking, platform
from consigne.doors.desk.pages.moderated import figure, month_told, recorder_told, share_told
from consigne.doors.desk.pages.shown import page, wording
from consigne.doors.desk.pages.told import purpose_title
from consigne.doors.desk.session import PageReader
from consigne.rules.access import Verb
from consigne.rules.draw import month_of
from consigne.rules.errors import BadInput
from consigne.rules.moderation import summed
from consigne.rules.set_up import read

router = APIRouter()
LARGEST_BODY_BYTES = 16_384
MONTHS_SHOWN = 36
AGENTS_SHOWN = 200
_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")


@router.get("/draws")
def draws(
    request: Request, reader: PageReader, since: str = "", until: str = "", purpose: str = ""
) -> Response:
    """Of the months from one to another (the current one unless said): kept against the rate, by purpose and
    queue, and by adviser; who records what no draw chose; and each month's commitment and secret."""
    with looking(request) as look:
        check(look, reader.actor, Verb.SEE_DRAWS)
        current = month_of(look.now, look.policy.zone)
        since, until = sorted((_month(since or until or current), _month(until or since or current)))
        found = views_draws.shares(look.tx, since, until)
        recorders = views_draws.recorders(look.tx, since, until)
        months = views_draws.months(look.tx)[:MONTHS_SHOWN]
        entries = views_draws.entries(look.tx, [month.month for month in months])
    words = wording(request, look.policy.zone)
    titles = {name: purpose_title(words, look.policy, name) for name in sorted({key[0] for key, _ in found})}
    chosen = [(key, share) for key, share in found if purpose in ("", key[0])]
    queues = [
        share_told(words, f"{titles[name]} · {queue}", share)
        for (name, queue), share in summed(chosen, lambda key: key[:2])
    ]
    agents = [
        share_told(words, agent or words.say("draws.nobody"), share, titles[name])
        for (name, agent), share in summed(chosen, lambda key: (key[0], key[2]))
    ]
    agents.sort(key=lambda one: (one["place"] == "inside", -one["calls"]))
    return page(
        request,
        "draws.html",
        words,
        since=since,
        until=until,
        titles=titles,
        purpose=purpose,
        queues=queues,
        queues_figure=figure(words, queues),
        agents=agents[:AGENTS_SHOWN],
        agents_figure=figure(words, agents),
        left_out=len(agents) > AGENTS_SHOWN,
        recorders=[recorder_told(words, one) for one in recorders],
        months=[month_told(words, month, entries[month.month]) for month in months],
    )


def _month(text: str) -> str:
    if _MONTH.fullmatch(text) is None:
        raise BadInput("bad_field", "since")
    return text


@router.post("/draw")
async def draw(
    request: Request, format: str = "json", authorization: Annotated[str, Header()] = ""
) -> Response:
    """Whether a call is recorded, at its set-up. `Authorization: Bearer <secret draw-hook>`; a JSON object or a
    form: source, id, queue, and optionally agent, started_at, purposes (in a form, once each). Answers
    `{"draw", "record", "purposes", "outcomes"}`, or with `?format=text` only `1` or `0`. No answer, or any
    other, means do not record."""
    wanted = f"Bearer {request.app.state.draw_secret()}"
    if not hmac.compare_digest(authorization.encode(), wanted.encode()):
        raise HTTPException(403, "not_a_source")
    asked = read(_fields(request, await _body(request)))
    drawn = await to_thread.run_sync(lambda: draw_call(platform(request, "decide"), asked))
    if format == "text":
        return PlainTextResponse("1" if drawn.purposes else "0")
    return JSONResponse(drawn.to_json())


async def _body(request: Request) -> bytes:
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST_BODY_BYTES:
            raise BadInput("too_large", "body")
    return body


def _fields(request: Request, body: bytes) -> Mapping[str, Any]:
    try:
        text = body.decode()
        if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            found = json.loads(text)
            if not isinstance(found, dict):
                raise BadInput("bad_json", "body")
            return found
        pairs = parse_qsl(text, strict_parsing=bool(text), max_num_fields=100)
    except (ValueError, RecursionError):
        raise BadInput("bad_json", "body") from None
    fields: dict[str, Any] = {name: value for name, value in pairs if name != "purposes"}
    purposes = [value for name, value in pairs if name == "purposes"]
    return fields | ({"purposes": purposes} if purposes else {})
