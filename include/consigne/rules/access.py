"""Who may do what: the one place that decides, for the desk, the auth manager and the store's identities.

A denial is a value with a code:

| code | meaning |
| --- | --- |
| `unknown_purpose` | the policy in force has no such purpose |
| `not_a_listener` | none of the actor's roles listens to this purpose |
| `reason_not_allowed` | no reason, or one that the actor's role does not have for this purpose |
| `not_kept` | the artifact is not there any more, or not yet |
| `past_due` | its time is up, whatever the state of its deletion |
| `restricted` | kept, but nobody listens |
| `role_missing` | the verb belongs to a role that the actor does not have |
| `not_designated` | has the role, but the policy does not designate the actor today |
| `is_requester` | nobody decides on what they asked for |
| `is_owner` | nobody decides on a purpose that they own |
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from consigne.rules.clock import local_date
from consigne.rules.policy.model import Policy, Purpose
from consigne.rules.values import Actor, ArtifactState, Part

DPO = "dpo"


class Verb(StrEnum):
    """What an actor may want."""

    LISTEN = "listen"
    EXPORT = "export"
    ASK = "ask"
    DECIDE = "decide"
    SEE_REQUESTS = "see_requests"
    SEE_REGISTER = "see_register"
    SEE_DELIVERIES = "see_deliveries"
    RUN = "run"


ROLES: dict[Verb, frozenset[str]] = {
    Verb.DECIDE: frozenset({DPO}),
    Verb.SEE_REQUESTS: frozenset({DPO, "auditor"}),
    Verb.SEE_REGISTER: frozenset({DPO, "auditor"}),
    Verb.SEE_DELIVERIES: frozenset({DPO, "auditor", "ops"}),
    Verb.RUN: frozenset({"ops"}),
}


@dataclass(frozen=True, slots=True)
class Target:
    """What the verb is about, as far as it matters: an artifact, a request, or nothing. `owner` is the
    purpose's owner where the policy in force has lost the purpose."""

    purpose: str | None = None
    part: Part | None = None
    restricted: bool = False
    due_at: datetime | None = None
    state: ArtifactState | None = None
    requester: str | None = None
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Allowed:
    """Go on."""


@dataclass(frozen=True, slots=True)
class Denied:
    """No, by one of the codes above."""

    code: str


def may(
    policy: Policy, actor: Actor, verb: Verb, target: Target, reason: str | None, now: datetime
) -> Allowed | Denied:
    """Whether the actor may, under the policy in force. For `listen` and `export` the reason is the code
    from the policy's list."""
    purpose = policy.purposes.get(target.purpose) if target.purpose else None
    owner = purpose.owner if purpose else target.owner
    if verb in (Verb.LISTEN, Verb.EXPORT):
        code = _why_not_listen(purpose, actor, target, reason, now)
    elif verb is Verb.ASK:
        code = _why_not_ask(purpose, actor, target, now)
    elif verb is Verb.SEE_REQUESTS and actor.user == target.requester:
        code = None
    elif not ROLES[verb] & actor.roles:
        code = "role_missing"
    else:
        code = _why_not_decide(policy, actor, target, owner, now) if verb is Verb.DECIDE else None
    return Denied(code) if code else Allowed()


def _why_not_listen(
    purpose: Purpose | None, actor: Actor, target: Target, reason: str | None, now: datetime
) -> str | None:
    if purpose is None:
        return "unknown_purpose"
    reasons = [purpose.listeners[role] for role in actor.roles if role in purpose.listeners]
    if not reasons:
        return "not_a_listener"
    if not any(reason in allowed for allowed in reasons):
        return "reason_not_allowed"
    return "restricted" if target.restricted else _why_not_there(target, now)


def _why_not_there(target: Target, now: datetime) -> str | None:
    if target.state is not ArtifactState.KEPT:
        return "not_kept"
    return "past_due" if target.due_at is None or target.due_at <= now else None


def _why_not_ask(purpose: Purpose | None, actor: Actor, target: Target, now: datetime) -> str | None:
    if purpose is None:
        return "unknown_purpose"
    if actor.user != purpose.owner and not actor.roles & purpose.listeners.keys():
        return "not_a_listener"
    return _why_not_there(target, now)


def _why_not_decide(
    policy: Policy, actor: Actor, target: Target, owner: str | None, now: datetime
) -> str | None:
    if not is_designated(policy, actor.user, now):
        return "not_designated"
    if actor.user == target.requester:
        return "is_requester"
    return "is_owner" if actor.user == owner else None


def is_designated(policy: Policy, user: str, now: datetime) -> bool:
    """Whether the policy names the user as DPO, or as deputy, on this local day."""
    today = local_date(now, policy.zone)
    return any(
        each.user == user and each.since <= today and (each.until is None or today <= each.until)
        for each in policy.designated + policy.deputies
    )


def prefixes(policy: Policy) -> dict[str, str]:
    """The store's identity for each purpose, and the only prefix that it may read."""
    return {f"listen-{name}": f"{name}/" for name in policy.purposes}
