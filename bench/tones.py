"""Keyed tones beside spandsp and multimon-ng, where they are installed, in one run: speed on one core, recall
by condition, false tones per hour of Debian's Asterisk prompts (five languages, read by people), remixed."""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import soundfile
from numpy.typing import NDArray

from consigne.rules.audio.pcm import Audio
from consigne.rules.redaction import tones

Samples = NDArray[np.float64]
Heard = Sequence[tuple[int, int]]

VOICES = Path("/usr/share/asterisk/sounds")
# Signals, silence, and a troop of monkeys.
NOT_SPEECH = ("beep", "-2tone", "silence/", "tt-monkeys")
RATE_HZ = 8000
KEYS = "123A456B789C*0#D"
ROWS_HZ, COLUMNS_HZ = (697, 770, 852, 941), (1209, 1336, 1477, 1633)
SEED = 20261122
TONES, HOURS, ROUNDS = 400, 10.0, 25
SPEEDS = (0.8, 0.9, 1.0, 1.1, 1.25)
PIECE_MINUTES = 5
CONDITIONS: dict[str, dict[str, Any]] = {
    "clean 40 ms": {"ms": 40, "level_db": -20},
    "40 ms at −35 dBFS, at ±1.5 %, twist 8 dB": {
        "ms": 40, "level_db": -35, "twist_db": 8, "off": (0.015, 0.015),
    },
    "50 ms, within ±1.5 %, twist to 8 dB, 10 dB over speech": {
        "ms": 50, "level_db": -15, "twist_db": 8, "off": (0, 0.015), "over_speech_db": 10,
    },
    "80 ms, within ±1.5 %, twist to 8 dB, 3 dB over speech": {
        "ms": 80, "level_db": -15, "twist_db": 8, "off": (0, 0.015), "over_speech_db": 3,
    },
}  # fmt: skip


@dataclass(frozen=True)
class Detector:
    """`prepare` is not timed; `match` counts what was keyed and heard."""

    prepare: Callable[[Audio], Any]
    listen: Callable[[Any], Heard]
    match: Callable[[Heard, Heard], int]


def rows() -> list[list[str]]:
    """The table's rows, the header first."""
    table = [["detector", "× real time", *(f"recall {name}, %" for name in CONDITIONS), "false per hour"]]
    for name, detector in detectors().items():
        recalls = [f"{100 * recall(detector, **how):.1f}" for how in CONDITIONS.values()]
        false = sum(len(detector.listen(detector.prepare(piece))) for piece in remix(HOURS, SEED))
        table.append([name, f"{speed(detector):,.0f}".replace(",", " "), *recalls, f"{false / HOURS:.1f}"])
    return table


def detectors() -> dict[str, Detector]:
    found = {
        "consigne, masking": Detector(lambda audio: audio, partial(ours, tones.MASKING), covered),
        "consigne, proof": Detector(lambda audio: audio, partial(ours, tones.PROOF), covered),
    }
    if ctypes.util.find_library("spandsp"):
        found["spandsp"] = Detector(lambda audio: audio.samples[:, 0].copy(), spandsp, in_turn)
    if shutil.which("multimon-ng"):
        found["multimon-ng"] = Detector(at_22050_hz, multimon, in_turn)
    return found


def ours(setting: tones.Setting, audio: Audio) -> Heard:
    return [(span.start_ms, span.end_ms) for span in tones.find(audio, setting, sequence_gap_ms=0)]


def spandsp(samples: NDArray[np.int16]) -> Heard:
    """Keys in their order; asked every second, since it keeps 128 at most."""
    library = ctypes.CDLL(ctypes.util.find_library("spandsp"))
    library.dtmf_rx_init.restype = ctypes.c_void_p
    state = ctypes.c_void_p(library.dtmf_rx_init(None, None, None))
    digits, got = ctypes.create_string_buffer(129), ""
    for begin in range(0, len(samples), RATE_HZ):
        part = samples[begin : begin + RATE_HZ]
        library.dtmf_rx(state, part.ctypes.data_as(ctypes.c_void_p), len(part))
        count = library.dtmf_rx_get(state, digits, 128)
        got += digits.raw[:count].decode()
    library.dtmf_rx_free(state)
    return [(KEYS.index(key), 0) for key in got]


def at_22050_hz(audio: Audio) -> bytes:
    at = np.arange(0, audio.frames, RATE_HZ / 22050)
    return np.interp(at, np.arange(audio.frames), audio.samples[:, 0]).astype("<i2").tobytes()


def multimon(samples: bytes) -> Heard:
    """Keys in their order; its start is timed with it."""
    command = ["multimon-ng", "-q", "-t", "raw", "-a", "DTMF", "-"]
    lines = (
        subprocess.run(command, input=samples, capture_output=True, check=True).stdout.decode().split("\n")
    )
    return [(KEYS.index(line[-1]), 0) for line in lines if line.startswith("DTMF:") and line[-1] in KEYS]


def covered(heard: Heard, keyed: Heard) -> int:
    """Keys that lie whole in what was heard, widened by 60 ms."""
    return sum(any(a - 60 <= first and last <= b + 60 for a, b in heard) for first, last in keyed)


def in_turn(heard: Heard, keyed: Heard) -> int:
    """Keys heard in the order they were keyed: the longest common subsequence, to the detector's favour."""
    longest = [0] * (len(keyed) + 1)
    for each in heard:
        before = longest[:]
        for n, key in enumerate(keyed):
            longest[n + 1] = before[n] + 1 if each == key else max(before[n + 1], longest[n])
    return longest[-1]


