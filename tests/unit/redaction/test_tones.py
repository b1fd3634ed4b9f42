"""Keyed tones are found short, quiet, twisted, detuned, under voices and through codecs; voices are not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from consigne.rules.audio import codecs
from consigne.rules.audio.pcm import Audio
from consigne.rules.redaction import tones
from consigne.rules.redaction.spans import Span

Make = Callable[..., np.ndarray]
GAP_MS = 300


def keys_in(keyed: Make, rate_hz: int = 8000, **how: float) -> tuple[np.ndarray, list[tuple[float, float]]]:
    """All sixteen keys, and where each lies (ms)."""
    length = how.pop("ms", 40.0)
    sound = (
        np.random.default_rng(3).normal(size=int((16 * (length + GAP_MS) + GAP_MS) * rate_hz / 1000)) * 2e-4
    )
    places = []
    for key in range(16):
        start_ms = GAP_MS + key * (length + GAP_MS) + key * 0.7
        tone = keyed(key, length, rate_hz=rate_hz, **how)
        at = int(start_ms * rate_hz / 1000)
        sound[at : at + len(tone)] += tone[: len(sound) - at]
        places.append((start_ms, start_ms + length))
    return sound, places


def missed(spans: tuple[Span, ...], places: list[tuple[float, float]]) -> int:
    """Places that padded spans do not cover whole."""
    return sum(not any(s.start_ms - 60 <= a and b <= s.end_ms + 60 for s in spans) for a, b in places)


CONDITIONS = {
    "plain": {},
    "quiet": {"level_db": -35.0},
    "twisted": {"twist_db": 8.0},
    "twisted the other way": {"twist_db": -8.0},
    "detuned up": {"off": 0.015},
    "detuned down": {"off": -0.015},
    "all at once": {"level_db": -35.0, "twist_db": 8.0, "off": -0.015},
    "long": {"ms": 200.0},
}


@pytest.mark.promise("P2")
@pytest.mark.parametrize("setting", [tones.MASKING, tones.PROOF], ids=["masking", "proof"])
@pytest.mark.parametrize("condition", CONDITIONS)
def test_every_key_is_found(
    condition: str, setting: tones.Setting, keyed: Make, sound: Callable[..., Audio]
) -> None:
    samples, places = keys_in(keyed, **CONDITIONS[condition])
    spans = tones.find(sound(samples), setting, sequence_gap_ms=0)
    assert missed(spans, places) == 0
    assert len(spans) == 16


@pytest.mark.promise("P2")
@pytest.mark.parametrize("rate_hz", [8000, 11025, 16000, 22050, 44100, 48000])
def test_at_every_rate(rate_hz: int, keyed: Make, sound: Callable[..., Audio]) -> None:
    samples, places = keys_in(keyed, rate_hz, level_db=-35.0, off=0.01)
    assert missed(tones.find(sound(samples, rate_hz)), places) == 0


@pytest.mark.promise("P2")
@pytest.mark.parametrize(
    ("container", "subtype", "suffix", "allowed"),
    [
        ("WAV", "ULAW", ".wav", 0),
        ("WAV", "ALAW", ".wav", 0),
        ("WAV", "GSM610", ".wav", 2),  # it may move a line's level by 12 dB within 20 ms
        ("OGG", "OPUS", ".opus", 0),
        ("OGG", "VORBIS", ".ogg", 0),
        ("FLAC", "PCM_24", ".flac", 0),
    ],
)
def test_through_codecs(
    container: str, subtype: str, suffix: str, allowed: int, keyed: Make, wav: Callable[..., bytes]
) -> None:
    samples, places = keys_in(keyed, level_db=-25.0, twist_db=4.0, off=0.01, ms=60.0)
    audio = codecs.read(wav(samples, 8000, container, subtype), suffix, 60_000)
    assert missed(tones.find(audio, sequence_gap_ms=0), places) <= allowed


@pytest.mark.promise("P2")
def test_under_a_voice(keyed: Make, voice: Make, sound: Callable[..., Audio]) -> None:
    samples, places = keys_in(keyed, level_db=-14.0, ms=80.0, off=0.01)
    for seed in range(4):
        together = samples + voice(len(samples) / 8000, seed)[: len(samples)] * 0.7
        assert missed(tones.find(sound(together)), places) <= 1


@pytest.mark.promise("P2")
def test_on_either_channel_and_at_the_ends(keyed: Make, sound: Callable[..., Audio]) -> None:
    both = np.zeros((8000, 2))
    tone = keyed(5, 50)
    both[: len(tone), 1] = tone
    both[-len(tone) :, 0] = tone
    spans = tones.find(sound(both), sequence_gap_ms=0)
    assert missed(spans, [(0, 50), (950, 1000)]) == 0
    assert len(spans) == 2


@pytest.mark.promise("P2")
def test_where_chunks_meet(keyed: Make, sound: Callable[..., Audio]) -> None:
    samples = np.zeros(int(8 * (tones.CHUNK_MS * 2 + 1000)))
    tone = keyed(9, 45)
    places = []
    for number, offset_ms in enumerate(range(-130, 131, 7)):
        samples[:] = 0
        at_ms = tones.CHUNK_MS * (1 + number % 2) + offset_ms
        samples[at_ms * 8 : at_ms * 8 + len(tone)] = tone
        places = [(float(at_ms), at_ms + 45.0)]
        assert missed(tones.find(sound(samples)), places) == 0


def test_a_sequence_is_one_span(keyed: Make, sound: Callable[..., Audio]) -> None:
    samples, places = keys_in(keyed, ms=80.0)
    spans = tones.find(sound(samples))
    assert len(spans) == 1
    assert missed(spans, places) == 0


@pytest.mark.parametrize("setting", [tones.MASKING, tones.PROOF], ids=["masking", "proof"])
def test_voices_noise_and_single_lines_are_not_keys(
    setting: tones.Setting, voice: Make, sound: Callable[..., Audio]
) -> None:
    t = np.arange(8000 * 5) / 8000
    noise = np.random.default_rng(2).normal(size=len(t)) * 0.1
    lines = [np.sin(2 * np.pi * hz * t) * 0.2 for hz in (440.0, 697.0, 1209.0, 1000.0)]
    off_key = sum(np.sin(2 * np.pi * hz * t) * 0.2 for hz in (730.0, 1270.0))
    for samples in (
        *(voice(60, seed) for seed in range(3)),
        noise,
        *lines,
        off_key,
        np.zeros(100),
        np.zeros(1),
    ):
        assert tones.find(sound(samples), setting) == ()
