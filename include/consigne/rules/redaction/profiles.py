"""What a purpose's redaction looks for: `redaction.profile` in the policy names one of these."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from consigne.rules.audio.pcm import Audio
from consigne.rules.redaction import cards, codes, tones
from consigne.rules.redaction.spans import Span
from consigne.rules.redaction.transcript import Detector


@dataclass(frozen=True, slots=True)
class Profile:
    """Detectors in sound and in text (in this order: codes are looked for beside cards), and by how much
    the spans of each are widened."""

    in_sound: tuple[Callable[[Audio], tuple[Span, ...]], ...]
    in_text: tuple[Detector, ...]
    pad_sound_ms: int
    pad_text_before_ms: int
    pad_text_after_ms: int


PAYMENT = Profile(
    in_sound=(tones.find,),
    in_text=(
        cards.find,
        codes.find,
    ),
    pad_sound_ms=60,
    pad_text_before_ms=150,
    pad_text_after_ms=200,
)

PROFILES: Mapping[str, Profile] = MappingProxyType({"payment": PAYMENT})
