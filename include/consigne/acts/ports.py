"""What acts need of the outside world. Adapters conform structurally; `doors/wiring.py` proves it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from consigne.rules.audio.pcm import Audio
from consigne.rules.checks import Row
from consigne.rules.drives import Drive
from consigne.rules.reconcile import Listed
from consigne.rules.recording import Transcript
from consigne.rules.values import Private, Quarantined


@dataclass(frozen=True, slots=True)
class Stored:
    """An object version in `recordings`, as the store recorded it."""

    object: str
    version: str
    bytes: int


@dataclass(frozen=True, slots=True)
class ObjectFacts:
    """What HEAD by version says: length, and the server-side encryption (`aws:kms`) or None."""

    bytes: int
    encryption: str | None


@dataclass(frozen=True, slots=True)
class ObjectVersion:
    """A version or a delete marker under a prefix; `modified_at`: when the store says that it took it."""

    object: str
    version: str
    is_marker: bool
    modified_at: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Upload:
    """An incomplete multipart upload under a prefix."""

    object: str
    upload: str


class Store(Protocol):
    """MinIO. Each method uses the one identity that may do it. Faults: Unavailable, Misconfigured, Tampered."""

    def put(self, object: str, data: bytes | bytearray | memoryview, sha256: bytes) -> Stored:
        """Single PUT into `recordings` as `ingest`; the server checks the body against its SHA-256 (32
        bytes), which the caller has computed: once is enough for both."""

    def get(self, purpose: str, object: str, version: str) -> bytes:
        """Read one version as `listen-<purpose>`. Conflict('absent') where it is gone."""

    def inspect(self, object: str, version: str) -> ObjectFacts | None:
        """HEAD one version as `reconcile`; None where absent."""

    def list_versions(self, prefix: str) -> list[ObjectVersion]:
        """Versions and markers under a prefix, as `expire` (where nothing is deleted: as `reconcile`)."""

    def versions_after(self, prefix: str, after: str = "") -> Iterator[ObjectVersion]:
        """The same by name, as they are read, those alone whose name comes after `after`."""

    def walk_versions(self) -> Iterator[Listed]:
        """Every version and marker in `recordings` by object name, ascending, as `reconcile`; a page at a time."""

    def list_uploads(self, prefix: str) -> list[Upload]:
        """Incomplete uploads whose object name is exactly or begins with the prefix, as `list_versions`."""

    def list_uploads_of(self, object: str) -> list[Upload]:
        """Incomplete uploads of exactly this name, as `list_versions`."""

    def delete_versions(self, versions: Sequence[ObjectVersion]) -> None:
        """Delete each by version, as `expire`; idempotent; Unavailable where any failed."""

    def abort_uploads(self, uploads: Sequence[Upload]) -> None:
        """Abort each, as `expire`; idempotent."""

    def publish(self, name: str, data: bytes, retain_until: datetime) -> str:
        """PUT into `evidence` under compliance lock as `evidence`; returns the version."""

    def read_evidence(self, name: str, version: str | None = None) -> bytes:
        """Read from `evidence` as `evidence-reader`; Conflict('absent') where there is none."""

    def list_evidence(self, prefix: str, after: str = "") -> list[ObjectVersion]:
        """Versions in `evidence` under a prefix whose names come after this one, as `evidence-reader`."""

    def drives(self) -> list[Drive]:
        """What it stores on, and which of it is away, as `expire`."""

    def server_time(self) -> datetime:
        """The `Date` of the store's answer, UTC: the second clock."""


@dataclass(frozen=True, slots=True)
class Signature:
    """Ed25519 (64 bytes) by the named key version."""

    key: str
    bytes: bytes


@dataclass(frozen=True, slots=True)
class Mac:
    """HMAC-SHA-256 under a version of a keyring key."""

    version: int
    digest: bytes


