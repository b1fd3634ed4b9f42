"""Keeping an artifact under another purpose: which purposes may take it, and when it falls due there.

| code | meaning |
| --- | --- |
| `unknown_purpose` | the policy in force lacks the one or the other purpose |
| `same_purpose` | it is kept for this purpose already |
| `part_not_kept` | the purpose does not keep this part |
| `needs_human_trigger`, `other_proof_exists` | the purpose takes only what was recorded for it from the start |
| `redaction_differs` | it was masked by a weaker profile than the purpose asks for |
| `no_policy_at_start` | the purpose did not exist when the call began |
| `notice_does_not_cover` | the caller was not told of this purpose |
| `outside_period` | the call began when nothing was recorded for this purpose |
| `objected` | the caller objected to this purpose |
| `already_kept_there` | this part of the recording is kept for this purpose already, or was |
| `held` | a hold keeps it: it is lifted first |
| `past_due` | the purpose's own clock has ended |
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from consigne.rules.gate import is_in_period
from consigne.rules.policy.model import Policy, Purpose, RedactionRule
from consigne.rules.redaction.profiles import PROFILES, WITH_NAMES
from consigne.rules.retention import Due, falls_due
from consigne.rules.values import Part


@dataclass(frozen=True, slots=True)
class Movable:
    """A kept artifact as far as a change of purpose asks. `redaction` is the rule by which it was masked (None:
    nobody knows), `at_start` the policy at the call's start; `there` holds the purposes for which this part of
    the recording was ever kept, `objected` those that the caller objected to ("" stands for all)."""

    artifact: UUID
    recording: UUID
    purpose: str
    part: Part
    started_at: datetime
    received_at: datetime
    notice: str | None
    at_start: Policy | None
    redaction: RedactionRule | None
    is_held: bool = False
    there: frozenset[str] = field(default_factory=frozenset)
    objected: frozenset[str] = field(default_factory=frozenset)


def due_there(policy: Policy, purpose: str, movable: Movable) -> Due:
    """When it would fall due under the purpose, by its own clock's start."""
    clock = movable.started_at, movable.received_at
    return falls_due(movable.at_start, policy, movable.notice, purpose, movable.part, *clock)


def why_not_move(policy: Policy, purpose: str, movable: Movable, now: datetime) -> str | None:
    """The first code that speaks against keeping it under `purpose`; None where it may be."""
    target = policy.purposes.get(purpose)
    if target is None or movable.purpose not in policy.purposes:
        return "unknown_purpose"
    if purpose == movable.purpose:
        return "same_purpose"
    if movable.part not in target.parts:
        return "part_not_kept"
    return (
        _why_not_needed(target)
        or _why_not_told(purpose, movable)
        or _why_not_there(purpose, movable)
        or _why_not_masked(target, movable)
        or ("past_due" if due_there(policy, purpose, movable).due_at <= now else None)
    )


def _why_not_needed(target: Purpose) -> str | None:
    # A whole call cannot become the relevant part of one afterwards.
    if "trigger" in target.needs:
        return "needs_human_trigger"
    return "other_proof_exists" if "other_proof" in target.needs else None


def _why_not_told(purpose: str, movable: Movable) -> str | None:
    at_start = movable.at_start
    if at_start is None or purpose not in at_start.purposes:
        return "no_policy_at_start"
    notice = at_start.notices.get(movable.notice) if movable.notice else None
    if notice is None or purpose not in notice.covers:
        return "notice_does_not_cover"
    if not is_in_period(at_start.purposes[purpose], movable.started_at, at_start.zone):
        return "outside_period"
    return "objected" if movable.objected & {"", purpose} else None


def _why_not_there(purpose: str, movable: Movable) -> str | None:
    if purpose in movable.there:
        return "already_kept_there"
    return "held" if movable.is_held else None


def _why_not_masked(target: Purpose, movable: Movable) -> str | None:
    masked = movable.redaction
    return None if masked and is_as_strong(masked, target.redaction) else "redaction_differs"


def is_as_strong(masked: RedactionRule, asked: RedactionRule) -> bool:
    """Whether what was masked by the one rule leaves nothing that the other would mask."""
    if asked.requires_transcript and not masked.requires_transcript:
        return False
    if asked.profile == masked.profile:
        return True
    if asked.profile not in PROFILES or masked.profile not in PROFILES:
        return False
    strong, weak = PROFILES[masked.profile], PROFILES[asked.profile]
    return (
        set(weak.in_sound) <= set(strong.in_sound)
        and set(weak.in_text) <= set(strong.in_text)
        and strong.least <= weak.least
        and strong.pad_sound_ms >= weak.pad_sound_ms
        and strong.pad_text_before_ms >= weak.pad_text_before_ms
        and strong.pad_text_after_ms >= weak.pad_text_after_ms
        and (asked.profile not in WITH_NAMES or masked.profile in WITH_NAMES)
    )


def why_not_move_all(policy: Policy, purpose: str, movables: Sequence[Movable], now: datetime) -> str | None:
    """The first code that speaks against moving any of them; two of the same recording and part cannot both go."""
    places = {(one.recording, one.part) for one in movables}
    code = next((code for one in movables if (code := why_not_move(policy, purpose, one, now))), None)
    return code or ("already_kept_there" if len(places) < len(movables) else None)


def targets(
    policy: Policy, movables: Sequence[Movable], now: datetime
) -> tuple[Mapping[str, datetime], Mapping[str, str]]:
    """Purposes that may take all of them, each with the earliest end of its clock; the others with their codes."""
    codes = {name: why_not_move_all(policy, name, movables, now) for name in policy.purposes}
    open = [name for name, code in codes.items() if code is None and movables]
    ends = {name: min(due_there(policy, name, one).due_at for one in movables) for name in open}
    return ends, {name: code for name, code in codes.items() if code}