def recall(detector: Detector, **how: Any) -> float:
    sound, places, keys = keyed_calls(**how)
    keyed = places if detector.match is covered else [(key, 0) for key in keys]
    return detector.match(detector.listen(detector.prepare(as_audio(sound))), keyed) / len(keyed)


def keyed_calls(
    ms: float,
    level_db: float,
    twist_db: float = 0,
    off: tuple[float, float] = (0, 0),
    over_speech_db: float | None = None,
) -> tuple[Samples, list[tuple[float, float]], list[int]]:
    """Numbers of 16 keys, two seconds apart: sound, each key's place in ms, the keys. Level: both sines
    together, in dB of a full-scale sine; each line off by a share between these; speech that many dB below."""
    draw = np.random.default_rng(SEED)
    length, at, keys = round(ms * RATE_HZ / 1000), RATE_HZ, draw.integers(16, size=TONES).tolist()
    sound, places = np.zeros(TONES * RATE_HZ), []
    t = np.arange(length) / RATE_HZ
    for number, key in enumerate(keys):
        twist = draw.choice([-1, 1]) * draw.uniform(0.5, 1) * twist_db
        low, high = 10 ** (-twist / 40), 10 ** (twist / 40)
        shift = 1 + draw.choice([-1, 1], 2) * draw.uniform(*off, 2)
        hz = np.array([ROWS_HZ[key // 4], COLUMNS_HZ[key % 4]]) * shift
        lines = np.sin(2 * np.pi * np.outer(hz, t) + draw.uniform(0, 6.28, (2, 1))).T @ [low, high]
        sound[at : at + length] += lines * 10 ** (level_db / 20) / np.hypot(low, high)
        places.append((at * 1000 / RATE_HZ, (at + length) * 1000 / RATE_HZ))
        at += length + int(draw.uniform(0.08, 0.3) * RATE_HZ) + (number % 16 == 15) * 2 * RATE_HZ
    sound = sound[: at + RATE_HZ]
    sound += draw.normal(size=len(sound)) * 10 ** (-70 / 20)
    if over_speech_db is not None:
        sound += speech(draw, len(sound)) * 10 ** ((level_db - 3 - over_speech_db) / 20)
    return sound, places, keys


@cache
def prompts() -> tuple[NDArray[np.float32], ...]:
    """Each longer than 0.1 s, RMS 1 where somebody speaks, without those that are not speech."""
    paths = sorted(path for path in VOICES.rglob("*.wav") if not any(n in str(path) for n in NOT_SPEECH))
    sounds = (soundfile.read(path, dtype="float32")[0] for path in paths)
    return tuple(
        sound / np.sqrt(np.mean(np.square(sound[np.abs(sound) > 0.003])))
        for sound in sounds
        if len(sound) > RATE_HZ / 10
    )


def speech(draw: np.random.Generator, length: int, faster: float = 1.0) -> Samples:
    """Prompts in a drawn order, `faster` and so higher."""
    parts: list[NDArray[np.float32]] = []
    missing = length * faster
    while missing > 0:
        parts.append(prompts()[draw.integers(len(prompts()))])
        missing -= len(parts[-1])
    joined = np.concatenate(parts)
    if faster == 1.0:
        return joined[:length].astype(np.float64)
    return np.interp(np.arange(length) * faster, np.arange(len(joined)), joined)


def remix(hours: float, seed: int) -> Iterator[Audio]:
    """Pieces of five minutes: every third as it is read, the others higher or lower, with a second speaker
    or in noise; at −32 to −14 dBFS."""
    length = PIECE_MINUTES * 60 * RATE_HZ
    for number in range(round(hours * 60 / PIECE_MINUTES)):
        draw = np.random.default_rng([seed, number])
        faster = SPEEDS[number % len(SPEEDS)]
        sound = speech(draw, length, faster)
        if number % 3 == 1:
            sound += speech(draw, length, 2 - faster) * draw.uniform(0.2, 1)
        elif number % 3 == 2:
            sound += draw.normal(size=length) * 10 ** (draw.uniform(-50, -20) / 20)
        yield as_audio(sound * 10 ** (draw.uniform(-32, -14) / 20))


def as_audio(sound: Samples) -> Audio:
    scaled = np.clip(np.rint(sound * 32767), -32768, 32767).astype(np.int16)
    return Audio(scaled.reshape(-1, 1), RATE_HZ, 16)


def speed(detector: Detector) -> float:
    """× real time on one core: five minutes of speech in which a number of 16 keys is keyed; the quickest of
    several rounds, since whatever else this machine does only adds time."""
    draw = np.random.default_rng(SEED)
    sound = speech(draw, 300 * RATE_HZ) * 10 ** (-24 / 20)
    number = keyed_calls(ms=80, level_db=-15, twist_db=4, off=(0, 0.01))[0][: 6 * RATE_HZ]
    sound[60 * RATE_HZ : 60 * RATE_HZ + len(number)] += number
    prepared = detector.prepare(as_audio(sound))
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        detector.listen(prepared)
        times.append(time.perf_counter() - started)
    return 300 / min(times)


def run() -> None:
    """Print the table in Markdown."""
    table = rows()
    for row in [table[0], ["---"] * len(table[0]), *table[1:]]:
        print(f"| {' | '.join(row)} |")


if __name__ == "__main__":
    run()
