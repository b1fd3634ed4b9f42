"""Calls of the corpus through the running platform, whole and broken: nothing of what they say lies anywhere
outside intake (issue 4, Shown by 4)."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest
import soundfile

from consigne.doors.samples.delivery import Delivery
from consigne.doors.samples.generate import write
from consigne.rules.clock import iso, parse_instant
from corpus.build import LabelledCall, call
from corpus.sound import CONTAINERS
from system.conftest import Up
from system.inside import deliveries, sample_calls, store_as
from system.sweep import Finder, Needle, encoded, sweep

SEED, COUNT = 17, 90
WINDOW_BYTES, WINDOWS = 24, 6
SHORTEST_TEXT = 14
BREAKS = ("", "", "no transcript", "segments", "no times", "cut", "noise", "other suffix", "bad json")


@dataclass(frozen=True)
class HandedIn:
    """What went into intake, by the delivery's id, and what may be nowhere else."""

    up: Up
    broken: dict[str, str]
    needles: dict[bytes, Needle]


@pytest.fixture(scope="module")
def handed_in(platform_up: Up) -> HandedIn:
    template = json.loads(sample_calls(platform_up, "leaks", "plain")[0][0].json)
    broken: dict[str, str] = {}
    needles: dict[bytes, Needle] = {}
    for index in range(COUNT):
        made, how, draw = call(SEED, index), BREAKS[index % len(BREAKS)], Random(index)
        one = broken_as(how, delivery(template, made, f"corpus-{index:03d}"), draw)
        write(platform_up.intake_dir, one.id, one)
        broken[one.id] = how
        needles |= {data: Needle(kind, how) for kind, data in content(made, one, draw)}
    done = platform_up.consigne("ingest", "--wait")
    assert done.returncode == 0, done.stderr[-2_000:]
    return HandedIn(platform_up, broken, needles)


def delivery(template: dict[str, Any], made: LabelledCall, id: str) -> Delivery:
    """A call of the corpus as its source hands it in."""
    ends = parse_instant(template["started_at"]) + timedelta(milliseconds=made.duration_ms)
    channels = ["caller", "agent"] if is_stereo(made) else ["mixed"]
    words = [
        {"text": w.text, "start_s": w.start_ms / 1000, "end_s": w.end_ms / 1000, "speaker": w.speaker}
        for w in made.transcript.words
    ]
    form = "words" if made.transcript.by_word else "segments"
    document = template | {
        "id": id, "ended_at": iso(ends), "channels": channels, "language": made.language[:2],
        "transcript": {form: words},
    }  # fmt: skip
    return Delivery(
        id, CONTAINERS[made.container].suffix, made.audio, json.dumps(document, ensure_ascii=False).encode()
    )


def is_stereo(made: LabelledCall) -> bool:
    return soundfile.info(io.BytesIO(made.audio)).channels == 2


def broken_as(how: str, one: Delivery, draw: Random) -> Delivery:
    audio, document = one.audio or b"", json.loads(one.json)
    match how:
        case "no transcript":
            document["transcript"] = None
        case "segments" | "no times":
            spoken = document["transcript"].pop("words", None) or document["transcript"]["segments"]
            document["transcript"] = {"segments": spoken}
            for each in spoken if how == "no times" else ():
                each |= {"start_s": 0, "end_s": 0}
        case "cut":
            audio = audio[: len(audio) // 2]
        case "noise":
            audio = audio[:200] + draw.randbytes(len(audio) - 200)
        case "other suffix":
            return replace(one, suffix=".flac" if one.suffix == ".wav" else ".wav")
        case "bad json":
            return replace(one, json=one.json[:-7])
    return replace(one, audio=audio, json=json.dumps(document, ensure_ascii=False).encode())


def content(made: LabelledCall, one: Delivery, draw: Random) -> Iterator[tuple[str, bytes]]:
    """Pieces of the sound's bytes, of the talk, and of what tells a number, in every encoding of the sweep."""
    audio = one.audio or b""
    for _ in range(WINDOWS):
        at = draw.randrange(64, max(65, len(audio) - WINDOW_BYTES))
        piece = audio[at : at + WINDOW_BYTES]
        if len(set(piece)) > WINDOW_BYTES // 2:
            yield "sound", piece
    words = [word.text for word in made.transcript.words]
    middle = len(words) // 2
    texts = [" ".join(words[middle : middle + 6])]
    texts += [" ".join(words[i] for i in label.words) for label in made.labels if label.words]
    for text in texts:
        if len(text) >= SHORTEST_TEXT:
            yield from (("talk", data) for _, data in encoded(text))


@pytest.mark.voices
@pytest.mark.promise("P2")
def test_each_call_is_kept_or_left_at_its_source_for_a_reason(handed_in: HandedIn) -> None:
    ends = {one["id"]: (one["state"], one["code"]) for one in deliveries(handed_in.up, "corpus-")}
    whole = [ends[id] for id, how in handed_in.broken.items() if how == "" and id in ends]
    assert len(whole) >= COUNT // len(BREAKS)
    assert sum(state == "cleared" for state, _ in whole) >= len(whole) * 0.9, whole
    wanted = {
        "no transcript": "needs_transcript",
        "other suffix": "format_mismatch",
        "no times": "not_proven",
    }
    for id, how in handed_in.broken.items():
        # Without readable JSON its own id is not known.
        state, code = ends.get(id, ("quarantined", "bad_json")) if how == "bad json" else ends[id]
        if how in wanted:
            # Where nothing is found, no time is needed.
            fine = {("quarantined", wanted[how])} | ({("cleared", None)} if how == "no times" else set())
            assert (state, code) in fine, (how, code)
        elif how in ("cut", "bad json"):
            assert state == "quarantined", (how, code)


@pytest.mark.voices
@pytest.mark.promise("P2")
def test_nothing_of_them_lies_outside_intake(handed_in: HandedIn) -> None:
    up = handed_in.up
    assert len(handed_in.needles) > 1_000
    swept = sweep([up.state_dir, up.temporary_dir], handed_in.needles, exclude=[up.intake_dir])
    assert swept.bytes > 50_000_000
    assert swept.hits == frozenset()


@pytest.mark.voices
@pytest.mark.promise("P2")
def test_the_sweep_would_see_them_in_intake(handed_in: HandedIn) -> None:
    """What is quarantined waits there: the needles are the ones that were delivered."""
    assert {hit.kind for hit in sweep([handed_in.up.intake_dir], handed_in.needles).hits} == {"sound", "talk"}


@pytest.mark.voices
@pytest.mark.promise("P2")
def test_nothing_of_them_is_sent_by_the_store(handed_in: HandedIn) -> None:
    root, finder, read = store_as(handed_in.up), Finder(handed_in.needles), 0
    for one in root.list_objects("recordings", recursive=True, include_version=True):
        if not one.is_delete_marker:
            with root.get_object("recordings", one.object_name or "", version_id=one.version_id) as answer:
                data = answer.read()
            assert finder.find(data) == set(), one.object_name
            read += len(data)
    assert read > 1_000_000
