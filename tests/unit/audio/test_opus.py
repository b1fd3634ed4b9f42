"""Silence by an exchange of packets: exact within, the source's own packets without, nothing else in the file;
whatever is not plain Ogg/Opus is left to FLAC."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from consigne.rules.audio import codecs, ogg, opus
from consigne.rules.audio.pcm import Audio
from consigne.rules.redaction.mask import forms, stretches
from consigne.rules.redaction.spans import Kind, Span

from .made import film, sound

CAP_MS = 60_000
MASKS = [Span(a, b, Kind.CARD, "test", 1.0) for a, b in ((1_003, 1_998), (3_000, 3_015), (5_990, 6_500))]
MODES = {
    "narrow SILK": (8_000, 1, {"application": "voip", "b": "12000"}),
    "SILK that repeats": (8_000, 1, {"application": "voip", "b": "24000", "fec": "1", "packet_loss": "30"}),
    "SILK of 60 ms": (16_000, 1, {"application": "voip", "b": "20000", "frame_duration": "60"}),
    "hybrid": (48_000, 1, {"application": "voip", "b": "32000"}),
    "CELT": (48_000, 1, {"application": "audio", "b": "96000"}),
    "CELT of 2.5 ms": (48_000, 1, {"application": "lowdelay", "b": "64000", "frame_duration": "2.5"}),
    "stereo": (48_000, 2, {"application": "voip", "b": "48000"}),
}


def voice(rate_hz: int, channels: int, duration_s: int = 10) -> np.ndarray:
    """Something like speech: harmonics of a gliding pitch, in syllables, with some noise."""
    at = np.arange(duration_s * rate_hz) / rate_hz
    phase = 2 * np.pi * np.cumsum(120 + 20 * np.sin(at)) / rate_hz
    tract = sum(np.sin(n * phase) / n for n in range(1, 20))
    noise = np.random.default_rng(5).normal(size=len(at))
    one = 0.12 * (tract + 0.2 * noise) * (np.sin(2 * np.pi * 3 * at) ** 2 + 0.02)
    return np.column_stack([one, np.roll(one, rate_hz)])[:, :channels]


@pytest.fixture(scope="module", params=MODES)
def call(request: pytest.FixtureRequest) -> bytes:
    rate_hz, channels, options = MODES[request.param]
    return film("ogg", "libopus", voice(rate_hz, channels), rate_hz, options=options)


def exchanged(call: bytes, masks: Sequence[Span] = MASKS) -> tuple[bytes, Audio, list[tuple[int, int]]]:
    audio = codecs.read(call, ".opus", CAP_MS)
    first = next(forms(call, audio, masks))
    assert first.startswith(b"OggS")
    return first, audio, list(stretches(audio, masks))


@pytest.mark.promise("P2")
def test_it_is_silent_in_the_masks_and_the_original_elsewhere(call: bytes) -> None:
    stored, audio, masked = exchanged(call)
    decoded = codecs.read(stored, ".opus", CAP_MS)
    assert decoded.samples.shape == audio.samples.shape
    for first, last in masked:
        assert not decoded.samples[first:last].any()
        ms = audio.rate_hz // 1000
        apart = decoded.samples[last + 300 * ms : last + 900 * ms] / 32_768
        apart -= audio.samples[last + 300 * ms : last + 900 * ms] / 32_768
        assert np.sqrt(np.mean(apart**2)) < 10 ** (-50 / 20)
    assert opus.judge(stored, decoded, audio, masked) is None


@pytest.mark.promise("P2")
def test_no_packet_with_sound_of_a_mask_is_left_nor_the_one_that_may_repeat_it(call: bytes) -> None:
    stored, audio, masked = exchanged(call)
    before, after = opus.parse(call), opus.parse(stored)
    assert after.starts == before.starts and after.ends == before.ends
    kept = [a == b for a, b in zip(before.packets, after.packets, strict=True)]
    for first, last in masked:
        begin, end = (n * 48_000 // audio.rate_hz + before.pre_skip for n in (first, last))
        carry = [n for n in range(len(kept)) if before.starts[n] < end and before.starts[n + 1] > begin - 240]
        assert not any(kept[carry[0] : carry[-1] + 2])
    assert kept.count(True) > len(kept) / 2
    assert {len(one) for one, same in zip(after.packets, kept, strict=True) if not same} <= {3, 4, 6, 8}


def test_nothing_of_the_source_but_packets_is_kept() -> None:
    out = io.BytesIO()
    with soundfile.SoundFile(out, "w", 8_000, 1, format="OGG", subtype="OPUS") as file:
        file.title = "carte 4970"
        file.write(voice(8_000, 1))
    call = out.getvalue()
    assert b"carte 4970" in call
    stored, audio, masked = exchanged(call, [])
    assert b"carte" not in stored and b"libopus" not in stored and b"encoder" not in stored
    assert np.array_equal(codecs.read(stored, ".opus", CAP_MS).samples, audio.samples)
    assert opus.judge(call, audio, audio, masked) == "packets"


@pytest.mark.promise("P2")
def test_padding_where_copies_of_speech_may_lie_is_stripped() -> None:
    stream = opus.parse(film("ogg", "libopus", voice(8_000, 1), 8_000, options=MODES["narrow SILK"][2]))
    for hidden in (b"", b"secret", b"secret" * 100):
        length = b"\xff" * (len(hidden) // 254) + bytes((len(hidden) % 254,))
        padded = [
            bytes((one[0] | 3, 1 | 64)) + length + one[1:] + hidden if one[0] & 3 == 0 else one
            for one in stream.packets
        ]
        # Pages grow: one for every packet.
        ends = [(n + 1, min(start, stream.ends[-1][1])) for n, start in enumerate(stream.starts[1:])]
        call = opus.write(replace(stream, packets=tuple(padded), ends=tuple(ends)))
        assert call.count(hidden or b"OggS") > 100
        stored, _, _ = exchanged(call, [])
        assert hidden not in stored or not hidden
        assert {one[1] & 64 for one in opus.parse(stored).packets if one[0] & 3 == 3} == {0}


def test_a_mask_less_or_a_packet_too_few_is_seen(call: bytes) -> None:
    stored, audio, masked = exchanged(call)
    less, _, _ = exchanged(call, MASKS[1:])
    stream, original = opus.parse(stored), opus.parse(call)
    for fewer in (less, call):
        assert opus.judge(fewer, codecs.read(fewer, ".opus", CAP_MS), audio, masked) == "packets"
    changed = [n for n, one in enumerate(stream.packets) if one != original.packets[n]]
    for back in (changed[0], changed[-1]):
        packets = list(stream.packets)
        packets[back] = original.packets[back]
        wrong = opus.write(replace(stream, packets=tuple(packets)))
        assert opus.judge(wrong, codecs.read(wrong, ".opus", CAP_MS), audio, masked) == "packets"


def test_sound_that_was_changed_outside_the_masks_is_seen(call: bytes) -> None:
    stored, audio, masked = exchanged(call)
    decoded = codecs.read(stored, ".opus", CAP_MS)
    for at_s in (0, 2.6, 5, 9.9):
        samples = decoded.samples.copy()
        begin = int(at_s * audio.rate_hz)
        samples[begin : begin + audio.rate_hz // 10] ^= 1_023
        assert opus.judge(stored, replace(decoded, samples=samples), audio, masked) == "unmasked_samples"


def test_without_masks_every_sample_is_the_original(call: bytes) -> None:
    stored, audio, _ = exchanged(call, [])
    assert np.array_equal(codecs.read(stored, ".opus", CAP_MS).samples, audio.samples)


def test_a_mask_over_all_of_it_and_at_both_ends(call: bytes) -> None:
    audio = codecs.read(call, ".opus", CAP_MS)
    end = audio.duration_ms
    for spans in ([(0, end)], [(0, 30), (end - 30, end)], [(0, 1)], [(end - 1, end)]):
        stored, _, masked = exchanged(call, [Span(a, b, Kind.TONE, "test", 1.0) for a, b in spans])
        decoded = codecs.read(stored, ".opus", CAP_MS)
        assert not any(decoded.samples[first:last].any() for first, last in masked)
        assert opus.judge(stored, decoded, audio, masked) is None


PLAIN = film("ogg", "libopus", voice(8_000, 1, 2), 8_000)
SURROUND = film("ogg", "libopus", voice(48_000, 2, 1), 48_000, options={"mapping_family": "255"})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        PLAIN + b"more",
        PLAIN + PLAIN,
        PLAIN[:-1],
        PLAIN[:200] + b"\x00" + PLAIN[201:],
        SURROUND,
        sound("OGG", "VORBIS"),
        sound("WAV", "PCM_16"),
    ],
)
def test_what_is_not_one_plain_stream_is_left_to_flac(data: bytes) -> None:
    with pytest.raises(ValueError):
        opus.parse(data)
    audio = Audio(np.ones((8_000, 1), np.int16), 8_000, 16)
    only = list(forms(data, audio, MASKS))
    assert [one[:4] for one in only] == [b"fLaC"]


def test_packets_over_several_pages_and_lost_pages() -> None:
    pages = list(ogg.read_pages(PLAIN))
    tags = b"OpusTags" + bytes(8) + b"\x01" + bytes(70_000)

    def page(number: int, flags: int, lacing: bytes, body: bytes, granule: int = 0) -> bytes:
        """Over `write_page`, which writes whole packets alone."""
        whole = bytearray(b"OggS\0" + bytes((flags,)) + granule.to_bytes(8, "little", signed=True))
        whole += bytes(4) + number.to_bytes(4, "little") + bytes(4) + bytes((len(lacing),)) + lacing + body
        whole[22:26] = ogg._checksum(bytes(whole)).to_bytes(4, "little")
        return bytes(whole)

    size = 255 * 255
    first = ogg.write_page(0, ogg.FIRST, 0, pages[0].packets)
    long = page(1, 0, b"\xff" * 255, tags[:size], -1)
    rest = tags[size:]
    lacing = b"\xff" * (len(rest) // 255) + bytes((len(rest) % 255,))
    sounds = [ogg.write_page(9, one.flags, one.granule, one.packets) for one in pages[2:]]
    whole = b"".join([first, long, page(2, ogg.CONTINUED, lacing, rest), *sounds])
    assert opus.write(opus.parse(whole)) == opus.write(opus.parse(PLAIN))
    for broken in (
        [first, long, *sounds],
        [first, page(2, ogg.CONTINUED, lacing, rest), *sounds],
        [first, long, page(2, ogg.CONTINUED, lacing, rest), *sounds[1:]],
    ):
        with pytest.raises(ValueError):
            opus.parse(b"".join(broken))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1 << 16), st.binary(max_size=4)), max_size=4), st.booleans())
def test_broken_bytes_are_parsed_or_refused(changes: list[tuple[int, bytes]], mend: bool) -> None:
    """Also with their checksums right, so that what lies within is reached."""
    data = bytearray(PLAIN)
    for place, value in changes:
        at = place % len(data)
        data[at : at + len(value)] = value
    if mend:
        at = 0
        while (at := data.find(b"OggS", at)) >= 0:
            end = at + 27 + data[at + 26] if at + 27 < len(data) else len(data)
            end += sum(data[at + 27 : end])
            data[at + 22 : at + 26] = bytes(4)
            data[at + 22 : at + 26] = ogg._checksum(bytes(data[at:end])).to_bytes(4, "little")
            at += 4
    try:
        stream = opus.parse(bytes(data))
    except ValueError:
        return
    again = opus.parse(opus.write(stream))
    assert again == stream
