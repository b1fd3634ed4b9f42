"""Whether what will be stored is what it must be: decoded afresh, judged by detectors of its own.

Nothing here comes from the profile that made the masks, so that a detector missing there, a mask too short
or a codec that gives back more than it got is seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import MappingProxyType

import numpy as np

from consigne.rules.audio import codecs
from consigne.rules.audio.pcm import Audio
from consigne.rules.errors import BadInput
from consigne.rules.recording import Transcript
from consigne.rules.redaction import bank, cards, codes, identity, tones
from consigne.rules.redaction.mask import stretches
from consigne.rules.redaction.spans import Span
from consigne.rules.redaction.transcript import Detector, decode, place, search, suspected

SOUND = (partial(tones.find, setting=tones.PROOF, sequence_gap_ms=0),)
ALWAYS = (cards.find, codes.find, bank.find_iban, bank.find_bic, bank.find_rib, identity.find_nir)
TEXT: Mapping[str, tuple[Detector, ...]] = MappingProxyType(
    {"payment": ALWAYS, "payment_and_contact": (*ALWAYS, identity.find_email, identity.find_phone)}
)
ROUNDING_MS = 1


def prove_audio(
    stored: bytes,
    original: Audio,
    transcript: Transcript | None,
    masks: Sequence[Span],
    profile: str = "payment",
) -> str | None:
    """The check that `stored` (FLAC) fails, or None: `decodes`, `duration`, `unmasked_samples` (outside the
    masks it is the original), `masked_energy` (not silent in the masks, or where the original's sound or
    transcript holds something), `tone` (one is left), `word_times`."""
    try:
        audio = codecs.read(stored, ".flac", original.duration_ms + ROUNDING_MS)
    except BadInput:
        return "decodes"
    if (audio.rate_hz, audio.samples.shape) != (original.rate_hz, original.samples.shape):
        return "duration"
    if not _same_outside(audio, original, masks):
        return "unmasked_samples"
    try:
        spoken = _spoken(transcript, original, profile) if transcript else ()
    except BadInput as fault:
        return fault.where
    heard = [span for find in SOUND for span in find(original)]
    if not _silent(audio, [*masks, *heard, *spoken]):
        return "masked_energy"
    return "tone" if any(find(audio) for find in SOUND) else None


def prove_transcript(stored: bytes, original: Transcript, profile: str = "payment") -> str | None:
    """The check that `stored` (what `transcript.encode` writes) fails, or None: `words` (their number, times
    and speakers are the original's), `transcript` (nothing is found in it), `speaker`."""
    masked = decode(stored)
    if _without_text(masked) != _without_text(original):
        return "words"
    if search(masked, TEXT[profile]) or suspected(masked):
        return "transcript"
    return "speaker" if any(cards.scan(name) for name in {w.speaker for w in masked.words}) else None


def _without_text(transcript: Transcript) -> Transcript:
    """Speakers as UTF-8 can hold them."""
    words = (
        replace(w, text="", speaker=w.speaker.encode("utf-8", "replace").decode()) for w in transcript.words
    )
    return replace(transcript, words=tuple(words))


def _spoken(transcript: Transcript, original: Audio, profile: str) -> tuple[Span, ...]:
    return place(transcript, search(transcript, TEXT[profile]), original.duration_ms)


def _same_outside(audio: Audio, original: Audio, masks: Sequence[Span]) -> bool:
    reached = 0
    for first, last in [*stretches(original, masks), (original.frames, original.frames)]:
        if not np.array_equal(audio.samples[reached:first], original.samples[reached:first]):
            return False
        reached = last
    return True


def _silent(audio: Audio, spans: Sequence[Span]) -> bool:
    return not any(audio.samples[first:last].any() for first, last in stretches(audio, spans))
