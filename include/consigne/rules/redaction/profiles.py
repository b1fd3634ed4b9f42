"""What a purpose's redaction looks for: `redaction.profile` in the policy names one of these."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from consigne.rules.audio.pcm import Audio
from consigne.rules.redaction import bank, cards, codes, identity, parts, tones
from consigne.rules.redaction.spans import Span
from consigne.rules.redaction.transcript import Detector

SURE = 0.6


@dataclass(frozen=True, slots=True)
class Profile:
    """Detectors in sound and in text (in this order: BICs are looked for beside IBANs, parts of cards in what no
    check explains, codes beside cards), and by how much the spans of each are widened. `in_doubt` says what is
    favoured where a detector is less than SURE."""

    in_sound: tuple[Callable[[Audio], tuple[Span, ...]], ...]
    in_text: tuple[Detector, ...]
    pad_sound_ms: int
    pad_text_before_ms: int
    pad_text_after_ms: int
    in_doubt: Literal["mask", "leave"]

    @property
    def least(self) -> float:
        """The least confidence that is masked."""
        return SURE if self.in_doubt == "leave" else 0.0


PAYMENT = Profile(
    in_sound=(tones.find,),
    in_text=(
        cards.find,
        bank.find_iban,
        bank.find_bic,
        bank.find_rib,
        identity.find_nir,
        parts.find,
        codes.find,
    ),
    pad_sound_ms=60,
    pad_text_before_ms=150,
    pad_text_after_ms=200,
    in_doubt="mask",
)
PAYMENT_AND_CONTACT = replace(PAYMENT, in_text=(*PAYMENT.in_text, identity.find_email, identity.find_phone))

PROFILES: Mapping[str, Profile] = MappingProxyType(
    {
        "payment": PAYMENT,
        "payment_when_sure": replace(PAYMENT, in_doubt="leave"),
        "payment_and_contact": PAYMENT_AND_CONTACT,
        "payment_and_names": PAYMENT,
    }
)
WITH_NAMES = frozenset({"payment_and_names"})
"""Profiles that are not whole without a detector of names, handed in."""
