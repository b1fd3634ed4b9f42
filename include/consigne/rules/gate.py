"""The gate: for each purpose asked, whether a delivery may come in (P1), and the first rule that says no.

What the caller was told, when recording was allowed and how calls were drawn is judged by the policy at the
start of the call; that the purpose exists, and how long it lives, by the policy in force too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time

from consigne.rules.clock import Duration, add, zone_named
from consigne.rules.draw import draw_digest, is_drawn
from consigne.rules.policy.model import Period, Policy, Purpose
from consigne.rules.recording import IncomingRecording
from consigne.rules.retention import falls_due
from consigne.rules.values import Admitted, Part, Refused

DEFAULT_HORIZON = Duration(days=30)
DELIVERED_PARTS = (Part.AUDIO, Part.TRANSCRIPT)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the catalog and the keyring know: the policy that was in force at the call's start; the secret of the
    month that draws it (`draw.month_for`), and by purpose whether a draw that stands drew it; when the call's
    agent acknowledged (`acknowledgements`); whether the same call (source and id) was admitted before, and for which purposes it was erased; the purposes that an
    objection recorded for this call or its caller binds (`objections`)."""

    policy_at_start: Policy | None
    month_secret: bytes
    acknowledged_at: datetime | None = None
    delivered_before: bool = False
    erased_before: frozenset[str] = frozenset()
    horizon: Duration = DEFAULT_HORIZON
    objected: frozenset[str] = frozenset()
    drawn: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Case:
    policy: Policy
    incoming: IncomingRecording
    received_at: datetime
    now: datetime
    facts: Facts
    purpose: str

    @property
    def at_start(self) -> Policy:
        """The policy at the call's start; the rules that use it stand after `no_policy_at_start`."""
        return self.facts.policy_at_start or self.policy

    @property
    def rule(self) -> Purpose:
        return self.at_start.purposes[self.purpose]


def asked(policy: Policy, incoming: IncomingRecording, facts: Facts) -> tuple[str, ...]:
    """The purposes that the delivery names, else those of its queue; each once, in that order."""
    named = incoming.purposes
    if named is None:
        named = (facts.policy_at_start or policy).routing.get(incoming.queue, ())
    return tuple(dict.fromkeys(named))


def judge(
    policy: Policy, incoming: IncomingRecording, received_at: datetime, now: datetime, facts: Facts
) -> dict[str, Admitted | Refused]:
    """A verdict for each purpose asked, `policy` being the one in force; empty where none is (`overall`)."""
    return {
        purpose: _verdict(_Case(policy, incoming, received_at, now, facts, purpose))
        for purpose in asked(policy, incoming, facts)
    }


def at_set_up(policy: Policy, purpose: str, started_at: datetime, informed: bool) -> str | None:
    """What is known of a call at its set-up without a draw: `systematic` recording by law, or why it cannot be
    recorded for the purpose; None where the draw decides. `informed` is false where the agent is known not to be."""
    rule = policy.purposes.get(purpose)
    if rule is None:
        return "unknown_purpose"
    if not is_in_period(rule, started_at, policy.zone):
        return "outside_period"
    if not informed:
        return "agent_not_informed"
    if rule.needs.get("trigger"):  # a person starts it, later
        return "needs_human_trigger"
    return "systematic" if rule.legal_text is not None else None


def overall(verdicts: Mapping[str, Admitted | Refused]) -> Admitted | Refused:
    """The delivery's own verdict: admitted for some purpose, else the first refusal, or `no_purpose`."""
    refusals = [verdict for verdict in verdicts.values() if isinstance(verdict, Refused)]
    if len(refusals) < len(verdicts):
        return Admitted()
    return refusals[0] if refusals else Refused("no_purpose")


def _verdict(case: _Case) -> Admitted | Refused:
    return next((Refused(code) for code, refuses in RULES if refuses(case)), Admitted())


def _starts_before_horizon(case: _Case) -> bool:
    return add(case.incoming.started_at, case.facts.horizon, case.policy.zone) < case.received_at


def _starts_in_future(case: _Case) -> bool:
    latest = add(min(case.received_at, case.now), case.policy.clock_skew, case.policy.zone)
    return case.incoming.started_at > latest


