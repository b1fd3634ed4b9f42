"""Speech from prepared pieces, keyed tones, and the containers that sources deliver. numpy and soundfile only."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

import numpy as np
import soundfile
from numpy.typing import NDArray

Samples = NDArray[np.float32]

VOICE_RATE_HZ = 8_000
_FRAMES_PER_MS = VOICE_RATE_HZ // 1_000
_ROWS_HZ, _COLUMNS_HZ = (697, 770, 852, 941), (1209, 1336, 1477)
_KEYS = "123456789*0#"


@dataclass(frozen=True, slots=True)
class Container:
    """How a source stores its audio."""

    suffix: str
    format: str
    subtype: str
    rate_hz: int
    channels: int


_CONTAINERS = (
    Container(".wav", "WAV", "PCM_16", 8_000, 1),
    Container(".wav", "WAV", "ULAW", 8_000, 2),
    Container(".flac", "FLAC", "PCM_16", 16_000, 1),
    Container(".wav", "WAV", "PCM_16", 16_000, 2),
    Container(".flac", "FLAC", "PCM_16", 8_000, 2),
    Container(".wav", "WAV", "ULAW", 8_000, 1),
)
_OPUS = Container(".opus", "OGG", "OPUS", 8_000, 1)


def container_of(index: int) -> Container:
    """The containers take turns; Ogg/Opus, which takes a hundred times as long to encode, comes once in twenty."""
    return _OPUS if index % 20 == 4 else _CONTAINERS[index % len(_CONTAINERS)]


@cache
def _pieces() -> dict[tuple[str, str, str], Samples]:
    folder = Path(__file__).parent / "voices"
    voices: dict[str, Samples] = {}
    pieces = {}
    with (folder / "pieces.csv").open(encoding="utf-8", newline="") as table:
        for row in csv.DictReader(table):
            if row["file"] not in voices:
                voices[row["file"]] = soundfile.read(folder / row["file"], dtype="float32")[0]
            piece = voices[row["file"]][int(row["start_frame"]) : int(row["end_frame"])]
            piece = np.pad(piece, (0, -len(piece) % _FRAMES_PER_MS))
            pieces[row["language"], row["speaker"], row["text"]] = piece
    return pieces


def say(language: str, speaker: str, words: tuple[str, ...]) -> Samples:
    """Words spoken without a pause at 8 kHz; each a whole number of milliseconds, filled with silence."""
    pieces = _pieces()
    return np.concatenate([pieces[language, speaker, word] for word in words])


def tone(key: str, length_ms: int, rate_hz: int, level_dbfs: float, twist_db: float) -> Samples:
    """A keyed tone (ITU-T Q.23): its stronger frequency at `level_dbfs`; above 0, `twist_db` is how much
    weaker the low frequency is, below 0 the high one."""
    row, column = divmod(_KEYS.index(key), 3)
    at_s = np.arange(length_ms * rate_hz // 1_000) / rate_hz
    low_db, high_db = level_dbfs - max(twist_db, 0), level_dbfs + min(twist_db, 0)
    low = 10 ** (low_db / 20) * np.sin(2 * np.pi * _ROWS_HZ[row] * at_s)
    high = 10 ** (high_db / 20) * np.sin(2 * np.pi * _COLUMNS_HZ[column] * at_s)
    return np.asarray(low + high, dtype=np.float32)


def at_rate(samples: Samples, rate_hz: int) -> Samples:
    """8 kHz speech at 8 or 16 kHz."""
    if rate_hz == VOICE_RATE_HZ:
        return samples.copy()
    between = np.append((samples[1:] + samples[:-1]) / 2, samples[-1:])
    return np.stack((samples, between), axis=1).reshape(-1)


def line_noise(frames: int, draw: Random) -> Samples:
    """A quiet line (-66 dBFS): no telephone is digitally silent."""
    noise = np.random.default_rng(draw.getrandbits(64)).standard_normal(4_001, dtype=np.float32)
    return np.resize(noise * np.float32(0.0005), frames)


def encode(samples: Samples, container: Container) -> bytes:
    """Frames × channels in a container. Ogg streams get a random serial number from libsndfile; all else
    depends on the arguments alone."""
    out = io.BytesIO()
    soundfile.write(out, samples, container.rate_hz, format=container.format, subtype=container.subtype)
    return out.getvalue()
