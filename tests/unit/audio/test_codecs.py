"""Files in, samples out: exact where the source is exact, a code and nothing else where it is broken."""

from __future__ import annotations

import contextlib
import io
import struct
import traceback

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from consigne.rules.audio import codecs, containers
from consigne.rules.audio.pcm import Audio
from consigne.rules.errors import BadInput

from .made import NOISE, RATE_HZ, sound

CAP_MS = 3_600_000


WAV = sound("WAV", "PCM_16")
FLAC = sound("FLAC", "PCM_16")
OPUS = sound("OGG", "OPUS")
MP3 = sound("MP3", "MPEG_LAYER_III")


def code(data: bytes, suffix: str, cap_ms: int = CAP_MS) -> str:
    with pytest.raises(BadInput) as caught:
        codecs.read(data, suffix, cap_ms)
    assert caught.value.where == "audio"
    told = "".join(traceback.format_exception(caught.value))
    assert "LibsndfileError" not in told and "BytesIO" not in told
    return caught.value.code


EXACT = {
    ".wav": ("WAV WAVEX RF64", "PCM_U8 PCM_16 PCM_24 ULAW ALAW"),
    ".flac": ("FLAC", "PCM_S8 PCM_16 PCM_24"),
    ".aiff": ("AIFF", "PCM_S8 PCM_U8 PCM_16 PCM_24 ULAW ALAW"),
    ".au": ("AU", "PCM_S8 PCM_16 PCM_24 ULAW ALAW"),
    ".caf": ("CAF", "PCM_S8 PCM_16 PCM_24 ULAW ALAW ALAC_16 ALAC_20 ALAC_24"),
    ".w64": ("W64", "PCM_U8 PCM_16 PCM_24 ULAW ALAW"),
    ".voc": ("VOC", "PCM_U8 PCM_16 ULAW ALAW"),
    ".sph": ("NIST", "PCM_S8 PCM_16 PCM_24 ULAW ALAW"),
    ".iff": ("SVX", "PCM_S8 PCM_16"),
    ".sf": ("IRCAM", "PCM_16 ULAW ALAW"),
    ".avr": ("AVR", "PCM_S8 PCM_U8 PCM_16"),
    ".htk": ("HTK", "PCM_16"),
    ".mat": ("MAT4 MAT5", "PCM_16"),
    ".mpc2k": ("MPC2K", "PCM_16"),
    ".paf": ("PAF", "PCM_S8 PCM_16 PCM_24"),
    ".pvf": ("PVF", "PCM_S8 PCM_16"),
    ".wve": ("WVE", "ALAW"),
}
UNREAD = {"RAW", "SD2", "SDS"}
ONE_CHANNEL = {".iff", ".htk", ".wve"}


@pytest.mark.parametrize(
    ("container", "subtype", "suffix"),
    [
        (container, subtype, suffix)
        for suffix, (names, subtypes) in EXACT.items()
        for container in names.split()
        for subtype in subtypes.split()
    ],
)
def test_exact_sources_stay_exact(container: str, subtype: str, suffix: str) -> None:
    channels = NOISE if suffix in ONE_CHANNEL else np.column_stack([NOISE[:, 0], -NOISE[:, 0]])
    data = sound(container, subtype, channels)
    audio = codecs.read(data, suffix.upper(), CAP_MS)
    plain, _ = soundfile.read(io.BytesIO(data), dtype="float64", always_2d=True)
    bits = 24 if subtype.endswith(("_20", "_24")) else 16
    assert (audio.bits, audio.rate_hz, audio.channels, audio.smear_ms) == (
        bits, RATE_HZ, channels.shape[1], 0
    )  # fmt: skip
    assert 2000 <= audio.duration_ms <= 2001
    assert np.array_equal(audio.samples / (1 << (15 if bits == 16 else 31)), plain)


def test_every_container_of_libsndfile_is_read_but_three() -> None:
    """RAW has nothing that tells it, SD2 keeps its header in another file, SDS is read by printing."""
    ours = frozenset().union(*(one.formats for one in containers.CONTAINERS))
    assert ours == set(soundfile.available_formats()) - UNREAD


@pytest.mark.parametrize(
    ("container", "subtype", "suffix", "worst"),
    [
        ("WAV", "FLOAT", ".wav", 1e-6),
        ("WAV", "PCM_32", ".wav", 1e-6),
        ("WAV", "GSM610", ".wav", 1.0),
        ("WAV", "G721_32", ".wav", 1.0),
        ("WAV", "NMS_ADPCM_32", ".wav", 1.0),
        ("WAV", "IMA_ADPCM", ".wav", 1.0),
        ("WAV", "MS_ADPCM", ".wav", 0.1),
        ("W64", "GSM610", ".w64", 1.0),
        ("AIFF", "DOUBLE", ".aif", 1e-6),
        ("AU", "FLOAT", ".snd", 1e-6),
        ("AU", "G723_24", ".au", 1.0),
        ("CAF", "ALAC_32", ".caf", 1e-6),
        ("XI", "DPCM_16", ".xi", 0.1),
        ("MAT5", "DOUBLE", ".mat", 1e-6),
        ("MP3", "MPEG_LAYER_III", ".mp3", 1.0),
        ("OGG", "VORBIS", ".ogg", 1.0),
        ("OGG", "OPUS", ".opus", 1.0),
    ],
)
def test_lossy_and_deeper_sources_are_decoded(
    container: str, subtype: str, suffix: str, worst: float
) -> None:
    tone = 0.3 * np.sin(np.arange(16_000)[:, None] * 0.2)
    audio = codecs.read(sound(container, subtype, tone), suffix, CAP_MS)
    got = audio.samples[:16_000] / (1 << (15 if audio.bits == 16 else 31))
    assert 0.15 < np.sqrt(np.mean(got**2)) < 0.25
    assert np.abs(got - tone[: len(got)]).max() < worst


