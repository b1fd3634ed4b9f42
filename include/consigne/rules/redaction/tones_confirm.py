"""The second stage of keyed tones: what the screen let through, measured on a finer grid and weighed.

The strongest pair of lines of each window is looked up. Where it stays on one key for a run of windows, the
run is weighed: how much of the band and of all sound the pair holds, how still the upper line keeps, how far
the pair lies off the key, and whether its sum and difference sound too, as the harmonics of a voice do. The
weights are a logistic regression's, over 25 hours of voices against keyed tones in noise, under voices and
through codecs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Steps = NDArray[np.int64]
ROWS_HZ = np.array([697.0, 770.0, 852.0, 941.0], np.float32)
COLUMNS_HZ = np.array([1209.0, 1336.0, 1477.0, 1633.0], np.float32)
BAND_HZ, ROW_PEAKS_HZ, COLUMN_PEAKS_HZ = (580, 1760), (660, 980), (1160, 1680)
DIFFERENCES_HZ, SUMS_HZ = (220, 980), (1880, 2620)
LINE_REACH_HZ = 80
RUN_WINDOWS = 4
TOLERANCE_PERCENT, MAX_TWIST, MIN_SHARE, GOOD_SHARE = 3.5, 50.0, 0.5, 0.65
EASY_TWIST_DB, EASY_OFF_PERCENT = 7.0, 1.2
TINY = np.float32(1e-20)


@dataclass(frozen=True, slots=True)
class Lens:
    """How the second stage looks: windows of `window_steps` steps of `step_ms`, and a grid of frequencies."""

    step_ms: int
    window_steps: int
    grid_step_hz: int

    def step_frames(self, rate_hz: int) -> int:
        """A step's length in samples."""
        return round(rate_hz * self.step_ms / 1000)

    def grid(self, within_hz: tuple[int, int]) -> range:
        """The grid's frequencies between these two, both included."""
        return range(within_hz[0], within_hz[1] + 1, self.grid_step_hz)

    def peaks(self, within_hz: tuple[int, int]) -> slice:
        """Where these frequencies lie on the band's grid."""
        first, last = ((hz - BAND_HZ[0]) // self.grid_step_hz for hz in within_hz)
        return slice(first, last + 1)


@dataclass(frozen=True, slots=True)
class Lines:
    """Windows whose strongest pair lies on a key: first step, key 0 to 15, the pair's share of the band's and
    of all energy, the upper line's frequency and level, by how much twist and frequency are beyond what is
    common, and what sounds at the pair's sum and difference, in decades of the pair."""

    step: Steps
    key: Steps
    share: Floats
    share_of_all: Floats
    column_hz: Floats
    column_db: Floats
    twist_db: Floats
    off_percent: Floats
    beats: Floats


@dataclass(frozen=True, slots=True)
class Tones:
    """Stretches of one key: first step, step after the last, and how much (in nats) speaks for a tone."""

    start: Steps
    end: Steps
    evidence: Floats


@dataclass(frozen=True, slots=True)
class _Pairs:
    """The strongest line of each band, window by window."""

    key: Steps
    on_key: NDArray[np.bool_]
    row_hz: Floats
    column_hz: Floats
    row_power: Floats
    column_power: Floats
    share: Floats
    off_percent: Floats


Table = TypeVar("Table", Lines, _Pairs)


def join(parts: Sequence[Lines]) -> Lines:
    """One after the other; a window that two parts hold is taken once."""
    joined = Lines(
        *(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Lines))
    )
    return _pick(joined, np.unique(joined.step, return_index=True)[1])


def _pick(columns: Table, chosen: Steps) -> Table:
    """These rows of each of its arrays."""
    return type(columns)(*(getattr(columns, field.name)[chosen] for field in fields(columns)))


def in_order(parts: Sequence[Tones]) -> Tones:
    """All of them, sorted by their start."""
    start, end, evidence = (
        np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Tones)
    )
    order = np.argsort(start, kind="stable")
    return Tones(start[order], end[order], evidence[order])


def on_key(sound: Floats, begin: Steps, lens: Lens, rate_hz: int) -> Steps:
    """Which of the windows of `sound` (one channel, full scale 1) that begin at these steps show a key
    well."""
    pairs = _pair(_windows(sound, begin, lens, rate_hz), lens, rate_hz)
    return begin[pairs.on_key & (pairs.share > GOOD_SHARE)]


