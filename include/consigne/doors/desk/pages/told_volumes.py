"""Volumes set aside in the reader's words: values of the views in, texts out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from consigne.doors.desk.pages.told import Told, purpose_title
from consigne.doors.desk.words import Wording
from consigne.rules.clock import add, local_date
from consigne.rules.policy.model import Policy
from consigne.rules.volume import LONGEST_HOLD, grounds_of


def volume_told(words: Wording, policy: Policy, now: datetime, one: Mapping[str, Any]) -> Told:
    """A row of views_volumes, whichever."""
    state = "lapsed" if one["state"] == "pending" and one["lapses_at"] <= now else one["state"]
    total = sum(count["set_aside"] for count in one["counts"].values())
    return {
        "id": str(one["id"]),
        "short": words.say("volume.short", short=str(one["id"])[:8]),
        "total": total,
        "title": words.say("volume.title", count=total),
        "purposes": ", ".join(purpose_title(words, policy, purpose) for purpose in one["counts"]),
        "open": state == "pending",
        "state": one["answer"] or state,
        "digest": one["digest"],
        "set_aside": words.moment(one["set_aside_at"]),
        "lapses": words.moment(one["lapses_at"]),
        "left": words.say("left", time=words.span(one["lapses_at"] - now)) if state == "pending" else "",
        "until": words.moment(one["until"]) if one["until"] else "",
        "ground": words.label("ground", one["ground"]) if one["ground"] else "",
        "decided_by": one["decided_by"] or "",
        "decided": words.moment(one["decided_at"]) if one["decided_at"] else "",
        "reason": one["reason"] or "",
    }


def measured_told(words: Wording, policy: Policy, one: Mapping[str, Any]) -> list[Told]:
    """By purpose: what was foretold, what fell due, what is set aside (views_volumes.volume)."""
    lines = {line["purpose"]: line for line in one["lines"]}
    return [
        dict(count)
        | {
            "purpose": purpose_title(words, policy, purpose),
            "first_due": words.moment(lines[purpose]["first_due_at"]),
            "last_due": words.moment(lines[purpose]["last_due_at"]),
            "last_cap": words.moment(lines[purpose]["last_cap_at"]),
            "left": lines[purpose]["left"],
        }
        for purpose, count in one["counts"].items()
        if purpose in lines
    ]


def why_told(words: Wording, one: Mapping[str, Any]) -> list[str]:
    """What may explain the excess, as far as the catalog knows."""
    said = [
        words.say("volume.why.policy", version=version["version"], at=words.moment(version["in_force_from"]))
        for version in one["versions"]
    ]
    if new := sum(line["new"] for line in one["lines"]):
        said.append(words.say("volume.why.new", count=new))
    return said or [words.say("volume.why.unknown")]


def examples_told(words: Wording, rows: Iterable[Mapping[str, Any]]) -> list[Told]:
    """Rows of views_volumes.examples."""
    return [
        {
            "id": str(row["id"]),
            "source_id": row["source_id"],
            "queue": row["queue"],
            "started": words.moment(row["started_at"]),
            "due": words.moment(row["due_at"]),
        }
        for row in rows
    ]


def choices_told(words: Wording, policy: Policy, now: datetime, counts: Mapping[str, object]) -> Told:
    """What the form of a hold offers: grounds, and the days between which it may end."""
    today, last = local_date(now, policy.zone), local_date(add(now, LONGEST_HOLD, policy.zone), policy.zone)
    return {
        "grounds": [(ground, words.label("ground", ground)) for ground in grounds_of(policy, counts)],
        "first_day": (today + timedelta(days=1)).isoformat(),
        "last_day": last.isoformat(),
        "last_day_said": words.dated(last),
    }
