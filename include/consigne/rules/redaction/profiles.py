"""What a purpose's redaction looks for: `redaction.profile` in the policy names one of these."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from consigne.rules.audio.pcm import Audio
from consigne.rules.redaction import bank, cards, codes, identity, tones
from consigne.rules.redaction.spans import Span
from consigne.rules.redaction.transcript import Detector


@dataclass(frozen=True, slots=True)
class Profile:
    """Detectors in sound and in text (in this order: codes are looked for beside cards, BICs beside IBANs), and by how much
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
        bank.find_iban,
        bank.find_bic,
        bank.find_rib,
        identity.find_nir,
    ),
    pad_sound_ms=60,
    pad_text_before_ms=150,
    pad_text_after_ms=200,
)
PAYMENT_AND_CONTACT = replace(PAYMENT, in_text=(*PAYMENT.in_text, identity.find_email, identity.find_phone))

PROFILES: Mapping[str, Profile] = MappingProxyType(
    {"payment": PAYMENT, "payment_and_contact": PAYMENT_AND_CONTACT}
)
