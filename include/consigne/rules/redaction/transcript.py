"""Findings in a transcript, their places in the audio, and the transcript without them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from operator import attrgetter

from consigne.rules.errors import BadInput
from consigne.rules.recording import Transcript, Word
from consigne.rules.redaction.blocks import BLOCK_WORDS, Block
from consigne.rules.redaction.numerals import Hit, Tokens, read_blocks
from consigne.rules.redaction.spans import Kind, Span, merge

Detector = Callable[[Tokens, Sequence[Hit]], list[Hit]]
JOIN_MS = 1000
DIGIT_MS, LETTER_MS = 10, 2
_speaker = attrgetter("speaker")


@dataclass(frozen=True, slots=True)
class Finding:
    """Words (indices into the transcript) that together hold something."""

    words: tuple[int, ...]
    kind: Kind
    detector: str
    confidence: float


def search(transcript: Transcript, detectors: Sequence[Detector]) -> tuple[Finding, ...]:
    """What the detectors find in the whole conversation and in each speaker's part of it."""
    found: list[Finding] = []
    for tokens in _views(transcript):
        hits: list[Hit] = []
        for detect in detectors:
            hits += detect(tokens, hits)
        for hit in hits:
            words = dict.fromkeys(tokens.source(i) for i in range(hit.first, hit.last + 1))
            found.append(Finding(tuple(words), Kind(hit.kind), hit.detector, hit.confidence))
    return tuple(dict.fromkeys(found))


def _views(transcript: Transcript) -> Iterator[Tokens]:
    """Everyone together, since a number may pass between speakers; and each alone, since another may
    speak between the parts of one."""
    turns = [(speaker, [word.text for word in said]) for speaker, said in groupby(transcript.words, _speaker)]
    every = [
        (speaker, said[at : at + BLOCK_WORDS], at == 0)
        for speaker, said in turns
        for at in range(0, len(said), BLOCK_WORDS)
    ]
    whole = read_blocks([(said, is_turn) for _, said, is_turn in every])
    yield whole
    speakers: dict[str, list[Block]] = {}
    for (speaker, *_), block in zip(every, whole.blocks, strict=True):
        speakers.setdefault(speaker, []).append(block)
    if len(speakers) > 1:
        yield from (whole.only(blocks) for blocks in speakers.values())


def place(transcript: Transcript, findings: Sequence[Finding], duration_ms: int) -> tuple[Span, ...]:
    """The findings' spans, unpadded; pauses of up to JOIN_MS inside one belong to it.

    BadInput('not_proven', 'word_times') where a word's times lie outside the audio or are no stretch of it, or
    where nobody could have said the words in their time: then they were spoken somewhere else.
    """
    spans: list[Span] = []
    for finding in findings:
        words = [transcript.words[i] for i in finding.words]
        if any(not 0 <= w.start_ms <= w.end_ms or w.start_ms >= duration_ms for w in words):
            raise BadInput("not_proven", "word_times")
        if _time_ms(words) < _least_ms(words):
            raise BadInput("not_proven", "word_times")
        own = (
            Span(w.start_ms, min(w.end_ms, duration_ms), finding.kind, finding.detector, finding.confidence)
            for w in words
        )
        spans += merge(own, JOIN_MS)
    return merge(spans)


def _time_ms(words: Sequence[Word]) -> int:
    """How long any of them is spoken."""
    time_ms = reached_ms = 0
    for word in sorted(words, key=lambda w: w.start_ms):
        time_ms += max(0, word.end_ms - max(reached_ms, word.start_ms))
        reached_ms = max(reached_ms, word.end_ms)
    return time_ms


def _least_ms(words: Sequence[Word]) -> int:
    """A tenth of the time that a fast talker needs: times may be rough, but not made up."""
    return sum(DIGIT_MS if c.isdigit() else LETTER_MS for word in words for c in word.text if c.isalnum())


def blank(transcript: Transcript, findings: Sequence[Finding]) -> Transcript:
    """The transcript with `[kind]` for every word found (a whole segment where there are no word times)."""
    words = list(transcript.words)
    for finding in reversed(findings):
        for index in finding.words:
            words[index] = replace(words[index], text=f"[{finding.kind}]")
    return replace(transcript, words=tuple(words))


def encode(transcript: Transcript) -> bytes:
    """Canonical UTF-8 JSON: {"by_word", "words": [{"end_ms", "speaker", "start_ms", "text"}]}."""
    words = [
        {"text": w.text, "start_ms": w.start_ms, "end_ms": w.end_ms, "speaker": w.speaker}
        for w in transcript.words
    ]
    document = {"by_word": transcript.by_word, "words": words}
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    # A lone surrogate is valid in JSON and not in UTF-8.
    return text.encode("utf-8", "replace")


def decode(data: bytes) -> Transcript:
    """What `encode` wrote."""
    document = json.loads(data)
    words = tuple(Word(w["text"], w["start_ms"], w["end_ms"], w["speaker"]) for w in document["words"])
    return Transcript(words, document["by_word"])
