"""What a request may ask for: what the form of the desk offers before anybody types."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from consigne.rules.clock import Duration, add, local_date, midnight_of
from consigne.rules.policy.model import Policy
from consigne.rules.retention import floor


@dataclass(frozen=True, slots=True)
class Span:
    """The new due instants (UTC) that one request may name, the first and the last of them."""

    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """An artifact as far as asking goes: its purpose, when its own clock ends, and its cap (UTC)."""

    purpose: str
    due_at: datetime
    cap_at: datetime


def shared_grounds(policy: Policy, purposes: Iterable[str]) -> tuple[str, ...]:
    """The grounds that every purpose lists, in the first one's order; a purpose that the policy lost lists none."""
    lists = [
        policy.purposes[name].grounds if name in policy.purposes else () for name in sorted(set(purposes))
    ]
    return tuple(ground for ground in lists[0] if all(ground in each for each in lists)) if lists else ()


def shared_span(policy: Policy, items: Iterable[Asked]) -> Span | None:
    """What one date can do for all: later than each is due, within each one's cap and longest step. None where
    no date can, or the policy lost a purpose."""
    spans = [_span(policy, item) for item in items]
    known = [span for span in spans if span is not None]
    if not known or len(known) < len(spans):
        return None
    first, last = max(span.first for span in known), min(span.last for span in known)
    return Span(first, last) if first <= last else None


def _span(policy: Policy, item: Asked) -> Span | None:
    purpose = policy.purposes.get(item.purpose)
    if purpose is None:
        return None
    length = purpose.epoch_length
    end = min(item.cap_at, add(item.due_at, purpose.longest_step, policy.zone))
    return Span(_next(item.due_at, policy.zone, length), floor(end, policy.zone, length))


def _next(instant: datetime, zone: str, length: Duration) -> datetime:
    """The first beginning of a day, or of an epoch within it, after an instant."""
    tomorrow = midnight_of(local_date(instant, zone) + timedelta(days=1), zone)
    if not length.is_under_a_day:
        return tomorrow
    return min(floor(instant, zone, length) + timedelta(seconds=length.seconds_exact()), tomorrow)
