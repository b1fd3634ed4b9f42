"""Speech where a transcript has no words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from consigne.rules.audio.pcm import Audio

FRAME_MS, MARGIN_MS, PAUSE_MS = 20, 200, 300
UNDER_SPEECH_DB, OVER_NOISE_DB, LEAST_DBFS = 15.0, 9.0, -55.0

Stretches = Sequence[tuple[int, int]]
"""(start, end) in ms."""


def speaks(audio: Audio, written: Stretches, asked: Stretches, longest_ms: int) -> bool:
    """Whether in one of the stretches `asked` somebody speaks for more than `longest_ms` between two that are `written`.

    What is as loud as written speech (UNDER_SPEECH_DB below its loud quarter at most) and stands out of the
    recording's noise is taken for speech, with the pauses after it up to PAUSE_MS. Times are not exact to
    MARGIN_MS.
    """
    levels = _levels_db(audio)
    under_words = _frames(written, len(levels), 0)
    if not under_words.any():
        return False
    speech_db = float(np.percentile(levels[under_words], 75)) - UNDER_SPEECH_DB
    noise_db = float(np.percentile(levels, 10)) + OVER_NOISE_DB
    loud = np.concatenate(([0], np.cumsum(levels > max(speech_db, noise_db, LEAST_DBFS))))
    before = np.maximum(np.arange(len(levels)) - PAUSE_MS // FRAME_MS, 0)
    spoken = np.concatenate(([0], np.cumsum(loud[1:] > loud[before])))
    wordless = _frames(asked, len(levels), 0) & ~_frames(written, len(levels), MARGIN_MS)
    first, last = np.flatnonzero(np.diff(wordless, prepend=False, append=False)).reshape(-1, 2).T
    return bool((spoken[last] - spoken[first] > longest_ms // FRAME_MS).any())


def _levels_db(audio: Audio) -> NDArray[np.float64]:
    """The loudest channel's level of each frame, in dB of full scale."""
    size = audio.rate_hz * FRAME_MS // 1000
    count = audio.frames // size
    power = np.zeros(count)
    for channel in range(audio.channels):
        frames = audio.samples[: count * size, channel].astype(np.float32).reshape(count, size)
        np.maximum(power, np.einsum("ij,ij->i", frames, frames) / size, out=power)
    return 10 * np.log10(power / float(np.iinfo(audio.samples.dtype).max) ** 2 + 1e-12)


def _frames(stretches: Stretches, count: int, margin_ms: int) -> NDArray[np.bool_]:
    """Which frames the stretches touch, each widened by the margin."""
    times_ms = np.array(stretches, np.float64).reshape(-1, 2)
    first = np.clip((times_ms[:, 0] - margin_ms) // FRAME_MS, 0, count).astype(np.int64)
    last = np.clip((times_ms[:, 1] + margin_ms) // FRAME_MS + 1, 0, count).astype(np.int64)
    edges = np.zeros(count + 1, np.int64)
    np.add.at(edges, first, 1)
    np.add.at(edges, np.maximum(first, last), -1)
    return np.cumsum(edges)[:count] > 0
