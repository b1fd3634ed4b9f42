"""Labelled calls from a seed: sound, transcript, and what must go and what must stay in both."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from random import Random

import numpy as np

from consigne.rules.recording import Transcript, Word
from corpus import sound, talk, topics
from corpus.readings import Reader
from corpus.topics import Topic
from corpus.voices import LOUDNESS, RATE_HZ, SPEAKERS, Sound, speaker

LANGUAGES = {"fr-FR": 40, "fr-BE": 10, "fr-CH": 10, "en": 40}
Maker = Callable[[Reader], Topic | tuple[Topic, ...]]
MATTERS: dict[str, tuple[Maker, int]] = {
    "card": (topics.card, 34), "checkout": (topics.checkout, 10), "code": (topics.code, 12),
    "expiry": (topics.expiry, 12), "pin": (topics.pin, 8), "iban": (topics.iban, 16), "bic": (topics.bic, 9),
    "rib": (topics.rib, 8), "nir": (topics.nir, 9), "tone": (topics.keyed, 14),
}  # fmt: skip
CONTACT: dict[str, tuple[Maker, int]] = {
    "email": (topics.email, 40),
    "phone": (topics.phone, 40),
}
FRENCH_ONLY = frozenset({"rib", "nir"})
OF_PAYMENT = frozenset({"card", "checkout", "code", "expiry", "pin"})
# Thirteen digits or more near a payment are masked although their check fails; elsewhere they must stay.
LONG_DECOYS = frozenset({"tracking", "contract", "siret"})
CLEAN_SHARE = 0.15
JITTER_MS = 40


@dataclass(frozen=True, slots=True)
class Label:
    """A number said or keyed. `words` index the transcript's words (or segments) that tell it; `start_ms` to
    `end_ms` is all of its reading; `spoken` are the stretches of the telling words themselves, as they sound.
    """

    kind: str
    form: str
    turn: str
    words: tuple[int, ...]
    start_ms: int
    end_ms: int
    spoken: tuple[tuple[int, int], ...]
    is_decoy: bool
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LabelledCall:
    """One call, as a source would hand it in, and the truth about it. `voiced` are all words as they sound."""

    seed: int
    index: int
    language: str
    container: str
    profile: str
    duration_ms: int
    audio: bytes = field(repr=False)
    transcript: Transcript = field(repr=False)
    labels: tuple[Label, ...]
    voiced: tuple[tuple[int, int], ...] = field(repr=False)

    @property
    def is_clean(self) -> bool:
        return all(label.is_decoy for label in self.labels)


@dataclass(frozen=True, slots=True)
class Uttered:
    """A word in its place; `topic` is the matter it belongs to."""

    text: str = field(repr=False)
    start_ms: int
    end_ms: int
    who: str
    part: str
    topic: int
    line: int


def build(seed: int, count: int) -> Iterator[LabelledCall]:
    """The calls 0 to `count` - 1 of a seed."""
    return (call(seed, index) for index in range(count))


def call(seed: int, index: int) -> LabelledCall:
    """The same for the same arguments, Debian packages and soundfile."""
    draw = Random(f"consigne-corpus:{seed}:{index}")
    language = draw.choices(list(LANGUAGES), list(LANGUAGES.values()))[0]
    reader = Reader(language, draw.choice(("spelling", "spelling", "spaced", "joined")), draw)
    profile = "payment_and_contact" if draw.random() < 0.2 else "payment"
    matters = _matters(reader, profile)
    keyed = any(matter.keys for matter in matters)
    container = draw.choices(
        list(sound.CONTAINERS), [one.shares[keyed] for one in sound.CONTAINERS.values()]
    )[0]
    stage = _Stage(draw, language, is_stereo=draw.random() < sound.CONTAINERS[container].stereo_share)
    stage.play(matters)
    transcript, places = _write_down(stage.uttered, draw)
    labels = [*_labels(matters, stage.uttered, places), *stage.keyed]
    audio = sound.write(stage.mix(), container)
    return LabelledCall(
        seed, index, language, container, profile, stage.at_ms, audio, transcript,
        tuple(labels), tuple((one.start_ms, one.end_ms) for one in stage.uttered),
    )  # fmt: skip


def _matters(reader: Reader, profile: str) -> list[Topic]:
    """What the call is about: numbers of some kinds, decoys, and talk between."""
    draw, kinds = reader.draw, []
    if draw.random() >= CLEAN_SHARE:
        pool = {k: v for k, v in MATTERS.items() if reader.speech == "fr" or k not in FRENCH_ONLY}
        pool |= CONTACT if profile == "payment_and_contact" else {}
        weights = [share for _, share in pool.values()]
        kinds = list(dict.fromkeys(draw.choices(list(pool), weights, k=draw.choice((1, 1, 2, 2, 3)))))
    found = [_together((MATTERS | CONTACT)[kind][0](reader)) for kind in kinds]
    decoys = [kind for kind in talk.DECOYS if kind not in LONG_DECOYS or not OF_PAYMENT & set(kinds)]
    for _ in range(draw.randint(1, 2)):
        found.append((topics.decoy(reader, draw.choice(decoys)),))
    if profile == "payment" and draw.random() < 0.3:
        found.append((topics.phone(reader, is_decoy=True),))
    draw.shuffle(found)
    return _with_talk(reader, found)


def _together(made: Topic | tuple[Topic, ...]) -> tuple[Topic, ...]:
    return made if isinstance(made, tuple) else (made,)


def _with_talk(reader: Reader, matters: Sequence[tuple[Topic, ...]]) -> list[Topic]:
    def plain(sentence: str) -> Topic:
        return Topic("", "", "", topics.expand(sentence, (), reader))

    ordinary = iter(reader.draw.sample(talk.ORDINARY[reader.speech], len(matters) + 1))
    told = [plain(talk.GREETING[reader.speech])]
    for matter in matters:
        told += matter
        told += [plain(next(ordinary)) for _ in range(reader.draw.random() < 0.4)]
    return [*told, plain(talk.GOODBYE[reader.speech])]


class _Stage:
    """Two voices, one after the other, each on its track."""

    def __init__(self, draw: Random, language: str, is_stereo: bool) -> None:
        self.draw = draw
        voices = draw.sample(SPEAKERS[language], 2)
        self.say = {who: speaker(voice, language) for who, voice in zip("ac", voices, strict=True)}
        self.gain = {who: draw.uniform(0.4, 1.6) for who in "ac"}
        self.is_stereo = is_stereo
        self.at_ms = draw.randint(100, 500)
        self.uttered: list[Uttered] = []
        self.keyed: list[Label] = []
        self.sounds: list[tuple[str, int, Sound]] = []

    def play(self, matters: Sequence[Topic]) -> None:
        line = 0
        for number, matter in enumerate(matters):
            for who, turn in groupby(matter.said, key=lambda said: said[0]):
                line += 1
                for _, said in turn:
                    if said.part == "keys":
                        self._key(matter, who)
                        continue
                    start_ms = self.at_ms
                    for piece in said.pieces:
                        self._add(who, self.say[who](piece) * np.float32(self.gain[who]))
                    word = Uttered(said.text, start_ms, self.at_ms, who, said.part, number, line)
                    self.uttered.append(word)
                    self.at_ms += self.draw.randint(15, 80)
                self.at_ms += self.draw.randint(150, 500)

    def _add(self, who: str, heard: Sound) -> None:
        self.sounds.append((who, self.at_ms, heard))
        self.at_ms += -(-len(heard) * 1000 // RATE_HZ)

    def _key(self, matter: Topic, who: str) -> None:
        """Keys now; under speech, the talk that follows is spoken over them on the same track."""
        speech_dbfs = 20 * float(np.log10(LOUDNESS * np.sqrt(2) * self.gain[who]))
        how = sound.keying(self.draw, matter.form, speech_dbfs)
        self.at_ms += self.draw.randint(50, 400)
        begun_ms, places = self.at_ms, []
        for key in matter.keys:
            tone = sound.press(key, how, self.draw)
            start_ms = self.at_ms
            self._add(who, tone)
            places.append((start_ms, start_ms + len(tone) * 1000 // RATE_HZ))
            self.at_ms += self.draw.randint(*how.off_ms)
        length_ms = self.at_ms - begun_ms
        if matter.form == "in_noise":
            noise = sound.hiss(
                length_ms * RATE_HZ // 1000, how.level_dbfs - self.draw.uniform(12, 30), self.draw
            )
            self.sounds.append((who, begun_ms, noise))
        elif matter.form == "under_speech":
            self._speak_over(who, begun_ms, length_ms)
        for place in places:
            self.keyed.append(
                Label("tone", matter.form, "plain", (), begun_ms, places[-1][1], (place,), False, matter.keys)
            )

    def _speak_over(self, who: str, start_ms: int, length_ms: int) -> None:
        """Speech without words in the transcript: what nobody wrote down."""
        at_ms = start_ms
        while at_ms < start_ms + length_ms:
            piece = self.draw.choice(("bonjour", "maintenant", "hello", "number", "attendez", "please"))
            heard = self.say[who](piece) * np.float32(self.gain[who])
            self.sounds.append((who, at_ms, heard))
            at_ms += len(heard) * 1000 // RATE_HZ + self.draw.randint(0, 60)

    def mix(self) -> np.ndarray:
        """Floats of shape (frames, channels)."""
        self.at_ms += self.draw.randint(100, 400)
        tracks = {
            who: sound.hiss(self.at_ms * RATE_HZ // 1000, self.draw.uniform(-66, -48), self.draw)
            for who in "ac"
        }
        for who, at_ms, heard in self.sounds:
            start = at_ms * RATE_HZ // 1000
            room = tracks[who][start : start + len(heard)]
            room += heard[: len(room)]
        both = np.stack([tracks["c"], tracks["a"]], axis=1)
        return both if self.is_stereo else both.sum(axis=1, keepdims=True)


def _write_down(uttered: Sequence[Uttered], draw: Random) -> tuple[Transcript, list[int]]:
    """The transcript, by word or by segment, and in which of its entries each word stands."""
    texts = _punctuated(uttered, draw) if draw.random() < 0.6 else [one.text for one in uttered]
    names = {"a": "agent", "c": "caller"}
    if draw.random() < 0.7:
        words, reached = [], 0
        for one, text in zip(uttered, texts, strict=True):
            start_ms = max(reached, one.start_ms + draw.randint(-JITTER_MS, JITTER_MS))
            end_ms = max(start_ms + 10, one.end_ms + draw.randint(-JITTER_MS, JITTER_MS))
            words.append(Word(text, start_ms, end_ms, names[one.who]))
            reached = start_ms
        return Transcript(tuple(words)), list(range(len(words)))
    longest = draw.randint(4, 14)
    segments: list[Word] = []
    places: list[int] = []
    line, held = -1, 0
    for one, text in zip(uttered, texts, strict=True):
        if one.line == line and held < longest:
            last = segments[-1]
            segments[-1] = replace(last, text=f"{last.text} {text}", end_ms=one.end_ms)
            held += 1
        else:
            segments.append(Word(text, one.start_ms, one.end_ms, names[one.who]))
            line, held = one.line, 1
        places.append(len(segments) - 1)
    return Transcript(tuple(segments), by_word=False), places


def _punctuated(uttered: Sequence[Uttered], draw: Random) -> list[str]:
    """Capitals, commas and full stops, as recognition puts them."""
    texts: list[str] = []
    for place, one in enumerate(uttered):
        last = place + 1 == len(uttered) or uttered[place + 1].line != one.line
        text = one.text
        if text[0].islower() and one.part != "value" and (not place or uttered[place - 1].line != one.line):
            text = text[0].upper() + text[1:]
        texts.append(text + ("." if last else "," if draw.random() < 0.12 and text not in "?!" else ""))
    return texts


def _labels(matters: Sequence[Topic], uttered: Sequence[Uttered], places: Sequence[int]) -> Iterator[Label]:
    for number, matter in enumerate(matters):
        own = [n for n, one in enumerate(uttered) if one.topic == number and one.part]
        if not own:
            continue
        telling = [n for n in own if uttered[n].part in ("value", "decoy")]
        yield Label(
            matter.kind, matter.form, matter.turn, tuple(dict.fromkeys(places[n] for n in telling)),
            min(uttered[n].start_ms for n in own), max(uttered[n].end_ms for n in own),
            tuple((uttered[n].start_ms, uttered[n].end_ms) for n in telling), matter.is_decoy,
            " ".join(f"{'<' if uttered[n].who == 'a' else ''}{one.text}" if one.part else f"({one.text})"
                     for n, one in enumerate(uttered) if one.topic == number),
        )  # fmt: skip
