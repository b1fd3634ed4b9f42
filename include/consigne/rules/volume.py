"""A volume: what fell due beyond what was foretold, set aside for a person's word. Silence deletes it (P5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from consigne.rules.clock import Duration, add, midnight_of
from consigne.rules.errors import BadInput
from consigne.rules.policy.model import Policy

SET_ASIDE_FOR = timedelta(hours=24)
"""How long a volume waits for an answer; then it goes."""
LONGEST_HOLD = Duration(days=30)
"""How far ahead a hold of a volume may end: to find a fault and mend it, which asks for days, not for months."""
FAULTS = ("wrong_policy", "clock_fault", "other")
"""Grounds of a hold beside those of the purposes' exceptions."""


class VolumeAnswer(StrEnum):
    """What the DPO can say; silence is `delete`."""

    DELETE = "delete"
    HOLD = "hold"


class VolumeState(StrEnum):
    """`lapsed`: nobody answered in 24 hours, which means deleted."""

    PENDING = "pending"
    DECIDED = "decided"
    LAPSED = "lapsed"


@dataclass(frozen=True, slots=True)
class Volume:
    """One volume. `digest` is over the artifacts in it, and what an answer is bound to; `counts`: purpose → `foretold`,
    `gone`, `due`, `set_aside`. Instants are UTC; `until` ends a hold."""

    id: UUID
    manifest: UUID
    digest: str
    counts: Mapping[str, Mapping[str, int]]
    policy: str
    set_aside_at: datetime
    lapses_at: datetime
    state: VolumeState = VolumeState.PENDING
    run: str | None = None
    answered_at_airflow: datetime | None = None
    answer: VolumeAnswer | None = None
    until: datetime | None = None
    ground: str | None = None
    decided_by: str | None = None
    reason: str | None = None
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Word:
    """What somebody says on a volume. `day` (local) and `ground` are those of a hold."""

    answer: VolumeAnswer
    reason: str
    day: date | None = None
    ground: str = ""


def run_of_volume(volume: UUID) -> str:
    """The one Dag run that may carry a volume; any other run for it is made up."""
    return f"volume__{volume}"


def grounds_of(policy: Policy, counts: Mapping[str, object]) -> tuple[str, ...]:
    """The grounds on which a volume of these purposes may be held."""
    known = (policy.purposes[purpose].grounds for purpose in counts if purpose in policy.purposes)
    return (*FAULTS, *sorted({ground for grounds in known for ground in grounds} - set(FAULTS)))


def hold_until(day: date | None, now: datetime, zone: str) -> datetime:
    """When a hold ends: the beginning of that local day (UTC). BadInput('until_passed', 'until_too_far') on `until`
    unless it lies ahead, at most LONGEST_HOLD."""
    if day is None:
        raise BadInput("bad_field", "until")
    until = midnight_of(day, zone)
    if until <= now:
        raise BadInput("until_passed", "until")
    if until > add(now, LONGEST_HOLD, zone):
        raise BadInput("until_too_far", "until")
    return until
