"""Requests, recordings and register entries in the reader's words: values of the views in, texts out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from consigne.doors.desk.words import Wording
from consigne.rules.clock import parse_instant
from consigne.rules.policy.model import Policy

Told = dict[str, Any]
_PRESSING = timedelta(days=1)
_MASKS_SHOWN = 40
_HEARD_SHOWN = 12
HEARD = ("listen:artifact:offered", "listen:artifact:denied")


def request_told(words: Wording, policy: Policy, now: datetime, request: Mapping[str, Any]) -> Told:
    """A request (views.waiting, views.request) for a page."""
    names = list(dict.fromkeys(item["source_id"] for item in request["items"]))
    state = "lapsed" if request["state"] == "pending" and request["lapses_at"] <= now else request["state"]
    open = state == "pending"
    left = request["lapses_at"] - now
    return {
        "id": str(request["id"]),
        "short": words.say("request", short=str(request["id"])[:8]),
        "title": names[0] + (f" + {len(names) - 1}" if len(names) > 1 else "") if names else "",
        "requester": request["requester"],
        "ground": request["ground"],
        "reason": request["reason"],
        "until": words.moment(request["until"]),
        "filed": words.moment(request["filed_at"]),
        "lapses": words.moment(request["lapses_at"]),
        "about": _about(words, policy, request["items"]),
        "open": open,
        "pressing": left < _PRESSING,
        "left": words.say("left", time=words.span(left)) if open else "",
        "state": words.say(f"state.{state}"),
        "silence": _silence(words, request) if open else "",
        "outcome": outcome_line(words, request) if state == "decided" else "",
        "digest_short": request["digest"][:12],
    }


def _about(words: Wording, policy: Policy, items: Sequence[Mapping[str, Any]]) -> list[str]:
    by_purpose: dict[str, list[str]] = {}
    for item in items:
        by_purpose.setdefault(item["purpose"], []).append(item["part"])
    lines = []
    for purpose, parts in by_purpose.items():
        named = ", ".join(words.label("part", part) for part in dict.fromkeys(parts))
        count = f" ({words.say('items', count=len(parts))})" if len(parts) > len(set(parts)) else ""
        lines.append(f"{purpose_title(words, policy, purpose)} · {named}{count}")
    return lines


def purpose_title(words: Wording, policy: Policy, purpose: str) -> str:
    """The policy's title for a purpose; its name where the policy has it no more."""
    known = policy.purposes.get(purpose)
    return known.title.get(words.language, purpose) if known else purpose


def _silence(words: Wording, request: Mapping[str, Any]) -> str:
    key = "silence.at_lapse" if request["gone_at"] <= request["lapses_at"] else "silence.at_due"
    return words.say(key, lapses=words.moment(request["lapses_at"]), due=words.moment(request["gone_at"]))


def outcome_line(words: Wording, decided: Mapping[str, Any]) -> str:
    """`Prolonger, par dpo, le 20 novembre 2026 à 9:14.`"""
    answer = words.say(f"answer.{decided['answer']}")
    at = words.moment(decided["decided_at"])
    return words.say("outcome.line", answer=answer, user=decided["decided_by"], at=at)


def recordings_told(
    words: Wording,
    policy: Policy,
    now: datetime,
    request: Mapping[str, Any],
    entries: Iterable[Mapping[str, Any]],
) -> list[Told]:
    """The recordings of a request with the parts asked for, and who listened, newest first (of register entries)."""
    heard = [entry for entry in entries if entry["kind"] in HEARD][::-1]
    by_recording: dict[Any, list[Mapping[str, Any]]] = {}
    for item in request["items"]:
        by_recording.setdefault(item["recording"], []).append(item)
    return [
        {
            "source_id": items[0]["source_id"],
            "started": words.moment(items[0]["started_at"]),
            "length": words.length(items[0]["duration_ms"]),
            "queue": items[0]["queue"],
            "agent": items[0]["agent"],
            "language": items[0]["language"],
            "notice": items[0]["notice"] or "–",
            "policy": ", ".join(sorted({item["policy_version"] for item in items})),
            "parts": _parts(words, policy, now, request["until"], items),
            "heard": _heard(words, [entry for entry in heard if entry.get("recording") == str(recording)]),
        }
        for recording, items in by_recording.items()
    ]


def _parts(
    words: Wording, policy: Policy, now: datetime, until: datetime, items: Sequence[Mapping[str, Any]]
) -> list[Told]:
    # Parts that share all but their name are told once: two minutes are short.
    told: list[Told] = []
    for item in items:
        name, rest = words.label("part", item["part"]), _part(words, policy, now, until, item)
        if told and {key: value for key, value in told[-1].items() if key != "names"} == rest:
            told[-1]["names"] += f", {name}"
        else:
            told.append({"names": name} | rest)
    return told


def _part(words: Wording, policy: Policy, now: datetime, until: datetime, item: Mapping[str, Any]) -> Told:
    masked = [
        f"{words.length(m['start_ms'])}–{words.length(m['end_ms'])} {words.label('kind', m['kind'])}"
        for m in item["masked"][:_MASKS_SHOWN]
    ]
    left_out = len(item["masked"]) - len(masked)
    return {
        "purpose": purpose_title(words, policy, item["purpose"]),
        "state": item["state"],
        "restricted": item["restricted"],
        "start": words.moment(item["clock_start"]),
        "held": item["hold"] is not None,
        "due": words.moment(item["own_due_at"]),
        "cap": words.moment(item["cap_at"]),
        "masked": [*masked, f"+ {left_out}"] if left_out else masked,
        "line": clock_line(item["clock_start"], item["own_due_at"], until, item["cap_at"], now),
    }


def clock_line(
    start: datetime, due: datetime, until: datetime, cap: datetime, now: datetime
) -> dict[str, float]:
    """Places on a line 100 long from the clock's start to the cap: `due`, what is asked `more`, and `now`."""
    whole = max((max(cap, due, until) - start).total_seconds(), 1.0)

    def place(instant: datetime) -> float:
        return round(min(max((instant - start).total_seconds() / whole, 0.0), 1.0) * 100, 2)

    more = round(max(place(until) - place(due), 0.0), 2)
    return {"due": place(due), "more": more, "now": min(place(now), 99.5)}


def _heard(words: Wording, newest_first: Sequence[Mapping[str, Any]]) -> list[str]:
    left_out = len(newest_first) - _HEARD_SHOWN
    lines = [heard_line(words, entry) for entry in newest_first[:_HEARD_SHOWN]]
    return [*lines, f"+ {left_out}"] if left_out > 0 else lines


def heard_line(words: Wording, entry: Mapping[str, Any]) -> str:
    """When, who, what, why; and that it was denied, where it was."""
    parts = [words.moment(parse_instant(entry["at"])), entry["actor"], words.label("verb", entry["verb"])]
    if entry.get("part"):
        parts.append(words.label("part", entry["part"]))
    if entry.get("reason"):
        parts.append(words.label("reason", entry["reason"]))
    if entry.get("code"):
        parts.append(f"{words.say('decide.refused_attempt')} ({words.label('denied', entry['code'])})")
    return " · ".join(parts)


def earlier_told(words: Wording, decisions: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Earlier decisions, each with its reason."""
    return [
        {
            "line": f"{words.label('ground', one['ground'])} · {outcome_line(words, one)}",
            "reason": one["reason"],
        }
        for one in decisions
    ]
