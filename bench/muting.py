"""Six spans of five minutes put to silence, in memory: by us, as we store it, and for WAV also the mask without
FLAC's cost; by soundfile, PyAV and ffmpeg, which encode anew (ffmpeg's time includes its start). Beside the speed stands what is left
in the spans. Decoding is part of every way but the exchange of packets, which needs none."""

from __future__ import annotations

import io
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from consigne.doors import samples
from consigne.rules.audio import codecs, opus
from consigne.rules.audio.pcm import Audio
from consigne.rules.errors import BadInput
from consigne.rules.redaction.mask import silence, stretches
from consigne.rules.redaction.spans import Kind, Span

SECONDS, ROUNDS, PATIENCE_S = 300, 7, 3
SPANS = [Span(at, at + 4_000, Kind.CARD, "bench", 1.0) for at in range(20_000, 300_000, 50_000)]
CAP_MS = SECONDS * 1_000 + 200
DELAY_MS = 200
"""How far into a span a lossy codec may carry what stands beside it."""


@dataclass(frozen=True, slots=True)
class Format:
    """`wanted` at least, × real time, and of which of our ways."""

    name: str
    suffix: str
    container: str
    subtype: str
    rate_hz: int
    muxer: str
    encoder: str
    bit_rate: int
    wanted: dict[str, int]


REPLACED, EXCHANGED, STORED = "ours: mask, WAV again", "ours, stored: packets exchanged", "ours, stored: FLAC"
FORMATS = (
    Format("WAV, PCM 8 kHz", ".wav", "WAV", "PCM_16", 8_000, "wav", "pcm_s16le", 0, {REPLACED: 40_000}),
    Format("WAV, µ-law 8 kHz", ".wav", "WAV", "ULAW", 8_000, "wav", "pcm_mulaw", 0, {}),
    Format(
        "MP3, 16 kHz", ".mp3", "MP3", "MPEG_LAYER_III", 16_000, "mp3", "libmp3lame", 32_000, {STORED: 300}
    ),
    Format("Ogg/Opus, 8 kHz", ".opus", "OGG", "OPUS", 8_000, "ogg", "libopus", 24_000, {EXCHANGED: 2_000}),
)


def run() -> None:
    """Print the table."""
    head, *body = rows()
    for row in (head, ["---"] * len(head), *body):
        print(f"| {' | '.join(row)} |")


def rows() -> list[list[str]]:
    """The head, then a row for each format and way."""
    table = [
        ["format", "way", "× real time", "wanted", "bytes, % of the source", "loudest in the spans, dBFS"]
    ]
    for form in FORMATS:
        source = made(form)
        audio = codecs.read(source, form.suffix, CAP_MS)
        for name, way in ways(form, source, audio):
            result = way()
            best = quickest(way)
            table.append(
                [
                    form.name,
                    name,
                    f"{SECONDS / best:,.0f}".replace(",", " "),
                    f"{form.wanted[name]:,}".replace(",", " ") if name in form.wanted else "–",
                    f"{100 * len(result) / len(source):.0f}",
                    loudest(result, form.suffix),
                ]
            )
    return table


def ways(form: Format, source: bytes, audio: Audio) -> Iterator[tuple[str, Callable[[], bytes]]]:
    masked = tuple(stretches(audio, SPANS))

    def stored() -> bytes:
        return codecs.write(silence(codecs.read(source, form.suffix, CAP_MS), SPANS))

    def replaced() -> bytes:
        return encoded(form, silence(codecs.read(source, form.suffix, CAP_MS), SPANS).samples)

    if form.subtype == "PCM_16":
        yield REPLACED, replaced
    if form.subtype == "OPUS":
        yield EXCHANGED, lambda: opus.write(opus.silence(opus.parse(source), audio, masked))
    yield STORED, stored
    yield "soundfile", lambda: by_soundfile(form, source)
    try:
        import av  # noqa: F401

        yield "PyAV", lambda: by_pyav(form, source)
    except ImportError:
        pass
    if shutil.which("ffmpeg"):
        yield "ffmpeg", lambda: by_ffmpeg(form, source)


