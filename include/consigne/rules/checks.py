"""One table of checks on what was delivered, in three stages, each with a row of its own:

- `metadata`: what the JSON says. Great Expectations runs it on a batch, `failed` on one row;
- `decode`: whether there is sound that can be read; `rules.audio` judges it, the table names it;
- `audio`: what the decoded sound says, against the metadata.

A check with a code quarantines; one without is a remark, which an operator sees and which stops nothing. A row
is flat and holds numbers, booleans and enumerations only: nothing a person said, and no number of anyone. A
check passes where its column is None.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from consigne.rules.clock import Duration
from consigne.rules.errors import BadInput
from consigne.rules.language import contradicts
from consigne.rules.recording import IncomingRecording, Word
from consigne.rules.soundness import Soundness
from consigne.rules.values import Quarantined

Direction = Literal["inbound", "outbound", "internal"]
Kind = Literal["is_true", "between", "one_of"]
Stage = Literal["metadata", "decode", "audio"]
Value = bool | int | str | None
Row = Mapping[str, Value]

# These four are read alike by Python, pydantic (Rust) and JSON Schema (ECMA 262): no \w, no \p{L}.
# E.164, a national number, an extension of a few digits, or a number that the caller withheld.
NUMBER = r"\+?[0-9]{2,15}|anonymous"
LANGUAGE = r"[a-z]{2,3}(-[A-Z]{2})?"
# Latin, Greek and Cyrillic letters, accents also as marks of their own; no digits but ASCII's, which are scanned.
NAME = r"[A-Za-zÀ-ÖØ-öø-ʯ\u0300-\u036fΆΈ-ώЀ-ҁҊ-ӿḀ-ỿ0-9 ._@'’()&/+:\-]{1,64}"
ID = r"[!-~]{1,128}"
_PURPOSE = re.compile(r"[a-z][a-z0-9_]{0,39}")
MOST_CHANNELS = 8
CALLER = "caller"
"""The name of the caller's channel, and so of the caller among a transcript's speakers."""
# What a good source stays within.
MOST_AHEAD_MS = 2_000
MOST_SILENT_PERCENT = 95
MOST_SILENT_WORDS_PERCENT = 50
MOST_CLIPPED_PERMILLE = 2


@dataclass(frozen=True, slots=True)
class Check:
    """A promise about one column: the delivery's field, and the contract's code where it is broken (None: a
    remark)."""

    id: str
    column: str
    kind: Kind
    field: str
    code: str | None = "bad_field"
    stage: Stage = "metadata"
    least: int | None = None
    most: int | None = None
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """A check that failed: the *Quarantined* code (None: a remark), the delivery's field, the check's id."""

    code: str | None
    field: str
    check: str


CHECKS: tuple[Check, ...] = (
    Check("json_is_small", "is_small", "is_true", "json", "too_large"),
    Check("json_is_readable", "is_json", "is_true", "json", "bad_json"),
    Check("fields_are_right", "has_right_fields", "is_true", "json"),
    Check("id_is_plain", "id_is_plain", "is_true", "id"),
    Check("agent_is_plain", "agent_is_plain", "is_true", "agent"),
    Check("queue_is_plain", "queue_is_plain", "is_true", "queue"),
    Check("direction_is_known", "direction", "one_of", "direction", values=get_args(Direction)),
    Check("caller_is_number", "caller_is_number", "is_true", "caller"),
    Check("callee_is_number", "callee_is_number", "is_true", "callee"),
    Check("language_is_tag", "language_is_tag", "is_true", "language"),
    Check("purposes_are_names", "purposes_are_names", "is_true", "purposes"),
    Check("call_has_length", "duration_ms", "between", "ended_at", least=1),
    Check("call_is_within_cap", "is_within_cap", "is_true", "ended_at", "too_long"),
    Check("channels_are_few", "channel_count", "between", "channels", least=1, most=MOST_CHANNELS),
    Check("channels_are_distinct", "channels_are_distinct", "is_true", "channels"),
    Check("notice_is_within_call", "notice_is_within_call", "is_true", "notice.played_at_s"),
    Check("objection_is_within_call", "objection_is_within_call", "is_true", "objection.at_s"),
    Check("words_run_forward", "words_run_forward", "is_true", "transcript"),
    Check("words_are_within_call", "words_are_within_call", "is_true", "transcript"),
    Check("clock_runs_right", "ahead_ms", "between", "ended_at", None, most=MOST_AHEAD_MS),
    Check("notice_precedes_caller", "notice_precedes_caller", "is_true", "notice.played_at_s", None),
    Check("language_is_spoken", "language_is_spoken", "is_true", "language", None),
    Check("container_is_known", "container_is_known", "is_true", "audio", "format_mismatch", "decode"),
    Check("sound_is_readable", "sound_is_readable", "is_true", "audio", "unreadable_audio", "decode"),
    Check("sound_is_within_cap", "sound_is_within_cap", "is_true", "audio", "too_long", "decode"),
    Check("sound_is_small", "sound_is_small", "is_true", "audio", "too_large", "decode"),
    Check("length_is_as_stated", "length_is_as_stated", "is_true", "audio", "duration_mismatch", "audio"),
    Check("channels_are_as_stated", "channels_are_as_stated", "is_true", "channels", "format_mismatch", "audio"),
    Check("words_are_within_audio", "words_are_within_audio", "is_true", "transcript", "bad_field", "audio"),
    Check("sound_is_heard", "silent_percent", "between", "audio", None, "audio", most=MOST_SILENT_PERCENT),
    Check("channels_are_heard", "silent_channels", "between", "channels", None, "audio", most=0),
    Check("channels_differ", "channels_differ", "is_true", "channels", None, "audio"),
    Check(
        "sound_is_not_clipped", "clipped_permille", "between", "audio", None, "audio",
        most=MOST_CLIPPED_PERMILLE,
    ),
    Check(
        "words_have_sound", "silent_words_percent", "between", "transcript", None, "audio",
        most=MOST_SILENT_WORDS_PERCENT,
    ),
)  # fmt: skip


def of_stage(stage: Stage) -> tuple[Check, ...]:
    """A stage's checks, in the table's order."""
    return tuple(check for check in CHECKS if check.stage == stage)


def row(
    outcome: IncomingRecording | BadInput, recording_cap: Duration, received_at: datetime | None = None
) -> dict[str, Value]:
    """The metadata's row of one delivery, read or not; `fault_field` is where reading it failed. Without
    `received_at` the source's clock is not judged."""
    if isinstance(outcome, BadInput):
        return _unread(outcome)
    call, length_ms = outcome, outcome.duration_ms
    words = call.transcript.reveal().words if call.transcript else ()
    latest_ms = length_ms + tolerance_ms(length_ms)
    return {
        "is_small": True,
        "is_json": True,
        "has_right_fields": True,
        "fault_field": None,
        "id_is_plain": re.fullmatch(ID, call.id) is not None,
        "agent_is_plain": re.fullmatch(NAME, call.agent) is not None,
        "queue_is_plain": re.fullmatch(NAME, call.queue) is not None,
        "direction": call.direction,
        "caller_is_number": re.fullmatch(NUMBER, call.caller.reveal()) is not None,
        "callee_is_number": re.fullmatch(NUMBER, call.callee.reveal()) is not None,
        "language_is_tag": re.fullmatch(LANGUAGE, call.language) is not None,
        "purposes_are_names": all(_PURPOSE.fullmatch(name) for name in call.purposes or ()),
        "duration_ms": length_ms,
        "is_within_cap": length_ms <= recording_cap.seconds_exact() * 1000,
        "channel_count": len(call.channels),
        "channels_are_distinct": len(set(call.channels)) == len(call.channels),
        "notice_is_within_call": 0 <= call.notice.played_at_ms <= latest_ms if call.notice else None,
        "objection_is_within_call": 0 <= call.objection.at_ms <= latest_ms if call.objection else None,
        "words_run_forward": _run_forward(words),
        "words_are_within_call": all(word.start_ms >= 0 and word.end_ms <= latest_ms for word in words),
        "ahead_ms": round((call.ended_at - received_at).total_seconds() * 1000) if received_at else None,
        "notice_precedes_caller": _notice_precedes(call, words),
        "language_is_spoken": not contradicts(call.language, (word.text for word in words)),
    }


