"""*Notices*: what callers and employees are told, made from the policy; acknowledging it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from consigne.acts.inform import SEEN_WITHIN, acknowledge, informed_at
from consigne.acts.journey import Platform
from consigne.adapters.catalog import views_people
from consigne.doors.desk.pages.looking import Look, allows, check, looking, platform
from consigne.doors.desk.pages.shown import page, wording
from consigne.doors.desk.session import PageReader, check_form
from consigne.doors.desk.text import LANGUAGES
from consigne.doors.desk.words import Wording
from consigne.rules.access import Denied, Verb
from consigne.rules.clock import local_date
from consigne.rules.errors import BadInput, Misconfigured
from consigne.rules.notices import for_callers, for_employees
from consigne.rules.policy.model import Policy

router = APIRouter()
Told = dict[str, Any]


@router.get("/notices")
def notices(request: Request, reader: PageReader, queue: str = "", language: str = "") -> Response:
    """Both notices of one queue in one language, the reader's own acknowledgement, and for the DPO, the auditor and
    ops who has acknowledged."""
    parts = platform(request, "read")
    with looking(request) as look:
        check(look, reader.actor, Verb.READ_POLICY)
        words = wording(request, look.policy.zone)
        asking = _asking(parts, look)
        mine = [_mine(words, parts, look, policy, reader.actor.user) for policy in asking if policy.agents]
        sees = allows(look, reader.actor, Verb.SEE_DELIVERIES)
        who = [_who(words, parts, look, policy) for policy in asking if policy.agents and sees]
    queues = list(look.policy.routing)
    chosen, spoken = queue or (queues[0] if queues else ""), language or words.language
    if spoken not in LANGUAGES or (queue and queue not in queues):
        raise BadInput("bad_field", "queue" if queue and queue not in queues else "language")
    return page(
        request,
        "notices.html",
        words,
        queues=queues,
        queue=chosen,
        language=spoken,
        to_callers=for_callers(look.policy, chosen, spoken),
        to_employees=[_to_employees(words, look, policy, chosen, spoken) for policy in asking],
        mine=mine,
        who=who,
    )


def _asking(parts: Platform, look: Look) -> list[Policy]:
    """The policy in force; and one to come that asks for another notice."""
    newest = parts.catalog.newest_policy(look.tx)
    asked = {policy.agents.notice for policy in (look.policy,) if policy.agents}
    coming = newest if newest and newest.agents and newest.agents.notice not in asked else None
    return [look.policy, coming] if coming and coming.in_force_from > look.now else [look.policy]


def _to_employees(words: Wording, look: Look, policy: Policy, queue: str, language: str) -> Told:
    # Reasons and roles have words in the desk's own table, by language.
    label = Wording(language, policy.zone).label
    coming = words.say("notices.coming", day=words.day(policy.in_force_from)) if policy != look.policy else ""
    today = local_date(max(look.now, policy.in_force_from), policy.zone)
    return {"notice": for_employees(policy, queue, language, label, today), "coming": coming}


def _mine(words: Wording, parts: Platform, look: Look, policy: Policy, user: str) -> Told:
    version = policy.agents.notice if policy.agents else ""
    at = _informed(parts, look, policy, user)
    done = words.say("notices.done", version=version, at=words.moment(at)) if at else ""
    return {"version": version, "done": done}


def _informed(parts: Platform, look: Look, policy: Policy, agent: str) -> datetime | None:
    try:
        return informed_at(parts, look.tx, policy, agent)
    except Misconfigured:  # the file is away: what the catalog holds still counts
        return parts.catalog.acknowledged_at(look.tx, agent, policy.agents.notice) if policy.agents else None


def _who(words: Wording, parts: Platform, look: Look, policy: Policy) -> Told:
    notice = policy.agents.notice if policy.agents else ""
    seen = views_people.agents(look.tx, look.now - SEEN_WITHIN, notice)
    try:
        agents: Sequence[Told] | None = [_agent(words, parts, policy, one) for one in seen]
    except Misconfigured:  # half a list would accuse those whom the file names
        agents = None
    missing = sum(1 for one in agents or () if not one["done"])
    return {"version": notice, "agents": agents, "missing": missing}


def _agent(words: Wording, parts: Platform, policy: Policy, seen: Told) -> Told:
    known = [at for at in (seen["acknowledged_at"], parts.acknowledged(policy, seen["agent"])) if at]
    done = words.say("notices.acknowledged", at=words.moment(min(known))) if known else ""
    # The file beside the policy comes before what was handed in where it says an earlier day.
    by = seen["handed_in_by"] if known and min(known) == seen["acknowledged_at"] else None
    handed_in = words.say("notices.handed_in", user=by) if by else ""
    refused = seen["refused"] and not done
    return {"agent": seen["agent"], "done": done, "handed_in": handed_in, "refused": refused}


@router.post("/notices/acknowledge")
def acknowledged(
    request: Request, reader: PageReader, token: Annotated[str, Form()], notice: Annotated[str, Form()]
) -> Response:
    """The signed-in person has read a version of the notice to employees."""
    check_form(request, token)
    with looking(request) as look:
        policy = look.policy
    if isinstance(acknowledge(platform(request, "decide"), policy, reader.actor, notice, "desk"), Denied):
        raise HTTPException(403)
    return RedirectResponse(f"{request.scope['root_path']}/notices", 303)