def test_what_is_written_reads_back_and_is_the_same_twice() -> None:
    for data, suffix in ((WAV, ".wav"), (sound("WAV", "PCM_24"), ".wav"), (OPUS, ".ogg")):
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
        (sound("AIFF", "PCM_16"), ".wav"),
        (sound("AIFF", "PCM_16"), ".mp3"),
        (sound("WAV", "PCM_16"), ".raw"),
        (sound("MP3", "MPEG_LAYER_III"), ".wav"),
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
        (sound("WAV", "PCM_16", NOISE[:0]), ".wav"),
        (sound("WAV", "FLOAT", np.array([[0.1], [np.nan]])), ".wav"),
        (sound("WAV", "DOUBLE", np.array([[0.1], [np.inf]])), ".wav"),
        (sound("WAV", "PCM_16", np.zeros((10, 9))), ".wav"),
        (sound("WAV", "PCM_16", NOISE, 1000), ".wav"),
        (FLAC[: len(FLAC) // 2], ".flac"),
        (FLAC[:50], ".flac"),
        (OPUS[:90], ".opus"),
    ],
)
def test_what_cannot_be_read(data: bytes, suffix: str) -> None:
    assert code(data, suffix) == "unreadable_audio"


def test_a_rate_that_nothing_could_store_is_refused() -> None:
    assert code(sound("WAV", "PCM_16", NOISE[:100], 70_001), ".wav") == "unreadable_audio"


@pytest.mark.promise("P2")
def test_a_broken_file_shows_none_of_its_bytes(capfd: pytest.CaptureFixture[str]) -> None:
    """mpg123 prints the header that it cannot read."""
    for at in range(1_000, 3_000, 50):
        spoilt = MP3[:at] + b"\xff\x18\xae\xa3" * 40 + MP3[at:]
        with contextlib.suppress(BadInput):
            codecs.read(spoilt, ".mp3", CAP_MS)
    assert capfd.readouterr() == ("", "")


def test_a_truncated_file_gives_what_is_there() -> None:
    assert codecs.read(WAV[:1044], ".wav", CAP_MS).frames == 500


def test_a_float_beyond_full_scale_is_clipped() -> None:
    audio = codecs.read(sound("WAV", "FLOAT", np.array([[3.0], [-3.0]])), ".wav", CAP_MS)
    assert audio.samples[:, 0].tolist() == [((1 << 23) - 1) << 8, -(1 << 31)]


def test_too_long_is_seen_in_the_header() -> None:
    assert codecs.read(WAV, ".wav", 2000).duration_ms == 2000
    assert code(WAV, ".wav", 1999) == "too_long"
    liar = bytearray(FLAC)
    liar[22:26] = struct.pack(">I", 8000 * 3600 * 5)
    assert code(bytes(liar), ".flac") == "too_long"


def test_too_large_is_seen_in_the_header(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containers, "MAX_SAMPLE_BYTES", 31_999)
    assert code(WAV, ".wav") == "too_large"


@pytest.mark.parametrize(
    ("container", "subtype", "suffix", "rate_hz", "smear_ms"),
    [
        ("MP3", "MPEG_LAYER_III", ".mp3", 16_000, 142),
        ("MP3", "MPEG_LAYER_III", ".mp3", 8_000, 283),
        ("OGG", "OPUS", ".opus", 8_000, 30),
        ("OGG", "VORBIS", ".ogg", 8_000, 50),
        ("WAV", "GSM610", ".wav", 8_000, 20),
        ("WAV", "ULAW", ".wav", 8_000, 0),
    ],
)
def test_the_smear_is_the_codecs(
    container: str, subtype: str, suffix: str, rate_hz: int, smear_ms: int
) -> None:
    data = sound(container, subtype, NOISE, rate_hz)
    assert codecs.read(data, suffix, CAP_MS).smear_ms == smear_ms


@pytest.mark.parametrize("container", sorted(soundfile.available_formats()))
def test_too_long_is_seen_in_the_header_of_every_container(container: str) -> None:
    if container in UNREAD:
        return
    subtype = "OPUS" if container == "OGG" else soundfile.default_subtype(container)
    data = sound(container, subtype)
    suffix = min(next(iter(one.suffixes) for one in containers.CONTAINERS if container in one.formats))
    assert code(data, suffix, 300) == "too_long"


FILES = [
    (WAV, ".wav"),
    (FLAC, ".flac"),
    (OPUS, ".ogg"),
    (sound("OGG", "VORBIS"), ".oga"),
    (sound("MP3", "MPEG_LAYER_III"), ".mp3"),
    (sound("WAV", "GSM610"), ".wav"),
    (sound("CAF", "ALAC_16"), ".caf"),
    *(
        (sound(names.split()[-1], subtypes.split()[-1]), suffix)
        for suffix, (names, subtypes) in EXACT.items()
    ),
]


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(FILES),
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
