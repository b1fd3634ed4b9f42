"""Deliveries that bring no words, on a real PostgreSQL and with a transcriber that hears what it is told."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
import soundfile

from consigne.acts import ingest as acts
from consigne.acts import protect, transcribe
from consigne.rules.audio.pcm import Audio
from consigne.rules.errors import Conflict, Unavailable
from consigne.rules.recording import Transcript, Word
from consigne.rules.values import Private, Quarantined

from .world import World, with_parts

CARD = ("4111", "1111", "1111", "1111")
HELLO = (Word("bonjour", 200, 500, "mixed"),)
READ_OUT = (
    *HELLO,
    Word("carte", 600, 690, "mixed"),
    *(Word(group, 700 + 100 * at, 780 + 100 * at, "mixed") for at, group in enumerate(CARD)),
)


@dataclass(slots=True)
class Hears:
    """A transcriber; `says` is asked for each recording."""

    says: Callable[[], Any] = lambda: HELLO
    asked: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    configured: bool = True

    def transcribe(
        self, audio: Private[Audio], language: str, speakers: Sequence[str]
    ) -> Private[Transcript] | Quarantined:
        assert audio.reveal().frames > 0
        self.asked.append((language, tuple(speakers)))
        said = self.says()
        return said if isinstance(said, Quarantined) else Private(Transcript(said))


def hearing(world: World, says: Callable[[], Any] = lambda: HELLO) -> tuple[World, Hears]:
    hears = Hears(says)
    return with_parts(world, transcriber=hears), hears


def in_turn(*answers: Any) -> Callable[[], Any]:
    """One answer after the other; a fault is raised."""
    left = iter(answers)

    def say() -> Any:
        answer = next(left)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    return say


@pytest.mark.promise("P2")
def test_what_was_heard_is_masked_like_what_was_delivered(world: World) -> None:
    heard, hears = hearing(world, lambda: READ_OUT)
    heard.deliver("a", transcript=None)
    heard.ingest()
    assert hears.asked == [("fr", ("mixed",))]
    assert heard.deliveries() == {"a": ("cleared", None)}
    audio, transcript = heard.artifacts("a")
    text = heard.content(transcript).decode()
    assert "bonjour" in text and "[card]" in text and "1111" not in text
    samples, rate_hz = soundfile.read(io.BytesIO(heard.content(audio)), dtype="int16")
    assert not samples[rate_hz * 700 // 1000 : rate_hz * 1080 // 1000].any()
    assert samples[: rate_hz // 2].any()
    assert {span["kind"] for span in audio.masked} == {"card"}
    assert "1111" not in json.dumps(heard.register())


@pytest.mark.promise("P2")
def test_what_was_heard_is_not_stored_where_it_cannot_be_proven(world: World) -> None:
    late = tuple(replace(word, start_ms=word.start_ms + 9000, end_ms=word.end_ms + 9000) for word in READ_OUT)
    heard, _ = hearing(world, lambda: late)
    heard.deliver("a", transcript=None)
    heard.ingest()
    assert heard.deliveries() == {"a": ("quarantined", "not_proven")}
    assert heard.artifacts() == []


def test_a_delivery_with_words_and_one_that_needs_none_are_not_transcribed(world: World) -> None:
    heard, hears = hearing(world)
    heard.deliver("a")
    heard.deliver_trial("b", transcript=None)
    heard.deliver("c", transcript={"words": []}, agent="n.nouveau")  # refused
    heard.ingest()
    assert hears.asked == []
    assert {part for _, part in heard.states("b")} == {"audio"}


def test_one_purpose_that_needs_words_brings_them_to_all(world: World) -> None:
    heard, hears = hearing(world)
    heard.deliver("a", purposes=["training", "trial"], ago=timedelta(minutes=2), transcript={"words": []})
    heard.ingest()
    assert len(hears.asked) == 1
    assert set(heard.states("a")) == {
        (purpose, part) for purpose in ("training", "trial") for part in ("audio", "transcript")
    }


@pytest.mark.promise("P2")
def test_without_a_transcriber_a_purpose_that_needs_words_refuses(world: World) -> None:
    world.deliver("a", transcript=None)
    world.ingest()
    assert world.deliveries() == {"a": ("quarantined", "needs_transcript")}
    assert world.artifacts() == []


@pytest.mark.promise("P8")
def test_a_recording_that_cannot_be_heard_stops_no_other(world: World) -> None:
    failed = Quarantined("needs_transcript", "transcriber_timeout")
    heard, _ = hearing(world, in_turn(failed, HELLO))
    heard.deliver("a", transcript=None)
    heard.deliver("b", transcript=None)
    heard.ingest()
    assert sorted(heard.deliveries().values(), key=str) == [
        ("cleared", None),
        ("quarantined", "needs_transcript"),
    ]
    row = next(heard.delivery(id) for id, (state, _) in heard.deliveries().items() if state == "quarantined")
    assert row.detail == "transcriber_timeout"
    assert [place.stem for place in heard.intake.waiting(1 << 30)] == [row.source_id]


def test_channels_that_are_not_as_stated_are_not_transcribed(world: World) -> None:
    heard, hears = hearing(world)
    heard.deliver("a", transcript=None, channels=["caller", "agent"])
    heard.ingest()
    assert heard.deliveries() == {"a": ("quarantined", "format_mismatch")}
    assert hears.asked == []


def _chunk(world: World) -> str:
    """One chunk, admitted."""
    (chunk,) = acts.validate_metadata(world.platform, acts.discover_intake(world.platform, "first"))
    acts.admit_recordings(world.platform, chunk)
    return chunk


@pytest.mark.promise("P8")
@pytest.mark.parametrize("fault", [Unavailable("transcriber", "away"), SystemExit(), RuntimeError("1111")])
def test_after_a_fault_it_is_transcribed_again(world: World, fault: BaseException) -> None:
    heard, _ = hearing(world, in_turn(fault, HELLO))
    heard.deliver("a", transcript=None)
    heard.deliver("b")
    chunk = _chunk(heard)
    if isinstance(fault, RuntimeError):
        assert "1111" not in str(transcribe.transcribe_recordings(heard.platform, chunk))
    else:
        with pytest.raises(type(fault)):
            transcribe.transcribe_recordings(heard.platform, chunk)
    done = protect.protect_recordings(heard.platform, chunk)
    assert (done["done"], done["left"]) == (1, ["not_transcribed"])
    assert heard.deliveries() == {"a": ("admitted", None), "b": ("protected", None)}
    heard.ingest()
    assert set(heard.deliveries().values()) == {("cleared", None)}
    assert len(heard.artifacts("a")) == 2


def test_what_a_chunk_has_no_time_for_is_the_next_runs(world: World) -> None:
    def slowly() -> Any:
        world.pass_time(transcribe.BUDGET)
        return HELLO

    heard, hears = hearing(world, slowly)
    for id in ("a", "b"):
        heard.deliver(id, transcript=None)
    heard.deliver("c")
    with pytest.raises(Conflict, match="unfinished"):
        heard.ingest()
    assert len(hears.asked) == 1
    assert sorted(heard.deliveries().values(), key=str) == [("admitted", None), *[("cleared", None)] * 2]
    hears.says = lambda: HELLO
    heard.ingest()
    assert set(heard.deliveries().values()) == {("cleared", None)}


def test_it_is_repeated_without_harm(world: World) -> None:
    heard, hears = hearing(world)
    heard.deliver("a", transcript=None)
    chunk = _chunk(heard)
    transcribe.transcribe_recordings(heard.platform, chunk)
    kept = heard.artifacts("a")
    transcribe.transcribe_recordings(heard.platform, chunk)
    assert heard.artifacts("a") == kept
    assert len(hears.asked) == 1


def test_files_that_change_meanwhile_stop_no_other(world: World) -> None:
    heard, hears = hearing(world)
    for id in ("a", "b"):
        heard.deliver(id, transcript=None)
    chunk = _chunk(heard)
    heard.deliver("a", transcript=None, seed=2)
    assert transcribe.transcribe_recordings(heard.platform, chunk)["done"] == 1
    assert len(hears.asked) == 1
    assert heard.deliveries() == {"a": ("admitted", None), "b": ("protected", None)}
