"""The transcriber's contract, on `none:` and on `whisper:` with a stub of faster-whisper on the child's path. The
stub stands for the package and its model alone: process, pipes, limits and faults are the real ones."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from consigne.acts.ports import Transcriber
from consigne.adapters.transcriber.open import open_transcriber
from consigne.adapters.transcriber.whisper import FILES, SLACK_MS
from consigne.doors.settings import Settings
from consigne.rules.audio.pcm import Audio
from consigne.rules.errors import Misconfigured
from consigne.rules.recording import Word
from consigne.rules.values import Private, Quarantined

STUB = """
import json, os, resource, signal, socket, sys, wave
from pathlib import Path
from types import SimpleNamespace


class WhisperModel:
    supported_languages = ["fr", "en"]

    def __init__(self, folder, compute_type, local_files_only):
        assert os.environ["HF_HUB_OFFLINE"] == "1" and "PLANTED" not in os.environ
        assert local_files_only and os.path.isabs(folder) and os.path.isdir(folder)
        assert resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)
        self.told = json.loads((Path(folder) / "config.json").read_text())
        if self.told.get("breaks"):
            raise RuntimeError

    def transcribe(self, file, language, word_timestamps, vad_filter, condition_on_previous_text):
        getattr(self, self.told.get("does", "speak"))()
        with wave.open(file) as sound:
            assert (sound.getnchannels(), sound.getsampwidth()) == (1, 2)
            level = int.from_bytes(sound.readframes(1), "little", signed=True)
        assert language == "fr" and word_timestamps and not vad_filter
        return iter([segment(*each) for each in self.told["heard"].get(str(level), [])]), None

    def speak(self):
        print("quatre neuf sept zero")
        print("quatre neuf sept zero", file=sys.stderr)
        os.write(1, b"[[[]]]")

    def hang(self):
        self.fifo = open(self.told["fifo"], "wb", buffering=0)
        self.fifo.write(b".")
        signal.pause()

    def call_home(self):
        socket.create_connection(("127.0.0.1", self.told["port"]), timeout=5)

    def write(self):
        with open(self.told["file"], "w") as file:
            file.write("quatre neuf sept zero")

    def abort(self):
        os.abort()

    def fail(self):
        raise ValueError("quatre neuf sept zero")


def segment(text, start, end, words):
    words = [SimpleNamespace(word=word, start=start, end=end) for word, start, end in words]
    return SimpleNamespace(text=text, start=start, end=end, words=words)
