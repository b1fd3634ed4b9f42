"""M4A (AAC, ALAC) and WebM (Opus, Vorbis) through PyAV, an extra. From memory only: nothing else is opened,
no other demuxer or decoder runs, and ffmpeg's words never leave this module."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consigne.rules.audio.containers import check_size
from consigne.rules.audio.pcm import KEPT_BITS, Audio, Samples, quantise, smear_ms
from consigne.rules.errors import BadInput

CODECS = "aac,alac,opus,libopus,vorbis,libvorbis"
LAST_PACKET_MS = 200
"""A decoder gives the last packet whole; a header's length leaves its padding out."""


def decode(data: bytes, demuxer: str, cap_ms: int) -> Audio | None:
    """The only audio stream; None where there is none or several, or ffmpeg gives up. Judged by what the
    header says and again while decoding. BadInput: `format_mismatch` at `audio.pyav` where the extra is not
    installed, and what `check_size` and `quantise` raise."""
    try:
        import av
    except ImportError:
        raise BadInput("format_mismatch", "audio.pyav", "start with CONSIGNE_EXTRAS=pyav") from None
    # So that ffmpeg probes with no decoder of pictures or subtitles, and asks for no other file.
    options = {"codec_whitelist": CODECS, "format_whitelist": demuxer}
    try:
        with av.open(
            io.BytesIO(data),
            format=demuxer,
            container_options=options,
            io_open=_refuse_to_open,
            metadata_errors="ignore",
        ) as file:
            return _read_stream(file, cap_ms)
    except (av.FFmpegError, ValueError, TypeError, OverflowError, MemoryError):
        return None


def _refuse_to_open(*_: object) -> None:
    raise ValueError


def _read_stream(file: Any, cap_ms: int) -> Audio | None:
    if len(file.streams.audio) != 1:
        return None
    stream = file.streams.audio[0]
    coded = stream.codec_context
    if coded is None or coded.name not in CODECS.split(","):
        return None
    check_size(max(1, int(_stated_s(file, stream) * stream.rate)), stream.rate, stream.channels, 2, cap_ms)
    filled, form = bytearray(), None
    for frame in file.decode(stream):
        block = _block(frame)
        form = form or (frame.sample_rate, block.shape[1], block.dtype)
        if form != (frame.sample_rate, block.shape[1], block.dtype):
            return None
        filled += block.tobytes()
        frames = len(filled) // (block.itemsize * block.shape[1])
        check_size(frames, frame.sample_rate, block.shape[1], block.itemsize, cap_ms + LAST_PACKET_MS)
    if form is None:
        return None
    rate_hz, channels, dtype = form
    samples: Any = np.frombuffer(filled, dtype).reshape(-1, channels)
    smear = smear_ms(coded.name.removeprefix("lib"), rate_hz)
    return Audio(samples, rate_hz, 16 if dtype == np.int16 else 24, smear)


def _stated_s(file: Any, stream: Any) -> float:
    of_stream = float(stream.duration * stream.time_base) if stream.duration else 0.0
    return max(of_stream, (file.duration or 0) / 1_000_000)


def _block(frame: Any) -> Samples:
    """Shape (frames, channels); int16, or int32 where ALAC has 20 or 24 bits."""
    array: NDArray[Any] = frame.to_ndarray()
    array = array.T if frame.format.is_planar else array.reshape(-1, frame.layout.nb_channels)
    if array.dtype.kind == "f":
        block: Samples = np.empty(array.shape, np.int16)
        quantise(array, block)
        return block
    return array if array.dtype == np.int16 else array & np.int32(KEPT_BITS)