def _lacks_policy_at_start(case: _Case) -> bool:
    at_start = case.facts.policy_at_start
    return at_start is None or case.purpose not in at_start.purposes


def _is_outside_period(case: _Case) -> bool:
    return not is_in_period(case.rule, case.incoming.started_at, case.at_start.zone)


def is_in_period(purpose: Purpose, started_at: datetime, zone: str) -> bool:
    """Whether calls that start then are recorded for the purpose; `zone` is the policy's."""
    local = started_at.astimezone(zone_named(zone))
    return any(_holds(period, local) for period in purpose.periods)


def _holds(period: Period, local: datetime) -> bool:
    day, clock = local.date(), local.time()
    if not period.since <= day <= period.until or day.weekday() not in period.days:
        return False
    since, until = period.hours or (time.min, time.max)
    return since <= clock < until or (clock >= since and until == time.max)


def _is_not_covered(case: _Case) -> bool:
    heard = case.incoming.notice
    notice = case.at_start.notices.get(heard.version) if heard else None
    return notice is None or case.purpose not in notice.covers


def _is_announced_late(case: _Case) -> bool:
    heard = case.incoming.notice
    notice = case.at_start.notices.get(heard.version) if heard else None
    if heard is None or notice is None:
        return True
    return heard.played_at_ms > notice.announced_within.seconds_exact() * 1000


def _is_objected(case: _Case) -> bool:
    if case.purpose in case.facts.objected and case.rule.legal_text is None:
        return True
    objection = case.incoming.objection
    if objection is None:
        return False
    # A name that the policy does not know must not make an objection void.
    names = objection.purposes
    return not names or case.purpose in names or any(name not in case.at_start.purposes for name in names)


def _is_agent_uninformed(case: _Case) -> bool:
    return not is_informed(case.at_start, case.facts.acknowledged_at, case.incoming.started_at)


def is_informed(policy: Policy, acknowledged_at: datetime | None, started_at: datetime) -> bool:
    """Whether an agent who acknowledged then (None: never) is recorded in calls that start at `started_at`."""
    return policy.agents is None or (acknowledged_at is not None and acknowledged_at <= started_at)


def _lacks_human_trigger(case: _Case) -> bool:
    wanted = case.rule.needs.get("trigger")
    return wanted is not None and case.incoming.trigger != wanted


def _has_other_proof(case: _Case) -> bool:
    wanted = case.rule.needs.get("other_proof")
    return wanted is not None and case.incoming.other_proof != wanted


def _is_past_due(case: _Case) -> bool:
    call, heard = case.incoming, case.incoming.notice
    return any(
        falls_due(
            case.at_start, case.policy, heard.version if heard else None,
            case.purpose, part, call.started_at, case.received_at,
        ).due_at <= case.now
        for part in DELIVERED_PARTS
        if part in case.rule.parts
    )  # fmt: skip


def _is_not_drawn(case: _Case) -> bool:
    if case.rule.legal_text is not None:
        return False
    if case.purpose in case.facts.drawn:
        return not case.facts.drawn[case.purpose]
    call = case.incoming
    digest = draw_digest(case.facts.month_secret, call.source, call.id, case.purpose)
    return not is_drawn(digest, case.rule.sampling_rate)


# In this order; the first that holds is the code. The draw comes last, so that the share of drawn calls is
# counted over those that could have been kept.
RULES: tuple[tuple[str, Callable[[_Case], bool]], ...] = (
    ("erased_before", lambda case: case.purpose in case.facts.erased_before),
    ("delivered_before", lambda case: case.facts.delivered_before),
    ("start_in_future", _starts_in_future),
    ("start_before_horizon", _starts_before_horizon),
    ("unknown_purpose", lambda case: case.purpose not in case.policy.purposes),
    ("no_policy_at_start", _lacks_policy_at_start),
    ("outside_period", _is_outside_period),
    ("not_announced", lambda case: case.incoming.notice is None),
    ("notice_does_not_cover", _is_not_covered),
    ("announced_late", _is_announced_late),
    ("objected", _is_objected),
    ("agent_not_informed", _is_agent_uninformed),
    ("needs_human_trigger", _lacks_human_trigger),
    ("other_proof_exists", _has_other_proof),
    ("past_due", _is_past_due),
    ("not_drawn", _is_not_drawn),
)
