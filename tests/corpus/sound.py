"""Voices, keys and noise put together, and written in the containers that sources use."""

from __future__ import annotations

import io
from dataclasses import dataclass
from random import Random

import numpy as np
import soundfile

from corpus.voices import RATE_HZ, Sound

ROWS_HZ, COLUMNS_HZ, KEYS = (697, 770, 852, 941), (1209, 1336, 1477, 1633), "123A456B789C*0#D"


@dataclass(frozen=True, slots=True)
class Container:
    """As `soundfile` writes it; `level` is its compression level. `shares`: how many of a hundred calls without
    keyed tones, and with them, come in it (encoding takes most of a call's making)."""

    suffix: str
    format: str
    subtype: str
    shares: tuple[int, int]
    stereo_share: float = 0.35
    level: float | None = None
    rate_hz: int = RATE_HZ


CONTAINERS = {
    "pcm": Container(".wav", "WAV", "PCM_16", (28, 20)),
    "ulaw": Container(".wav", "WAV", "ULAW", (26, 20)),
    # In WAV it has one channel.
    "gsm": Container(".wav", "WAV", "GSM610", (18, 20), stereo_share=0),
    "flac": Container(".flac", "FLAC", "PCM_16", (18, 10)),
    "opus_12k": Container(".opus", "OGG", "OPUS", (5, 15), stereo_share=0.1, level=0.976),
    "mp3_32k": Container(".mp3", "MP3", "MPEG_LAYER_III", (5, 15), stereo_share=0.1, rate_hz=16_000),
}


@dataclass(frozen=True, slots=True)
class Keying:
    """How a sequence of keys sounds: both sines together in dB of a full-scale sine, column over row in dB,
    each frequency off by a fraction, milliseconds on and off."""

    level_dbfs: float
    twist_db: float
    row_off: float
    column_off: float
    on_ms: tuple[int, int] = (40, 200)
    off_ms: tuple[int, int] = (40, 200)


def keying(draw: Random, form: str, speech_dbfs: float) -> Keying:
    """The whole range in the clear (−35 to −3 dBFS); under speech as loud as telephones make it, 3 to 15 dB
    above the voice, so far as full scale allows."""
    level = draw.uniform(-35, -3) if form != "under_speech" else min(-3.0, speech_dbfs + draw.uniform(3, 15))
    off = draw.uniform(-0.015, 0.015), draw.uniform(-0.015, 0.015)
    return Keying(level, draw.uniform(-8, 8), *off)


def press(key: str, how: Keying, draw: Random) -> Sound:
    """One key's tone, with the 2 ms that a telephone needs to rise and fall."""
    row, column = divmod(KEYS.index(key), 4)
    frames = draw.randint(*how.on_ms) * RATE_HZ // 1000
    t = np.arange(frames) / RATE_HZ
    share = 10 ** (how.twist_db / 20)
    scale = 10 ** (how.level_dbfs / 20) / np.hypot(1, share)
    low = np.sin(2 * np.pi * ROWS_HZ[row] * (1 + how.row_off) * t + draw.uniform(0, 6))
    high = np.sin(2 * np.pi * COLUMNS_HZ[column] * (1 + how.column_off) * t + draw.uniform(0, 6))
    edge = np.minimum(1, np.minimum(np.arange(frames), np.arange(frames)[::-1]) / (0.002 * RATE_HZ))
    return np.asarray(scale * edge * (low + share * high), np.float32)


def hiss(frames: int, dbfs: float, draw: Random) -> Sound:
    """White noise; RMS in dB of a full-scale sine."""
    noise = np.random.default_rng(draw.getrandbits(64)).standard_normal(frames, np.float32)
    return noise * np.float32(10 ** (dbfs / 20) / np.sqrt(2))


def write(channels: np.ndarray, name: str) -> bytes:
    """Floats of shape (frames, channels) at 8 kHz as a file's bytes."""
    container = CONTAINERS[name]
    if container.rate_hz != RATE_HZ:
        spectrum = np.fft.rfft(channels, axis=0)
        frames = len(channels) * container.rate_hz // RATE_HZ
        channels = np.fft.irfft(spectrum, frames, axis=0) * (container.rate_hz / RATE_HZ)
    out = io.BytesIO()
    soundfile.write(
        out, np.clip(channels, -1, 1 - 2**-15), container.rate_hz, format=container.format,
        subtype=container.subtype, compression_level=container.level,
    )  # fmt: skip
    return out.getvalue()