class Keyring(Protocol):
    """Root → epoch key → data key. Faults: Unavailable, Misconfigured, Conflict, Tampered."""

    @property
    def provider(self) -> str:
        """The URI's scheme, as certificates name it."""

    @property
    def assurance(self) -> str:
        """`logical`, `provider-attested` or `hsm`."""

    def open_epoch(self, name: str) -> None:
        """Make the epoch's key unless it lives; Conflict('epoch_destroyed') for a destroyed name, for ever."""

    def epoch_lives(self, name: str) -> bool:
        """Whether the epoch's key exists now."""

    def epochs(self) -> list[str]:
        """Names of the epochs whose keys live."""

    def destroy_epoch(self, name: str) -> None:
        """Destroy the key and reserve the name; idempotent."""

    def wrap(self, epoch: str, key: bytes, context: bytes) -> bytes:
        """Wrap a 32-byte data key, bound to the context. Conflict('epoch_gone') without the epoch's key."""

    def unwrap(self, epoch: str, wrapped: bytes, context: bytes) -> bytes:
        """The data key. Conflict('epoch_gone'); Tampered for a wrong context or altered bytes."""

    def sign(self, message: bytes) -> Signature:
        """By the newest signing key."""

    def public_keys(self) -> dict[str, bytes]:
        """Key name → Ed25519 public key (32 bytes), every version."""

    def mac(self, name: str, message: bytes, version: int | None = None) -> Mac:
        """name is `blind-index`, `tombstone` or `draw`; the newest version unless one is asked."""

    def versions(self, name: str) -> list[int]:
        """The versions of `signing` or of a key that `mac` knows, oldest first; never empty."""

    def rotate(self, name: str) -> int:
        """A new version of `signing` or of a key that `mac` knows, used from now on; the old ones stay. Of `root`:
        a new root under which every key is wrapped anew (0 where the provider has none of ours to rotate). Returns
        the version. Killed at any point, everything opens as before or after."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A pair (or a lone file past the age limit) found in intake. `fingerprint` changes with any byte's time,
    size or file identity; `trouble` is a quarantine code found without reading content (`too_large`,
    `missing_audio`, `bad_json` for audio whose JSON never came), with its detail; `label` is the stem
    where it may be shown, else a digest's first 12 hex digits."""

    stem: str
    label: str
    audio: str | None
    json: str | None
    fingerprint: str
    arrived_at: datetime
    trouble: tuple[str, str] | None


class Intake(Protocol):
    """A source's waiting place. Nothing outside it is ever followed or removed."""

    @property
    def source(self) -> str:
        """The source's name, `folder` for the shipped one."""

    def waiting(self, size_cap_bytes: int, only: Collection[str] | None = None) -> Iterator[Waiting]:
        """What lies there, complete and no longer changing, oldest first, or `only` what has one of these fingerprints;
        never reads content."""

    def read_json(self, found: Waiting) -> Private[bytes]:
        """The metadata's bytes; Conflict('changed') where the fingerprint differs, before or after reading."""

    def read_audio(self, found: Waiting) -> Private[bytes]:
        """The audio's bytes, as above."""

    def clear(self, found: Waiting) -> None:
        """Remove the delivery's files if they are still the ones named; idempotent."""


class Checker(Protocol):
    """Great Expectations over a batch of rows (see rules/checks.py)."""

    def check(self, rows: Sequence[Row]) -> list[list[str]]:
        """For each row the ids of the checks that it fails; no value leaves the call."""


class Transcriber(Protocol):
    """Words for a recording whose delivery brought none. Faults: Misconfigured, Unavailable."""

    @property
    def configured(self) -> bool:
        """Whether there is one at all; `transcribe` is called only then."""

    def transcribe(
        self, audio: Private[Audio], language: str, speakers: Sequence[str]
    ) -> Private[Transcript] | Quarantined:
        """What is said, at least one word, by word times within the recording, in their order; `language` is the
        delivery's tag, `speakers` one name a channel. Where it cannot be had from this recording: `needs_transcript`,
        its detail `transcriber_…`. Nothing of it is written anywhere."""


class Names(Protocol):
    """Who finds people's names. Faults: Misconfigured where there is nobody."""

    def find(self, transcript: Private[Transcript], language: str) -> Private[tuple[str, ...]] | Quarantined:
        """Names as they were said; `language` is the delivery's tag. Where its language is not known: `not_proven`,
        `names_language`."""


