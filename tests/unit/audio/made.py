"""Files in memory: what libsndfile writes, and what PyAV writes."""

from __future__ import annotations

import io
from fractions import Fraction

import numpy as np
import soundfile

RATE_HZ = 8_000
NOISE = np.random.default_rng(7).normal(size=(16_000, 1)) * 0.1


def sound(container: str, subtype: str, samples: np.ndarray = NOISE, rate_hz: int = RATE_HZ) -> bytes:
    out = io.BytesIO()
    soundfile.write(out, samples, rate_hz, format=container, subtype=subtype)
    return out.getvalue()


def film(
    container: str,
    codec: str,
    samples: np.ndarray,
    rate_hz: int,
    streams: int = 1,
    options: dict[str, str] | None = None,
    title: str = "",
) -> bytes:
    """`container` and `codec` by ffmpeg's names, the encoder's `options`; `samples` has shape (frames,
    channels), full scale 1."""
    import av

    out = io.BytesIO()
    layout = "mono" if samples.shape[1] == 1 else "stereo"
    with av.open(out, "w", format=container) as file:
        file.metadata.update({"title": title} if title else {})
        tracks = [
            file.add_stream(codec, rate=rate_hz, layout=layout, options=options) for _ in range(streams)
        ]
        for track in tracks:
            form = track.codec_context.codec.audio_formats[0].name
            resampler = av.AudioResampler(format=form, layout=layout, rate=rate_hz)
            whole = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(samples.T.astype(np.float32)), format="fltp", layout=layout
            )
            whole.sample_rate, whole.pts, whole.time_base = rate_hz, 0, Fraction(1, rate_hz)
            for frame in [*resampler.resample(whole), None]:
                for packet in track.encode(frame):
                    file.mux(packet)
    return out.getvalue()
