"""Files in, samples out: exact where the source is exact, a code and nothing else where it is broken."""

from __future__ import annotations

import io
import struct
import traceback

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from consigne.rules.audio import codecs
from consigne.rules.audio.pcm import Audio
from consigne.rules.errors import BadInput

CAP_MS = 3_600_000
NOISE = np.random.default_rng(7).normal(size=(16_000, 1)) * 0.1


def made(container: str, subtype: str, samples: np.ndarray = NOISE, rate_hz: int = 8000) -> bytes:
    out = io.BytesIO()
    soundfile.write(out, samples, rate_hz, format=container, subtype=subtype)
    return out.getvalue()


WAV = made("WAV", "PCM_16")
FLAC = made("FLAC", "PCM_16")
OPUS = made("OGG", "OPUS")


def code(data: bytes, suffix: str, cap_ms: int = CAP_MS) -> str:
    with pytest.raises(BadInput) as caught:
        codecs.read(data, suffix, cap_ms)
    assert caught.value.where == "audio"
    told = "".join(traceback.format_exception(caught.value))
    assert "LibsndfileError" not in told and "BytesIO" not in told
    return caught.value.code


@pytest.mark.parametrize(
    ("container", "subtype", "suffix", "bits"),
    [
        ("WAV", "PCM_U8", ".wav", 16),
        ("WAV", "PCM_16", ".wav", 16),
        ("WAV", "PCM_24", ".wav", 24),
        ("WAV", "ULAW", ".wav", 16),
        ("WAV", "ALAW", ".wav", 16),
        ("WAVEX", "PCM_16", ".WAV", 16),
        ("RF64", "PCM_16", ".wav", 16),
        ("FLAC", "PCM_16", ".flac", 16),
        ("FLAC", "PCM_24", ".flac", 24),
    ],
)
def test_exact_sources_stay_exact(container: str, subtype: str, suffix: str, bits: int) -> None:
    stereo = np.column_stack([NOISE[:, 0], -NOISE[:, 0]])
    data = made(container, subtype, stereo)
    audio = codecs.read(data, suffix, CAP_MS)
    plain, _ = soundfile.read(io.BytesIO(data), dtype="float64", always_2d=True)
    full_scale = 1 << 15 if bits == 16 else 1 << 31
    assert (audio.bits, audio.rate_hz, audio.channels, audio.duration_ms) == (bits, 8000, 2, 2000)
    assert np.array_equal(audio.samples / full_scale, plain)


@pytest.mark.parametrize(
    ("container", "subtype", "suffix", "worst"),
    [
        ("WAV", "FLOAT", ".wav", 1e-6),
        ("WAV", "PCM_32", ".wav", 1e-6),
        ("WAV", "GSM610", ".wav", 1.0),
        ("OGG", "VORBIS", ".ogg", 1.0),
        ("OGG", "OPUS", ".opus", 1.0),
    ],
)
def test_lossy_and_deeper_sources_are_decoded(
    container: str, subtype: str, suffix: str, worst: float
) -> None:
    tone = 0.3 * np.sin(np.arange(16_000)[:, None] * 0.2)
    audio = codecs.read(made(container, subtype, tone), suffix, CAP_MS)
    got = audio.samples[:16_000] / (1 << (15 if audio.bits == 16 else 31))
    assert 0.15 < np.sqrt(np.mean(got**2)) < 0.25
    assert np.abs(got - tone[: len(got)]).max() < worst


def test_what_is_written_reads_back_and_is_the_same_twice() -> None:
    for data, suffix in ((WAV, ".wav"), (made("WAV", "PCM_24"), ".wav"), (OPUS, ".ogg")):
        audio = codecs.read(data, suffix, CAP_MS)
        stored = codecs.write(audio)
        again = codecs.read(stored, ".flac", CAP_MS)
        assert stored == codecs.write(audio)
        assert np.array_equal(again.samples, audio.samples)
        assert (again.rate_hz, again.bits) == (audio.rate_hz, audio.bits)


@pytest.mark.parametrize(
    ("data", "suffix"),
    [
        (WAV, ".flac"),
        (WAV, ".opus"),
        (WAV, ""),
        (FLAC, ".wav"),
        (OPUS, ".mp3"),
        (made("AIFF", "PCM_16"), ".wav"),
        (made("AIFF", "PCM_16"), ".aiff"),
        (b"", ".wav"),
        (b"{}", ".wav"),
    ],
)
def test_a_file_that_is_not_what_its_name_says(data: bytes, suffix: str) -> None:
    assert code(data, suffix) == "format_mismatch"


@pytest.mark.parametrize(
    ("data", "suffix"),
    [
        (b"RIFF\xff\xff\xff\xffWAVEfmt ", ".wav"),
        (WAV[:44], ".wav"),
        (made("WAV", "PCM_16", NOISE[:0]), ".wav"),
        (made("WAV", "FLOAT", np.array([[0.1], [np.nan]])), ".wav"),
        (made("WAV", "DOUBLE", np.array([[0.1], [np.inf]])), ".wav"),
        (made("WAV", "PCM_16", np.zeros((10, 9))), ".wav"),
        (made("WAV", "PCM_16", NOISE, 1000), ".wav"),
        (FLAC[: len(FLAC) // 2], ".flac"),
        (FLAC[:50], ".flac"),
        (OPUS[:90], ".opus"),
    ],
)
def test_what_cannot_be_read(data: bytes, suffix: str) -> None:
    assert code(data, suffix) == "unreadable_audio"


def test_a_truncated_file_gives_what_is_there() -> None:
    assert codecs.read(WAV[:1044], ".wav", CAP_MS).frames == 500


def test_a_float_beyond_full_scale_is_clipped() -> None:
    audio = codecs.read(made("WAV", "FLOAT", np.array([[3.0], [-3.0]])), ".wav", CAP_MS)
    assert audio.samples[:, 0].tolist() == [((1 << 23) - 1) << 8, -(1 << 31)]


def test_too_long_is_seen_in_the_header() -> None:
    assert codecs.read(WAV, ".wav", 2000).duration_ms == 2000
    assert code(WAV, ".wav", 1999) == "too_long"
    liar = bytearray(FLAC)
    liar[22:26] = struct.pack(">I", 8000 * 3600 * 5)
    assert code(bytes(liar), ".flac") == "too_long"


def test_too_large_is_seen_in_the_header(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codecs, "MAX_SAMPLES", 15_999)
    assert code(WAV, ".wav") == "too_large"


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([(WAV, ".wav"), (FLAC, ".flac"), (OPUS, ".ogg")]),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=8),
    st.integers(0, 33_000),
)
def test_broken_bytes_give_a_code_or_sound(
    file: tuple[bytes, str], changes: list[tuple[int, int]], length: int
) -> None:
    data = bytearray(file[0])
    for place, value in changes:
        data[place % len(data)] = value
    try:
        audio = codecs.read(bytes(data[:length]), file[1], CAP_MS)
    except BadInput as fault:
        assert fault.code in {"unreadable_audio", "format_mismatch", "too_long", "too_large"}
        assert fault.__context__ is None
    else:
        assert audio.frames > 0


def test_a_span_to_the_rounded_up_end_covers_the_last_sample() -> None:
    assert Audio(np.zeros((8001, 1), np.int16), 8000, 16).duration_ms == 1001
