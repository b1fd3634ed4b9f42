"""What a recording is found to be, by its samples alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from consigne.rules.audio.pcm import Audio
from consigne.rules.recording import Transcript, Word
from consigne.rules.soundness import Soundness, measure

RATE_HZ = 8_000
Samples = NDArray[np.float64]


def voice(seconds: float, level: float = 0.3, seed: int = 0) -> Samples:
    """Noise that comes and goes four times a second, as syllables do; peaks well below full scale."""
    at_s = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    noise = np.random.default_rng(seed).uniform(-1, 1, len(at_s))
    return level * noise * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * at_s))


def silence(seconds: float) -> Samples:
    return np.zeros(int(seconds * RATE_HZ))


def heard(*tracks: Samples, words: Transcript | None = None, bits: int = 16) -> Soundness:
    scale, kind = (1 << 15, np.int16) if bits == 16 else (1 << 31, np.int32)
    samples = np.clip(np.rint(np.stack(tracks, axis=1) * scale), -scale, scale - 1)
    return measure(Audio(samples.astype(kind), RATE_HZ, bits), words)


def spoken(*times: tuple[int, int]) -> Transcript:
    return Transcript(tuple(Word("mot", start, end, "agent") for start, end in times))


@pytest.mark.parametrize("bits", [16, 24])
def test_a_sound_call_shows_nothing(bits: int) -> None:
    found = heard(voice(9.95), voice(9.95, seed=1), words=spoken((0, 400), (9_000, 9_900)), bits=bits)
    assert found == Soundness(9_950, 2, 0, 0, False, 0, 0, 9_900)


@pytest.mark.parametrize(("level", "percent"), [(0, 100), (0.003, 100), (0.004, 0)])
def test_silence_is_what_stays_below_50_dbfs(level: float, percent: int) -> None:
    found = heard(np.full(RATE_HZ, level))
    assert found.silent_percent == percent
    assert found.silent_channels == 0  # there is no other


def test_a_part_of_silence_is_counted_where_all_channels_are_silent() -> None:
    left, right = np.r_[voice(1), silence(9)], np.r_[silence(1), voice(1), silence(8)]
    assert heard(left, right).silent_percent == 80


@pytest.mark.parametrize(
    ("tracks", "silent", "twins"),
    [
        ((voice(2), silence(2)), 1, False),
        ((voice(2), silence(2), silence(2)), 2, True),
        ((silence(2), silence(2)), 0, False),  # said by the whole recording's silence
        ((voice(2), voice(2)), 0, True),
        ((voice(2), voice(2, seed=1)), 0, False),
        ((voice(2), -voice(2)), 0, False),
    ],
)
def test_channels_are_looked_at_each(tracks: Any, silent: int, twins: bool) -> None:
    found = heard(*tracks)
    assert (found.silent_channels, found.has_twins) == (silent, twins)


@pytest.mark.parametrize("bits", [16, 24])
def test_clipping_is_a_flat_end_and_not_a_loud_voice(bits: int) -> None:
    loud = voice(5, 0.98)
    assert heard(loud, bits=bits).clipped_permille == 0
    tone = np.sin(2 * np.pi * 440 * np.arange(5 * RATE_HZ) / RATE_HZ)
    assert heard(tone, bits=bits).clipped_permille == 0
    assert heard(voice(5), np.clip(4 * loud, -1, 1), bits=bits).clipped_permille > 100
    assert heard(np.clip(4 * loud, -0.98, 0.98), bits=bits).clipped_permille > 100  # µ-law ends there
    assert heard(np.clip(4 * loud, -0.5, 0.5), bits=bits).clipped_permille == 0  # no end of any scale


@pytest.mark.parametrize(
    ("times", "percent"),
    [
        ([], None),
        ([(1_000, 1_500), (2_000, 2_500)], 0),
        ([(1_000, 1_500), (6_000, 6_500), (7_000, 7_500), (8_000, 8_500)], 75),
        ([(5_050, 5_100)], 0),  # a block beside the sound: times are not that exact
        ([(60_000, 61_000)], 100),  # past the end
    ],
)
def test_words_over_silence_are_counted(times: list[tuple[int, int]], percent: int | None) -> None:
    found = heard(np.r_[voice(5), silence(5)], words=spoken(*times))
    assert found.silent_words_percent == percent
    assert found.last_word_ms == max((end for _, end in times), default=0)


def test_one_sample_is_a_recording_too() -> None:
    assert heard(np.array([0.5])) == Soundness(1, 1, 0, 0, False, 0, None, 0)
