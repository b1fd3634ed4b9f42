"""What the one way in made of a labelled call, word by word and sample by sample.

A number is `found` when every word that tells it is blanked and the sound of each is silent in what would be
stored, decoded afresh; else it `leaked`. A quarantined call leaks nothing and keeps nothing: its numbers are
`withheld`.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import soundfile
from numpy.typing import NDArray

from consigne.rules.redaction.redact import Protected, protect
from consigne.rules.values import Private, Quarantined
from corpus.build import JITTER_MS, Label, LabelledCall
from corpus.sound import CONTAINERS

CAP_MS = 600_000
SILENT = 1e-4  # −80 dB of full scale
# What a mask may take of the speech around a number before it counts as too much: the profile's padding (150 ms
# and 200 ms), word times that are off by JITTER_MS, and 60 ms more.
MAY_BEFORE_MS, MAY_AFTER_MS = 150 + JITTER_MS + 60, 200 + JITTER_MS + 60
GRID_MS = 5
BLANKED = re.compile(r"\[([a-z]+)\]")

Stretch = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one number, or of one decoy (`kept` or `masked`)."""

    kind: str
    form: str
    turn: str
    end: str


@dataclass(frozen=True, slots=True)
class Judged:
    """One call. `findings` are (kind, whether it touches a number); `other_ms` is the speech that is no
    number's, `lost_ms` what of it was masked. `quarantined` is `code/detail`, or empty."""

    seed: int
    index: int
    language: str
    container: str
    transcript: str
    is_clean: bool
    quarantined: str
    fates: tuple[Fate, ...]
    decoys: tuple[Fate, ...]
    findings: tuple[tuple[str, bool], ...]
    other_ms: int
    lost_ms: int


def judge(call: LabelledCall) -> Judged:
    """Protect it, and compare with the truth."""
    result = protect(
        Private(call.audio),
        CONTAINERS[call.container].suffix,
        Private(call.transcript),
        call.profile,
        True,
        CAP_MS,
    )
    return judged(call, result)


def judged(call: LabelledCall, result: Protected | Quarantined) -> Judged:
    def made(quarantined: str, *rest: object) -> Judged:
        transcript = "words" if call.transcript.by_word else "segments"
        head = (call.seed, call.index, call.language, call.container, transcript, call.is_clean, quarantined)
        return Judged(*head, *rest)  # type: ignore[arg-type]

    numbers = [label for label in call.labels if not label.is_decoy]
    if isinstance(result, Quarantined):
        fates = tuple(_fate(label, "withheld") for label in numbers)
        return made(f"{result.code}/{result.detail}", fates, (), (), 0, 0)
    blanks = _blanked(result)
    silent = _silence(result.audio.reveal())
    masks = [(each.start_ms, each.end_ms) for each in result.masked]
    fates = tuple(_fate(one, "found" if _is_gone(one, blanks, silent) else "leaked") for one in numbers)
    decoys = tuple(
        _fate(one, "masked" if any(word in blanks for word in one.words) else "kept")
        for one in call.labels
        if one.is_decoy
    )
    tones = [(each.start_ms, each.end_ms) for each in result.masked if each.kind == "tone"]
    findings = (*_findings(call, numbers, blanks), *_tones(numbers, tones))
    other = _grid(call.duration_ms, call.voiced) & ~_grid(call.duration_ms, _allowed(call, numbers))
    lost = other & _grid(call.duration_ms, masks)
    return made("", fates, decoys, findings, int(other.sum()) * GRID_MS, int(lost.sum()) * GRID_MS)


def _fate(label: Label, end: str) -> Fate:
    return Fate(label.kind, label.form, label.turn, end)


def _blanked(result: Protected) -> dict[int, str]:
    """Kinds of the transcript's blanked entries, by index."""
    text = result.transcript.reveal() if result.transcript else b'{"words": []}'
    matches = (BLANKED.fullmatch(word["text"]) for word in json.loads(text)["words"])
    return {index: match[1] for index, match in enumerate(matches) if match}


def _silence(stored: bytes) -> NDArray[np.bool_]:
    """For each millisecond, whether all channels are silent in all of it."""
    sound, rate_hz = soundfile.read(io.BytesIO(stored), always_2d=True, dtype="float32")
    loud = np.flatnonzero(np.abs(sound).max(axis=1) > SILENT)
    silent = np.ones(-(-len(sound) * 1000 // rate_hz) + 1, bool)
    silent[loud * 1000 // rate_hz] = False
    return silent


def _is_gone(label: Label, blanks: dict[int, str], silent: NDArray[np.bool_]) -> bool:
    in_text = all(word in blanks for word in label.words)
    return in_text and all(silent[start:end].all() for start, end in label.spoken)


def _findings(
    call: LabelledCall, numbers: Iterable[Label], blanks: dict[int, str]
) -> Iterator[tuple[str, bool]]:
    """Neighbouring blanked entries of a kind are one finding; it is right where it meets a number's reading."""
    spoken = [(one.start_ms - JITTER_MS, one.end_ms + JITTER_MS) for one in numbers if one.words]
    runs = groupby(enumerate(blanks.items()), key=lambda each: (each[1][1], each[1][0] - each[0]))
    for _, run in runs:
        entries = [entry for _, entry in run]
        words = [call.transcript.words[index] for index, _ in entries]
        yield entries[0][1], _meets(spoken, words[0].start_ms, words[-1].end_ms)


def _tones(numbers: Iterable[Label], masked: Iterable[Stretch]) -> Iterator[tuple[str, bool]]:
    keyed = [(one.start_ms, one.end_ms) for one in numbers if one.kind == "tone"]
    for start_ms, end_ms in masked:
        yield "tone", _meets(keyed, start_ms, end_ms)


def _meets(stretches: Iterable[Stretch], start_ms: int, end_ms: int) -> bool:
    return any(start < end_ms and start_ms < end for start, end in stretches)


def _allowed(call: LabelledCall, numbers: Iterable[Label]) -> Iterator[Stretch]:
    """Where masks may lie: a number's whole reading, or the whole segments that hold it."""
    for one in numbers:
        held = [call.transcript.words[word] for word in one.words] if not call.transcript.by_word else []
        for start_ms, end_ms in [(one.start_ms, one.end_ms), *((w.start_ms, w.end_ms) for w in held)]:
            yield start_ms - MAY_BEFORE_MS, end_ms + MAY_AFTER_MS


def _grid(duration_ms: int, stretches: Iterable[Stretch]) -> NDArray[np.bool_]:
    covered = np.zeros(duration_ms // GRID_MS + 1, bool)
    for start_ms, end_ms in stretches:
        covered[max(0, start_ms) // GRID_MS : -(-end_ms // GRID_MS)] = True
    return covered
