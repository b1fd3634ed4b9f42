"""Values that every floor shares."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar
from uuid import UUID

T = TypeVar("T")


class Private(Generic[T]):
    """Content or personal data on its way through: its repr shows nothing, `reveal` gives the value."""

    __slots__ = ("_value",)

    def __init__(self, value: T) -> None:
        self._value = value

    def reveal(self) -> T:
        """The value itself; the caller keeps it out of messages, logs and XCom."""
        return self._value

    def __repr__(self) -> str:
        return "Private(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Private) and bool(self._value == other._value)

    def __hash__(self) -> int:
        return hash(("Private", self._value))

    def __reduce__(self) -> str:
        raise TypeError("Private values are not serialised")


class Part(StrEnum):
    """What an artifact holds of a recording."""

    AUDIO = "audio"
    TRANSCRIPT = "transcript"
    ANALYSIS_SHEET = "analysis_sheet"


class DeliveryState(StrEnum):
    """design.md, section 4."""

    CLAIMED = "claimed"
    VALID = "valid"
    ADMITTED = "admitted"
    PROTECTED = "protected"
    CLEARED = "cleared"
    REFUSED = "refused"
    QUARANTINED = "quarantined"


class ArtifactState(StrEnum):
    """design.md, section 4."""

    STORING = "storing"
    KEPT = "kept"
    ERASING = "erasing"
    ERASED = "erased"


@dataclass(frozen=True, slots=True)
class Admitted:
    """The gate lets a delivery in for a purpose."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A rule said no; `code` is one of contract.md's *Refused* codes."""

    code: str


@dataclass(frozen=True, slots=True)
class Quarantined:
    """It could not be judged; `detail` names the field or check, never a value; `checks` are the ids of the
    checks on deliveries (`rules.checks`) that failed."""

    code: str
    detail: str = ""
    checks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Actor:
    """A person or a part of Consigne that acts; `user` is Airflow's user name."""

    user: str
    roles: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class MaskedInterval:
    """A stretch of a recording that was replaced: milliseconds from its start, and what kind of data lay
    there (`tone`, `card`, `code`, `expiry`); never the data."""

    start_ms: int
    end_ms: int
    kind: str


@dataclass(frozen=True, slots=True)
class ArtifactName:
    """What binds a key and an object to one attempt at one artifact."""

    artifact: UUID
    attempt: UUID
    purpose: str

    def context(self) -> bytes:
        """Associated data of the wrapped key: artifact (16 bytes) ‖ attempt (16 bytes) ‖ purpose (UTF-8)."""
        return self.artifact.bytes + self.attempt.bytes + self.purpose.encode()
