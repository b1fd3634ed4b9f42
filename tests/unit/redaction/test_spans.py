"""Spans: merged by kind, padded within the recording, silenced on every channel."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from consigne.rules.audio.pcm import Audio
from consigne.rules.redaction.mask import silence, stretches
from consigne.rules.redaction.spans import Kind, Span, merge, pad

spans = st.builds(
    lambda start, length, kind: Span(start, start + length, kind, "test", 0.5),
    st.integers(0, 900),
    st.integers(1, 200),
    st.sampled_from(Kind),
)


def covered(given_spans: list[Span]) -> set[tuple[Kind, int]]:
    return {(s.kind, ms) for s in given_spans for ms in range(s.start_ms, s.end_ms)}


@given(st.lists(spans, max_size=12))
def test_merging_covers_the_same_without_overlap(several: list[Span]) -> None:
    merged = merge(several)
    assert covered(list(merged)) == covered(several)
    assert sum(s.end_ms - s.start_ms for s in merged) == len(covered(several))
    assert list(merged) == sorted(merged, key=lambda s: s.start_ms)


def test_merging_bridges_gaps_and_keeps_the_surest() -> None:
    weak, sure = Span(0, 10, Kind.CARD, "a", 0.2), Span(20, 30, Kind.CARD, "b", 0.9)
    assert merge([weak, sure], 10) == (Span(0, 30, Kind.CARD, "b", 0.9),)
    assert merge([weak, sure], 9) == (weak, sure)


def test_padding_stays_within_the_recording() -> None:
    assert pad(Span(50, 950, Kind.TONE, "a", 1), 100, 100, 1000) == Span(0, 1000, Kind.TONE, "a", 1)


@given(st.lists(spans, max_size=6), st.sampled_from([8000, 11025, 48000]))
def test_silence_is_exactly_there_and_on_all_channels(several: list[Span], rate_hz: int) -> None:
    audio = Audio(np.ones((rate_hz, 2), np.int16), rate_hz, 16)
    masked = silence(audio, several).samples
    ms = np.arange(rate_hz) * 1000 / rate_hz
    inside = np.zeros(rate_hz, bool)
    for span in several:
        inside |= (ms >= span.start_ms) & (ms < span.end_ms)
    assert not masked[inside].any()
    # Rounded outwards by less than one frame at either end.
    assert masked.shape == (rate_hz, 2)
    assert (masked[:, 0] == 0).sum() - inside.sum() <= 2 * len(several)
    assert np.array_equal(masked[:, 0], masked[:, 1])
    assert audio.samples.all()


def test_stretches_do_not_overlap() -> None:
    audio = Audio(np.ones((8000, 1), np.int16), 8000, 16)
    several = [
        Span(0, 100, Kind.CARD, "a", 1),
        Span(50, 80, Kind.CODE, "a", 1),
        Span(90, 5000, Kind.TONE, "a", 1),
    ]
    assert list(stretches(audio, several)) == [(0, 800), (800, 8000)]
