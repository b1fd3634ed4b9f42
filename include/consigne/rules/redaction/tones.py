"""Keyed tones (DTMF, ITU-T Q.23/Q.24) in decoded sound, on any channel.

Two passes over windows that step by 5 ms. The screen asks a block Goertzel at the eight nominal frequencies
whether a pair stands out at all. What remains is confirmed on a finer grid of the keys' band: the two
strongest lines must lie on a key's frequencies, hold the band's energy, and keep frequency and level over a
run of windows, which voices do not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from consigne.rules.audio.pcm import Audio
from consigne.rules.redaction.spans import Kind, Span, merge

Floats = NDArray[np.float32]

ROWS_HZ = np.array([697.0, 770.0, 852.0, 941.0])
COLUMNS_HZ = np.array([1209.0, 1336.0, 1477.0, 1633.0])
GRID_STEP_HZ = 20.0
GRID_HZ = np.arange(600.0, 1761.0, GRID_STEP_HZ)
ROW_BAND, COLUMN_BAND = slice(3, 20), slice(28, 55)
LINE_REACH = 4
STEP_MS = 5
SCREEN_STEPS = 3
SCREEN_SHARE = 0.12
FLOOR_DBFS = -52.0
TOLERANCE = 0.022
MAX_TWIST_DB = 11.0
PURE_SHARE, PURE_SHARE_OF_ALL, PURE_DRIFT_HZ = 0.97, 0.6, 12.0
CHUNK_MS = 30_000
SEQUENCE_GAP_MS = 1000


@dataclass(frozen=True, slots=True)
class Setting:
    """What is asked of a run of `windows` windows of `steps` steps each: each window's share of the band's
    energy in the two lines, the run's mean of it, the run's mean share of all energy, and the widest change
    of a line's frequency and level."""

    steps: int
    windows: int
    share: float
    mean_share: float
    mean_share_of_all: float
    drift_hz: float
    swing_db: float


MASKING = Setting(7, 4, share=0.75, mean_share=0.87, mean_share_of_all=0.3, drift_hz=4.0, swing_db=4.0)
PROOF = Setting(5, 4, share=0.8, mean_share=0.93, mean_share_of_all=0.65, drift_hz=4.0, swing_db=4.0)


@dataclass(frozen=True, slots=True)
class _Lines:
    """The strongest pair of each window that lies on a key: window's step, key 0 to 15, frequencies,
    levels, shares."""

    step: NDArray[np.int64]
    key: NDArray[np.int64]
    hz: tuple[Floats, Floats]
    db: tuple[Floats, Floats]
    share: Floats
    share_of_all: Floats


def find(
    audio: Audio, setting: Setting = MASKING, sequence_gap_ms: int = SEQUENCE_GAP_MS
) -> tuple[Span, ...]:
    """Keyed tones on any channel, sequences grouped: pauses up to `sequence_gap_ms` belong to them."""
    hop = round(audio.rate_hz * STEP_MS / 1000)
    spans = [
        _span(audio, (first + start) * hop, (first + end) * hop)
        for first, chunk in _chunks(audio, hop, setting)
        for start, end in _find_in_chunk(chunk, audio.rate_hz, setting)
    ]
    return merge(spans, sequence_gap_ms)


