"""One sample call as the native delivery's two files, sound or broken as its kind says."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from consigne.doors.samples.conversation import Conversation, Line
from consigne.doors.samples.kinds import Kind
from consigne.doors.samples.sound import Container, encode
from consigne.doors.samples.values import Values

CALLEE = "+33123456789"
AGENTS = {"fr": ("a.martin", "b.durand", "c.petit", "d.moreau", "e.leroy"), "en": ("j.smith", "k.jones")}
UNINFORMED_AGENT = "n.nouveau"
_BAD_FIELDS: tuple[tuple[str, Any], ...] = (
    ("direction", "sideways"),
    ("caller", 12),
    ("notice", {"played_at_s": -1}),
)


@dataclass(frozen=True, slots=True)
class Delivery:
    """The bytes of a call's files; `audio` is None where the source never hands it in."""

    id: str
    suffix: str
    audio: bytes | None = field(repr=False)
    json: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What surrounds a call: its identifier, start (UTC), the notice played, and the policy's zone."""

    id: str
    started_at: datetime
    notice: str
    zone: str


def deliver(
    kind: Kind, values: Values, call: Conversation, around: Circumstances, container: Container, draw: Random
) -> Delivery:
    """Both files of a call."""
    metadata = _metadata(kind, values, call, around, container, draw)
    audio: bytes | None = encode(call.samples, container)
    suffix = container.suffix
    match kind.code:
        case "missing_audio":
            audio = None
        case "unreadable_audio":
            audio, suffix = b"fLaC" + draw.randbytes(2_000), ".flac"
        case "format_mismatch":
            suffix = ".wav" if suffix == ".flac" else ".flac"
        case "bad_field":
            metadata |= [draw.choice(_BAD_FIELDS)]
    text = json.dumps(metadata, ensure_ascii=False).encode()
    if kind.code == "bad_json":
        text = draw.choice(
            (text[:-9], text.replace(b'"objection": null', b'"objection": NaN'), text + b"\xff")
        )
    return Delivery(around.id, suffix, audio, text)


def _metadata(
    kind: Kind, values: Values, call: Conversation, around: Circumstances, container: Container, draw: Random
) -> dict[str, Any]:
    started = around.started_at.astimezone(ZoneInfo(around.zone))
    late_ms = 60_000 if kind.code == "duration_mismatch" else 0
    metadata: dict[str, Any] = {
        "id": around.id,
        "started_at": started.isoformat(),
        "ended_at": (started + timedelta(milliseconds=call.duration_ms + late_ms)).isoformat(),
        "direction": "inbound",
        "caller": values.caller,
        "callee": CALLEE,
        "agent": UNINFORMED_AGENT
        if kind.code == "agent_not_informed"
        else draw.choice(AGENTS[values.language]),
        "queue": kind.queue,
        "language": values.language,
        "notice": {"version": around.notice, "played_at_s": call.notice_at_ms / 1_000},
        "objection": None,
        "channels": ["mixed"] if container.channels == 1 else ["caller", "agent"],
    }
    if kind.asked:
        metadata["purposes"] = list(kind.purposes)
    if kind.code == "not_announced":
        metadata["notice"] = None
    if objects_to := kind.purposes if kind.code == "objected" else kind.objects_to:
        metadata["objection"] = {"at_s": 3.0, "purposes": list(objects_to), "alternative": "not_recorded"}
    metadata |= {
        name: text for name, text in (("trigger", kind.trigger), ("other_proof", kind.other_proof)) if text
    }
    if kind.form == "segments":
        metadata["transcript"] = {"segments": [_segment(line) for line in call.lines]}
    elif kind.form != "none":
        metadata["transcript"] = {"words": [word for line in _heard(kind, call) for word in _words(line)]}
    return metadata


def _heard(kind: Kind, call: Conversation) -> list[Line]:
    """The lines that recognition wrote down."""
    lost = kind.form == "lost"
    return [line for line in call.lines if not (lost and any(word.kind == "card" for word in line.said))]


def _segment(line: Line) -> dict[str, Any]:
    return _timed(
        " ".join(word.text for word in line.said), line.said[0].start_ms, line.said[-1].end_ms, line.speaker
    )


def _words(line: Line) -> list[dict[str, Any]]:
    return [_timed(word.text, word.start_ms, word.end_ms, line.speaker) for word in line.said]


def _timed(text: str, start_ms: int, end_ms: int, speaker: str) -> dict[str, Any]:
    return {"text": text, "start_s": start_ms / 1_000, "end_s": end_ms / 1_000, "speaker": speaker}
