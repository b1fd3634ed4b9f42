"""As what somebody opens a request's page."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from consigne.acts.necessity import why_not_state
from consigne.doors.desk.pages.looking import Look
from consigne.rules.access import Allowed, Denied, Target, Verb, may
from consigne.rules.values import Actor


class Seat(StrEnum):
    """The DPO decides, an owner is asked for necessity, the requester reads."""

    DECIDE = "decide"
    STATE = "state"
    READ = "read"


def seat_of(look: Look, actor: Actor, request: Mapping[str, Any]) -> Seat | Denied:
    """The reader's seat at a request (views.request); Denied by the code of `decide` for all others."""
    verdict = may_decide(look, actor, request)
    has_spoken = actor.user in {opinion["owner"] for opinion in request["opinions"]}
    if isinstance(verdict, Allowed):
        return Seat.READ if has_spoken else Seat.DECIDE
    if why_not_state(look.policy, actor, set(request["purposes"]), look.now) is None:
        return Seat.STATE
    return Seat.READ if has_spoken or actor.user == request["requester"] else verdict


def may_decide(look: Look, actor: Actor, request: Mapping[str, Any]) -> Allowed | Denied:
    """Whether the reader may decide on a request: on every purpose that it touches."""
    for purpose in request["purposes"]:
        target = Target(purpose=purpose, requester=request["requester"])
        verdict = may(look.policy, actor, Verb.DECIDE, target, None, look.now)
        if isinstance(verdict, Denied):
            return verdict
    return Allowed()
