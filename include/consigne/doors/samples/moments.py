"""When sample calls begin, so that the policy's periods and clocks do with them what the table says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from consigne.doors.samples.kinds import Kind
from consigne.rules.policy.model import Policy, Purpose
from consigne.rules.retention import falls_due
from consigne.rules.values import Part

_HOUR_S, _DAY_S = 3_600, 86_400
# Seconds before `now` between which each kind of start lies; sources' horizon is 30 days.
_BETWEEN_S = {
    "usual": (2 * _HOUR_S, 20 * _DAY_S),
    "outside": (2 * _HOUR_S, 20 * _DAY_S),
    "overdue": (6 * _HOUR_S, 10 * _DAY_S),
    "ahead": (-8 * _DAY_S, -6 * _HOUR_S),
    "long_ago": (35 * _DAY_S, 60 * _DAY_S),
}
_TRIES = 2_000
_LONGEST_CALL = timedelta(minutes=1)


def start_of(kind: Kind, policy: Policy, version: str, now: datetime, draw: Random) -> datetime | None:
    """The start (UTC) of a call under a notice's version; None where the policy leaves no such moment."""
    purposes = [policy.purposes[name] for name in purposes_of(kind, policy) if name in policy.purposes]
    if kind.when == "ends":
        life = life_of(kind.purposes[0], policy, version, now)
        return now + min(timedelta(seconds=kind.ends_in_s), life - _LONGEST_CALL) - life
    nearest_s, furthest_s = _BETWEEN_S[kind.when]
    for _ in range(_TRIES):
        moment = (now - timedelta(seconds=draw.randint(nearest_s, furthest_s))).replace(microsecond=0)
        if moment >= policy.in_force_from and _fits(moment, purposes, policy.zone, kind.when == "outside"):
            return moment
    return None


def purposes_of(kind: Kind, policy: Policy) -> tuple[str, ...]:
    """The purposes for which a call is judged: asked for, or by the policy's routing of its queue."""
    return kind.purposes if kind.asked else policy.routing.get(kind.queue, ())


def life_of(purpose: str, policy: Policy, version: str, now: datetime) -> timedelta:
    """How long a call that begins now would be kept."""
    return falls_due(policy, policy, version, purpose, Part.AUDIO, now, now).due_at - now


def _fits(moment: datetime, purposes: Sequence[Purpose], zone: str, outside: bool) -> bool:
    ends = (moment, moment + _LONGEST_CALL)
    allowed = [_allowed(purpose, end.astimezone(ZoneInfo(zone))) for purpose in purposes for end in ends]
    return not any(allowed) if outside else all(allowed)


def _allowed(purpose: Purpose, local: datetime) -> bool:
    return any(
        period.since <= local.date() <= period.until
        and local.weekday() in period.days
        and (period.hours is None or period.hours[0] <= local.time() < period.hours[1])
        for period in purpose.periods
    )