@dataclass(frozen=True, slots=True)
class Message:
    """A row of `messages`: a person (account) is told something about a subject (an identifier or a day)."""

    id: UUID
    recipient: str
    kind: str
    subject: str
    made_at: datetime
    tries: int


@dataclass(frozen=True, slots=True)
class Letter:
    """A message in words, as it goes out; sent twice, it carries the same identifier."""

    id: UUID
    to: str
    title: str
    body: str
    written_at: datetime


class Mailer(Protocol):
    """A mail server. Unavailable where it is away, slow or does not let us in; Misconfigured."""

    def send(self, letter: Letter) -> str | None:
        """None: the server took it; else why it did not, for this letter alone: `refused`, `bad_address`."""


class Witness(Protocol):
    """Somebody outside who was told of published checkpoints. Faults: Unavailable, Misconfigured."""

    @property
    def listens(self) -> bool:
        """Whether there is anybody."""

    def tell(self, note: bytes) -> bool:
        """Tell a checkpoint (a signed note); told twice, nothing changes. False where there is nobody."""

    def told(self) -> list[bytes] | None:
        """The notes that were told, oldest first; None where nobody can be asked."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A row of `deliveries`, as a step claims it."""

    id: UUID
    source: str
    source_id: str
    stem_digest: bytes
    fingerprint: str
    state: str
    code: str | None
    findings: Sequence[str]  # ids of checks
    received_at: datetime
    deadline: datetime | None
    identity_digest: bytes | None
    content_digest: bytes | None
    audio_digest: bytes | None
    recording: UUID | None


@dataclass(frozen=True, slots=True)
class Artifact:
    """A row of `artifacts`."""

    id: UUID
    recording: UUID
    purpose: str
    part: str
    state: str
    restricted: bool
    due_at: datetime
    cap_at: datetime
    epoch: str
    attempt: UUID
    object: str
    version: str
    digest: bytes
    bytes: int
    hold: UUID | None = None
    unheld_due_at: datetime | None = None

    @property
    def own_due_at(self) -> datetime:
        """When its own clock ends, whether or not a hold keeps it longer."""
        return self.unheld_due_at or self.due_at


@dataclass(frozen=True, slots=True)
class Epoch:
    """A row of `epochs`."""

    name: str
    purpose: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A row of `data_keys`: an attempt's key, wrapped under an epoch."""

    attempt: UUID
    epoch: str
    wrapped: bytes


@dataclass(frozen=True, slots=True)
class Known:
    """What the catalog remembers of a call's identity: its content's digest, the purposes it was erased for, and
    whether nothing of it is left."""

    content_digest: bytes | None
    erased: frozenset[str]
    is_gone: bool


@dataclass(frozen=True, slots=True)
class DueRow:
    """An artifact that a run would take: `ended_for` says why its clock was ended, where its period is not why."""

    id: UUID
    recording: UUID
    purpose: str
    part: str
    state: str
    due_at: datetime
    epoch: str
    ended_for: str | None


@dataclass(frozen=True, slots=True)
class Erasure:
    """A tombstone on its way: what is done of an artifact's deletion."""

    artifact: UUID
    recording: UUID
    purpose: str
    part: str
    epoch: str
    attempt: UUID
    object: str
    ground: str
    erasing_at: datetime
    due_at: datetime
    policy: str
    earlier_epochs: Sequence[str]
    version: str
    identity_digest: bytes
    audio_digest: bytes
    key_version: int
    published_at: datetime | None
    key_deleted_at: datetime | None
    versions_deleted: int | None
    uploads_aborted: int | None
    absent_at: datetime | None
    drives_away: int | None


@dataclass(frozen=True, slots=True)
class Objected:
    """A kept artifact that an objection binds; `is_extended`: a decision keeps it beyond its own end."""

    artifact: UUID
    recording: UUID
    purpose: str
    objection: UUID
    is_extended: bool
