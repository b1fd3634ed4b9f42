"""An input of 50 MB never fills the memory, and what is too long is refused from its header (issue 4, Shown by 5)."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

TESTS = Path(__file__).parents[1]
LARGE_BYTES = 50_000_000
MOST_MEMORY_BYTES = 1_000_000_000
# Reads standard input as a file of the suffix, or as a delivery, and tells its peak memory.
READER = """
import sys
from consigne.rules.audio import codecs
from consigne.rules.errors import BadInput
from consigne.rules.recording import Transcript, Word
from consigne.rules.redaction.profiles import PROFILES
from consigne.rules.redaction.transcript import search
from consigne.rules.sources import native
from fuzz.child import peak_kib
what, data, code = sys.argv[1], sys.stdin.buffer.read(), "read"
try:
    if what == "json":
        call = native.read("folder", data, 512 << 20)
        search(call.transcript.reveal(), PROFILES["payment_and_contact"].in_text)
    else:
        codecs.read(data, what, int(sys.argv[2]))
except BadInput as fault:
    code = fault.code
print(code, peak_kib() * 1024)
"""
HOURS_MS = 3_600_000


def peak(what: str, data: bytes, cap_ms: int = 4 * HOURS_MS) -> tuple[str, int]:
    """(what came of it, peak memory in bytes) in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", READER, what, str(cap_ms)],
        input=data,
        capture_output=True,
        env={"PYTHONPATH": f"{TESTS.parent / 'include'}{os.pathsep}{TESTS}", "OPENBLAS_NUM_THREADS": "1"},
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr.decode()[-2_000:]
    code, bytes_ = done.stdout.split()
    return code.decode(), int(bytes_)


def silence(seconds: int, rate_hz: int, channels: int, form: str) -> bytes:
    out = io.BytesIO()
    block = np.zeros((rate_hz * 60, channels), np.int16)
    with soundfile.SoundFile(out, "w", rate_hz, channels, "PCM_16", format=form) as file:
        for _ in range(seconds // 60):
            file.write(block)
    return out.getvalue()


def call(text: str, count: int) -> bytes:
    words = [{"text": text, "start_s": at, "end_s": at + 1, "speaker": "ab"[at % 2]} for at in range(count)]
    head = {
        "id": "pbx1-2026-000123", "started_at": "2026-11-20T09:14:03+01:00", "ended_at": "2026-11-20T09:18:41+01:00",
        "direction": "inbound", "caller": "+33612345678", "callee": "+33123456789", "agent": "a.martin",
        "queue": "support", "language": "fr", "channels": ["caller", "agent"], "transcript": {"segments": words},
    }  # fmt: skip
    return json.dumps(head).encode()


@pytest.mark.promise("P8")
def test_what_is_above_the_cap_is_refused_from_its_header() -> None:
    """Six hours of silence are a few hundred kilobytes of FLAC, and gigabytes once they are read."""
    code, peak_bytes = peak(".flac", silence(6 * 3_600, 8_000, 2, "FLAC"))
    assert code == "too_long"
    assert peak_bytes < 250_000_000


@pytest.mark.long
@pytest.mark.promise("P8")
@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 48_000])
def test_hours_of_silence_never_fill_the_memory(rate_hz: int) -> None:
    code, peak_bytes = peak(".flac", silence(4 * 3_600, rate_hz, 2, "FLAC"))
    assert code in ("read", "too_large")
    assert peak_bytes < MOST_MEMORY_BYTES


@pytest.mark.long
@pytest.mark.promise("P8")
@pytest.mark.parametrize(("suffix", "head"), [(".wav", b"RIFF\xff\xff\xff\x7fWAVEfmt "), (".flac", b"fLaC"), (".mp3", b"\xff\xfb\x90\x00"), (".opus", b"OggS"), (".ogg", b"OggS\0")])  # fmt: skip
def test_fifty_megabytes_of_nonsense_never_fill_the_memory(suffix: str, head: bytes) -> None:
    noise = np.random.default_rng(11).bytes(LARGE_BYTES)
    assert peak(suffix, head + noise)[1] < MOST_MEMORY_BYTES


@pytest.mark.long
@pytest.mark.promise("P8")
@pytest.mark.parametrize(
    "text", ["4 " * 40_000, "quatre vingt " * 6_000, "F R 7 6 " * 10_000, "a" * 90_000, "un", "[card]"]
)
@pytest.mark.parametrize("total_bytes", [1_900_000, LARGE_BYTES])
def test_an_endless_transcript_never_fills_the_memory(text: str, total_bytes: int) -> None:
    """Up to the most that is read, and far beyond."""
    count = max(1, total_bytes // (len(text) if len(text) > 100 else 100))
    code, peak_bytes = peak("json", call(text, count))
    assert code == ("read" if total_bytes < LARGE_BYTES else "too_large")
    assert peak_bytes < MOST_MEMORY_BYTES
