"""The owners' words on a request, and the purposes that could take it over, in the reader's words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from consigne.doors.desk.pages.looking import Look
from consigne.doors.desk.pages.told import Told, outcome_line, purpose_title
from consigne.doors.desk.words import Wording
from consigne.rules.access import Denied, Target, Verb, may
from consigne.rules.policy.model import Purpose
from consigne.rules.repurpose import Movable, targets
from consigne.rules.request import Answer, owners_awaited
from consigne.rules.values import Actor


def opinions_told(words: Wording, request: Mapping[str, Any]) -> list[Told]:
    """What each owner said."""
    return [
        {
            "line": words.say("opinion.line", user=one["owner"], at=words.moment(one["given_at"])),
            "reason": one["reason"],
        }
        for one in request["opinions"]
    ]


def awaited_told(words: Wording, look: Look, request: Mapping[str, Any]) -> str:
    """Whose word is still missing; empty where nobody's is."""
    spoken = [one["owner"] for one in request["opinions"]]
    missing = owners_awaited(look.policy, request["purposes"], spoken)
    return words.say("opinion.awaited", users=", ".join(sorted(missing))) if missing else ""


def moves_told(words: Wording, look: Look, actor: Actor, movables: Sequence[Movable]) -> Told:
    """Under `open` the purposes that the reader may choose (name, title, until, who would listen), under `closed`
    the others with why not."""
    ends, codes = targets(look.policy, movables, look.now)
    denied = {
        name: verdict.code
        for name in ends
        if isinstance(
            verdict := may(look.policy, actor, Verb.DECIDE, Target(purpose=name), None, look.now), Denied
        )
    }
    codes = {**codes, **denied}
    return {
        "open": [
            {
                "name": name,
                "title": purpose_title(words, look.policy, name),
                "until": words.moment(end),
                "listeners": listeners_told(words, look.policy.purposes[name]),
            }
            for name, end in ends.items()
            if name not in denied
        ],
        "closed": [
            {"title": purpose_title(words, look.policy, name), "why": words.label("move", code)}
            for name, code in codes.items()
            if code != "same_purpose"
        ],
    }


def listeners_told(words: Wording, purpose: Purpose) -> str:
    """`trainer (coaching, appraisal) ; analyst (evaluation)`, in the reader's words."""
    return " ; ".join(
        f"{words.label('role', role)} ({', '.join(words.label('reason', code) for code in reasons)})"
        for role, reasons in purpose.listeners.items()
    )


def outcome_told(
    words: Wording, look: Look, request: Mapping[str, Any], history: Iterable[Mapping[str, Any]]
) -> Told | None:
    """What was decided and what became of it; None before."""
    if request["answer"] is None:
        return None
    refused, applied = request["answer"] == Answer.REFUSE, request["applied_at"]
    after = "outcome.refused" if refused else "outcome.applied" if applied else "outcome.applying"
    moved_to = request["decided_purpose"]
    effects = Counter(one["outcome"] for one in history if one["kind"] == "decide:artifact:applied")
    return {
        "line": outcome_line(words, request),
        "until": "" if refused else words.say("outcome.until", until=words.moment(request["decided_until"])),
        "purpose": words.say("outcome.purpose", purpose=purpose_title(words, look.policy, moved_to))
        if moved_to
        else "",
        "after": words.say(after, at=words.moment(applied) if applied else ""),
        "effects": [f"{words.label('applied', code)} · {count}" for code, count in effects.items()],
        "reason": request["decided_reason"],
    }
