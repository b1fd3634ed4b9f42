"""The policy as values: what contract.md's YAML says, parsed and closed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal

from consigne.rules.clock import Duration
from consigne.rules.values import Part


@dataclass(frozen=True, slots=True)
class Controller:
    """The *responsable de traitement*."""

    name: str
    contact: str


@dataclass(frozen=True, slots=True)
class Designation:
    """Who decides, from which local day to which (inclusive; None is open)."""

    user: str
    since: date
    until: date | None


@dataclass(frozen=True, slots=True)
class Agents:
    """Which notice agents must have acknowledged, the CSV file that says who did, and the local day on which
    staff representatives were consulted (None: not said)."""

    notice: str
    acknowledgements: str
    consulted_on: date | None = None


@dataclass(frozen=True, slots=True)
class Reminders:
    """How long before a request lapses, and before a recording goes whose extension was asked or granted, those
    concerned are written to."""

    request: Duration
    recording: Duration


NONE = Duration()


@dataclass(frozen=True, slots=True)
class Backups:
    """For how long a backup of the database, and one of the keyring, may exist at most: snapshots, replicas and log
    archives count. A zero duration: none is made."""

    database: Duration = NONE
    keyring: Duration = NONE


REMINDERS = Reminders(Duration(days=1), Duration(days=14))
"""Where the policy says nothing."""
NO_BACKUPS = Backups()
"""The same."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What callers are told: purposes covered, each with its longest retention."""

    version: str
    announced_within: Duration
    covers: Mapping[str, Duration]
    wording: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Period:
    """When recording for a purpose is allowed, in the policy's zone; days 0 is Monday; dates inclusive."""

    since: date
    until: date
    days: frozenset[int]
    hours: tuple[time, time] | None


@dataclass(frozen=True, slots=True)
class PartRule:
    """How long a part is kept, and the cap no exception passes."""

    retention: Duration
    cap: Duration


@dataclass(frozen=True, slots=True)
class RedactionRule:
    """Which detectors run, and whether a delivery without a transcript can be judged."""

    profile: str
    requires_transcript: bool


@dataclass(frozen=True, slots=True)
class Purpose:
    """A *finalité*. `needs` maps a delivery's field (`trigger`, `other_proof`) to the value it must have."""

    name: str
    title: Mapping[str, str]
    legal_basis: str
    legal_text: str | None
    owner: str
    periods: tuple[Period, ...]
    sampling_rate: Decimal
    parts: Mapping[Part, PartRule]
    epoch_length: Duration
    listeners: Mapping[str, tuple[str, ...]]
    redaction: RedactionRule
    grounds: tuple[str, ...]
    longest_step: Duration
    approval: tuple[str, ...]
    needs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of the policy. `digest` is SHA-256 (hex) of its canonical JSON; `demo` turns breaches of
    the CNIL's limits into warnings."""

    version: str
    in_force_from: datetime
    zone: str
    controller: Controller
    designated: tuple[Designation, ...]
    deputies: tuple[Designation, ...]
    response_time: Duration
    quarantine_deadline: Duration
    clock_skew: Duration
    recording_cap: Duration
    size_cap_bytes: int
    names_kept: Duration
    routing: Mapping[str, tuple[str, ...]]
    agents: Agents | None
    notices: Mapping[str, Notice]
    purposes: Mapping[str, Purpose]
    digest: str
    demo: bool = False
    reminders: Reminders = REMINDERS
    backups: Backups = NO_BACKUPS
