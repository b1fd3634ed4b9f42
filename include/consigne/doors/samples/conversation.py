"""Puts a call together from lines: the words with their true times, and its sound."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random

import numpy as np

from consigne.doors.samples.kinds import Kind
from consigne.doors.samples.script import AGENT, CALLER, DIGITS
from consigne.doors.samples.sound import VOICE_RATE_HZ, Container, Samples, at_rate, line_noise, say, tone
from consigne.doors.samples.values import Values

_SENSITIVE = frozenset({"card", "code", "expiry"})


@dataclass(frozen=True, slots=True)
class Said:
    """One word: what the transcript says, when it was spoken, and which kind of data it is part of, if any."""

    text: str = field(repr=False)
    start_ms: int
    end_ms: int
    kind: str | None


@dataclass(frozen=True, slots=True)
class Line:
    """What one speaker says without a break."""

    speaker: str
    said: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class Tone:
    """One keyed tone, in the caller's channel."""

    key: str = field(repr=False)
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Conversation:
    """A call as it was: `samples` are frames × channels at the container's rate."""

    samples: Samples = field(repr=False)
    lines: tuple[Line, ...]
    tones: tuple[Tone, ...]
    notice_at_ms: int
    duration_ms: int


def converse(kind: Kind, values: Values, container: Container, draw: Random, lead_ms: int) -> Conversation:
    """Play a call; it begins with `lead_ms` of waiting."""
    at_ms, notice_at_ms = lead_ms + draw.randint(150, 400), 0
    lines: list[Line] = []
    tones: list[Tone] = []
    voices: list[tuple[str, int, Samples]] = []
    for speaker, name in _order_of_lines(kind):
        if name == "notice":
            notice_at_ms = at_ms
        if name == "look" and kind.keyed:
            tones = _keyed(values.keyed, at_ms, draw)
            at_ms = at_ms if draw.random() < 0.5 else tones[-1].end_ms + 200
        said = []
        for text, data, pieces in _words(speaker, name, kind, values):
            sound = say(values.language, speaker, pieces)
            said.append(Said(text, at_ms, at_ms + len(sound) * 1_000 // VOICE_RATE_HZ, data))
            voices.append((speaker, at_ms, sound))
            at_ms = said[-1].end_ms + draw.randint(25, 60)
        lines.append(Line(speaker, tuple(said)))
        at_ms = max([at_ms, *(keyed.end_ms for keyed in tones)]) + draw.randint(120, 300)
    samples = _mixed(voices, tones, container, draw, at_ms)
    return Conversation(samples, tuple(lines), tuple(tones), notice_at_ms, at_ms)


def _order_of_lines(kind: Kind) -> Iterator[tuple[str, str]]:
    yield from (("agent", "greet"), ("agent", "notice"))
    for name in kind.says:
        if name == "card":
            yield "agent", "ask_card"
        if name == "bye":
            if kind.keyed:
                yield from (("agent", "ask_key"), ("agent", "look"))
            if "card" in kind.says:
                yield "agent", "paid"
        yield "caller", name
    yield "agent", "bye"


def _words(
    speaker: str, name: str, kind: Kind, values: Values
) -> Iterator[tuple[str, str | None, tuple[str, ...]]]:
    """Each word's text, the kind of data it is part of, and the pieces that speak it."""
    digits = DIGITS[values.language]
    for word in (AGENT if speaker == "agent" else CALLER)[values.language][name].split():
        if not word.startswith("{"):
            yield word, None, (word,)
        elif name == "rare":
            yield values.word, None, tuple(values.word[at : at + 2] for at in range(0, len(values.word), 2))
        elif name == "card":
            for text in _read_out(values, kind):
                yield text, "card", tuple(digits[int(digit)] for digit in text if digit.isdigit()) or (text,)
        else:
            text = str(getattr(values, name))
            pieces = tuple(digits[int(digit)] for digit in text if digit.isdigit())
            yield text, name if name in _SENSITIVE else None, pieces


def _read_out(values: Values, kind: Kind) -> list[str]:
    if kind.grouping == "spelled":
        return [DIGITS[values.language][int(digit)] for digit in values.card]
    if kind.grouping == "digits":
        return list(values.card)
    groups = grouped(values.card)
    return ["-".join(groups)] if kind.grouping == "dashed" else groups


def grouped(card: str) -> list[str]:
    """A card number as it is printed: 4-6-5 for fifteen digits, otherwise fours."""
    cuts = (0, 4, 10, 15) if len(card) == 15 else range(0, len(card) + 4, 4)
    return [card[start:end] for start, end in pairwise(cuts)]


def _keyed(keys: str, at_ms: int, draw: Random) -> list[Tone]:
    tones = []
    for key in keys:
        tones.append(Tone(key, at_ms, at_ms + draw.randint(60, 120)))
        at_ms = tones[-1].end_ms + draw.randint(60, 120)
    return tones


def _mixed(
    voices: list[tuple[str, int, Samples]],
    tones: list[Tone],
    container: Container,
    draw: Random,
    length_ms: int,
) -> Samples:
    frames_per_ms = VOICE_RATE_HZ // 1_000
    tracks = {speaker: line_noise(length_ms * frames_per_ms, draw) for speaker in ("caller", "agent")}
    gains = {speaker: np.float32(draw.uniform(0.25, 0.6)) for speaker in tracks}
    for speaker, start_ms, sound in voices:
        start = start_ms * frames_per_ms
        tracks[speaker][start : start + len(sound)] += gains[speaker] * sound
    caller, agent = (at_rate(tracks[speaker], container.rate_hz) for speaker in ("caller", "agent"))
    level_dbfs, twist_db = draw.uniform(-18, -9), draw.uniform(-6, 6)
    for keyed in tones:
        start = keyed.start_ms * container.rate_hz // 1_000
        sound = tone(keyed.key, keyed.end_ms - keyed.start_ms, container.rate_hz, level_dbfs, twist_db)
        caller[start : start + len(sound)] += sound
    if container.channels == 1:
        return np.asarray(caller + agent)[:, np.newaxis]
    return np.stack((caller, agent), axis=1)
