"""How late an artifact may go, recomputed from what was decided: a later date that stands in the catalog was put
there by nobody who may (P5)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from consigne.rules.policy.impact import Clocks, Kept
from consigne.rules.policy.model import Policy
from consigne.rules.retention import clock_start, falls_due
from consigne.rules.values import Part


@dataclass(frozen=True, slots=True)
class Dated:
    """A kept artifact and what its dates rest on. `own_due_at` is its own clock's end, `due_at` the one that counts;
    `review_at` is the open hold's, if any; `policy` the digest that it was stored under; `decided_at` and
    `decided_until` are of the decision that extended it."""

    id: UUID
    purpose: str
    part: Part
    started_at: datetime
    received_at: datetime
    notice: str | None
    policy: str
    own_due_at: datetime
    due_at: datetime
    cap_at: datetime
    decided_at: datetime | None
    decided_until: datetime | None
    review_at: datetime | None


class Explanation:
    """By the versions of the policy, oldest first; `brought` are the digests of those under which all that is kept
    was brought."""

    def __init__(self, versions: Sequence[Policy], brought: Collection[str]) -> None:
        self._versions = versions
        self._known = {version.digest: version for version in versions}
        self._clocks = [(version, Clocks(version)) for version in versions if version.digest in brought]

    def latest(self, dated: Dated, extended_until: datetime | None) -> datetime:
        """The latest own end that is explained: by the policy at the call's start, the notice, the version that it was
        stored under and each that came since; else by a decision that the register holds, until when it says."""
        stored = self._known[dated.policy]
        started_at, received_at = dated.started_at, dated.received_at
        begun = [version for version in self._versions if version.in_force_from <= started_at]
        at_start = begun[-1] if begun else None
        due = falls_due(at_start, stored, dated.notice, dated.purpose, dated.part, started_at, received_at)
        latest = due.due_at
        for version, clocks in self._clocks:
            if version.in_force_from > stored.in_force_from:
                start = clock_start(started_at, received_at)
                kept = Kept(dated.id, "", dated.purpose, dated.part, start, latest, due.cap_at, False, False)
                latest = clocks.under(kept).due_at
        return max(latest, extended_until) if extended_until else latest


def is_moved(dated: Dated, latest: datetime) -> bool:
    """Whether a date lies later than `latest` and the open hold explain."""
    kept_until = max(latest, dated.review_at) if dated.review_at else latest
    return dated.own_due_at > latest or dated.due_at > kept_until