def _unread(fault: BadInput) -> dict[str, Value]:
    columns: dict[str, Value] = {check.column: None for check in of_stage("metadata")}
    known = {"too_large": "is_small", "bad_json": "is_json"}
    return {**columns, known.get(fault.code, "has_right_fields"): False, "fault_field": fault.where or None}


def _run_forward(words: tuple[Word, ...]) -> bool:
    starts = [word.start_ms for word in words]
    return starts == sorted(starts) and all(word.start_ms <= word.end_ms for word in words)


def _notice_precedes(call: IncomingRecording, words: tuple[Word, ...]) -> bool | None:
    first_ms = min((word.start_ms for word in words if word.speaker == CALLER), default=None)
    return None if call.notice is None or first_ms is None else call.notice.played_at_ms <= first_ms


def undecoded(why: Quarantined) -> tuple[str, ...]:
    """Ids of the checks that say why a delivery's sound could not be read; none where it was another reason."""
    return tuple(check.id for check in of_stage("decode") if check.code == why.code)


def audio_row(call: IncomingRecording, sound: Soundness) -> dict[str, Value]:
    """The sound's row: what was decoded, against what was stated."""
    allowed_ms = tolerance_ms(call.duration_ms)
    return {
        "length_is_as_stated": _lasts_as_stated(call, sound.duration_ms),
        "channels_are_as_stated": sound.channels == len(call.channels),
        "words_are_within_audio": sound.last_word_ms <= sound.duration_ms + allowed_ms,
        "silent_percent": sound.silent_percent,
        "silent_channels": sound.silent_channels,
        "channels_differ": not sound.has_twins,
        "clipped_permille": sound.clipped_permille,
        "silent_words_percent": sound.silent_words_percent,
    }


