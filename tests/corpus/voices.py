"""Who speaks: espeak-ng, word by word, or prompts read by people (Debian's asterisk-core-sounds). 8 kHz mono.

The prompts hold digits, tens and letters, which are used where a call says them. For any other word a person's
voice says something else of the word's length, since no test listens to what is said.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from corpus.letters import NATO

Sound = NDArray[np.float32]
RATE_HZ = 8_000
PROMPTS = Path("/usr/share/asterisk/sounds")
PEOPLE = {"fr": "fr_CA_f_June", "en": "en_US_f_Allison"}
SPEAKERS = {
    "fr-FR": ("fr+m3", "fr+f2", "fr+m1", "people"),
    "fr-BE": ("fr-be+f4", "fr-be+m3", "people"),
    "fr-CH": ("fr-ch+m2", "fr-ch+f3", "people"),
    "en": ("en-us+m3", "en-us+f2", "en-gb-x-rp+m1", "people"),
}
# Sounds that are no speech.
NO_SPEECH = ("beep", "tone", "join", "leave", "monkeys", "weasels", "silence")
# Words that the prompts say, and the file of each.
DIGITS = {
    "fr": "zéro:0 un:1 deux:2 trois:3 quatre:4 cinq:5 six:6 sept:7 huit:8 neuf:9 dix:10 onze:11 douze:12 treize:13"
    " quatorze:14 quinze:15 seize:16 vingt:20 trente:30 quarante:40 cinquante:50 soixante:60 septante:70 huitante:80"
    " nonante:90 cent:hundred mille:thousand",
    "en": "zero:0 one:1 two:2 three:3 four:4 five:5 six:6 seven:7 eight:8 nine:9 ten:10 eleven:11 twelve:12"
    " thirteen:13 fourteen:14 fifteen:15 sixteen:16 seventeen:17 eighteen:18 nineteen:19 twenty:20 thirty:30 forty:40"
    " fifty:50 sixty:60 seventy:70 eighty:80 ninety:90 hundred:hundred thousand:thousand oh:oh",
}
MS_PER_LETTER = 55
LOUDNESS = 0.1  # of full scale, where it sounds

_SYNCHRONOUS, _RATE, _UTF8 = 2, 1, 1
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


@cache
def _engine() -> tuple[ctypes.CDLL, int, list[Sound], object]:
    """libespeak-ng, its rate, what it spoke last, and the callback that must outlive it."""
    engine = ctypes.CDLL("libespeak-ng.so.1")
    rate_hz: int = engine.espeak_Initialize(_SYNCHRONOUS, 0, None, 0)
    spoken: list[Sound] = []

    def take(samples: ctypes._Pointer[ctypes.c_short], count: int, _events: object) -> int:
        if count > 0:
            spoken.append(np.ctypeslib.as_array(samples, (count,)).astype(np.float32))
        return 0

    callback = _CALLBACK(take)
    engine.espeak_SetSynthCallback(callback)
    engine.espeak_SetParameter(_RATE, 230, 0)
    return engine, rate_hz, spoken, callback


@cache
def speak(voice: str, word: str) -> Sound:
    """One word by espeak-ng, silence trimmed."""
    engine, rate_hz, spoken, _ = _engine()
    if engine.espeak_SetVoiceByName(voice.encode()) != 0:
        raise RuntimeError(f"espeak-ng has no voice {voice}")
    spoken.clear()
    text = f"{word}\0".encode()
    engine.espeak_Synth(text, len(text), 0, 1, 0, _UTF8, None, None)
    return _even(_at_8_khz(np.concatenate(spoken or [np.zeros(rate_hz // 10, np.float32)]), rate_hz))


def speaker(voice: str, language: str) -> Callable[[str], Sound]:
    """What says a piece in this voice."""
    if voice != "people":
        return lambda piece: speak(voice, piece)
    speech = language[:2]
    return lambda piece: _clip(speech, piece) if piece in _clips(speech) else _murmur(speech, piece)


@cache
def _clips(speech: str) -> dict[str, Path]:
    folder = PROMPTS / PEOPLE[speech]
    pairs = (pair.split(":") for pair in DIGITS[speech].split())
    named = {word: f"digits/{file}" for word, file in pairs}
    named |= {letter: f"letters/{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"}
    named |= {word: f"phonetic/{letter.lower()}_p" for letter, word in NATO.items()}
    return {word: folder / f"{name}.wav" for word, name in named.items()}


@cache
def _clip(speech: str, word: str) -> Sound:
    sound, rate_hz = soundfile.read(_clips(speech)[word], dtype="float32")
    return _even(_at_8_khz(sound, rate_hz))


@cache
def prompts(speech: str) -> Sound:
    """All that a person says in the prompts, one after the other."""
    files = sorted(
        file
        for file in (PROMPTS / PEOPLE[speech]).glob("*.wav")
        if not any(word in file.stem for word in NO_SPEECH)
    )
    if not files:
        raise RuntimeError(f"install the Debian package asterisk-core-sounds-{speech}-wav")
    return np.concatenate([_even(soundfile.read(file, dtype="float32")[0]) for file in files])


@cache
def _murmur(speech: str, word: str) -> Sound:
    """A stretch of the prompts; the same for the same word."""
    whole, length = prompts(speech), (len(word) + 2) * MS_PER_LETTER * RATE_HZ // 1000
    start = sum(ord(char) * 31**place for place, char in enumerate(word)) % (len(whole) - length)
    return whole[start : start + length]


def _even(sound: Sound) -> Sound:
    """Silence trimmed at both ends, one loudness for all."""
    loud = np.flatnonzero(np.abs(sound) > 0.03 * np.abs(sound).max())
    sound = sound[loud[0] : loud[-1] + 1] if len(loud) else sound
    return np.asarray(sound * (LOUDNESS / max(float(sound.std()), 1e-6)), np.float32)


def _at_8_khz(sound: Sound, rate_hz: int) -> Sound:
    """Band-limited: the spectrum above the new half rate is dropped."""
    if rate_hz == RATE_HZ:
        return sound
    frames = round(len(sound) * RATE_HZ / rate_hz)
    return np.asarray(np.fft.irfft(np.fft.rfft(sound)[: frames // 2 + 1], frames), np.float32)
