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
| `lost` | kept, but its object or its key did not come back from a backup (`acts.listen` says so) |
| `role_missing` | the verb belongs to a role that the actor does not have |
| `not_designated` | has the role, but the policy does not designate the actor today |
| `is_requester` | nobody decides on what they asked for |
| `is_owner` | nobody decides on a purpose that they own |
| `not_owner` | only the purpose's owner states its necessity |
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
    SEE_RECORDINGS = "see_recordings"
    SEE_CALENDAR = "see_calendar"
    STATE_NECESSITY = "state_necessity"
    HOLD = "hold"
    SEE_HOLDS = "see_holds"
    READ_POLICY = "read_policy"
    DRAFT_POLICY = "draft_policy"
    SEE_DRAFTS = "see_drafts"
    VISA = "visa"
    ACKNOWLEDGE = "acknowledge"
    IMPORT_ACKNOWLEDGEMENTS = "import_acknowledgements"
    OBJECT = "object"
    SEE_OBJECTIONS = "see_objections"
    SEE_DRAWS = "see_draws"
    SEE_DESTRUCTION = "see_destruction"
    CONFIRM_VOLUME = "confirm_volume"
    SEE_CERTIFICATES = "see_certificates"
    SEE_FINDINGS = "see_findings"
    ANSWER_FINDING = "answer_finding"
    SEE_OPERATIONS = "see_operations"
    RUN = "run"


EVERYBODY = frozenset({DPO, "auditor", "ops", "analyst", "trainer", "adviser"})
"""Every role that the desk knows."""

ROLES: dict[Verb, frozenset[str]] = {
    Verb.DECIDE: frozenset({DPO}),
    Verb.SEE_REQUESTS: frozenset({DPO, "auditor"}),
    Verb.SEE_REGISTER: frozenset({DPO, "auditor"}),
    Verb.SEE_DELIVERIES: frozenset({DPO, "auditor", "ops"}),
    # Listeners and owners see those of their purposes beside them (`_why_not_see`).
    Verb.SEE_RECORDINGS: frozenset({DPO, "auditor"}),
    Verb.SEE_CALENDAR: frozenset({DPO, "auditor", "ops"}),
    Verb.HOLD: frozenset({DPO}),
    Verb.SEE_HOLDS: frozenset({DPO, "auditor"}),
    Verb.READ_POLICY: EVERYBODY,
    Verb.DRAFT_POLICY: frozenset({DPO, "ops", "analyst", "trainer"}),
    Verb.SEE_DRAFTS: frozenset({DPO, "auditor", "ops", "analyst", "trainer"}),
    Verb.VISA: frozenset({DPO}),
    Verb.ACKNOWLEDGE: EVERYBODY,
    Verb.IMPORT_ACKNOWLEDGEMENTS: frozenset({"ops"}),
    Verb.OBJECT: frozenset({"adviser", DPO}),
    Verb.SEE_OBJECTIONS: frozenset({DPO, "auditor"}),
    Verb.SEE_DRAWS: frozenset({DPO, "auditor"}),
    Verb.SEE_DESTRUCTION: frozenset({DPO, "auditor", "ops"}),
    Verb.CONFIRM_VOLUME: frozenset({DPO}),
    Verb.SEE_CERTIFICATES: frozenset({DPO, "auditor"}),
    Verb.SEE_FINDINGS: frozenset({DPO, "auditor", "ops"}),
    Verb.ANSWER_FINDING: frozenset({DPO}),
    Verb.SEE_OPERATIONS: frozenset({DPO, "auditor", "ops"}),
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
    elif verb is Verb.STATE_NECESSITY:
        code = None if owner is not None and actor.user == owner else "not_owner"
    elif verb in (Verb.SEE_RECORDINGS, Verb.SEE_CALENDAR):
        code = _why_not_see(policy, purpose, actor, ROLES[verb])
    elif verb is Verb.SEE_REQUESTS and actor.user == target.requester:
        code = None
    elif not ROLES[verb] & actor.roles:
        code = "role_missing"
    elif verb in (Verb.DECIDE, Verb.HOLD, Verb.VISA, Verb.CONFIRM_VOLUME, Verb.ANSWER_FINDING):
        code = _why_not_decide(policy, actor, target, owner, now)
    else:
        code = None
    return Denied(code) if code else Allowed()


def _why_not_see(policy: Policy, purpose: Purpose | None, actor: Actor, roles: frozenset[str]) -> str | None:
    # Without a purpose: whether there is any to see.
    if roles & actor.roles:
        return None
    asked = policy.purposes.values() if purpose is None else (purpose,)
    return None if any(_concerns(each, actor) for each in asked) else "not_a_listener"


def _concerns(purpose: Purpose, actor: Actor) -> bool:
    return actor.user == purpose.owner or bool(actor.roles & purpose.listeners.keys())


def seen_purposes(policy: Policy, actor: Actor, verb: Verb) -> frozenset[str] | None:
    """The purposes whose recordings the actor may see by `see_recordings` or `see_calendar`; None means all,
    those that the policy has lost among them."""
    if ROLES[verb] & actor.roles:
        return None
    return frozenset(name for name, purpose in policy.purposes.items() if _concerns(purpose, actor))


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
    if not _concerns(purpose, actor):
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
    return user in designated(policy, now)


def designated(policy: Policy, now: datetime) -> frozenset[str]:
    """The DPO and the deputies of this local day."""
    today = local_date(now, policy.zone)
    return frozenset(
        each.user
        for each in policy.designated + policy.deputies
        if each.since <= today and (each.until is None or today <= each.until)
    )


def prefixes(policy: Policy) -> dict[str, str]:
    """The store's identity for each purpose, and the only prefix that it may read."""
    return {f"listen-{name}": f"{name}/" for name in policy.purposes}
