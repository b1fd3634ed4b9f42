"""Holds: what an authority's mandate keeps, until a date at which a person must confirm it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from consigne.rules.clock import Duration, add, midnight_of
from consigne.rules.errors import BadInput

LONGEST_REVIEW = Duration(years=1)
"""How far ahead a review date may lie: a hold that nobody looks at is none."""
NAME_CHARS = 200
"""The longest mandate reference, or name of an authority."""


class HoldScope(StrEnum):
    """What a hold is over. An agent or a caller may be narrowed to a period."""

    RECORDING = "recording"
    CALLER = "caller"
    AGENT = "agent"
    PERIOD = "period"


class HoldState(StrEnum):
    """`lapsed`: nobody confirmed it by its review date."""

    OPEN = "open"
    LIFTED = "lifted"
    LAPSED = "lapsed"


@dataclass(frozen=True, slots=True)
class Hold:
    """One hold. `callers` are blind indexes (32 bytes each) of one number; calls that began in [since, until)
    fit. Instants are UTC."""

    id: UUID
    mandate: str
    authority: str
    reason: str
    scope: HoldScope
    recording: UUID | None
    callers: tuple[bytes, ...]
    agent: str | None
    since: datetime | None
    until: datetime | None
    restrict: bool
    placed_by: str
    placed_at: datetime
    review_at: datetime
    policy: str
    state: HoldState = HoldState.OPEN
    ended_at: datetime | None = None
    ended_by: str | None = None

    def keeps(self, now: datetime) -> bool:
        """Whether it still keeps anything: time decides, whether or not it was noted."""
        return self.state is HoldState.OPEN and now < self.review_at

    def epoch_name(self, purpose: str, generation: int) -> str:
        """`training/hold-<id>/0`: the epoch that wraps the keys of what it caught. The id without dashes, so that
        the register, which is searched by identifiers, does not give all of these for the hold."""
        return f"{purpose}/hold-{self.id.hex}/{generation}"


def scope_of(
    recording: UUID | None,
    caller: str | None,
    agent: str | None,
    since: datetime | None,
    until: datetime | None,
) -> HoldScope:
    """What a hold is over; never everything. BadInput names `scope` (two of them, or none), `since` or `until`."""
    given = [
        scope
        for scope, value in (
            (HoldScope.RECORDING, recording),
            (HoldScope.CALLER, caller),
            (HoldScope.AGENT, agent),
        )
        if value
    ]
    if len(given) > 1 or (given == [HoldScope.RECORDING] and (since or until)):
        raise BadInput("bad_field", "scope")
    if since and until and until <= since:
        raise BadInput("bad_field", "until")
    if given:
        return given[0]
    if since is None and until is None:
        raise BadInput("bad_field", "scope")
    if since is None or until is None:
        raise BadInput("bad_field", "since" if since is None else "until")
    return HoldScope.PERIOD


def review_instant(day: date, now: datetime, zone: str) -> datetime:
    """When a hold ends that nobody confirms: the beginning of that local day (UTC). BadInput('review_passed',
    'review_too_far') on `review` unless it lies ahead, at most LONGEST_REVIEW."""
    review_at = midnight_of(day, zone)
    if review_at <= now:
        raise BadInput("review_passed", "review")
    if review_at > add(now, LONGEST_REVIEW, zone):
        raise BadInput("review_too_far", "review")
    return review_at