def check_audio(call: IncomingRecording, duration_ms: int, channels: int) -> Quarantined | None:
    """What the header alone says, against the metadata: before words are looked for in it."""
    if not _lasts_as_stated(call, duration_ms):
        return Quarantined("duration_mismatch", "audio", ("length_is_as_stated",))
    if channels != len(call.channels):
        return Quarantined("format_mismatch", "channels", ("channels_are_as_stated",))
    return None


def _lasts_as_stated(call: IncomingRecording, duration_ms: int) -> bool:
    return abs(duration_ms - call.duration_ms) <= tolerance_ms(call.duration_ms)


def _passes(check: Check, value: Value) -> bool:
    if value is None:
        return True
    if check.kind == "is_true":
        return value is True
    if check.kind == "one_of":
        return value in check.values
    return isinstance(value, int) and not (
        (check.least is not None and value < check.least) or (check.most is not None and value > check.most)
    )


def failed(row: Row, stage: Stage = "metadata") -> list[str]:
    """Ids of the stage's checks that its row fails, in the table's order."""
    return [check.id for check in of_stage(stage) if not _passes(check, row[check.column])]


def explain(row: Row, ids: Iterable[str] | None = None, stage: Stage = "metadata") -> list[Finding]:
    """What failed, in the table's order; `ids` where a batch was already checked."""
    wanted = set(failed(row, stage) if ids is None else ids)
    where = row.get("fault_field")
    return [
        Finding(check.code, where if isinstance(where, str) else check.field, check.id)
        for check in of_stage(stage)
        if check.id in wanted
    ]


def explain_audio(call: IncomingRecording, sound: Soundness) -> list[Finding]:
    """What the decoded sound is found to be, against what was stated."""
    return explain(audio_row(call, sound), stage="audio")


def verdict(findings: Iterable[Finding]) -> Quarantined | None:
    """The first finding that quarantines, with the ids of all; None where there are only remarks."""
    found = tuple(findings)
    ids = tuple(finding.check for finding in found)
    return next((Quarantined(each.code, each.field, ids) for each in found if each.code), None)


def tolerance_ms(length_ms: int) -> int:
    """How far audio and metadata may lie apart: 2 s, or 2 % of the call where that is more."""
    return max(2000, length_ms // 50)
