"""M4A and WebM through the extra: sound as it went in, from memory alone, and a code for all else."""

from __future__ import annotations

import builtins
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consigne.rules.audio import codecs, containers
from consigne.rules.errors import BadInput

from .made import film

CAP_MS = 3_600_000
TONE = 0.3 * np.sin(np.arange(48_000)[:, None] * 0.2)
STEREO = np.column_stack([TONE[:, 0], -TONE[:, 0]])
M4A = film("ipod", "aac", TONE, 16_000)
WEBM = film("webm", "libopus", TONE, 48_000)


def test_a_title_in_another_encoding_stops_nothing() -> None:
    titled = film("ipod", "aac", TONE, 16_000, title="conversation")
    assert b"conversation" in titled
    spoilt = titled.replace(b"conversation", b"conversat\xe9on")
    assert codecs.read(spoilt, ".m4a", CAP_MS).frames == codecs.read(titled, ".m4a", CAP_MS).frames


def code(data: bytes, suffix: str, cap_ms: int = CAP_MS) -> tuple[str, str]:
    with pytest.raises(BadInput) as caught:
        codecs.read(data, suffix, cap_ms)
    assert caught.value.__context__ is None or "av" not in type(caught.value.__context__).__module__
    return caught.value.code, caught.value.where


@pytest.mark.parametrize(
    ("container", "codec", "suffix", "samples", "rate_hz", "bits", "smear_ms", "worst"),
    [
        ("ipod", "aac", ".m4a", TONE, 16_000, 16, 196, 0.03),
        ("ipod", "aac", ".m4a", STEREO, 44_100, 16, 72, 0.03),
        ("mp4", "aac", ".MP4", TONE, 8_000, 16, 392, 0.03),
        ("ipod", "alac", ".m4a", STEREO, 8_000, 24, 0, 1e-6),
        ("webm", "libopus", ".webm", TONE, 48_000, 16, 30, 0.03),
        ("webm", "libopus", ".webm", STEREO, 48_000, 16, 30, 0.05),
    ],
)
def test_sound_comes_out_in_its_place(
    container: str,
    codec: str,
    suffix: str,
    samples: np.ndarray,
    rate_hz: int,
    bits: int,
    smear_ms: int,
    worst: float,
) -> None:
    audio = codecs.read(film(container, codec, samples, rate_hz), suffix, CAP_MS)
    assert (audio.rate_hz, audio.bits, audio.channels) == (rate_hz, bits, samples.shape[1])
    assert audio.smear_ms == smear_ms
    assert 0 <= audio.frames - len(samples) < 2_048
    got = audio.samples[: len(samples)] / (1 << (15 if bits == 16 else 31))
    assert np.abs(got - samples)[2_100:-2_100].max() < worst


def test_without_the_extra_the_delivery_waits_with_a_code_that_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = builtins.__import__

    def absent(name: str, *rest: Any) -> Any:
        if name == "av":
            raise ImportError
        return real(name, *rest)

    monkeypatch.delitem(sys.modules, "av", raising=False)
    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(BadInput, match="CONSIGNE_EXTRAS=pyav") as caught:
        codecs.read(M4A, ".m4a", CAP_MS)
    assert (caught.value.code, caught.value.where) == ("format_mismatch", "audio.pyav")


@pytest.mark.parametrize(("data", "suffix"), [(M4A, ".m4a"), (WEBM, ".webm")])
def test_too_long_is_seen_in_the_header(data: bytes, suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def decoded(*_: object) -> None:
        raise AssertionError("decoded")

    with monkeypatch.context() as patch:
        patch.setattr("consigne.rules.audio.pyav._block", decoded)
        assert code(data, suffix, 900) == ("too_long", "audio")


def test_a_header_that_lies_about_its_length_is_stopped_at_the_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consigne.rules.audio.pyav._stated_s", lambda *_: 0.5)
    assert code(M4A, ".m4a", 1_000) == ("too_long", "audio")
    monkeypatch.setattr(containers, "MAX_SAMPLE_BYTES", 40_000)
    assert code(WEBM, ".webm") == ("too_large", "audio")


def test_what_names_another_file_opens_nothing(tmp_path: Any) -> None:
    """A track whose data reference (`dref`) is a path: ffmpeg would follow it if it were let."""
    (tmp_path / "other").write_bytes(M4A)
    url = f"file://{tmp_path}/other".encode() + b"\0"
    entry = b"url " + b"\0\0\0\0" + url
    pointing = M4A.replace(
        b"\0\0\0\x0curl \0\0\0\x01", (len(entry) + 4).to_bytes(4, "big") + entry
    )  # the sizes around it are off by as much: the data is what matters
    assert pointing != M4A
    opened: list[object] = []
    sys.addaudithook(lambda event, args: opened.append(args[0]) if event == "open" else None)
    try:
        codecs.read(pointing, ".m4a", CAP_MS)
    except BadInput as fault:
        assert fault.code == "unreadable_audio"
    assert not [one for one in opened if "other" in str(one)]


@pytest.mark.parametrize(
    ("data", "suffix", "expected"),
    [
        (M4A, ".webm", "format_mismatch"),
        (WEBM, ".m4a", "format_mismatch"),
        (M4A, ".mp3", "format_mismatch"),
        (M4A[:400], ".m4a", "unreadable_audio"),
        (WEBM[:100], ".webm", "unreadable_audio"),
        (film("ipod", "aac", TONE, 16_000, streams=2), ".m4a", "unreadable_audio"),
        (film("matroska", "pcm_s16le", TONE, 16_000), ".webm", "unreadable_audio"),
        (film("mp4", "alac", np.zeros((48_000, 1)), 2_000), ".m4a", "unreadable_audio"),
    ],
)
def test_what_is_not_read(data: bytes, suffix: str, expected: str) -> None:
    assert code(data, suffix) == (expected, "audio")


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([(M4A, ".m4a"), (WEBM, ".webm")]),
    st.lists(st.tuples(st.integers(0, 3_000), st.integers(0, 255)), max_size=8),
    st.integers(0, 40_000),
)
def test_broken_bytes_give_a_code_or_sound(
    file: tuple[bytes, str], changes: list[tuple[int, int]], length: int
) -> None:
    data = bytearray(file[0])
    for place, value in changes:
        data[-place % len(data)] = value
    try:
        audio = codecs.read(bytes(data[:length]), file[1], CAP_MS)
    except BadInput as fault:
        assert fault.code in {"unreadable_audio", "format_mismatch", "too_long", "too_large"}
        assert fault.__context__ is None
    else:
        assert audio.frames > 0
