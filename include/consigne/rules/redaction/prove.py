"""Whether what will be stored is what it must be: decoded afresh, judged by detectors of its own.

Nothing here comes from the profile that made the masks, so that a detector missing there, a mask too short
or a codec that gives back more than it got is seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import MappingProxyType

import numpy as np

from consigne.rules.audio import codecs, opus
from consigne.rules.audio.pcm import Audio
from consigne.rules.errors import BadInput
from consigne.rules.recording import Transcript
from consigne.rules.redaction import bank, cards, codes, identity, parts, tones
from consigne.rules.redaction.mask import stretches
from consigne.rules.redaction.spans import Kind, Span, pad
from consigne.rules.redaction.transcript import Detector, Finding, decode, place, search

SOUND = (partial(tones.find, setting=tones.PROOF, sequence_gap_ms=0),)
ALWAYS = (
    cards.find,
    bank.find_iban,
    bank.find_bic,
    bank.find_rib,
    identity.find_nir,
    parts.find,
    codes.find,
)
TEXT: Mapping[str, tuple[Detector, ...]] = MappingProxyType(
    {
        "payment": ALWAYS,
        "payment_when_sure": ALWAYS,
        "payment_and_names": ALWAYS,
        "payment_and_contact": (*ALWAYS, identity.find_email, identity.find_phone),
    }
)
SURE_ONLY: Mapping[str, float] = MappingProxyType({"payment_when_sure": 0.6})
"""Profiles that leave what was found with less confidence."""
ROUNDING_MS = 1
EDGE_MS = 200


def prove(
    sound: bytes,
    text: bytes | None,
    original: Audio,
    said: Transcript | None,
    masks: Sequence[Span],
    profile: str = "payment",
    extra: Sequence[Detector] = (),
) -> str | None:
    """The check that `sound` (FLAC, or Ogg/Opus) or `text` (what `transcript.encode` writes) fails, or None.

    `words`: the text's number of words, times and speakers are the original's. Of the sound: `word_times`,
    `decodes`, `duration`, `packets` (of Ogg/Opus: docs/adr/0008), `unmasked_samples` (outside the masks it is the
    original; for Opus nearly), `masked_energy` (not silent in
    the masks, under the words that were blanked, or where the original's sound or transcript holds something),
    `tone` (one is left). Of the text: `transcript` (something is found in it), `speaker`.
    """
    left = decode(text) if text is not None else None
    if _without_text(left) != _without_text(said):
        return "words"
    detectors = (*TEXT[profile], *extra)
    spoken: list[Span] = []
    if left and said:
        try:
            found = _found(said, detectors, profile)
            spoken = [*place(said, found, original.duration_ms), *_blanked(left, said)]
        except BadInput as fault:
            return fault.where
    failed = _judge_sound(sound, original, masks, spoken)
    if failed or left is None:
        return failed
    if _found(left, detectors, profile):
        return "transcript"
    return "speaker" if any(cards.scan(name) for name in {w.speaker for w in left.words}) else None


def _judge_sound(sound: bytes, original: Audio, masks: Sequence[Span], spoken: Sequence[Span]) -> str | None:
    is_opus = sound.startswith(b"OggS")
    try:
        audio = codecs.read(sound, ".opus" if is_opus else ".flac", original.duration_ms + ROUNDING_MS)
    except BadInput:
        return "decodes"
    if (audio.rate_hz, audio.samples.shape) != (original.rate_hz, original.samples.shape):
        return "duration"
    if is_opus:
        changed = opus.judge(sound, audio, original, tuple(stretches(original, masks)))
    else:
        changed = None if _same_outside(audio, original, masks) else "unmasked_samples"
    if changed:
        return changed
    heard = [span for find in SOUND for span in find(original)]
    if not _silent(audio, [*masks, *heard, *spoken]):
        return "masked_energy"
    # FLAC is the original outside the masks, whose tones are all silent here: a new one lies at an edge.
    searched = [audio] if is_opus else _edges(audio, masks)
    return "tone" if any(find(piece) for piece in searched for find in SOUND) else None


def _edges(audio: Audio, masks: Sequence[Span]) -> Iterator[Audio]:
    around = (pad(mask, EDGE_MS, EDGE_MS, audio.duration_ms) for mask in masks)
    for first, last in stretches(audio, around):
        yield replace(audio, samples=audio.samples[first:last])


def _found(words: Transcript, detectors: Sequence[Detector], profile: str) -> list[Finding]:
    least = SURE_ONLY.get(profile, 0.0)
    return [finding for finding in search(words, detectors) if finding.confidence >= least]


def _blanked(left: Transcript, said: Transcript) -> Iterator[Span]:
    """Words that the transcript lost, whoever found them."""
    for kept, word in zip(left.words, said.words, strict=True):
        if kept.text != _in_utf8(word.text):
            yield Span(word.start_ms, word.end_ms, Kind.CARD, "blanked", 1.0)


def _without_text(transcript: Transcript | None) -> Transcript | None:
    if transcript is None:
        return None
    words = (replace(w, text="", speaker=_in_utf8(w.speaker)) for w in transcript.words)
    return replace(transcript, words=tuple(words))


def _in_utf8(text: str) -> str:
    """As UTF-8 can hold it."""
    return text.encode("utf-8", "replace").decode()


def _same_outside(audio: Audio, original: Audio, masks: Sequence[Span]) -> bool:
    reached = 0
    for first, last in [*stretches(original, masks), (original.frames, original.frames)]:
        if not np.array_equal(audio.samples[reached:first], original.samples[reached:first]):
            return False
        reached = last
    return True


def _silent(audio: Audio, spans: Sequence[Span]) -> bool:
    return not any(audio.samples[first:last].any() for first, last in stretches(audio, spans))
