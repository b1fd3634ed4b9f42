"""One table of checks on what was delivered. Great Expectations runs it on a batch, `failed` on one row.

A row is flat and holds numbers, booleans and enumerations only: nothing a person said, and no number of
anyone. A check passes where its column is None.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from consigne.rules.clock import Duration
from consigne.rules.errors import BadInput
from consigne.rules.recording import IncomingRecording, Word
from consigne.rules.values import Quarantined

Direction = Literal["inbound", "outbound", "internal"]
Kind = Literal["is_true", "between", "one_of"]
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


@dataclass(frozen=True, slots=True)
class Check:
    """A promise about one column: the contract's code where it is broken, and the delivery's field."""

    id: str
    column: str
    kind: Kind
    field: str
    code: str = "bad_field"
    least: int | None = None
    most: int | None = None
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """A check that failed: the *Quarantined* code, the delivery's field, the check's id."""

    code: str
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
)


def row(outcome: IncomingRecording | BadInput, recording_cap: Duration) -> dict[str, Value]:
    """The row of one delivery, read or not; `fault_field` is where reading it failed."""
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
    }


def _unread(fault: BadInput) -> dict[str, Value]:
    columns: dict[str, Value] = {check.column: None for check in CHECKS}
    known = {"too_large": "is_small", "bad_json": "is_json"}
    return {**columns, known.get(fault.code, "has_right_fields"): False, "fault_field": fault.where or None}


def _run_forward(words: tuple[Word, ...]) -> bool:
    starts = [word.start_ms for word in words]
    return starts == sorted(starts) and all(word.start_ms <= word.end_ms for word in words)


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


def failed(row: Row) -> list[str]:
    """Ids of the checks that a row fails, in the table's order."""
    return [check.id for check in CHECKS if not _passes(check, row[check.column])]


def explain(row: Row, ids: Iterable[str] | None = None) -> list[Finding]:
    """What failed, in the table's order, the first being the delivery's code; `ids` where a batch was
    already checked."""
    wanted = set(failed(row) if ids is None else ids)
    where = row["fault_field"]
    return [
        Finding(check.code, where if isinstance(where, str) else check.field, check.id)
        for check in CHECKS
        if check.id in wanted
    ]


def tolerance_ms(length_ms: int) -> int:
    """How far audio and metadata may lie apart: 2 s, or 2 % of the call where that is more."""
    return max(2000, length_ms // 50)


def check_audio(incoming: IncomingRecording, duration_ms: int, channels: int) -> Quarantined | None:
    """What the decoded audio says, against the metadata."""
    stated_ms = incoming.duration_ms
    if abs(duration_ms - stated_ms) > tolerance_ms(stated_ms):
        return Quarantined("duration_mismatch", "audio")
    if channels != len(incoming.channels):
        return Quarantined("format_mismatch", "channels")
    return None
