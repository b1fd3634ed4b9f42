"""A Whisper model on this machine's disk, in a process of its own (`child.py`): sound goes in through a pipe,
words come back through another, and nothing is ever fetched, written or logged."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import wave
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from consigne.adapters.transcriber import child
from consigne.rules.audio.pcm import Audio
from consigne.rules.errors import Misconfigured, Unavailable
from consigne.rules.recording import Transcript, Word
from consigne.rules.values import Private, Quarantined

SETTING: Final = "CONSIGNE_TRANSCRIBER_URL"
FILES: Final = ("model.bin", "config.json", "tokenizer.json")
"""Of a model that CTranslate2 converted. Without the tokenizer's file the library would ask a hub for it."""
SLACK_MS: Final = 200
"""By how much each word is widened: the model aligns words by attention, and errs by a tenth of a second or two."""
HELD_OFFLINE: Final = {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "TRANSFORMERS_OFFLINE": "1"}


class Whisper:
    """faster-whisper over the model in a folder; each recording has `timeout_s`."""

    configured: Final = True

    def __init__(self, model: Path, timeout_s: int) -> None:
        self._model, self._timeout_s = model, timeout_s

    def prepare(self) -> None:
        """Misconfigured where the package or one of the model's files is not there."""
        if find_spec("faster_whisper") is None:
            raise _not_installed()
        missing = [name for name in FILES if not (self._model / name).is_file()]
        if missing:
            raise Misconfigured("no_model", SETTING, f"its folder has no {', '.join(missing)}")

    def transcribe(
        self, audio: Private[Audio], language: str, speakers: Sequence[str]
    ) -> Private[Transcript] | Quarantined:
        """Each channel alone, its words spoken by the channel's name."""
        self.prepare()
        sound = audio.reveal()
        answer = self._ask(sound, language)
        if isinstance(answer, str):
            return Quarantined("needs_transcript", answer)
        try:
            words = list(_words(json.loads(answer), speakers, sound.duration_ms))
        except (ValueError, TypeError, OverflowError):  # not what the child writes
            return Quarantined("needs_transcript", "transcriber_failed")
        if not words:
            return Quarantined("needs_transcript", "transcriber_silent")
        return Private(Transcript(tuple(sorted(words, key=lambda word: word.start_ms))))

    def _ask(self, sound: Audio, language: str) -> bytes | str:
        """The child's answer, or why there is none."""
        waves = [_wave(sound, channel) for channel in range(sound.channels)]
        head = json.dumps({"language": language.partition("-")[0], "bytes": [len(each) for each in waves]})
        try:
            done = subprocess.run(
                [sys.executable, "-P", "-B", "-m", child.__name__, str(self._model)],
                input=b"".join([head.encode(), b"\n", *waves]),
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=self._timeout_s,
                cwd="/",
                env=HELD_OFFLINE | {"PYTHONPATH": ":".join(sys.path)},
                check=False,
            )
        except subprocess.TimeoutExpired:
            return "transcriber_timeout"
        except OSError:
            raise Unavailable("transcriber", "whisper", "its process could not be started") from None
        if done.returncode == child.NOT_INSTALLED:
            raise _not_installed()
        if done.returncode == child.NO_MODEL:
            raise Misconfigured("no_model", SETTING, "the model does not load, or the memory is too small")
        if done.returncode == child.OTHER_LANGUAGE:
            return "transcriber_language"
        return done.stdout if done.returncode == 0 else "transcriber_failed"


def _not_installed() -> Misconfigured:
    return Misconfigured("not_installed", "faster-whisper", "start with CONSIGNE_EXTRAS=whisper")


def _wave(sound: Audio, channel: int) -> bytes:
    """One channel as WAV of 16 bits: what the library resamples from."""
    samples = sound.samples[:, channel]
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(sound.rate_hz)
        out.writeframes((samples if sound.bits == 16 else samples >> 16).astype("<i2").tobytes())
    return file.getvalue()


def _words(answer: list[child.Heard], speakers: Sequence[str], duration_ms: int) -> Iterator[Word]:
    """The words of each channel, within the recording."""
    for speaker, heard in zip(speakers, answer, strict=True):
        for text, start_s, end_s in heard:
            first_ms, last_ms = sorted((round(start_s * 1000), round(end_s * 1000)))
            start_ms = min(max(0, first_ms - SLACK_MS), duration_ms - 1)
            yield Word(str(text), start_ms, max(start_ms, min(last_ms + SLACK_MS, duration_ms)), speaker)
