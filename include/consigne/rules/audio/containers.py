"""Which files we read: told by their first bytes and by their suffix, both of which must agree."""

from __future__ import annotations

import re
from dataclasses import dataclass

from consigne.rules.errors import BadInput

MAX_CHANNELS = 8
MIN_RATE_HZ, MAX_RATE_HZ = 4_000, 192_000
MAX_SAMPLE_BYTES = 1 << 29
UNKNOWN_FRAMES = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Container:
    """`formats` are libsndfile's names for it; where it has none, `demuxer` is ffmpeg's."""

    formats: frozenset[str]
    suffixes: frozenset[str]
    start: re.Pattern[bytes]
    demuxer: str = ""


def _row(formats: str, suffixes: str, start: bytes, demuxer: str = "") -> Container:
    return Container(
        frozenset(formats.split()), frozenset(suffixes.split()), re.compile(start, re.DOTALL), demuxer
    )


# Not here: RAW (nothing tells it), SD2 (its header is another file's), and SDS, of which libsndfile prints
# bytes on standard output where they are wrong.
CONTAINERS = (
    _row("WAV WAVEX RF64", ".wav .wave .rf64", rb"(?:RIFF|RIFX|RF64).{4}WAVE"),
    _row("FLAC", ".flac", rb"fLaC"),
    _row("OGG", ".ogg .oga .opus", rb"OggS"),
    _row("MP3", ".mp3 .mp2", rb"ID3|\xff[\xe2-\xff]"),
    _row("AIFF", ".aiff .aif .aifc", rb"FORM.{4}AIF[FC]"),
    _row("AU", ".au .snd", rb"\.snd|dns\."),
    _row("CAF", ".caf", rb"caff"),
    _row("W64", ".w64", rb"riff\x2e\x91\xcf\x11"),
    _row("VOC", ".voc", rb"Creative Voice File"),
    _row("NIST", ".nist .sph", rb"NIST_1A"),
    _row("SVX", ".iff .svx .8svx .16sv", rb"FORM.{4}(?:8SVX|16SV)"),
    _row("IRCAM", ".sf .ircam", rb"\x64\xa3.\x00|\x00.\xa3\x64"),
    _row("AVR", ".avr", rb"2BIT"),
    _row("HTK", ".htk", rb".{8}\x00\x02\x00\x00"),
    _row("MAT4", ".mat", rb".{20}samplerate\x00"),
    _row("MAT5", ".mat", rb"MATLAB 5\.0 MAT-file"),
    _row("MPC2K", ".mpc2k .snd", rb"\x01\x04"),
    _row("PAF", ".paf", rb" paf|fap "),
    _row("PVF", ".pvf", rb"PVF1"),
    _row("WVE", ".wve", rb"ALawSoundFile\*\*"),
    _row("XI", ".xi", rb"Extended Instrument: "),
    _row("", ".m4a .mp4", rb".{4}ftyp", "mov"),
    _row("", ".webm", rb"\x1a\x45\xdf\xa3", "matroska"),
)
SUFFIXES = frozenset().union(*(container.suffixes for container in CONTAINERS))


def recognise(data: bytes, suffix: str) -> Container:
    """The container that both the bytes and the suffix (with its dot) tell. BadInput: `format_mismatch`."""
    for container in CONTAINERS:
        if suffix.lower() in container.suffixes and container.start.match(data):
            return container
    raise BadInput("format_mismatch", "audio")


def check_size(frames: int, rate_hz: int, channels: int, sample_bytes: int, cap_ms: int) -> None:
    """BadInput: `unreadable_audio` for what nobody records, `too_long` beyond the cap, `too_large` beyond what
    we hold in memory."""
    # FLAC has no odd rates above 65 535 Hz (RFC 9639, section 9.1.2).
    known_rate = MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ and (rate_hz <= 65_535 or rate_hz % 10 == 0)
    known = 0 < frames < UNKNOWN_FRAMES and known_rate
    if not known or not 1 <= channels <= MAX_CHANNELS:
        raise BadInput("unreadable_audio", "audio")
    if frames * 1000 > cap_ms * rate_hz:
        raise BadInput("too_long", "audio")
    if frames * channels * sample_bytes > MAX_SAMPLE_BYTES:
        raise BadInput("too_large", "audio")