def measure(sound: Floats, begin: Steps, lens: Lens, rate_hz: int) -> Lines:
    """The windows of `sound` that begin at these steps and show a key for a run of them."""
    windows = _windows(sound, begin, lens, rate_hz)
    pairs = _pair(windows, lens, rate_hz)
    kept = _in_run(begin, pairs.on_key)
    windows, pairs = windows[kept], _pick(pairs, kept)
    taper = _taper(windows.shape[1])
    power = pairs.row_power + pairs.column_power
    total = np.square(windows) @ np.square(taper) * (2 / np.square(taper).sum()) + TINY
    row_db, column_db = 10 * np.log10(pairs.row_power), 10 * np.log10(pairs.column_power)
    return Lines(
        begin[kept],
        pairs.key,
        np.minimum(pairs.share, 1),
        np.minimum(power / total, 1),
        pairs.column_hz,
        column_db,
        np.maximum(np.abs(column_db - row_db) - EASY_TWIST_DB, 0),
        pairs.off_percent,
        _decades(windows, pairs.column_hz - pairs.row_hz, lens.grid(DIFFERENCES_HZ), power, rate_hz)
        + _decades(windows, pairs.column_hz + pairs.row_hz, lens.grid(SUMS_HZ), power, rate_hz),
    )


def _windows(sound: Floats, begin: Steps, lens: Lens, rate_hz: int) -> Floats:
    step_frames = lens.step_frames(rate_hz)
    return sliding_window_view(sound, lens.window_steps * step_frames)[begin * step_frames]


def _in_run(begin: Steps, on_key: NDArray[np.bool_]) -> Steps:
    """Numbers of the windows on a key that have `RUN_WINDOWS` such in a row around them."""
    at = np.flatnonzero(on_key)
    step = begin[at]
    runs = np.flatnonzero(step[RUN_WINDOWS - 1 :] - step[: 1 - RUN_WINDOWS] == RUN_WINDOWS - 1)
    return at[np.unique(runs[:, None] + np.arange(RUN_WINDOWS))]


def _pair(windows: Floats, lens: Lens, rate_hz: int) -> _Pairs:
    power = _power(windows, lens.grid(BAND_HZ), rate_hz)
    row_hz, row_power, row_energy = _strongest(power, lens, ROW_PEAKS_HZ)
    column_hz, column_power, column_energy = _strongest(power, lens, COLUMN_PEAKS_HZ)
    row, row_off = _nearest(row_hz, ROWS_HZ)
    column, column_off = _nearest(column_hz, COLUMNS_HZ)
    share = (row_energy + column_energy) / power.sum(1)
    twist = np.maximum(row_power / column_power, column_power / row_power)
    return _Pairs(
        row * 4 + column,
        (np.maximum(row_off, column_off) < TOLERANCE_PERCENT) & (twist < MAX_TWIST) & (share > MIN_SHARE),
        row_hz,
        column_hz,
        row_power,
        column_power,
        share,
        np.maximum(row_off - EASY_OFF_PERCENT, 0) + np.maximum(column_off - EASY_OFF_PERCENT, 0),
    )


def _decades(windows: Floats, hz: Floats, grid: range, pair: Floats, rate_hz: int) -> Floats:
    """Decades by which each window's power at `hz` exceeds a thousandth of the pair's; 0 where the rate holds
    no such frequency."""
    nearest = np.rint((hz - grid.start) / grid.step).astype(np.int64).clip(0, len(grid) - 1)
    power = _power(windows, grid, rate_hz)[np.arange(len(windows)), nearest]
    decades: Floats = 3 + np.log10(power / pair + np.float32(0.001))
    decades[hz >= rate_hz / 2] = 0
    return decades


def _power(windows: Floats, grid: range, rate_hz: int) -> Floats:
    """Of each window at the grid's frequencies; a sine of amplitude 1 has 1."""
    parts: Floats = np.square(windows @ _waves(windows.shape[1], grid, rate_hz))
    power: Floats = parts[:, : len(grid)] + parts[:, len(grid) :] + TINY
    return power


