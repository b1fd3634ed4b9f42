"""Keyed tones are found short, quiet, twisted, detuned, under voices and through codecs; voices are not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from consigne.rules.audio import codecs
from consigne.rules.audio.pcm import Audio
from consigne.rules.redaction import tones
from consigne.rules.redaction.mask import silence
from consigne.rules.redaction.spans import Span, pad

Make = Callable[..., np.ndarray]
GAP_MS = 300
CODECS = (
    ("WAV", "PCM_16", ".wav"),
    ("WAV", "ULAW", ".wav"),
    ("WAV", "GSM610", ".wav"),
    ("OGG", "OPUS", ".opus"),
    ("OGG", "VORBIS", ".ogg"),
)


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
        ("WAV", "GSM610", ".wav", 0),
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
        assert missed(tones.find(sound(together)), places) == 0


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
    chunk_ms = tones.CHUNK_BLOCKS * tones.BLOCK_STEPS * tones.MASKING.lens.step_ms
    samples = np.zeros(8 * (chunk_ms * 2 + 1000))
    tone = keyed(9, 45)
    places = []
    for number, offset_ms in enumerate(range(-130, 131, 7)):
        samples[:] = 0
        at_ms = chunk_ms * (1 + number % 2) + offset_ms
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


@pytest.mark.promise("P2")
@pytest.mark.parametrize("setting", [tones.MASKING, tones.PROOF], ids=["masking", "proof"])
def test_a_tone_split_over_channels(setting: tones.Setting, keyed: Make, sound: Callable[..., Audio]) -> None:
    both = np.random.default_rng(8).normal(size=(8000, 2)) * 2e-4
    for channel, twist_db in enumerate((-400.0, 400.0)):
        both[4000:4400, channel] += keyed(6, 50, twist_db=twist_db)
    assert missed(tones.find(sound(both), setting), [(500, 550)]) == 0


@pytest.mark.promise("P2")
def test_a_number_s_weak_keys_are_found_beside_its_strong_ones(
    keyed: Make, sound: Callable[..., Audio]
) -> None:
    """The first and the last are lost in noise where they sound alone."""
    places = [(1000.0 + 250 * n, 1080.0 + 250 * n) for n in range(8)]
    edges = [places[0], places[7]]
    alone = beside = 0
    for seed in range(20):
        noise = np.random.default_rng(seed).normal(size=8000 * 4) * 0.02
        weak, all_of_it = noise.copy(), noise.copy()
        for n, (start_ms, _) in enumerate(places):
            at = int(start_ms * 8)
            tone = keyed(n, 80, level_db=-32 if n in (0, 7) else -15, off=0.01)
            all_of_it[at : at + 640] += tone
            weak[at : at + 640] += tone * (n in (0, 7))
        alone += missed(tones.find(sound(weak), sequence_gap_ms=0), edges)
        beside += missed(tones.find(sound(all_of_it), sequence_gap_ms=0), edges)
    assert alone > 30
    assert beside < 8


@pytest.fixture(scope="module")
def voices(voice: Make) -> dict[int, list[np.ndarray]]:
    """Three seconds each, by rate."""
    return {rate_hz: [voice(3, seed, rate_hz) for seed in range(8)] for rate_hz in (8000, 16000)}


def scene(
    draw: np.random.Generator, keyed: Make, voices: dict[int, list[np.ndarray]]
) -> tuple[np.ndarray, int]:
    """A number keyed within what is promised, mostly under a voice; its sound and its rate."""
    rate_hz = int(draw.choice([8000, 16000]))
    level_db, ms = draw.uniform(-35, -3), draw.choice([40, 60, 100, 200])
    samples = draw.normal(size=rate_hz * 3) * 10 ** ((level_db - 20) / 20)
    if draw.random() < 0.7:
        below_db = draw.uniform(3, 20)
        speech = voices[rate_hz][draw.integers(8)]
        samples += speech * (10 ** ((level_db - below_db) / 20) / speech.std() / np.sqrt(2))
    at = rate_hz // 4
    while at < rate_hz * 2.6:
        how = {"level_db": level_db, "twist_db": draw.uniform(-8, 8), "off": draw.uniform(-0.015, 0.015)}
        tone = keyed(int(draw.integers(16)), ms, rate_hz=rate_hz, **how)
        samples[at : at + len(tone)] += tone
        at += len(tone) + int(draw.uniform(0.05, 0.8) * rate_hz)
    return np.clip(samples, -1, 1), rate_hz


@pytest.mark.promise("P2")
def test_what_masking_leaves_shows_the_proof_nothing(
    keyed: Make, voices: dict[int, list[np.ndarray]], wav: Callable[..., bytes]
) -> None:
    draw = np.random.default_rng(20)
    proved = 0
    for n in range(200):
        samples, rate_hz = scene(draw, keyed, voices)
        coded = CODECS[n % len(CODECS)]
        original = codecs.read(wav(samples, rate_hz, *coded[:2]), coded[2], 60_000)
        masks = [pad(span, 60, 60, original.duration_ms) for span in tones.find(original)]
        heard = tones.find(original, tones.PROOF, sequence_gap_ms=0)
        proved += len(heard)
        assert all(any(m.start_ms <= h.start_ms and h.end_ms <= m.end_ms for m in masks) for h in heard)
        assert tones.find(silence(original, masks), tones.PROOF, sequence_gap_ms=0) == ()
    assert proved > 600


@pytest.mark.promise("P2")
def test_suspicion_hears_what_masking_hears(
    keyed: Make, voices: dict[int, list[np.ndarray]], sound: Callable[..., Audio]
) -> None:
    draw = np.random.default_rng(21)
    for _ in range(40):
        audio = sound(*scene(draw, keyed, voices))
        loose = tones.find(audio, tones.SUSPICION, sequence_gap_ms=1000)
        middles = [(s.start_ms + s.end_ms) // 2 for s in tones.find(audio, sequence_gap_ms=0)]
        assert middles
        assert all(any(s.start_ms <= middle <= s.end_ms for s in loose) for middle in middles)


def test_a_span_names_its_detector_and_is_surer_of_a_clear_key(
    keyed: Make, sound: Callable[..., Audio]
) -> None:
    clear, _ = keys_in(keyed)
    (first, *_) = tones.find(sound(clear), sequence_gap_ms=0)
    assert (first.detector, first.confidence) == ("tones", 0.99)


def test_chords_are_not_keys(sound: Callable[..., Audio]) -> None:
    """Strings, three or four at a time, as music on hold has them."""
    draw = np.random.default_rng(5)
    t = np.arange(3200) / 8000
    sounds = []
    for _ in range(100):
        root = draw.integers(45, 76)
        hz = 440 * 2 ** ((root + np.array([0, 4, 7, 12]) - 69) / 12)
        strings = [
            0.6**n * np.sin(2 * np.pi * each * n * t) for each in hz for n in range(1, 8) if each * n < 3900
        ]
        sounds.append(np.sum(strings, axis=0) * np.exp(-3 * t) * 0.05)
    assert tones.find(sound(np.concatenate(sounds)), tones.PROOF) == ()
    assert len(tones.find(sound(np.concatenate(sounds)), sequence_gap_ms=0)) <= 1
