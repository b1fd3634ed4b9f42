"""What a version of the policy does to what is kept: exact, artifact by artifact, and the same rule that is
applied once the version is in force. Shortening applies to what is kept, lengthening never (P5)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from consigne.rules.clock import Duration, add, iso, local_date
from consigne.rules.policy.model import PartRule, Policy
from consigne.rules.retention import floor
from consigne.rules.values import Part

EXAMPLES = 20
Fate = Literal["at_once", "earlier", "unchanged", "longer_stays"]
"""`longer_stays`: the version would give it longer than the one in force; lengthening never applies."""
FATES: tuple[Fate, ...] = ("at_once", "earlier", "unchanged", "longer_stays")
Apart = Literal["", "extended", "held"]


@dataclass(frozen=True, slots=True)
class Kept:
    """An artifact that is not erased. `due_at` is the end of its own clock: a hold that keeps it longer does not
    count; `is_extended` by a decision on an exception."""

    id: UUID
    source_id: str
    purpose: str
    part: Part
    clock_start: datetime
    due_at: datetime
    cap_at: datetime
    is_extended: bool
    is_held: bool


@dataclass(frozen=True, slots=True)
class Clock:
    """When an artifact goes, and the cap that no exception passes (UTC)."""

    due_at: datetime
    cap_at: datetime


class Clocks:
    """The clocks that a version in force since its `in_force_from` gives; what is computed for a day is kept."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._ends: dict[tuple[str, Part, date], tuple[datetime, datetime]] = {}

    def under(self, kept: Kept) -> Clock:
        """The earliest of what it has and what the version gives, which is never before the version takes force. A
        purpose or part that the version lacks ends then, unless a decision extended it; an extension ends at the
        new cap at the latest. The notice heard and the policy at the call's start are in the date that it has."""
        ends, begins = self.ends(kept), self._policy.in_force_from
        if ends is None:
            return Clock(kept.due_at if kept.is_extended else min(kept.due_at, begins), kept.cap_at)
        retention, cap = (max(end, begins) for end in ends)
        cap_at = min(kept.cap_at, cap)
        return Clock(min(kept.due_at, cap_at if kept.is_extended else retention), cap_at)

    def ends(self, kept: Kept) -> tuple[datetime, datetime] | None:
        """Where retention and cap end by this version alone; None where it lacks the purpose or the part."""
        purpose = self._policy.purposes.get(kept.purpose)
        rule = purpose.parts.get(kept.part) if purpose else None
        if purpose is None or rule is None:
            return None
        if rule.retention.seconds or rule.cap.seconds or purpose.epoch_length.is_under_a_day:
            return self._computed(rule, purpose.epoch_length, kept.clock_start)
        key = (kept.purpose, kept.part, local_date(kept.clock_start, self._policy.zone))
        if key not in self._ends:
            self._ends[key] = self._computed(rule, purpose.epoch_length, kept.clock_start)
        return self._ends[key]

    def _computed(self, rule: PartRule, epoch_length: Duration, start: datetime) -> tuple[datetime, datetime]:
        zone = self._policy.zone
        retention, cap = (
            floor(add(start, length, zone), zone, epoch_length) for length in (rule.retention, rule.cap)
        )
        return retention, cap


@dataclass(slots=True)
class Line:
    """How many artifacts of a purpose and part meet each fate; those that an exception or a hold keeps stand
    apart (a held one moves once its hold ends)."""

    purpose: str
    part: Part
    apart: Apart
    at_once: int = 0
    earlier: int = 0
    unchanged: int = 0
    longer_stays: int = 0


@dataclass(frozen=True, slots=True)
class Example:
    """An artifact that moves: when it goes now, and when it would."""

    artifact: UUID
    call: str
    purpose: str
    part: Part
    apart: Apart
    old: datetime
    new: datetime


@dataclass(slots=True)
class Impact:
    """What a draft would do to the stock at `as_of`, when it would take force; the purposes that it adds or loses,
    and the reasons to listen that each role gains or loses."""

    as_of: datetime
    lines: list[Line] = field(default_factory=list)
    examples: list[Example] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    listening: list[Listening] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """As the catalog keeps it: instants as text."""
        document: dict[str, Any] = _plain(asdict(self))
        return document

    def count(self, fate: Fate) -> int:
        """Artifacts that meet a fate, over all lines."""
        return sum(getattr(line, fate) for line in self.lines)


@dataclass(frozen=True, slots=True)
class Listening:
    """The reasons for which a role may listen to a purpose, gained and lost."""

    purpose: str
    role: str
    gained: tuple[str, ...]
    lost: tuple[str, ...]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, datetime):
        return iso(value)
    return str(value) if isinstance(value, UUID) else value


def takes_force(draft: Policy, now: datetime) -> datetime:
    """When it would with a visa given now: at its date, or at once where that has passed."""
    return max(draft.in_force_from, now)


def assess(in_force: Policy, draft: Policy, as_of: datetime, stock: Iterable[Kept]) -> Impact:
    """What `draft`, in force from `as_of` on, would do to each artifact of the stock."""
    before, after = Clocks(in_force), Clocks(replace(draft, in_force_from=as_of))
    impact = Impact(as_of, **_lists(in_force, draft))
    lines: dict[tuple[str, Part, Apart], Line] = {}
    for kept in stock:
        apart: Apart = "held" if kept.is_held else "extended" if kept.is_extended else ""
        new = after.under(kept).due_at
        fate = _fate(kept, new, as_of, before, after)
        key = (kept.purpose, kept.part, apart)
        line = lines.setdefault(key, Line(*key))
        setattr(line, fate, getattr(line, fate) + 1)
        if new < kept.due_at and len(impact.examples) < EXAMPLES:
            moved = Example(kept.id, kept.source_id, kept.purpose, kept.part, apart, kept.due_at, new)
            impact.examples.append(moved)
    impact.lines = [lines[key] for key in sorted(lines)]
    return impact


def _fate(kept: Kept, new: datetime, as_of: datetime, before: Clocks, after: Clocks) -> Fate:
    if new < kept.due_at:
        # What is gone by then anyway loses nothing.
        return "unchanged" if kept.due_at <= as_of else "at_once" if new <= as_of else "earlier"
    old_ends, new_ends = before.ends(kept), after.ends(kept)
    is_longer = new_ends is not None and (old_ends is None or new_ends[0] > old_ends[0])
    return "longer_stays" if is_longer and kept.due_at > as_of else "unchanged"


def _lists(in_force: Policy, draft: Policy) -> dict[str, Any]:
    old, new = in_force.purposes, draft.purposes
    return {
        "added": sorted(new.keys() - old.keys()),
        "removed": sorted(old.keys() - new.keys()),
        "listening": [
            Listening(name, role, gained, lost)
            for name in sorted(old.keys() | new.keys())
            for role, gained, lost in _reasons(in_force, draft, name)
        ],
    }


def _reasons(
    in_force: Policy, draft: Policy, name: str
) -> Iterable[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    old, new = (
        policy.purposes[name].listeners if name in policy.purposes else {} for policy in (in_force, draft)
    )
    for role in sorted(old.keys() | new.keys()):
        had, has = set(old.get(role, ())), set(new.get(role, ()))
        if had != has:
            yield role, tuple(sorted(has - had)), tuple(sorted(had - has))