@lru_cache(maxsize=8)
def _taper(frames: int) -> Floats:
    taper: Floats = np.hanning(frames + 2)[1:-1].astype(np.float32)
    return taper


@lru_cache(maxsize=16)
def _waves(frames: int, grid: range, rate_hz: int) -> Floats:
    taper = _taper(frames)[:, None]
    phase = 2 * np.pi * np.outer(np.arange(frames), grid) / rate_hz
    waves: Floats = np.concatenate([np.cos(phase), np.sin(phase)], axis=1).astype(np.float32)
    waves *= taper * (2 / taper.sum())
    return waves


def _strongest(power: Floats, lens: Lens, within_hz: tuple[int, int]) -> tuple[Floats, Floats, Floats]:
    """Frequency and height (of a parabola through three points of the grid) and energy of the highest peak."""
    each, peaks = np.arange(len(power)), lens.peaks(within_hz)
    peak = power[:, peaks].argmax(1) + peaks.start
    below, top, above = (np.log(power[each, peak + k]) for k in (-1, 0, 1))
    bend = np.minimum(below - 2 * top + above, np.float32(-1e-9))
    offset = np.clip((below - above) / (2 * bend), -1, 1)
    height = np.exp(top - (below - above) * offset / 4)
    energy = (power @ _near_ones(power.shape[1], LINE_REACH_HZ // lens.grid_step_hz))[each, peak]
    return BAND_HZ[0] + (peak.astype(np.float32) + offset) * lens.grid_step_hz, height, energy


@lru_cache(maxsize=4)
def _near_ones(count: int, reach: int) -> Floats:
    """Adds up what lies within a line's reach."""
    at = np.arange(count)
    near: Floats = (np.abs(at[:, None] - at) <= reach).astype(np.float32)
    return near


def _nearest(hz: Floats, nominal_hz: Floats) -> tuple[Steps, Floats]:
    """Index of the nearest nominal frequency, and how far off it is, in percent."""
    off = np.abs(hz[:, None] / nominal_hz - 1)
    return off.argmin(1), 100 * off.min(1)


def link(lines: Lines, lens: Lens) -> Tones:
    """Stretches of one key that hold at least one run, each with its best run's evidence."""
    count = len(lines.step) - RUN_WINDOWS + 1
    if count < 1:
        return Tones(lines.step[:0], lines.step[:0], lines.share[:0])
    fresh = (np.diff(lines.step) > 1) | (np.diff(lines.key) != 0)
    stretch = np.concatenate([[0], np.cumsum(fresh)])
    whole = stretch[:count] == stretch[RUN_WINDOWS - 1 :]
    evidence = np.full(stretch[-1] + 1, -np.inf, np.float32)
    np.maximum.at(evidence, stretch[:count][whole], weigh(lines)[whole])
    edges = np.flatnonzero(np.concatenate([[True], fresh, [True]]))
    held = np.isfinite(evidence)
    last = lines.step[edges[1:] - 1]
    return Tones(lines.step[edges[:-1]][held], last[held] + lens.window_steps, evidence[held])


def weigh(lines: Lines) -> Floats:
    """Log-odds that a run is a tone, for the run that begins at each window."""

    def over(values: Floats) -> Floats:
        return sliding_window_view(values, RUN_WINDOWS)

    rest = np.float32(1.003) - over(lines.share).mean(axis=1)
    of_all = over(lines.share_of_all).mean(axis=1)
    drift_hz = np.ptp(over(lines.column_hz), axis=1)
    swing_db = np.ptp(over(lines.column_db), axis=1)
    off_percent = over(lines.off_percent).mean(axis=1)
    evidence: Floats = (
        4.8
        - 1.5 * np.log(rest)
        + 1.6 * np.log(of_all / (np.float32(1.05) - of_all))
        - 2.2 * np.log(drift_hz + 1)
        - 1.25 * np.log(swing_db + np.float32(0.5))
        - 0.7 * over(lines.twist_db).mean(axis=1)
        - 2.2 * off_percent
        - 8.0 * np.maximum(off_percent - 1, 0)  # not from the regression: two strings of a chord
        - 2.45 * over(lines.beats).mean(axis=1)
    )
    return evidence