"""
CHANNELS = ("caller", "agent")
HEARD = {
    "1": [(" Bonjour, merci.", 0.5, 2.2, [(" Bonjour,", 0.5, 0.9), (" merci.", 1.8, 2.2)])],
    "2": [(" Oui", 1.0, 1.3, [(" Oui", 1.0, 1.3)]), (" au revoir ", 2.5, 2.9, [])],
}


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """A folder with a model that does what it is told."""
    (tmp_path / "stub").mkdir()
    (tmp_path / "stub" / "faster_whisper.py").write_text(STUB)
    monkeypatch.syspath_prepend(tmp_path / "stub")
    monkeypatch.setenv("PLANTED", "1")

    def make(heard: Any = HEARD, **told: Any) -> Path:
        folder = tmp_path / "model"
        folder.mkdir()
        for name in FILES:
            (folder / name).write_text(json.dumps({"heard": heard} | told))
        return folder

    return make


def call(channels: int = 2, bits: int = 16) -> Private[Audio]:
    """Three seconds; the first sample of each channel is its number."""
    samples = np.zeros((24_000, channels), np.int16 if bits == 16 else np.int32)
    samples[0] = np.arange(1, channels + 1) << (bits - 16) * 2
    return Private(Audio(samples, 8000, bits))


def listen(folder: Path, timeout_s: int = 60, channels: int = 2, bits: int = 16) -> Any:
    found: Transcriber = open_transcriber(f"whisper:{folder}?timeout_s={timeout_s}")
    assert found.configured
    return found.transcribe(call(channels, bits), "fr-BE", CHANNELS[:channels])


def test_none_is_not_configured_and_transcribes_nothing() -> None:
    none = open_transcriber("none:")
    none.prepare()
    assert not none.configured
    with pytest.raises(Misconfigured, match="CONSIGNE_TRANSCRIBER_URL"):
        none.transcribe(call(), "fr", CHANNELS)


@pytest.mark.parametrize("bits", [16, 24])
def test_each_channel_speaks_for_itself_in_the_order_of_time(
    model: Callable[..., Path], bits: int, capfd: pytest.CaptureFixture[str]
) -> None:
    heard = listen(model(), bits=bits).reveal()
    assert heard.by_word
    assert heard.words == (
        Word("Bonjour,", 500 - SLACK_MS, 900 + SLACK_MS, "caller"),
        Word("Oui", 1000 - SLACK_MS, 1300 + SLACK_MS, "agent"),
        Word("merci.", 1800 - SLACK_MS, 2200 + SLACK_MS, "caller"),
        Word("au revoir", 2500 - SLACK_MS, 3000, "agent"),
    )
    assert capfd.readouterr() == ("", "")


def test_words_lie_within_the_recording_whatever_the_model_says(model: Callable[..., Path]) -> None:
    words = [(" a", -1.0, 0.1), (" b", 2.0, 1.0), (" c", 2.9, 30.0), (" d", 31.0, 32.0)]
    heard = listen(model({"1": [("", 0, 0, words)]}), channels=1).reveal()
    assert [word.text for word in heard.words] == ["a", "b", "c", "d"]
    assert all(0 <= word.start_ms < 3000 and word.start_ms <= word.end_ms <= 3000 for word in heard.words)


@pytest.mark.promise("P8")
@pytest.mark.parametrize(
    ("told", "detail"),
    [
        ({"does": "abort"}, "transcriber_failed"),
        ({"does": "fail"}, "transcriber_failed"),
        ({"heard": {"1": [("un", None, None, [])]}}, "transcriber_failed"),
        ({"heard": {"1": [("un", float("nan"), 1.0, [])]}}, "transcriber_failed"),
        ({"heard": {}}, "transcriber_silent"),
    ],
)
def test_a_recording_that_cannot_be_transcribed_is_set_aside(
    model: Callable[..., Path], told: dict[str, Any], detail: str
) -> None:
    assert listen(model(**told)) == Quarantined("needs_transcript", detail)


def test_a_language_that_the_model_does_not_know_is_set_aside(model: Callable[..., Path]) -> None:
    found = open_transcriber(f"whisper:{model()}").transcribe(call(), "br", CHANNELS)
    assert found == Quarantined("needs_transcript", "transcriber_language")


@pytest.mark.promise("P8")
def test_after_its_time_the_process_is_dead(model: Callable[..., Path], tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    folder = model(does="hang", fifo=str(tmp_path / "fifo"))
    reader = os.open(tmp_path / "fifo", os.O_RDONLY | os.O_NONBLOCK)
    assert listen(folder, timeout_s=3) == Quarantined("needs_transcript", "transcriber_timeout")
    os.read(reader, 9)
    assert os.read(reader, 9) == b""  # nobody holds the other end


@pytest.mark.promise("P8")
def test_the_process_ends_with_the_task_that_started_it(model: Callable[..., Path], tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    folder = model(does="hang", fifo=str(tmp_path / "fifo"))
    task = subprocess.Popen(
        [sys.executable, "-c", f"from contract.test_transcriber import *; listen(Path({str(folder)!r}))"],
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    with (tmp_path / "fifo").open("rb") as reader:  # waits for the model to begin
        assert reader.read(1) == b"."
        task.send_signal(signal.SIGKILL)
        task.wait()
        assert select.select([reader], [], [], 10)[0]  # its end is closed


@pytest.mark.promise("P2")
def test_nothing_leaves_by_the_network(model: Callable[..., Path]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        found = listen(model(does="call_home", port=server.getsockname()[1]))
        assert found == Quarantined("needs_transcript", "transcriber_failed")
        with pytest.raises(BlockingIOError):
            server.accept()


@pytest.mark.promise("P2")
def test_nothing_is_written_to_a_file(model: Callable[..., Path], tmp_path: Path) -> None:
    found = listen(model(does="write", file=str(tmp_path / "leak")))
    assert found == Quarantined("needs_transcript", "transcriber_failed")
    assert (tmp_path / "leak").read_bytes() == b""


def test_a_model_that_does_not_load_is_the_installations_fault(model: Callable[..., Path]) -> None:
    folder = model(breaks=True)
    with pytest.raises(Misconfigured, match="CONSIGNE_TRANSCRIBER_URL") as told:
        listen(folder)
    assert str(folder) not in str(told.value)


def test_a_package_that_is_not_installed_is_named_with_what_to_do(
    model: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    with pytest.raises(Misconfigured, match="CONSIGNE_EXTRAS=whisper"):
        listen(model())


@pytest.mark.parametrize(
    "url",
    [
        "", "none:x", "whisper:", "whisper:small", "whisper:a/b", "hub:/m", "whisper:/m?timeout_s=0",
        "whisper:/m?timeout_s=3601", "whisper:/m?timeout_s=1.5", "whisper:/m?timeout_s=٣", "whisper:/m?model=small",
        "whisper:/m?timeout_s=9&model=small",
    ],
)  # fmt: skip
def test_only_a_folder_of_this_machine_is_a_model(url: str) -> None:
    with pytest.raises(Misconfigured, match="CONSIGNE_TRANSCRIBER_URL"):
        open_transcriber(url)


def test_up_refuses_a_model_that_is_not_there_and_keeps_one_that_is(
    model: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings.make(tmp_path / "state")
    assert settings.remember_servers().transcriber_url == "none:"
    folder = model()
    monkeypatch.setenv("CONSIGNE_TRANSCRIBER_URL", f"whisper:{folder}")
    settings.remember_servers()
    monkeypatch.delenv("CONSIGNE_TRANSCRIBER_URL")
    assert Settings.open(tmp_path / "state").remember_servers().transcriber_url == f"whisper:{folder}"
    (folder / "tokenizer.json").unlink()
    with pytest.raises(Misconfigured, match=r"tokenizer\.json") as told:
        Settings.open(tmp_path / "state").remember_servers()
    assert str(folder) not in str(told.value)
