"""Redaction beside its peers, in one run: scores over a thousand labelled calls; finding numbers in transcripts
beside Presidio; keyed tones beside spandsp and multimon-ng; muting beside ffmpeg and PyAV; the whole of detect,
mask and prove on five minutes. Needs Debian's voices (`./consigne test` installs them).

CONSIGNE_BENCH_PEERS names a Python that has presidio-analyzer and spacy; without it Presidio's rows are left out.
"""

from __future__ import annotations

import io
import json
import os
import runpy
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import accumulate
from random import Random

import numpy as np
import soundfile

from consigne.doors.settings import CHECKOUT
from consigne.rules.recording import Transcript, Word
from consigne.rules.redaction.profiles import PROFILES
from consigne.rules.redaction.redact import Protected, protect
from consigne.rules.redaction.transcript import search
from consigne.rules.values import Private

sys.path.append(str(CHECKOUT / "tests"))
from corpus import score, talk, topics
from corpus.build import LabelledCall, call
from corpus.readings import Reader
from corpus.seeds import unseen
from corpus.topics import Topic

CALLS = 1_000
TEXTS, TEXT_BYTES = 400, 4_800
SECONDS = 300
WANTED_MS = 250
DECOYS = ("amount", "date", "time", "order", "customer", "postcode")
PAYMENT = PROFILES["payment"]


@dataclass(frozen=True, slots=True)
class Text:
    """A transcript with one number in it, said in `form`; `telling` are the words that tell it."""

    form: str
    words: tuple[str, ...]
    speakers: tuple[str, ...]
    telling: frozenset[int]

    @property
    def whole(self) -> str:
        return " ".join(self.words)


def run() -> None:
    """Print every table."""
    seed = unseen()
    print(f"### Scores\nSeed {seed}.\n\n{score.tables(score.judge_calls(seed, CALLS))}\n")
    print(f"### Numbers in transcripts of 4.8 KB\n{table(detection())}\n")
    for name, title in (("tones", "Keyed tones"), ("muting", "Muting six spans in five minutes")):
        rows = runpy.run_path(str(CHECKOUT / "bench" / f"{name}.py"))["rows"]()
        print(f"### {title}\n{table(rows)}\n")
    print(f"### Detect, mask and prove\n{table(five_minutes())}")


def table(rows: Sequence[Sequence[object]]) -> str:
    """Markdown; the first row is the head."""
    head, *body = [[str(cell) for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *body))


def detection() -> list[list[str]]:
    """Time for all texts (the quickest of three passes) and recall by form, one row a way of finding."""
    texts = [text(Random(f"bench:{index}")) for index in range(TEXTS)]
    transcripts = [transcript(each) for each in texts]
    mine = [find(each) for each in transcripts]
    took = quickest(lambda: [search(each, PAYMENT.in_text) for each in transcripts])
    ways = {"consigne": (took, [each.telling <= hit for each, hit in zip(texts, mine, strict=True)])}
    for name, theirs in presidio([each.whole for each in texts]).items():
        hits = [covers(each, spans) for each, spans in zip(texts, theirs["spans"], strict=True)]
        ways[name] = theirs["seconds"], hits
    forms = sorted({each.form for each in texts})
    rows = [["found by", "ms a transcript", "times ours", *forms]]
    for name, (seconds, hits) in ways.items():
        by_form = [
            [hit for hit, each in zip(hits, texts, strict=True) if each.form == form] for form in forms
        ]
        shares = [f"{sum(found) / len(found):.0%}" for found in by_form]
        rows.append([name, f"{seconds / TEXTS * 1000:.2f}", f"{seconds / took:.1f}", *shares])
    return rows


def text(draw: Random) -> Text:
    """One card or account number, read out without a break, among ordinary talk and numbers of other kinds."""
    reader = Reader(draw.choice(("fr-FR", "en")), "spelling", draw)
    matter = draw.choice((topics.card, topics.iban))(reader)
    while matter.turn != "plain":
        matter = draw.choice((topics.card, topics.iban))(reader)
    said = [*matter.said, *topics.phone(reader, is_decoy=True).said]
    for kind in DECOYS:
        said += topics.decoy(reader, kind).said
    while sum(len(word.text.encode()) + 1 for _, word in said) < TEXT_BYTES:
        sentence = topics.expand(draw.choice(talk.ORDINARY[reader.speech]), (), reader)
        said = [*sentence, *said] if draw.random() < 0.5 else [*said, *sentence]
    speakers, words = zip(*said, strict=True)
    telling = frozenset(at for at, word in enumerate(words) if word.part == "value")
    return Text(shape(matter), tuple(word.text for word in words), speakers, telling)


