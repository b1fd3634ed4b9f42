"""The process that holds the model: `python -m consigne.adapters.transcriber.child FOLDER`.

Standard input: a line of JSON, {"language", "bytes": [length of each WAV]}, then the WAVs, one a channel.
Standard output: JSON, per channel [[text, start_s, end_s], …]. It can write no file, reach no network, and
ends with its parent; its exit code is all that it says otherwise.
"""

from __future__ import annotations

import ctypes
import io
import json
import os
import resource
import signal
import sys
from typing import Any, Final

NOT_INSTALLED: Final = 10
NO_MODEL: Final = 11
OTHER_LANGUAGE: Final = 12
PR_SET_PDEATHSIG: Final = 1
NETWORK: Final = frozenset({"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"})

Heard = list[tuple[str, float, float]]


def close_doors() -> None:
    """No core, no file that grows, no connection, no life without a parent."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    sys.addaudithook(_refuse_network)


def _refuse_network(event: str, _: Any) -> None:
    if event in NETWORK:
        raise PermissionError(event)


def listen(folder: str) -> int:
    """Load the model, then read and answer; the exit code."""
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # whatever a library prints
    try:
        from faster_whisper import WhisperModel
    except ImportError:
        return NOT_INSTALLED
    try:
        model = WhisperModel(folder, compute_type="auto", local_files_only=True)
    except Exception:
        return NO_MODEL
    head = json.loads(sys.stdin.buffer.readline())
    if head["language"] not in model.supported_languages:
        return OTHER_LANGUAGE
    waves = [sys.stdin.buffer.read(length) for length in head["bytes"]]
    heard = [hear(model, wave, head["language"]) for wave in waves]
    with answer:
        answer.write(json.dumps(heard).encode())
    return 0


def hear(model: Any, wave: bytes, language: str) -> Heard:
    """A channel's words; a segment whole where the model placed no words in it."""
    # Without the filter for voices: what it takes for noise would be neither read nor masked.
    segments, _ = model.transcribe(
        io.BytesIO(wave), language=language, word_timestamps=True, vad_filter=False,
        condition_on_previous_text=False,
    )  # fmt: skip
    heard: Heard = []
    for segment in segments:
        words = [(word.word, word.start, word.end) for word in segment.words or ()]
        heard += words or [(segment.text, segment.start, segment.end)]
    return [(text.strip(), start_s, end_s) for text, start_s, end_s in heard if text.strip()]


if __name__ == "__main__":
    close_doors()
    sys.exit(listen(sys.argv[1]))
