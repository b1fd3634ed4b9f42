"""Hostile inputs made from a seed: sound files and deliveries that were damaged, and talk full of numbers."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Callable, Mapping
from functools import cache
from random import Random
from typing import Any

import numpy as np
import soundfile

from unit.audio.made import film

RATE_HZ = 8_000
SOUNDS = (
    (".wav", "WAV", "PCM_16"), (".wav", "WAV", "ULAW"), (".wav", "WAV", "GSM610"), (".wav", "WAV", "FLOAT"),
    (".wav", "WAV", "PCM_24"), (".flac", "FLAC", "PCM_16"), (".ogg", "OGG", "VORBIS"), (".opus", "OGG", "OPUS"),
    (".mp3", "MP3", "MPEG_LAYER_III"), (".aiff", "AIFF", "PCM_16"), (".au", "AU", "ULAW"), (".caf", "CAF", "PCM_16"),
    (".w64", "W64", "PCM_16"),
)  # fmt: skip
_VOCABULARY = (
    "zéro un deux trois quatre cinq six sept huit neuf dix onze soixante quatre-vingt vingt cent mille et "
    "septante nonante one two three four five oh double triple hundred thousand forty ninety carte numéro "
    "card number code cryptogramme expire iban fr76 de89 F R comme François alpha bravo pardon non oui "
    "d'accord euh jean arobase point com rib guichet clé commande euros 4 49 4970 4111111111111111 03/27 "
    "١٢٣٤ ４９ [card] ½ ² \u0301 \ud83d - ' ’"
)
WORDS = _VOCABULARY.split()


@cache
def _sounds() -> list[tuple[str, bytes]]:
    """A second of noise in every container that can be written."""
    noise = np.random.default_rng(7).normal(0, 0.1, (RATE_HZ, 1)).astype(np.float32)
    made = []
    for suffix, form, subtype in SOUNDS:
        out = io.BytesIO()
        soundfile.write(out, noise, RATE_HZ, format=form, subtype=subtype)
        made.append((suffix, out.getvalue()))
    films = ((".m4a", "ipod", "aac", RATE_HZ), (".webm", "webm", "libopus", 48_000))
    return made + [(suffix, film(form, codec, noise, rate_hz)) for suffix, form, codec, rate_hz in films]


def sound(draw: Random) -> tuple[bytes, str]:
    """A sound file, damaged; its suffix now and then another's."""
    suffix, data = draw.choice(_sounds())
    if draw.random() < 0.1:
        suffix = draw.choice(_sounds())[0]
    return damaged(draw, data), suffix


def delivery(draw: Random) -> bytes:
    """A delivery's JSON, with fields replaced or bytes damaged."""
    document = _call(draw)
    for _ in range(draw.randrange(4)):
        _spoil(draw, document)
    text = json.dumps(document, ensure_ascii=draw.random() < 0.5).encode("utf-8", "surrogatepass")
    return damaged(draw, text) if draw.random() < 0.5 else text


def talk(draw: Random) -> list[str]:
    """Words of a conversation: few kinds, so that runs of numbers are long."""
    vocabulary = [*draw.sample(WORDS, draw.randint(1, 12)), str(draw.randrange(10 ** draw.randint(1, 20)))]
    return [draw.choice(vocabulary) for _ in range(draw.choice((5, 50, 500, 1_500)))]


def damaged(draw: Random, data: bytes) -> bytes:
    """Bytes changed, cut, doubled, or numbers among them replaced."""
    spoilt = bytearray(data)
    for _ in range(draw.choice((1, 1, 3, 30))):
        at = draw.randrange(max(1, min(len(spoilt), draw.choice((64, 512, 1 << 30)))))
        match draw.randrange(5):
            case 0:
                spoilt[at : at + 1] = bytes([draw.randrange(256)])
            case 1:
                del spoilt[at:]
            case 2:
                spoilt[at:at] = spoilt[draw.randrange(at + 1) : at + draw.randrange(200)]
            case 3:
                spoilt[at : at + 4] = struct.pack(
                    "<I", draw.choice((0, 1, 0x7FFFFFFF, 0xFFFFFFFF, draw.randrange(1 << 32)))
                )
            case _:
                del spoilt[at : at + draw.randrange(1, 64)]
    return bytes(spoilt)


def _call(draw: Random) -> dict[str, Any]:
    words = [
        {"text": text, "start_s": at / 2, "end_s": at / 2 + 0.4, "speaker": draw.choice(("caller", "agent"))}
        for at, text in enumerate(talk(draw)[:200])
    ]
    return {
        "id": "pbx1-2026-000123", "started_at": "2026-11-20T09:14:03+01:00", "ended_at": "2026-11-20T09:18:41+01:00",
        "direction": "inbound", "caller": "+33612345678", "callee": "+33123456789", "agent": "a.martin",
        "queue": "support", "language": "fr", "purposes": ["training"],
        "notice": {"version": "2026-01", "played_at_s": 2.1}, "objection": None, "channels": ["caller", "agent"],
        "transcript": {draw.choice(("words", "segments")): words},
    }  # fmt: skip


_VALUES: tuple[Callable[[Random], object], ...] = (
    lambda draw: None,
    lambda draw: draw.choice((0, -1, 1e308, 10**30, True)),
    lambda draw: "x" * draw.choice((0, 1, 200, 20_000)),
    lambda draw: draw.choice(WORDS),
    lambda draw: [[]] * draw.randrange(50),
    lambda draw: {"text": "a", "start_s": draw.choice((-1, 1e9)), "end_s": 0, "speaker": ""},
)


def _spoil(draw: Random, document: dict[str, Any]) -> None:
    """Another value somewhere."""
    at: Any = document
    while True:
        keys = list(at) if isinstance(at, Mapping) else list(range(len(at)))
        if not keys:
            return
        key = draw.choice(keys)
        if not isinstance(at[key], dict | list) or draw.random() < 0.3:
            at[key] = draw.choice(_VALUES)(draw)
            return
        at = at[key]
