"""The ports in memory: what the contract tests hold to the same promises as the real parts, so that the
tests of acts may stand on them."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from consigne.acts.ports import (
    Mac,
    ObjectFacts,
    ObjectVersion,
    Signature,
    Stored,
    Upload,
    Waiting,
)
from consigne.rules.drives import Drive
from consigne.rules.errors import BadInput, Conflict, Misconfigured, Tampered, Unavailable
from consigne.rules.reconcile import Listed
from consigne.rules.values import Private

EPOCH_START = datetime(2026, 1, 1, tzinfo=UTC)


class MemoryStore:
    """`versions` and `evidence` hold what a test may look at: (object, version, body or None for a marker).
    With `away` set, every call is Unavailable."""

    def __init__(self, now: Callable[[], datetime] = lambda: EPOCH_START) -> None:
        self.versions: list[tuple[str, str, bytes | None]] = []
        self.evidence: list[tuple[str, str, bytes | None]] = []
        self.retained: dict[str, datetime] = {}
        self.uploads: list[Upload] = []
        self.modified: dict[str, datetime] = {}  # version → when, else now
        self.plain: set[str] = set()  # versions without the server's encryption
        self.away = False
        self.drives_held = [Drive("drive-1", "0/0", True)]
        self._now, self._numbers = now, count(1)

    def put(self, object: str, data: bytes | bytearray | memoryview, sha256: bytes) -> Stored:
        self._answer()
        if hashlib.sha256(data).digest() != sha256:
            raise Unavailable("store", "put: XAmzContentSHA256Mismatch")
        version = self._version()
        self.versions.append((object, version, bytes(data)))
        return Stored(object, version, len(data))

    def get(self, purpose: str, object: str, version: str) -> bytes:
        self._answer()
        if not object.startswith(f"{purpose}/"):
            raise Misconfigured("store_refused", "get: AccessDenied")
        return _body(self.versions, object, version)

    def inspect(self, object: str, version: str) -> ObjectFacts | None:
        self._answer()
        try:
            encryption = None if version in self.plain else "aws:kms"
            return ObjectFacts(len(_body(self.versions, object, version)), encryption)
        except Conflict:
            return None

    def list_versions(self, prefix: str) -> list[ObjectVersion]:
        self._answer()
        return _listed(self.versions, prefix)

    def versions_after(self, prefix: str, after: str = "") -> Iterator[ObjectVersion]:
        self._answer()
        listed = sorted(_listed(self.versions, prefix), key=lambda version: version.object)
        return iter([version for version in listed if version.object > after])

    def list_uploads_of(self, object: str) -> list[Upload]:
        self._answer()
        return [upload for upload in self.uploads if upload.object == object]

    def walk_versions(self) -> Iterator[Listed]:
        self._answer()
        for name, version, body in sorted(self.versions, key=lambda held: held[0]):
            yield Listed(name, version, body is None, self.modified.get(version, self._now()))

    def list_uploads(self, prefix: str) -> list[Upload]:
        self._answer()
        return [upload for upload in self.uploads if upload.object.startswith(prefix)]

    def delete_versions(self, versions: Sequence[ObjectVersion]) -> None:
        self._answer()
        gone = {(version.object, version.version) for version in versions}
        self.versions = [held for held in self.versions if held[:2] not in gone]

    def abort_uploads(self, uploads: Sequence[Upload]) -> None:
        self._answer()
        self.uploads = [upload for upload in self.uploads if upload not in uploads]

    def publish(self, name: str, data: bytes, retain_until: datetime) -> str:
        self._answer()
        version = self._version()
        self.evidence.append((name, version, data))
        self.retained[version] = retain_until
        return version

    def read_evidence(self, name: str, version: str | None = None) -> bytes:
        self._answer()
        return _body(self.evidence, name, version)

    def list_evidence(self, prefix: str, after: str = "") -> list[ObjectVersion]:
        self._answer()
        found = (held for held in _listed(self.evidence, prefix) if held.object > after)
        return sorted(
            (replace(held, modified_at=self.modified.get(held.version)) for held in found),
            key=lambda held: held.object,
        )

    def drives(self) -> list[Drive]:
        self._answer()
        return self.drives_held

    def server_time(self) -> datetime:
        self._answer()
        return self._now()

    def _answer(self) -> None:
        if self.away:
            raise Unavailable("store", "away")

    def _version(self) -> str:
        return f"00000000-0000-4000-8000-{next(self._numbers):012x}"


def _body(held: Sequence[tuple[str, str, bytes | None]], object: str, version: str | None) -> bytes:
    for name, number, body in reversed(held):
        if name == object and version in (None, number) and body is not None:
            return body
    raise Conflict("absent", "get")


def _listed(held: Sequence[tuple[str, str, bytes | None]], prefix: str) -> list[ObjectVersion]:
    return [
        ObjectVersion(name, version, body is None) for name, version, body in held if name.startswith(prefix)
    ]


class MemoryKeyring:
    """With `away` set, every call is Unavailable."""

    provider = "memory"
    assurance = "logical"

    def __init__(self) -> None:
        self.away = False
        self._epochs: dict[str, bytes] = {}
        self._destroyed: set[str] = set()
        self._signing = [Ed25519PrivateKey.generate()]
        self._macs = {name: [os.urandom(32)] for name in ("blind-index", "tombstone", "draw")}

    def open_epoch(self, name: str) -> None:
        self._answer()
        if name in self._destroyed:
            raise Conflict("epoch_destroyed", name)
        self._epochs.setdefault(name, os.urandom(32))

    def epoch_lives(self, name: str) -> bool:
        self._answer()
        return name in self._epochs

    def epochs(self) -> list[str]:
        self._answer()
        return sorted(self._epochs)

    def destroy_epoch(self, name: str) -> None:
        self._answer()
        self._destroyed.add(name)
        self._epochs.pop(name, None)

    def wrap(self, epoch: str, key: bytes, context: bytes) -> bytes:
        if len(key) != 32:
            raise BadInput("data_key_length")
        nonce = os.urandom(12)
        return nonce + AESGCM(self._epoch(epoch)).encrypt(nonce, key, context + epoch.encode())

    def unwrap(self, epoch: str, wrapped: bytes, context: bytes) -> bytes:
        key = AESGCM(self._epoch(epoch))
        try:
            return key.decrypt(wrapped[:12], wrapped[12:], context + epoch.encode())
        except (InvalidTag, ValueError):
            raise Tampered("wrapped_key", epoch) from None

    def sign(self, message: bytes) -> Signature:
        self._answer()
        return Signature(f"signing-{len(self._signing)}", self._signing[-1].sign(message))

    def public_keys(self) -> dict[str, bytes]:
        self._answer()
        return {
            f"signing-{version}": key.public_key().public_bytes_raw()
            for version, key in enumerate(self._signing, 1)
        }

    def mac(self, name: str, message: bytes, version: int | None = None) -> Mac:
        self._answer()
        if name not in self._macs:
            raise Misconfigured("keyring_key_unknown", name)
        chosen = len(self._macs[name]) if version is None else version
        if chosen not in self.versions(name):
            raise Misconfigured("keyring_key_missing", name)
        return Mac(chosen, hmac.digest(self._macs[name][chosen - 1], message, "sha256"))

    def versions(self, name: str) -> list[int]:
        self._answer()
        if name not in ("signing", *self._macs):
            raise Misconfigured("keyring_key_unknown", name)
        return list(range(1, len(self._signing if name == "signing" else self._macs[name]) + 1))

    def rotate(self, name: str) -> int:
        if name == "root":
            return 0
        self.versions(name)
        if name == "signing":
            self._signing.append(Ed25519PrivateKey.generate())
        else:
            self._macs[name].append(os.urandom(32))
        return self.versions(name)[-1]

    def _epoch(self, name: str) -> bytes:
        self._answer()
        if name not in self._epochs:
            raise Conflict("epoch_gone", name)
        return self._epochs[name]

    def _answer(self) -> None:
        if self.away:
            raise Unavailable("keyring", "away")


class MemoryIntake:
    """`deliver` puts a pair there; either half may be missing. Nothing settles: all is complete at once."""

    source = "memory"

    def __init__(self, now: Callable[[], datetime] = lambda: EPOCH_START) -> None:
        self._now, self._numbers = now, count(1)
        self._held: dict[str, tuple[bytes | None, bytes | None, Waiting]] = {}
        self.away = False

    def deliver(self, stem: str, audio: bytes | None, metadata: bytes | None, suffix: str = "wav") -> None:
        trouble = (
            ("missing_audio", "audio")
            if audio is None
            else ("bad_json", "json")
            if metadata is None
            else None
        )
        place = Waiting(
            stem, stem,
            None if audio is None else f"{stem}.{suffix}",
            None if metadata is None else f"{stem}.json",
            f"{next(self._numbers)}", self._now(), trouble,
        )  # fmt: skip
        self._held[stem] = (audio, metadata, place)

    def waiting(self, size_cap_bytes: int, only: Collection[str] | None = None) -> Iterator[Waiting]:
        self._answer()
        for audio, metadata, place in list(self._held.values()):
            if only is not None and place.fingerprint not in only:
                continue
            if audio is not None and metadata is not None and len(audio) > size_cap_bytes:
                yield Waiting(
                    place.stem, place.label, place.audio, place.json, place.fingerprint, place.arrived_at,
                    ("too_large", "audio"),
                )  # fmt: skip
            else:
                yield place

    def read_json(self, found: Waiting) -> Private[bytes]:
        return Private(self._same(found, 1))

    def read_audio(self, found: Waiting) -> Private[bytes]:
        return Private(self._same(found, 0))

    def clear(self, found: Waiting) -> None:
        self._answer()
        held = self._held.get(found.stem)
        if held is not None and held[2].fingerprint == found.fingerprint:
            del self._held[found.stem]

    def _same(self, found: Waiting, half: int) -> bytes:
        self._answer()
        held = self._held.get(found.stem)
        content = None if held is None or held[2].fingerprint != found.fingerprint else held[half]
        if not isinstance(content, bytes):
            raise Conflict("changed")
        return content

    def _answer(self) -> None:
        if self.away:
            raise Unavailable("intake", self.source)
