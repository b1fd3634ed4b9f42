"""What decoded sound says of itself: length, channels, silence, clipping. One pass, no content."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consigne.rules.audio.pcm import Audio
from consigne.rules.recording import Transcript, Word

Track = NDArray[np.signedinteger[Any]]
BLOCKS_PER_S = 10
SILENT_DBFS = -50
"""A block whose peak is lower holds at most a telephone line's noise."""
LOUD_DBFS = -1
"""Only what comes this near to full scale can be clipped (µ-law's own ends at -0.17)."""


@dataclass(frozen=True, slots=True)
class Soundness:
    """Of a recording as delivered. `silent_percent`: blocks of 100 ms without sound on any channel.
    `silent_channels`: how many of several channels are silent all through while another is not. `has_twins`: two
    channels carry the same samples. `clipped_permille`: samples of the worst channel that lie at its end of the
    scale beside another such. `silent_words_percent`: words of the transcript spoken where nothing sounds, None
    without words; `last_word_ms`: the latest end of one, 0 without."""

    duration_ms: int
    channels: int
    silent_percent: int
    silent_channels: int
    has_twins: bool
    clipped_permille: int
    silent_words_percent: int | None
    last_word_ms: int


def measure(audio: Audio, transcript: Transcript | None) -> Soundness:
    """Measure a recording and its transcript (segments count as words)."""
    # Contiguous, one channel at a time: four times as fast as strided.
    tracks: list[Track] = [
        np.ascontiguousarray(audio.samples[:, channel]) for channel in range(audio.channels)
    ]
    heard = np.stack([_block_peaks(track, audio.rate_hz) for track in tracks]) > _level(audio, SILENT_DBFS)
    by_channel = np.logical_or.reduce(heard, axis=1)
    by_block: NDArray[np.bool_] = np.logical_or.reduce(heard, axis=0)
    words = transcript.words if transcript else ()
    return Soundness(
        duration_ms=audio.duration_ms,
        channels=audio.channels,
        silent_percent=100 * int(np.count_nonzero(~by_block)) // len(by_block),
        silent_channels=int(np.count_nonzero(~by_channel)) if by_channel.any() else 0,
        has_twins=bool(by_channel.any()) and any(np.array_equal(*pair) for pair in combinations(tracks, 2)),
        clipped_permille=max(_clipped_permille(track, _level(audio, LOUD_DBFS)) for track in tracks),
        silent_words_percent=_silent_words_percent(words, by_block, audio.rate_hz),
        last_word_ms=max((word.end_ms for word in words), default=0),
    )


def _level(audio: Audio, dbfs: float) -> float:
    return float(10 ** (dbfs / 20)) * -float(np.iinfo(audio.samples.dtype).min)


def _block_peaks(track: Track, rate_hz: int) -> NDArray[np.int64]:
    starts = np.arange(0, len(track), rate_hz // BLOCKS_PER_S)
    highest, lowest = np.maximum.reduceat(track, starts), np.minimum.reduceat(track, starts)
    return np.maximum(highest.astype(np.int64), -lowest.astype(np.int64))


def _clipped_permille(track: Track, loud: float) -> int:
    highest, lowest = track.max(), track.min()
    at_end = np.zeros(len(track), dtype=bool)
    if highest >= loud:
        at_end |= track == highest
    if -int(lowest) >= loud:
        at_end |= track == lowest
    return 1000 * int(np.count_nonzero(at_end[1:] & at_end[:-1])) // len(track)


def _silent_words_percent(words: tuple[Word, ...], heard: NDArray[np.bool_], rate_hz: int) -> int | None:
    if not words:
        return None
    block_ms = 1000 * (rate_hz // BLOCKS_PER_S) / rate_hz
    sounding = np.concatenate(([0], np.cumsum(heard)))
    times_ms = np.array([(word.start_ms, word.end_ms) for word in words], dtype=np.float64)
    # A block to each side: recognisers' times are that exact.
    first = np.clip(times_ms[:, 0] // block_ms - 1, 0, len(heard)).astype(np.int64)
    last = np.clip(times_ms[:, 1] // block_ms + 2, 0, len(heard)).astype(np.int64)
    silent = sounding[last] <= sounding[first]
    return 100 * int(np.count_nonzero(silent)) // len(words)
