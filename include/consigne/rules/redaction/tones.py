"""Keyed tones (DTMF, ITU-T Q.23/Q.24) in decoded sound, on any channel or split over channels.

A block Goertzel at the eight nominal frequencies screens the sound for windows in which a pair stands out at
all; `tones_confirm` measures these on a finer grid and weighs runs of them. A tone that is sure alone, or
likely beside another likely one, is a key; around a key less is asked.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from consigne.rules.audio.pcm import Audio
from consigne.rules.redaction.spans import Kind, Span, merge, pad
from consigne.rules.redaction.tones_confirm import (
    COLUMNS_HZ,
    ROWS_HZ,
    Lens,
    Steps,
    Tones,
    in_order,
    join,
    link,
    measure,
    on_key,
)

Floats = NDArray[np.float32]

BLOCK_STEPS, SCREEN_BLOCKS = 2, 3
SCREEN_SHARE, SCREEN_SHARE_EACH, SCREEN_TWIST = 0.2, 0.008, 40.0
FLOOR_DBFS = -66.0
AROUND_STEPS = np.arange(-3, 4)
CHUNK_BLOCKS, MARGIN_BLOCKS = 6000, 8
SEQUENCE_GAP_MS = 1000
LEAST_APART_MS, COMPANION_MS, NEAR_MS = 80, 2000, 1500


@dataclass(frozen=True, slots=True)
class Setting:
    """The evidence (nats) asked of a tone: alone, with another such within `COMPANION_MS`, and within
    `NEAR_MS` of a tone that holds one of these. `margin_ms` widens a span: a voice may drown part of a tone."""

    lens: Lens
    alone: float
    accompanied: float
    near: float
    margin_ms: int = 0


MASKING = Setting(Lens(step_ms=5, window_steps=7, grid_step_hz=20), 4.0, 1.0, -1.7, margin_ms=100)
PROOF = Setting(Lens(step_ms=4, window_steps=8, grid_step_hz=16), 7.0, 5.0, 5.0)
SUSPICION = Setting(MASKING.lens, -1.0, -2.0, -3.0)
NONE = Tones(*(np.empty(0, np.int64),) * 2, np.empty(0, np.float32))


def find(
    audio: Audio, setting: Setting = MASKING, sequence_gap_ms: int = SEQUENCE_GAP_MS
) -> tuple[Span, ...]:
    """Keyed tones on any channel, sequences grouped: pauses up to `sequence_gap_ms` belong to them."""
    mixes = [None] if audio.channels > 1 else []
    tones = in_order([_listen(audio, channel, setting.lens) for channel in [*range(audio.channels), *mixes]])
    chosen = np.flatnonzero(_choose(tones, setting))
    return merge((_span(audio, tones, n, setting) for n in chosen.tolist()), sequence_gap_ms)


def _span(audio: Audio, tones: Tones, n: int, setting: Setting) -> Span:
    """The n-th tone's: milliseconds rounded outwards, confidence from its evidence."""
    step_frames = setting.lens.step_frames(audio.rate_hz)
    start, end = max(0, int(tones.start[n])) * step_frames, int(tones.end[n]) * step_frames
    confidence = min(max(1 / (1 + math.exp(-tones.evidence[n])), 0.5), 0.99)
    span = Span(
        start * 1000 // audio.rate_hz,
        -(-end * 1000 // audio.rate_hz),
        Kind.TONE,
        "tones",
        round(confidence, 2),
    )
    return pad(span, setting.margin_ms, setting.margin_ms, audio.duration_ms)


def _choose(tones: Tones, setting: Setting) -> NDArray[np.bool_]:
    """Which of these tones, sorted by their start, are keys."""
    likely = tones.evidence >= setting.accompanied
    apart, within, reach = (ms // setting.lens.step_ms for ms in (LEAST_APART_MS, COMPANION_MS, NEAR_MS))
    others = tones.start[likely]
    after = _any_between(others, tones.start + apart, tones.start + within)
    before = _any_between(others, tones.start - within, tones.start - apart)
    sure = (tones.evidence >= setting.alone) | (likely & (after | before))
    begun = np.searchsorted(tones.start[sure], tones.end + reach, "right")
    over = np.searchsorted(np.sort(tones.end[sure]), tones.start - reach, "left")
    return sure | ((begun > over) & (tones.evidence >= setting.near))


def _any_between(sorted_steps: Steps, first: Steps, last: Steps) -> NDArray[np.bool_]:
    return np.searchsorted(sorted_steps, last, "right") > np.searchsorted(sorted_steps, first, "left")


def _listen(audio: Audio, channel: int | None, lens: Lens) -> Tones:
    """Stretches of a key on a channel, or (None) in the mean of all."""
    step_frames = lens.step_frames(audio.rate_hz)
    heard = []
    for first_block, sound in _chunks(audio, channel, step_frames * BLOCK_STEPS):
        blocks = _screen(sound, step_frames * BLOCK_STEPS, audio.rate_hz)
        steps = on_key(sound, blocks * BLOCK_STEPS, lens, audio.rate_hz)
        around = np.unique(steps[:, None] + AROUND_STEPS)
        lines = measure(sound, around, lens, audio.rate_hz)
        heard.append(replace(lines, step=lines.step + first_block * BLOCK_STEPS))
    return link(join(heard), lens) if heard else NONE


def _chunks(audio: Audio, channel: int | None, block_frames: int) -> Iterator[tuple[int, Floats]]:
    """(first block, sound of full scale 1), silence at both ends, each with its neighbours' margins."""
    blocks = -(-audio.frames // block_frames)
    scale = np.float32(1 / (1 << (15 if audio.bits == 16 else 31)))
    for begin in range(0, blocks, CHUNK_BLOCKS):
        first, last = begin - MARGIN_BLOCKS, min(begin + CHUNK_BLOCKS, blocks) + MARGIN_BLOCKS
        lower, upper = max(0, first * block_frames), min(audio.frames, last * block_frames)
        sound = np.zeros((last - first) * block_frames, np.float32)
        inside = sound[lower - first * block_frames : upper - first * block_frames]
        part = audio.samples[lower:upper]
        if channel is not None:
            np.multiply(part[:, channel], scale, out=inside)
        else:
            for each in range(audio.channels):
                inside += part[:, each] * (scale / audio.channels)
        if inside.any():
            yield first, sound


def _screen(sound: Floats, block_frames: int, rate_hz: int) -> Steps:
    """First blocks, between the margins, of windows of `SCREEN_BLOCKS` in which a pair stands out."""
    blocks = sound.reshape(-1, block_frames)
    parts = (_screen_waves(block_frames, rate_hz) @ blocks.T).reshape(SCREEN_BLOCKS, 16, -1)
    count = len(blocks) - 2 * MARGIN_BLOCKS
    at = [slice(MARGIN_BLOCKS + n, MARGIN_BLOCKS + n + count) for n in range(SCREEN_BLOCKS)]
    power = parts[0][:, at[0]] + parts[1][:, at[1]]
    power += parts[2][:, at[2]]
    np.square(power, out=power)
    power = power[:8] + power[8:]
    row, column = power[:4].max(0), power[4:].max(0)
    energy = np.einsum("ij,ij->i", blocks, blocks) * (2 / (SCREEN_BLOCKS * block_frames))
    total = energy[at[0]] + energy[at[1]] + energy[at[2]]
    weak, strong = np.minimum(row, column), np.maximum(row, column)
    stands_out = (weak > SCREEN_SHARE_EACH * total) & (weak + strong > SCREEN_SHARE * total)
    stands_out &= (weak > 10 ** (FLOOR_DBFS / 10)) & (strong < SCREEN_TWIST * weak)
    return np.flatnonzero(stands_out) + MARGIN_BLOCKS


@lru_cache(maxsize=8)
def _screen_waves(block_frames: int, rate_hz: int) -> Floats:
    """Cosines and sines of the eight frequencies under a Hann window, one row for each and block."""
    size = SCREEN_BLOCKS * block_frames
    taper = np.hanning(size + 2)[1:-1]
    phase = 2 * np.pi * np.outer([*ROWS_HZ, *COLUMNS_HZ], np.arange(size)) / rate_hz
    waves = np.concatenate([np.cos(phase), np.sin(phase)]) * taper * (2 / taper.sum())
    by_block = waves.reshape(16, SCREEN_BLOCKS, block_frames).transpose(1, 0, 2)
    rows: Floats = by_block.reshape(-1, block_frames).astype(np.float32)
    return rows