def by_soundfile(form: Format, source: bytes) -> bytes:
    sound, rate_hz = soundfile.read(io.BytesIO(source), dtype="int16")
    for span in SPANS:
        sound[span.start_ms * rate_hz // 1000 : span.end_ms * rate_hz // 1000] = 0
    return encoded(form, sound)


def by_pyav(form: Format, source: bytes) -> bytes:
    import av

    out = io.BytesIO()
    with av.open(io.BytesIO(source)) as file, av.open(out, "w", format=form.muxer) as target:
        track = target.add_stream(form.encoder, rate=form.rate_hz, layout="mono")
        if form.bit_rate:
            track.bit_rate = form.bit_rate
        layout = track.codec_context.codec.audio_formats[0].name
        convert = av.AudioResampler(format=layout, layout="mono", rate=form.rate_hz)
        reached = 0
        for frame in file.decode(audio=0):
            sound = frame.to_ndarray()
            for span in SPANS:
                first, last = (
                    ms * frame.sample_rate // 1000 - reached for ms in (span.start_ms, span.end_ms)
                )
                sound[:, max(0, first) : max(0, last)] = 0
            reached += frame.samples
            muted = av.AudioFrame.from_ndarray(sound, format=frame.format.name, layout="mono")
            muted.sample_rate, muted.pts = frame.sample_rate, None
            for one in convert.resample(muted):
                target.mux(track.encode(one))
        target.mux(track.encode(None))
    return out.getvalue()


def by_ffmpeg(form: Format, source: bytes) -> bytes:
    when = "+".join(f"between(t,{one.start_ms / 1000},{one.end_ms / 1000})" for one in SPANS)
    with tempfile.TemporaryDirectory() as folder:
        given, muted = Path(folder) / f"in{form.suffix}", Path(folder) / f"out{form.suffix}"
        given.write_bytes(source)
        command = ["ffmpeg", "-v", "error", "-i", str(given)]
        command += ["-af", f"asetnsamples=n=16:p=0,volume=enable='{when}':volume=0", "-c:a", form.encoder]
        command += ["-b:a", str(form.bit_rate)] if form.bit_rate else []
        subprocess.run([*command, str(muted)], check=True, capture_output=True)
        return muted.read_bytes()


def made(form: Format) -> bytes:
    """Five minutes of the voices that come with the samples."""
    voices = Path(str(samples.__path__[0])) / "voices"
    spoken = [soundfile.read(file, dtype="int16") for file in sorted(voices.glob("*.flac"))]
    rate_hz = spoken[0][1]
    whole = np.resize(np.concatenate([sound for sound, _ in spoken]), SECONDS * rate_hz)
    if form.rate_hz != rate_hz:
        places = np.arange(SECONDS * form.rate_hz) * rate_hz / form.rate_hz
        whole = np.interp(places, np.arange(len(whole)), whole).astype(np.int16)
    return encoded(form, whole)


def encoded(form: Format, sound: np.ndarray) -> bytes:
    out = io.BytesIO()
    soundfile.write(out, sound, form.rate_hz, format=form.container, subtype=form.subtype)
    return out.getvalue()


def loudest(result: bytes, suffix: str) -> str:
    """Of the samples in the spans, the first and last 200 ms aside for what is lossy."""
    try:
        audio = codecs.read(result, ".flac" if result.startswith(b"fLaC") else suffix, CAP_MS)
    except BadInput:
        return "not read"
    aside_ms = 0 if result[:4] in (b"fLaC", b"RIFF") else DELAY_MS
    inner = [
        Span(one.start_ms + aside_ms, one.end_ms - aside_ms, one.kind, one.detector, 1.0) for one in SPANS
    ]
    peak = max(
        int(np.abs(audio.samples[first:last].astype(int)).max()) for first, last in stretches(audio, inner)
    )
    return "digital silence" if peak == 0 else f"{20 * np.log10(peak / (1 << 15)):.0f}"


def quickest(way: Callable[[], bytes]) -> float:
    """In seconds, of seven rounds, or of as many as begin within three seconds: the work never varies, and
    whatever else the machine does only adds time."""
    took: list[float] = []
    while len(took) < ROUNDS and sum(took) < PATIENCE_S:
        started = time.perf_counter()
        way()
        took.append(time.perf_counter() - started)
    return min(took)


if __name__ == "__main__":
    run()
