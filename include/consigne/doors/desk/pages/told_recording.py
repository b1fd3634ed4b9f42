"""A recording and its clocks in the reader's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from consigne.doors.desk.pages.looking import Look, allows
from consigne.doors.desk.pages.told import Told, clock_line, purpose_title
from consigne.doors.desk.words import Wording
from consigne.rules.access import Allowed, Target, Verb, may
from consigne.rules.values import Actor, ArtifactState, Part

_MASKS_SHOWN = 60
Artifact = Mapping[str, Any]


def may_ask(look: Look, actor: Actor, artifact: Artifact) -> bool:
    """Whether the reader may ask to keep an artifact longer; what only a hold keeps is past its own time."""
    target = Target(
        purpose=artifact["purpose"],
        part=Part(artifact["part"]),
        restricted=artifact["restricted"],
        due_at=artifact["unheld_due_at"] or artifact["due_at"],
        state=ArtifactState(artifact["state"]),
    )
    return isinstance(may(look.policy, actor, Verb.ASK, target, None, look.now), Allowed)


def row_told(words: Wording, look: Look, actor: Actor, found: Mapping[str, Any]) -> Told:
    """A recording (views_recordings.search) for the list, its artifacts by purpose and end."""
    groups: dict[tuple[object, ...], Told] = {}
    for one in found["artifacts"]:
        told = {
            "purpose": purpose_title(words, look.policy, one["purpose"]),
            "end": _end(words, one),
            "tags": tags(words, look.now, one),
        }
        group = groups.setdefault(
            (told["purpose"], told["end"], *map(tuple, told["tags"])), told | {"parts": []}
        )
        group["parts"].append(
            {
                "id": str(one["id"]),
                "name": words.label("part", one["part"]),
                "asks": may_ask(look, actor, one),
            }
        )
    return {
        "id": str(found["id"]),
        "source_id": found["source_id"],
        "started": words.moment(found["started_at"]),
        "length": words.length(found["duration_ms"]),
        "queue": found["queue"],
        "agent": found["agent"] or "–",
        "groups": list(groups.values()),
    }


def _end(words: Wording, artifact: Artifact) -> str:
    if artifact["erased_at"]:
        return words.say("recordings.erased_on", at=words.moment(artifact["erased_at"]))
    return words.say("recordings.due_on", at=words.moment(artifact["due_at"]))


def tags(words: Wording, now: datetime, artifact: Artifact) -> list[tuple[str, str]]:
    """What is special about an artifact: (a class of the style sheet, the word)."""
    if artifact["state"] in ("erased", "erasing", "storing"):
        return [("", words.label("artifact", artifact["state"]))]
    found = [
        ("bad", "past_due", artifact["due_at"] <= now),
        ("held", "held", artifact["hold"] is not None),
        ("good", "extended", artifact["extension"] is not None),
        ("warn", "restricted", artifact["restricted"] or artifact["hushed"]),
    ]
    return [(kind, words.say(f"recordings.state.{name}")) for kind, name, holds in found if holds]


def recording_told(words: Wording, look: Look, actor: Actor, found: Mapping[str, Any]) -> Told:
    """One recording (views_recordings.recording) for its page."""
    return {
        "id": str(found["id"]),
        "source_id": found["source_id"],
        "source": found["source"],
        "started": words.moment(found["started_at"]),
        "received": words.moment(found["received_at"]),
        "length": words.length(found["duration_ms"]),
        "direction": words.label("direction", found["direction"]),
        "queue": found["queue"],
        "agent": found["agent"] or "–",
        "language": found["language"],
        "notice": found["notice"] or "–",
        "policy": found["policy_version"],
        "parts": [_part(words, look, actor, found, one) for one in found["artifacts"]],
        "requests": [_request(words, look, actor, one) for one in found["requests"]],
        "holds": [_hold(words, look.now, one) for one in found["holds"]],
    }


def _part(words: Wording, look: Look, actor: Actor, found: Mapping[str, Any], one: Artifact) -> Told:
    certificate = found["certificates"].get(one["id"])
    destroyed = found["epochs"].get(one["epoch"])
    held_until = next(
        (
            hold["review_at"]
            for hold in found["holds"]
            if hold["id"] == one["hold"] and _is_open(hold, look.now)
        ),
        None,
    )
    own = one["unheld_due_at"] if held_until else one["due_at"]
    first = one["first_due_at"] if one["first_due_at"] != own else None
    return {
        "id": str(one["id"]),
        "name": words.label("part", one["part"]),
        "purpose": purpose_title(words, look.policy, one["purpose"]),
        "tags": tags(words, look.now, one),
        "is_gone": one["state"] == "erased",
        "asks": may_ask(look, actor, one),
        "start": words.moment(one["clock_start"]),
        "first_due": words.moment(first) if first else "",
        "own_due": words.moment(own),
        "held_until": words.moment(held_until) if held_until else "",
        "cap": words.moment(one["cap_at"]),
        "erased": words.moment(one["erased_at"]) if one["erased_at"] else "",
        "epoch": one["epoch"],
        "epoch_destroyed": words.moment(destroyed) if destroyed else "",
        "certificate": str(certificate["id"]) if certificate else "",
        "masked": _masks(words, one["masked"]),
        "line": _line(one, look.now),
    }


def _masks(words: Wording, masked: Sequence[Mapping[str, Any]]) -> list[str]:
    shown = [
        f"{words.length(m['start_ms'])}–{words.length(m['end_ms'])} {words.label('kind', m['kind'])}"
        for m in masked[:_MASKS_SHOWN]
    ]
    return [*shown, f"+ {len(masked) - _MASKS_SHOWN}"] if len(masked) > _MASKS_SHOWN else shown


def _line(one: Artifact, now: datetime) -> dict[str, float]:
    """The clock's line: as first planned, then what an extension adds, then what a hold adds."""
    first = one["first_due_at"] or one["due_at"]
    own = one["unheld_due_at"] or one["due_at"]
    end = max(one["cap_at"], one["due_at"])
    kept = clock_line(one["clock_start"], first, own, end, now)
    held = clock_line(one["clock_start"], own, one["due_at"], end, now)
    return kept | {"held_from": held["due"], "held": held["more"]}


def _request(words: Wording, look: Look, actor: Actor, one: Mapping[str, Any]) -> Told:
    told = words.say(f"state.{one['state']}")
    if one["answer"]:
        answer, at = words.say(f"answer.{one['answer']}"), words.moment(one["decided_at"])
        told = words.say("outcome.line", answer=answer, user=one["decided_by"], at=at)
    decides = allows(look, actor, Verb.DECIDE)
    return {
        "id": str(one["id"]),
        "opens": decides or actor.user == one["requester"],
        "line": words.say("recordings.request", user=one["requester"], at=words.moment(one["filed_at"])),
        "ground": words.label("ground", one["ground"]),
        "state": told,
    }


def _is_open(hold: Mapping[str, Any], now: datetime) -> bool:
    return bool(hold["state"] == "open" and now < hold["review_at"])


def _hold(words: Wording, now: datetime, one: Mapping[str, Any]) -> Told:
    is_open = _is_open(one, now)
    ends = one["review_at"] if is_open else one["ended_at"] or one["review_at"]
    return {
        "id": str(one["id"]),
        "mandate": one["mandate"],
        "authority": one["authority"],
        "line": words.say(
            "recordings.hold_open" if is_open else "recordings.hold_ended",
            since=words.moment(one["placed_at"]),
            at=words.moment(ends),
        ),
        "hushes": is_open and one["restrict"],
    }
