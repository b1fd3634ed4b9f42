"""Holds in the reader's words: values of views_holds in, texts out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from consigne.doors.desk.pages.told import Told, purpose_title
from consigne.doors.desk.words import Wording
from consigne.rules.policy.model import Policy

_PRESSING = timedelta(days=30)


def hold_told(words: Wording, now: datetime, hold: Mapping[str, Any]) -> Told:
    """One hold: what it is over, until when, and what it keeps."""
    is_open, left = hold["state"] == "open", hold["review_at"] - now
    return {
        "id": str(hold["id"]),
        "mandate": hold["mandate"],
        "authority": hold["authority"],
        "reason": hold["reason"],
        "over": _over(words, hold),
        "recording": str(hold["recording"]) if hold["recording"] else "",
        "restrict": hold["restrict"],
        "placed": words.say("holds.by", user=hold["placed_by"], at=words.moment(hold["placed_at"])),
        "review": words.moment(hold["review_at"]),
        "open": is_open,
        "pressing": is_open and left < _PRESSING,
        "left": words.say("holds.left", time=words.span(left)) if is_open else "",
        "state": words.say(f"holds.state.{hold['state']}"),
        "ended": _ended(words, hold),
        "keeps": words.say("holds.keeps_count", count=hold["keeps"]),
        "gone": words.say("holds.gone_count", count=hold["would_be_gone"]),
    }


def _over(words: Wording, hold: Mapping[str, Any]) -> str:
    said = words.say(f"holds.over.{hold['scope']}", agent=hold["agent"] or "")
    for name in ("since", "until"):
        if hold[name]:
            said += " " + words.say(f"holds.over.{name}", at=words.moment(hold[name]))
    return said


def _ended(words: Wording, hold: Mapping[str, Any]) -> str:
    if hold["state"] == "lifted":
        return words.say("holds.by", user=hold["ended_by"], at=words.moment(hold["ended_at"]))
    return words.moment(hold["review_at"]) if hold["state"] == "lapsed" else ""


def caught_told(words: Wording, policy: Policy, now: datetime, one: Mapping[str, Any]) -> Told:
    """One recording that a hold caught."""
    own, last = (words.moment(one[name]) if one[name] else "" for name in ("own_due_at", "last_due_at"))
    if one["erased"] == one["parts"]:
        fate = words.say("holds.erased")
    elif not one["still"]:
        fate = words.say("holds.released", at=own if own == last else f"{own} – {last}")
    elif own != last:
        fate = words.say("holds.would_go_between", at=own, last=last)
    else:
        fate = words.say("holds.would_be_gone" if one["own_due_at"] <= now else "holds.would_go", at=own)
    return {
        "id": str(one["id"]),
        "source_id": one["source_id"],
        "started": words.moment(one["started_at"]),
        "queue": one["queue"],
        "agent": one["agent"],
        "purposes": ", ".join(purpose_title(words, policy, name) for name in sorted(one["purposes"])),
        "fate": fate,
    }