def shape(matter: Topic) -> str:
    """What a reader of the table tells apart."""
    if matter.kind == "iban":
        spelled = matter.form.startswith("spelled")
        return "IBAN spelled" if spelled else "IBAN written"
    if "words" in matter.form:
        return "card in words"
    if matter.form in ("single", "pairs", "uneven"):
        return "card in other groups"
    return "card in fours, whole, dashed"


def transcript(each: Text) -> Transcript:
    said = enumerate(zip(each.words, each.speakers, strict=True))
    return Transcript(tuple(Word(word, at * 300, at * 300 + 260, speaker) for at, (word, speaker) in said))


def find(transcript: Transcript) -> frozenset[int]:
    return frozenset(word for finding in search(transcript, PAYMENT.in_text) for word in finding.words)


def covers(each: Text, spans: Sequence[Sequence[int]]) -> bool:
    """Whether every telling word lies in one of the stretches."""
    starts = [0, *accumulate(len(word) + 1 for word in each.words)]
    return all(
        any(start <= starts[at] and starts[at] + len(each.words[at]) <= end for start, end in spans)
        for at in each.telling
    )


def presidio(texts: list[str]) -> dict[str, dict[str, object]]:
    """What the peer says, in a process of its own that may not reach any model's hub."""
    python = os.environ.get("CONSIGNE_BENCH_PEERS")
    if (
        not python
        or subprocess.run([python, "-c", "import presidio_analyzer, spacy"], check=False).returncode
    ):
        return {}
    program = str(CHECKOUT / "bench" / "peers" / "presidio.py")
    offline = os.environ | {"HF_HUB_OFFLINE": "1", "PYTHONPATH": ""}
    done = subprocess.run([python, program], input=json.dumps(texts), env=offline, capture_output=True, text=True,
                          check=True)  # fmt: skip
    return json.loads(done.stdout)


def five_minutes() -> list[list[str]]:
    """The quickest of five, of a WAV at 8 kHz with its transcript, made of calls of the corpus."""
    audio, transcript, kinds = long_call()
    act = partial(protect, Private(audio), ".wav", Private(transcript), "payment", True, 400_000)
    result = act()
    end = f"{len(result.masked)} masks" if isinstance(result, Protected) else f"{result.code}/{result.detail}"
    took_ms = quickest(act, 5) * 1000
    what = f"{SECONDS // 60} minutes, {len(transcript.words)} words, {kinds} numbers: {end}"
    return [["what", "wanted", "ms"], [what, f"at most {WANTED_MS}", f"{took_ms:.0f}"]]


def long_call() -> tuple[bytes, Transcript, int]:
    """Calls one after the other, and silence up to the end."""
    sounds: list[np.ndarray] = []
    words: list[Word] = []
    at_ms = numbers = 0
    for one in plain_calls():
        if at_ms + one.duration_ms > SECONDS * 1000:
            break
        sound, _ = soundfile.read(io.BytesIO(one.audio), dtype="float32")
        sounds.append(sound)
        words += [
            replace(word, start_ms=word.start_ms + at_ms, end_ms=word.end_ms + at_ms)
            for word in one.transcript.words
        ]
        numbers += sum(not label.is_decoy for label in one.labels)
        at_ms = sum(map(len, sounds)) // 8
    sounds.append(np.zeros(SECONDS * 8_000 - sum(map(len, sounds)), np.float32))
    out = io.BytesIO()
    soundfile.write(out, np.concatenate(sounds), 8_000, format="WAV", subtype="PCM_16")
    return out.getvalue(), Transcript(tuple(words)), numbers


def plain_calls() -> Iterator[LabelledCall]:
    """Calls with word times in mono WAV of 16 bits, in the corpus's order."""
    index = 0
    while True:
        one = call(1, index)
        index += 1
        if (
            one.container == "pcm"
            and one.transcript.by_word
            and soundfile.info(io.BytesIO(one.audio)).channels == 1
        ):
            yield one


def quickest(act: Callable[[], object], times: int = 3) -> float:
    """Seconds of the quickest: what else the machine does only adds time."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        act()
        taken.append(time.perf_counter() - started)
    return min(taken)


if __name__ == "__main__":
    run()
