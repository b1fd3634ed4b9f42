"""The one way in: a delivery's sound and words go in, what may be stored comes out, or a reason why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from consigne.rules.audio import codecs
from consigne.rules.audio.pcm import Audio
from consigne.rules.errors import BadInput, Misconfigured
from consigne.rules.recording import Transcript
from consigne.rules.redaction.mask import forms
from consigne.rules.redaction.profiles import PROFILES, WITH_NAMES, Profile
from consigne.rules.redaction.prove import prove
from consigne.rules.redaction.spans import Span, merge, pad
from consigne.rules.redaction.suspicion import suspect
from consigne.rules.redaction.transcript import Detector, Finding, blank, encode, place, search
from consigne.rules.soundness import Soundness, measure
from consigne.rules.values import MaskedInterval, Private, Quarantined

MAX_ROUNDS = 4


@dataclass(frozen=True, slots=True)
class Protected:
    """What may be stored, and how the original sounds. `audio` is FLAC, or Ogg/Opus where that came in;
    `transcript` canonical JSON; `masked` is sorted by start."""

    audio: Private[bytes]
    transcript: Private[bytes] | None
    masked: tuple[MaskedInterval, ...]
    duration_ms: int
    channels: int
    rate_hz: int
    sound: Soundness


def protect(
    audio: Private[bytes],
    suffix: str,
    transcript: Private[Transcript] | None,
    profile: str,
    requires_transcript: bool,
    cap_ms: int,
    extra: Sequence[Detector] = (),
) -> Protected | Quarantined:
    """Find, mask, prove, and look for what was missed. `suffix` is the audio file's, with its dot; `cap_ms` the
    longest recording; `extra` detectors search the transcript after the profile's.

    A transcript without words is none where one is required. Quarantined with a code of contract.md and the
    field, check or suspicion. Misconfigured for an unknown profile.
    """
    if profile not in PROFILES:
        raise Misconfigured("unknown_profile", "redaction.profile")
    if transcript and profile in WITH_NAMES and not extra:
        raise Misconfigured("no_names_model", "redaction.profile", "nobody looks for names")
    try:
        original = codecs.read(audio.reveal(), suffix, cap_ms)
        words = transcript.reveal() if transcript else None
        if requires_transcript and not (words and words.words):
            return Quarantined("needs_transcript", "transcript")
        return _protect(audio.reveal(), original, words, profile, extra)
    except BadInput as fault:
        return Quarantined(fault.code, fault.where)


def _protect(
    delivered: bytes, original: Audio, words: Transcript | None, name: str, extra: Sequence[Detector]
) -> Protected | Quarantined:
    profile = PROFILES[name]
    left, findings = _blank(words, profile, extra) if words else (None, [])
    masks = _masks(original, words, findings, profile)
    text = encode(left) if left else None
    failed: str | None = None
    for stored in forms(delivered, original, masks):
        failed = prove(stored, text, original, words, masks, name, extra)
        if not failed:
            break
    if failed:
        return Quarantined("not_proven", failed)
    suspicion = suspect(left, original, masks)
    if suspicion:
        return Quarantined("suspected_missed", suspicion)
    return Protected(
        Private(stored),
        Private(text) if text else None,
        tuple(MaskedInterval(s.start_ms, s.end_ms, s.kind.value) for s in masks),
        original.duration_ms,
        original.channels,
        original.rate_hz,
        measure(original, words),
    )


def _blank(
    words: Transcript, profile: Profile, extra: Sequence[Detector]
) -> tuple[Transcript, list[Finding]]:
    """The masked transcript and all that was found. Repeated, since words blanked bring others nearer to
    what explains them."""
    findings: list[Finding] = []
    for _ in range(MAX_ROUNDS):
        found = [f for f in search(words, (*profile.in_text, *extra)) if f.confidence >= profile.least]
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
        before_ms, after_ms = (
            pad_ms + original.smear_ms for pad_ms in (profile.pad_text_before_ms, profile.pad_text_after_ms)
        )
        spans += [pad(s, before_ms, after_ms, length_ms) for s in place(words, findings, length_ms)]
    return merge(spans)
