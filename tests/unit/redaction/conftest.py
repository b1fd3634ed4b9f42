"""Card numbers, tones and calls made on the spot; none belongs to anybody."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
import soundfile

from consigne.rules.audio.pcm import Audio
from consigne.rules.recording import Transcript, Word

ROWS_HZ, COLUMNS_HZ = (697, 770, 852, 941), (1209, 1336, 1477, 1633)


@pytest.fixture(scope="session")
def voice() -> Callable[..., np.ndarray]:
    """Something like a voice: gliding harmonics under moving formants, in syllables; RMS 0.1 where loud."""

    def make(seconds: float, seed: int = 0, rate_hz: int = 8000) -> np.ndarray:
        rng = np.random.default_rng(seed)
        t = np.arange(int(seconds * rate_hz)) / rate_hz
        knots = np.arange(0, seconds + 0.2, 0.1)
        pitch = np.interp(t, knots, rng.uniform(90, 320, len(knots)))
        phase = 2 * np.pi * np.cumsum(pitch) / rate_hz
        formants = [
            np.interp(t, knots, rng.uniform(low, high, len(knots))) for low, high in ((300, 900), (900, 2300))
        ]
        sound = np.zeros_like(t)
        for harmonic in range(1, 20):
            hz = harmonic * pitch
            gain = sum(1 / (1 + ((hz - formant) / 150) ** 2) for formant in formants) * (hz < rate_hz / 2)
            sound += gain * np.sin(harmonic * phase)
        sound *= np.interp(t, knots, rng.uniform(0, 1, len(knots)))
        return sound * 0.1 / sound.std()

    return make


@pytest.fixture(scope="session")
def keyed() -> Callable[..., np.ndarray]:
    """A key's tone. Level: both sines together, in dB of a full-scale sine; twist: column over row."""

    def make(
        key: int, ms: float, level_db: float = -20, twist_db: float = 0, off: float = 0, rate_hz: int = 8000
    ) -> np.ndarray:
        t = np.arange(int(ms * rate_hz / 1000)) / rate_hz
        row, column = 10 ** (-twist_db / 40), 10 ** (twist_db / 40)
        scale = 10 ** (level_db / 20) / np.hypot(row, column)
        low = np.sin(2 * np.pi * ROWS_HZ[key // 4] * (1 + off) * t + key)
        high = np.sin(2 * np.pi * COLUMNS_HZ[key % 4] * (1 + off) * t + 2 * key)
        return scale * (row * low + column * high)

    return make


@pytest.fixture(scope="session")
def sound() -> Callable[..., Audio]:
    """Floats of shape (frames,) or (frames, channels) as 16-bit audio."""

    def make(samples: np.ndarray, rate_hz: int = 8000) -> Audio:
        scaled = np.clip(np.rint(samples * 32767), -32768, 32767).astype(np.int16)
        return Audio(scaled.reshape(len(scaled), -1), rate_hz, 16)

    return make


@pytest.fixture(scope="session")
def wav() -> Callable[..., bytes]:
    """Floats as a file's bytes."""

    def make(
        samples: np.ndarray, rate_hz: int = 8000, container: str = "WAV", subtype: str = "PCM_16"
    ) -> bytes:
        out = io.BytesIO()
        soundfile.write(out, samples, rate_hz, format=container, subtype=subtype)
        return out.getvalue()

    return make


@pytest.fixture(scope="session")
def spoken() -> Callable[..., Transcript]:
    """Words of 260 ms, one every 300 ms from 1 s on. A `name:` before a word changes the speaker."""

    def make(text: str) -> Transcript:
        words, speaker, start_ms = [], "caller", 1000
        for part in text.split():
            if part.endswith(":"):
                speaker = part[:-1]
                continue
            words.append(Word(part, start_ms, start_ms + 260, speaker))
            start_ms += 300
        return Transcript(tuple(words))

    return make
