"""What is asked about, what became of requests, and whose word they wait for, in the reader's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from consigne.doors.desk.pages.looking import Look
from consigne.doors.desk.pages.seat import seat_of
from consigne.doors.desk.pages.told import Told, clock_line, purpose_title, request_told
from consigne.doors.desk.pages.told_decide import awaited_told, opinions_told
from consigne.doors.desk.pages.until import write_until
from consigne.doors.desk.words import Wording
from consigne.rules.access import Denied, Target, Verb, may
from consigne.rules.asking import Asked, Span, shared_grounds, shared_span
from consigne.rules.clock import add
from consigne.rules.values import Actor, ArtifactState, Part

NOT_THEIRS = ("not_a_listener", "unknown_purpose")
"""Denials that show nothing: whoever meets one may not even see the recording."""


@dataclass(frozen=True, slots=True)
class Asking:
    """What is asked about, what was typed, and what was wrong: a key of the texts, and the field it concerns."""

    artifacts: Sequence[UUID]
    form: Mapping[str, str] = field(
        default_factory=lambda: dict.fromkeys(("until", "ground", "reason", "why_not_less"), "")
    )
    wrong: str = ""
    wrong_field: str = ""

    def refused(self, wrong: str, wrong_field: str) -> Asking:
        """The same form, sent back."""
        return replace(self, wrong=wrong, wrong_field=wrong_field)


def asking_told(
    words: Wording, look: Look, actor: Actor, found: Sequence[Mapping[str, Any]], asking: Asking
) -> Told | None:
    """The form for artifacts (views_exceptions.askable); None where one of them is not the actor's to see."""
    codes = {one["id"]: _why_not(look, actor, one) for one in found}
    if any(code in NOT_THEIRS for code in codes.values()):
        return None
    open_ones = [one for one in found if codes[one["id"]] is None]
    span = shared_span(
        look.policy, [Asked(one["purpose"], one["own_due_at"], one["cap_at"]) for one in open_ones]
    )
    grounds = shared_grounds(look.policy, [one["purpose"] for one in open_ones])
    return {
        "recordings": _recordings(words, look, found, codes, span),
        "artifacts": [str(one["id"]) for one in open_ones],
        "left_out": len(open_ones) < len(found),
        "grounds": grounds,
        "until": _until(words, span, look.policy.zone) if span else None,
        "closed": _why_closed(words, open_ones, grounds, span),
        "form": asking.form,
        "wrong": words.say(asking.wrong) if asking.wrong else "",
        "wrong_field": asking.wrong_field,
        "lapses": words.moment(add(look.now, look.policy.response_time, look.policy.zone)),
    }


def _why_not(look: Look, actor: Actor, one: Mapping[str, Any]) -> str | None:
    target = Target(
        purpose=one["purpose"],
        part=Part(one["part"]),
        restricted=one["restricted"],
        due_at=one["own_due_at"],
        state=ArtifactState(one["state"]),
    )
    verdict = may(look.policy, actor, Verb.ASK, target, None, look.now)
    if isinstance(verdict, Denied):
        return verdict.code
    return "already_asked" if one["awaited"] else None


def _why_closed(
    words: Wording, open_ones: Sequence[Mapping[str, Any]], grounds: Sequence[str], span: Span | None
) -> str:
    if not open_ones:
        return words.say("ask.closed.nothing")
    if not grounds:
        return words.say("ask.closed.grounds")
    return "" if span else words.say("ask.closed.span")


def _until(words: Wording, span: Span, zone: str) -> Told:
    (kind, first), (last_kind, last) = write_until(span.first, zone), write_until(span.last, zone)
    if kind != last_kind:  # one form has one kind of field
        kind = "datetime-local"
        first, last = (text if "T" in text else f"{text}T00:00:00" for text in (first, last))
    return {
        "kind": kind,
        "first": first,
        "last": last,
        "latest": words.moment(span.last),
        "hint": words.say("ask.until_hint", first=words.moment(span.first), last=words.moment(span.last)),
    }


def _recordings(
    words: Wording,
    look: Look,
    found: Sequence[Mapping[str, Any]],
    codes: Mapping[UUID, str | None],
    span: Span | None,
) -> list[Told]:
    told: dict[UUID, Told] = {}
    for one in found:
        recording = told.setdefault(one["recording"], _recording(words, one))
        name, rest = words.label("part", one["part"]), _part(words, look, one, codes[one["id"]], span)
        if recording["parts"] and {**recording["parts"][-1], "names": ""} == {**rest, "names": ""}:
            recording["parts"][-1]["names"] += f", {name}"
        else:
            recording["parts"].append({**rest, "names": name})
    return list(told.values())


def _recording(words: Wording, one: Mapping[str, Any]) -> Told:
    return {
        "id": str(one["recording"]),
        "source_id": one["source_id"],
        "started": words.moment(one["started_at"]),
        "length": words.length(one["duration_ms"]),
        "queue": one["queue"],
        "agent": one["agent"],
        "parts": [],
    }


def _part(words: Wording, look: Look, one: Mapping[str, Any], code: str | None, span: Span | None) -> Told:
    due = one["own_due_at"]
    last = span.last if span and code is None else due
    return {
        "purpose": purpose_title(words, look.policy, one["purpose"]),
        "restricted": one["restricted"],
        "start": words.moment(one["clock_start"]),
        "due": words.moment(due),
        "line": clock_line(one["clock_start"], due, last, one["cap_at"], look.now),
        "cap": words.moment(one["cap_at"]),
        "why_not": words.label("ask.left", code) if code else "",
    }


def waits_told(words: Wording, look: Look, request: Mapping[str, Any]) -> str:
    """Whose word a pending request waits for."""
    return awaited_told(words, look, request) or words.say("decide.awaits_dpo")


def exception_told(words: Wording, look: Look, actor: Actor, request: Mapping[str, Any]) -> Told:
    """A request for the list: whose word it waits for, or what was decided and why."""
    told = request_told(words, look.policy, look.now, request)
    decided = request["answer"] is not None
    return told | {
        "link": not isinstance(seat_of(look, actor, request), Denied),
        "waits": waits_told(words, look, request) if told["open"] else "",
        "why_not_less": request["why_not_less"],
        "opinions": opinions_told(words, request),
        "decided_reason": request["decided_reason"] if decided else "",
        "applied": words.say("outcome.applied", at=words.moment(request["applied_at"]))
        if request["applied_at"]
        else "",
    }
