"""Findings in a transcript, their places in the audio, and the transcript without them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from consigne.rules.errors import BadInput
from consigne.rules.recording import Transcript, Word
from consigne.rules.redaction import cards, numerals
from consigne.rules.redaction.numerals import Hit, Token
from consigne.rules.redaction.spans import Kind, Span, merge

Detector = Callable[[Sequence[Token], Sequence[Hit]], list[Hit]]
JOIN_MS = 1000


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
    for view in _views(transcript):
        tokens = numerals.read(transcript.words[i].text for i in view)
        hits: list[Hit] = []
        for detect in detectors:
            hits += detect(tokens, hits)
        for hit in hits:
            words = dict.fromkeys(view[tokens[i].word] for i in range(hit.first, hit.last + 1))
            found.append(Finding(tuple(words), Kind(hit.kind), hit.detector, hit.confidence))
    return tuple(dict.fromkeys(found))


def suspected(transcript: Transcript) -> bool:
    """Whether number words stand where a number may hide that no detector reads yet."""
    views = (numerals.read(transcript.words[i].text for i in view) for view in _views(transcript))
    return any(numerals.suspected(tokens) or cards.suspected(tokens) for tokens in views)


def _views(transcript: Transcript) -> Iterator[Sequence[int]]:
    """Everyone together, since a number may pass between speakers; and each alone, since another may
    speak between the parts of one."""
    speakers: dict[str, list[int]] = {}
    for index, word in enumerate(transcript.words):
        speakers.setdefault(word.speaker, []).append(index)
    yield range(len(transcript.words))
    if len(speakers) > 1:
        yield from speakers.values()


def place(transcript: Transcript, findings: Sequence[Finding], duration_ms: int) -> tuple[Span, ...]:
    """The findings' spans, unpadded; pauses of up to JOIN_MS inside one belong to it.

    BadInput('not_proven', 'word_times') where a word's times lie outside the audio or are no stretch of it.
    """
    spans: list[Span] = []
    for finding in findings:
        words = [transcript.words[i] for i in finding.words]
        if any(not 0 <= w.start_ms <= w.end_ms or w.start_ms >= duration_ms for w in words):
            raise BadInput("not_proven", "word_times")
        own = (
            Span(w.start_ms, min(w.end_ms, duration_ms), finding.kind, finding.detector, finding.confidence)
            for w in words
        )
        spans += merge(own, JOIN_MS)
    return merge(spans)


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
