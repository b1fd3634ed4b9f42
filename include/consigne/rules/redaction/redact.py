"""The one way in: a delivery's sound and words go in, what may be stored comes out, or a reason why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from consigne.rules.audio import codecs
from consigne.rules.audio.pcm import Audio
from consigne.rules.errors import BadInput, Misconfigured
from consigne.rules.recording import Transcript
from consigne.rules.redaction.mask import silence
from consigne.rules.redaction.profiles import PROFILES, Profile
from consigne.rules.redaction.prove import prove_audio, prove_transcript
from consigne.rules.redaction.spans import Span, merge, pad
from consigne.rules.redaction.transcript import Finding, blank, encode, place, search, suspected
from consigne.rules.values import MaskedInterval, Private, Quarantined

MAX_ROUNDS = 4


@dataclass(frozen=True, slots=True)
class Protected:
    """What may be stored. `audio` is FLAC, `transcript` canonical JSON; `masked` is sorted by start."""

    audio: Private[bytes]
    transcript: Private[bytes] | None
    masked: tuple[MaskedInterval, ...]
    duration_ms: int
    channels: int
    rate_hz: int


def protect(
    audio: Private[bytes],
    suffix: str,
    transcript: Private[Transcript] | None,
    profile: str,
    requires_transcript: bool,
    cap_ms: int,
) -> Protected | Quarantined:
    """Find, mask and prove. `suffix` is the audio file's, with its dot; `cap_ms` the longest recording.

    A transcript without words is none where one is required. Quarantined with a code of contract.md and the field or check. Misconfigured for an unknown profile.
    """
    if profile not in PROFILES:
        raise Misconfigured("unknown_profile", "redaction.profile")
    try:
        original = codecs.read(audio.reveal(), suffix, cap_ms)
        words = transcript.reveal() if transcript else None
        if requires_transcript and not (words and words.words):
            return Quarantined("needs_transcript", "transcript")
        if words and suspected(words):
            return Quarantined("suspected_missed", "transcript")
        return _protect(original, words, profile)
    except BadInput as fault:
        return Quarantined(fault.code, fault.where)


def _protect(original: Audio, words: Transcript | None, name: str) -> Protected | Quarantined:
    profile = PROFILES[name]
    masked_words, findings = _blank(words, profile) if words else (None, [])
    masks = _masks(original, words, findings, profile)
    stored = codecs.write(silence(original, masks))
    failed = prove_audio(stored, original, words, masks, name)
    text = encode(masked_words) if masked_words else None
    if not failed and text and words:
        failed = prove_transcript(text, words, name)
    if failed:
        return Quarantined("not_proven", failed)
    return Protected(
        Private(stored),
        Private(text) if text else None,
        tuple(MaskedInterval(s.start_ms, s.end_ms, s.kind.value) for s in masks),
        original.duration_ms,
        original.channels,
        original.rate_hz,
    )


def _blank(words: Transcript, profile: Profile) -> tuple[Transcript, list[Finding]]:
    """The masked transcript and all that was found. Repeated, since words blanked bring others nearer to
    what explains them."""
    findings: list[Finding] = []
    for _ in range(MAX_ROUNDS):
        found = search(words, profile.in_text)
        if not found:
            break
        findings += found
        words = blank(words, found)
    return words, findings


def _masks(
    original: Audio, words: Transcript | None, findings: Sequence[Finding], profile: Profile
) -> tuple[Span, ...]:
    length_ms = original.duration_ms
    heard = (span for find in profile.in_sound for span in find(original))
    spans = [pad(span, profile.pad_sound_ms, profile.pad_sound_ms, length_ms) for span in heard]
    if words:
        before_ms, after_ms = profile.pad_text_before_ms, profile.pad_text_after_ms
        spans += [pad(s, before_ms, after_ms, length_ms) for s in place(words, findings, length_ms)]
    return merge(spans)
