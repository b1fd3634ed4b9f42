"""When an artifact falls due (design.md, section 4, *Time*). The earliest end wins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from consigne.rules.clock import Duration, add, local_date, local_midnight, midnight_of
from consigne.rules.policy.model import PartRule, Policy
from consigne.rules.values import Part

ONE_DAY = Duration(days=1)


@dataclass(frozen=True, slots=True)
class Due:
    """When an artifact goes, and the cap that no exception passes (UTC); `epoch_day` is the local day."""

    due_at: datetime
    cap_at: datetime
    epoch_day: date


@dataclass(frozen=True, slots=True)
class Beyond:
    """An extension that may not be: `not_later`, `step_too_long` or `past_cap`."""

    code: str


def clock_start(started_at: datetime, received_at: datetime) -> datetime:
    """Where every period begins."""
    return min(started_at, received_at)


def falls_due(
    at_start: Policy | None,
    in_force: Policy,
    notice_version: str | None,
    purpose: str,
    part: Part,
    started_at: datetime,
    received_at: datetime,
) -> Due:
    """The earliest end given by the policy at the call's start, the notice heard, and the policy in force.

    A purpose or part that the policy in force lacks ends when that policy takes effect; without a notice
    that covers the purpose nothing may stay, so the end is the clock's start.
    """
    zone, origin = in_force.zone, clock_start(started_at, received_at)
    rules = [rule for rule in (_rule(at_start, purpose, part), _rule(in_force, purpose, part)) if rule]
    ends = [add(origin, rule.retention, zone) for rule in rules]
    covered = _covered(at_start, in_force, notice_version, purpose)
    ends.append(add(origin, covered, zone) if covered else origin)
    if _rule(in_force, purpose, part) is None:
        ends.append(in_force.in_force_from)
    epoch_length = epoch_length_of(at_start, in_force, purpose)
    due_at = floor(min(ends), zone, epoch_length)
    caps = [floor(add(origin, rule.cap, zone), zone, epoch_length) for rule in rules]
    return Due(due_at, max(min(caps, default=due_at), due_at), local_date(due_at, zone))


def _rule(policy: Policy | None, purpose: str, part: Part) -> PartRule | None:
    found = policy.purposes.get(purpose) if policy else None
    return found.parts.get(part) if found else None


def _covered(
    at_start: Policy | None, in_force: Policy, notice_version: str | None, purpose: str
) -> Duration | None:
    for policy in (at_start, in_force):
        notice = policy.notices.get(notice_version) if policy and notice_version else None
        if notice:
            return notice.covers.get(purpose)
    return None


def epoch_length_of(at_start: Policy | None, in_force: Policy, purpose: str) -> Duration:
    """The purpose's epoch length now; a removed purpose keeps the one it had."""
    for policy in (in_force, at_start):
        if policy and purpose in policy.purposes:
            return policy.purposes[purpose].epoch_length
    return ONE_DAY


def floor(instant: datetime, zone: str, epoch_length: Duration) -> datetime:
    """The beginning (UTC) of the local day, or of the epoch within it where epochs are shorter than a day."""
    midnight = local_midnight(instant, zone)
    if not epoch_length.is_under_a_day:
        return midnight
    length = timedelta(seconds=epoch_length.seconds_exact())
    return midnight + (instant - midnight) // length * length


def next_closing(now: datetime, zone: str, epoch_length: Duration) -> datetime:
    """The next daily closing (UTC), when epochs from which something was erased early are turned over: the end of
    this local day, or of the epoch within it where epochs are shorter than a day."""
    midnight = midnight_of(local_date(now, zone) + timedelta(days=1), zone)
    if not epoch_length.is_under_a_day:
        return midnight
    return min(midnight, floor(now, zone, epoch_length) + timedelta(seconds=epoch_length.seconds_exact()))


def epoch_name(purpose: str, due_at: datetime, zone: str, epoch_length: Duration, generation: int = 0) -> str:
    """`training/2027-05-20/0` by local day; `trial/2026-11-22T05:41Z/0` (UTC) for epochs under a day."""
    if epoch_length.is_under_a_day:
        return f"{purpose}/{due_at.astimezone(UTC):%Y-%m-%dT%H:%M}Z/{generation}"
    return f"{purpose}/{local_date(due_at, zone).isoformat()}/{generation}"


def extended_due(
    until: date | datetime, due: Due, longest_step: Duration, zone: str, epoch_length: Duration
) -> datetime | Beyond:
    """The new due instant of an extension until a local day (its beginning) or an instant."""
    new = floor(until, zone, epoch_length) if isinstance(until, datetime) else midnight_of(until, zone)
    if new <= due.due_at:
        return Beyond("not_later")
    if new > due.cap_at:
        return Beyond("past_cap")
    if new > add(due.due_at, longest_step, zone):
        return Beyond("step_too_long")
    return new