def _span(audio: Audio, start: int, end: int) -> Span:
    """Frames to a span: milliseconds rounded outwards."""
    start_ms = max(0, start) * 1000 // audio.rate_hz
    end_ms = -(-min(end, audio.frames) * 1000 // audio.rate_hz)
    return Span(start_ms, end_ms, Kind.TONE, "tones", 0.9)


def _chunks(audio: Audio, hop: int, setting: Setting) -> Iterator[tuple[int, Floats]]:
    """(step of its first block, blocks of shape (steps, hop)) for each channel: silence at both ends, and
    overlaps that hold a whole run."""
    margin = setting.steps + setting.windows
    steps = -(-audio.frames // hop) + 2 * margin
    length = CHUNK_MS // STEP_MS
    scale = np.float32(1 / (1 << (15 if audio.bits == 16 else 31)))
    for channel in range(audio.channels):
        for begin in range(0, steps - margin, length):
            first, last = begin - margin, min(begin + length, steps - margin)
            lower, upper = max(0, first * hop), min(audio.frames, last * hop)
            sound = np.zeros((last - first) * hop, np.float32)
            sound[lower - first * hop : upper - first * hop] = audio.samples[lower:upper, channel]
            if sound.any():
                yield first, (sound * scale).reshape(-1, hop)


def _find_in_chunk(blocks: Floats, rate_hz: int, setting: Setting) -> list[tuple[int, int]]:
    steps = _screen(blocks, rate_hz, setting)
    if len(steps) < setting.windows:
        return []
    lines = _measure(blocks, steps, rate_hz, setting)
    return _link(lines, setting)


def _screen(blocks: Floats, rate_hz: int, setting: Setting) -> NDArray[np.int64]:
    """Windows in whose middle a pair of nominal frequencies is loud enough to look at."""
    hop = blocks.shape[1]
    hz = np.concatenate([ROWS_HZ, COLUMNS_HZ])
    phase = 2 * np.pi * np.outer(hz, np.arange(hop)) / rate_hz
    spectra = np.exp(-1j * phase).astype(np.complex64) @ blocks.T
    turn = np.exp(-2j * np.pi * hz * hop / rate_hz).astype(np.complex64)[:, None]
    count = blocks.shape[0] - setting.steps + 1
    at = [slice(k, k + count) for k in range((setting.steps - SCREEN_STEPS) // 2, setting.steps)][
        :SCREEN_STEPS
    ]
    summed = sum(spectra[:, part] * turn**k for k, part in enumerate(at))
    size = SCREEN_STEPS * hop
    power = np.square(np.abs(summed)) * (2 / size**2)
    sums, squares = blocks.sum(1), np.einsum("ij,ij->i", blocks, blocks)
    mean = sum(sums[part] for part in at) / size
    total = sum(squares[part] for part in at) / size - mean * mean
    row, column = power[:4].max(0), power[4:].max(0)
    floor = 10 ** (FLOOR_DBFS / 10) / 2
    return np.flatnonzero((row > floor) & (column > floor) & (row + column > SCREEN_SHARE * total))


def _measure(blocks: Floats, steps: NDArray[np.int64], rate_hz: int, setting: Setting) -> _Lines:
    """The strongest line of each band in the windows that begin at these steps, where they make a key."""
    hop = blocks.shape[1]
    size = setting.steps * hop
    taper = np.hanning(size + 2)[1:-1].astype(np.float32)
    windows = sliding_window_view(blocks.reshape(-1), size)[steps * hop] * taper
    phase = 2 * np.pi * np.outer(np.arange(size) - size / 2, GRID_HZ) / rate_hz
    power = np.square(windows @ np.cos(phase).astype(np.float32))
    power += np.square(windows @ np.sin(phase).astype(np.float32))
    row_hz, row_power, row_energy = _strongest(power, ROW_BAND)
    column_hz, column_power, column_energy = _strongest(power, COLUMN_BAND)
    row, row_off = _nearest(row_hz, ROWS_HZ)
    column, column_off = _nearest(column_hz, COLUMNS_HZ)
    # A sine of amplitude a has |X| = a · sum(taper) / 2 at its peak.
    row_db, column_db = (10 * np.log10(p * (4 / taper.sum() ** 2)) for p in (row_power, column_power))
    total = np.einsum("ij,ij->i", windows, windows)
    of_all = (row_power + column_power) * (2 * np.square(taper).sum() / taper.sum() ** 2) / total
    share = (row_energy + column_energy) / power.sum(1)
    on_key = (row_off < TOLERANCE) & (column_off < TOLERANCE) & (np.abs(column_db - row_db) < MAX_TWIST_DB)
    return _Lines(
        steps[on_key],
        (row * 4 + column)[on_key],
        (row_hz[on_key], column_hz[on_key]),
        (row_db[on_key], column_db[on_key]),
        share[on_key],
        of_all[on_key],
    )


def _strongest(power: Floats, band: slice) -> tuple[Floats, Floats, Floats]:
    """Frequency (a parabola through three points of the grid), power and energy of a band's peak."""
    each = np.arange(len(power))
    peak = power[:, band].argmax(1) + band.start
    below, top, above = (np.log(power[each, peak + k] + 1e-30) for k in (-1, 0, 1))
    bend = np.minimum(below - 2 * top + above, -1e-9)
    offset = np.clip((below - above) / (2 * bend), -1, 1)
    summed = np.cumsum(np.pad(power, ((0, 0), (1, 0))), axis=1)
    energy = summed[each, np.minimum(peak + LINE_REACH + 1, len(GRID_HZ))] - summed[each, peak - LINE_REACH]
    return (GRID_HZ[peak] + offset * GRID_STEP_HZ).astype(np.float32), power[each, peak] + 1e-30, energy


def _nearest(hz: Floats, nominal_hz: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Index of the nearest nominal frequency, and how far off it is as a fraction of it."""
    off = np.abs(hz[:, None] / nominal_hz - 1)
    return off.argmin(1), off.min(1)


def _link(lines: _Lines, setting: Setting) -> list[tuple[int, int]]:
    """(first step, step after the last) of each stretch of one key in which a run holds what is asked."""
    if len(lines.step) < setting.windows:
        return []
    fresh = np.flatnonzero((np.diff(lines.step) > 1) | (np.diff(lines.key) != 0)) + 1
    stretch = np.zeros(len(lines.step), np.int64)
    stretch[fresh] = 1
    stretch = np.cumsum(stretch)

    def over(values: NDArray[np.generic]) -> NDArray[np.generic]:
        return sliding_window_view(values, setting.windows)

    holds = np.ptp(over(stretch), axis=1) == 0
    holds &= over(lines.share).min(axis=1) > setting.share
    holds &= over(lines.share).mean(axis=1) > setting.mean_share
    holds &= over(lines.share_of_all).mean(axis=1) > setting.mean_share_of_all
    # Where nothing else sounds, a line may move as much as GSM makes it.
    pure = over(lines.share).mean(axis=1) > PURE_SHARE
    pure &= over(lines.share_of_all).mean(axis=1) > PURE_SHARE_OF_ALL
    drift_hz = np.where(pure, PURE_DRIFT_HZ, setting.drift_hz)
    for hz, db in zip(lines.hz, lines.db, strict=True):
        holds &= np.ptp(over(hz), axis=1) < drift_hz
        holds &= np.ptp(over(db), axis=1) < setting.swing_db
    edges = [0, *fresh.tolist(), len(lines.step)]
    return [
        (int(lines.step[edges[n]]), int(lines.step[edges[n + 1] - 1]) + setting.steps)
        for n in np.unique(stretch[: len(holds)][holds]).tolist()
    ]
