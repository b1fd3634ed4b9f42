"""What was delivered is judged by a table; rows carry nothing that a person said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consigne.rules.checks import (
    CHECKS,
    Finding,
    audio_row,
    check_audio,
    explain,
    explain_audio,
    failed,
    of_stage,
    row,
    tolerance_ms,
    undecoded,
    verdict,
)
from consigne.rules.clock import Duration
from consigne.rules.errors import BadInput
from consigne.rules.recording import IncomingRecording, NoticePlayed, Objection, Transcript, Word
from consigne.rules.soundness import Soundness
from consigne.rules.values import Private, Quarantined

Call = Callable[..., IncomingRecording]
CAP = Duration(seconds=4 * 3600)
SECOND = timedelta(seconds=1)
SOUND = Soundness(
    duration_ms=278_000,
    channels=2,
    silent_percent=40,
    silent_channels=0,
    has_twins=False,
    clipped_permille=0,
    silent_words_percent=3,
    last_word_ms=270_000,
)
FRENCH = "oui bonjour je vous appelle pour ma facture qui est fausse merci de votre aide et au revoir"
ENGLISH = "yes hello I am calling about the bill that is wrong please help me with it thank you and goodbye"


def spoken(*times: tuple[int, int]) -> Private[Transcript]:
    return Private(Transcript(tuple(Word("mot", start, end, "agent") for start, end in times)))


def said(text: str, speaker: str = "agent", at_ms: int = 5_000) -> Private[Transcript]:
    words = (
        Word(word, at_ms + 300 * i, at_ms + 300 * i + 200, speaker) for i, word in enumerate(text.split())
    )
    return Private(Transcript(tuple(words)))


def test_a_right_call_passes_every_check(call: Call) -> None:
    found = row(call(), CAP)
    assert failed(found) == []
    assert explain(found) == []
    assert {check.column for check in of_stage("metadata")} <= found.keys()
    assert {check.column for check in of_stage("audio")} == audio_row(call(), SOUND).keys()
    assert explain_audio(call(), SOUND) == []


@pytest.mark.parametrize(
    ("changes", "check", "code", "field"),
    [
        ({"id": "a b"}, "id_is_plain", "bad_field", "id"),
        ({"id": ""}, "id_is_plain", "bad_field", "id"),
        ({"id": "a\n"}, "id_is_plain", "bad_field", "id"),
        ({"id": "x" * 129}, "id_is_plain", "bad_field", "id"),
        ({"agent": "a\u00a0martin"}, "agent_is_plain", "bad_field", "agent"),
        ({"agent": "٠٦١٢٣٤٥٦٧٨"}, "agent_is_plain", "bad_field", "agent"),
        ({"queue": "x" * 65}, "queue_is_plain", "bad_field", "queue"),
        ({"queue": "support\n"}, "queue_is_plain", "bad_field", "queue"),
        ({"direction": "sideways"}, "direction_is_known", "bad_field", "direction"),
        ({"caller": Private("06 12 34 56 78")}, "caller_is_number", "bad_field", "caller"),
        ({"caller": Private("+33612345678\n")}, "caller_is_number", "bad_field", "caller"),
        ({"callee": Private("Mme Martin")}, "callee_is_number", "bad_field", "callee"),
        ({"language": "french"}, "language_is_tag", "bad_field", "language"),
        ({"purposes": ("Training",)}, "purposes_are_names", "bad_field", "purposes"),
        ({"channels": ()}, "channels_are_few", "bad_field", "channels"),
        ({"channels": tuple("abcdefghi")}, "channels_are_few", "bad_field", "channels"),
        ({"channels": ("agent", "agent")}, "channels_are_distinct", "bad_field", "channels"),
        (
            {"notice": NoticePlayed("2026-01", 290_000)},
            "notice_is_within_call",
            "bad_field",
            "notice.played_at_s",
        ),
        (
            {"objection": Objection(290_000, (), None)},
            "objection_is_within_call",
            "bad_field",
            "objection.at_s",
        ),
        ({"transcript": spoken((4, 3))}, "words_run_forward", "bad_field", "transcript"),
        ({"transcript": spoken((4, 5), (3, 9))}, "words_run_forward", "bad_field", "transcript"),
        ({"transcript": spoken((0, 283_561))}, "words_are_within_call", "bad_field", "transcript"),
        ({"transcript": spoken((-1, 5))}, "words_are_within_call", "bad_field", "transcript"),
    ],
)
def test_each_check_finds_its_fault(
    call: Call, changes: dict[str, Any], check: str, code: str, field: str
) -> None:
    assert explain(row(call(**changes), CAP)) == [Finding(code, field, check)]


@pytest.mark.parametrize(
    "changes",
    [
        {"caller": Private("anonymous")},
        {"callee": Private("4012")},
        {"caller": Private("0612345678")},
        {"agent": "a.martín"},
        {"queue": "file d'attente é (SAV) n° 2".replace("°", "o")},
        {"agent": "Łukasz Ψ. Жуков"},
        {"queue": "file d’attente e\u0301"},
        {"language": "fr-FR"},
        {"transcript": None},
        {"transcript": spoken((0, 283_560))},
        {"notice": None, "objection": None},
    ],
)
def test_what_sources_really_send_passes(call: Call, changes: dict[str, Any]) -> None:
    assert failed(row(call(**changes), CAP)) == []


@pytest.mark.parametrize(
    ("changes", "check", "field"),
    [
        ({"transcript": said(ENGLISH)}, "language_is_spoken", "language"),
        ({"language": "en-GB", "transcript": said(FRENCH)}, "language_is_spoken", "language"),
        ({"transcript": said("allô", "caller", 2_099)}, "notice_precedes_caller", "notice.played_at_s"),
    ],
)
def test_what_looks_wrong_is_a_remark_and_stops_nothing(
    call: Call, changes: dict[str, Any], check: str, field: str
) -> None:
    found = explain(row(call(**changes), CAP))
    assert found == [Finding(None, field, check)]
    assert verdict(found) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"transcript": said(FRENCH)},
        {"language": "en", "transcript": said(ENGLISH)},
        {"language": "es", "transcript": said(FRENCH)},  # only what is tagged as one of the two is judged
        {"transcript": said("thank you")},
        {"transcript": said("allô", "caller", 2_100)},
        {"transcript": said("allô", "agent", 100)},
        {"transcript": said("allô", "caller", 100), "notice": None},
    ],
)
def test_what_is_right_or_in_doubt_is_not_remarked(call: Call, changes: dict[str, Any]) -> None:
    assert failed(row(call(**changes), CAP)) == []


@pytest.mark.parametrize(("ahead_ms", "ids"), [(-60_000, []), (2_000, []), (2_001, ["clock_runs_right"])])
def test_a_call_that_ends_after_it_came_shows_a_clock_that_runs_ahead(
    call: Call, ahead_ms: int, ids: list[str]
) -> None:
    received_at = call().ended_at - timedelta(milliseconds=ahead_ms)
    assert failed(row(call(), CAP, received_at)) == ids


def test_length_has_both_ends(call: Call) -> None:
    start = call().started_at
    assert failed(row(call(ended_at=start, transcript=None, notice=None), CAP)) == ["call_has_length"]
    assert failed(row(call(ended_at=start + 4 * 3600 * SECOND), CAP)) == []
    found = explain(row(call(ended_at=start + (4 * 3600 + 1) * SECOND), CAP))
    assert found == [Finding("too_long", "ended_at", "call_is_within_cap")]


@pytest.mark.parametrize(
    ("fault", "finding"),
    [
        (BadInput("bad_json", "json"), Finding("bad_json", "json", "json_is_readable")),
        (BadInput("too_large", "json"), Finding("too_large", "json", "json_is_small")),
        (BadInput("bad_field", "notice.version"), Finding("bad_field", "notice.version", "fields_are_right")),
    ],
)
def test_what_could_not_be_read_is_a_row_too(fault: BadInput, finding: Finding) -> None:
    assert explain(row(fault, CAP)) == [finding]


def test_a_batchs_result_is_explained_in_the_tables_order(call: Call) -> None:
    found = explain(row(call(), CAP), ["words_run_forward", "id_is_plain"])
    assert [finding.check for finding in found] == ["id_is_plain", "words_run_forward"]


@pytest.mark.promise("P2")
@given(st.text(min_size=3), st.text(min_size=3), st.text(min_size=3))
def test_a_row_holds_no_word_and_no_number_of_anyone(call: Call, word: str, caller: str, id: str) -> None:
    private = Private(Transcript((Word(word, 0, 1, "agent"),)))
    found = row(call(id=id, caller=Private(caller), customer_ref=Private(caller), transcript=private), CAP)
    texts = {value for value in found.values() if isinstance(value, str)}
    assert texts == {"inbound"}


def test_ids_are_one_each() -> None:
    assert len({check.id for check in CHECKS}) == len(CHECKS)


@pytest.mark.parametrize(
    ("length_ms", "tolerance"),
    [(0, 2000), (99_999, 2000), (100_000, 2000), (278_000, 5560), (3_600_000, 72_000)],
)
def test_the_tolerance_is_two_seconds_or_two_percent(length_ms: int, tolerance: int) -> None:
    assert tolerance_ms(length_ms) == tolerance


@pytest.mark.parametrize(
    ("duration_ms", "channels", "result"),
    [
        (278_000, 2, None),
        (283_560, 2, None),
        (272_440, 2, None),
        (283_561, 2, Quarantined("duration_mismatch", "audio", ("length_is_as_stated",))),
        (272_439, 2, Quarantined("duration_mismatch", "audio", ("length_is_as_stated",))),
        (278_000, 1, Quarantined("format_mismatch", "channels", ("channels_are_as_stated",))),
    ],
)
def test_audio_is_what_the_metadata_says(
    call: Call, duration_ms: int, channels: int, result: Quarantined | None
) -> None:
    assert check_audio(call(), duration_ms, channels) == result
    found = explain_audio(call(), replace(SOUND, duration_ms=duration_ms, channels=channels))
    assert verdict(found) == result


@pytest.mark.parametrize(
    ("changes", "check", "code"),
    [
        ({"last_word_ms": 283_561}, "words_are_within_audio", "bad_field"),
        ({"silent_percent": 96}, "sound_is_heard", None),
        ({"silent_channels": 1}, "channels_are_heard", None),
        ({"has_twins": True}, "channels_differ", None),
        ({"clipped_permille": 3}, "sound_is_not_clipped", None),
        ({"silent_words_percent": 51}, "words_have_sound", None),
    ],
)
def test_each_check_of_the_sound_finds_its_fault(
    call: Call, changes: dict[str, Any], check: str, code: str | None
) -> None:
    [found] = explain_audio(call(), replace(SOUND, **changes))
    assert (found.check, found.code) == (check, code)


def test_all_that_failed_is_named_and_the_first_that_quarantines_is_the_code(call: Call) -> None:
    sound = replace(SOUND, channels=1, clipped_permille=900, last_word_ms=900_000)
    ids = ("channels_are_as_stated", "words_are_within_audio", "sound_is_not_clipped")
    assert verdict(explain_audio(call(), sound)) == Quarantined("format_mismatch", "channels", ids)


@pytest.mark.parametrize(
    ("code", "ids"), [("too_long", ("sound_is_within_cap",)), ("needs_transcript", ()), ("not_proven", ())]
)
def test_what_could_not_be_decoded_is_named(code: str, ids: tuple[str, ...]) -> None:
    assert undecoded(Quarantined(code, "audio")) == ids
