"""Stretches of a recording that hold what must not rest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum


class Kind(StrEnum):
    """What lies in a span. Also the word in brackets that takes its place in a transcript."""

    TONE = "tone"
    CARD = "card"
    CODE = "code"
    EXPIRY = "expiry"
    IBAN = "iban"
    BIC = "bic"
    RIB = "rib"
    NIR = "nir"
    EMAIL = "email"
    PHONE = "phone"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Span:
    """Milliseconds from the start, end excluded; confidence 0 to 1."""

    start_ms: int
    end_ms: int
    kind: Kind
    detector: str
    confidence: float


def merge(spans: Iterable[Span], gap_ms: int = 0) -> tuple[Span, ...]:
    """One span where those of a kind overlap or lie at most `gap_ms` apart; sorted by start, end, kind. The
    surest one gives detector and confidence."""
    merged: list[Span] = []
    latest: dict[Kind, int] = {}
    for span in sorted(spans, key=lambda s: (s.start_ms, s.end_ms)):
        at = latest.get(span.kind)
        if at is None or span.start_ms > merged[at].end_ms + gap_ms:
            latest[span.kind] = len(merged)
            merged.append(span)
        else:
            before = merged[at]
            surest = max(before, span, key=lambda s: s.confidence)
            end_ms = max(before.end_ms, span.end_ms)
            merged[at] = replace(surest, start_ms=before.start_ms, end_ms=end_ms)
    return tuple(sorted(merged, key=lambda s: (s.start_ms, s.end_ms, s.kind)))


def pad(span: Span, before_ms: int, after_ms: int, duration_ms: int) -> Span:
    """The span widened, within the recording."""
    return replace(
        span, start_ms=max(0, span.start_ms - before_ms), end_ms=min(duration_ms, span.end_ms + after_ms)
    )
