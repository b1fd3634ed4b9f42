"""What a source hands in, in one form for every origin."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from consigne.rules.values import Private


@dataclass(frozen=True, slots=True)
class Word:
    """A word, or a whole segment where the source has no word times; times in ms from the start."""

    text: str
    start_ms: int
    end_ms: int
    speaker: str


@dataclass(frozen=True, slots=True)
class Transcript:
    """Words in time order; `by_word` is false where each entry is a segment (masked as a whole)."""

    words: tuple[Word, ...]
    by_word: bool = True


@dataclass(frozen=True, slots=True)
class NoticePlayed:
    """Which notice the caller heard, and when after the start."""

    version: str
    played_at_ms: int


@dataclass(frozen=True, slots=True)
class Objection:
    """The caller objected, to some purposes or (empty) to all."""

    at_ms: int
    purposes: tuple[str, ...]
    alternative: str | None


@dataclass(frozen=True, slots=True)
class IncomingRecording:
    """One call as delivered. Instants are UTC. Caller, callee, reference and words are private."""

    source: str
    id: str
    started_at: datetime
    ended_at: datetime
    direction: str
    caller: Private[str]
    callee: Private[str]
    agent: str
    queue: str
    language: str
    purposes: tuple[str, ...] | None
    notice: NoticePlayed | None
    objection: Objection | None
    channels: tuple[str, ...]
    transcript: Private[Transcript] | None
    draw: str | None
    trigger: str | None
    other_proof: str | None
    customer_ref: Private[str] | None

    @property
    def duration_ms(self) -> int:
        """As the source states it; the checks compare it with the decoded audio."""
        return round((self.ended_at - self.started_at).total_seconds() * 1000)
