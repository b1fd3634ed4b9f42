"""What the evidence bucket says, as far as a key of ours signed it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from consigne.acts.journey import Platform
from consigne.rules.clock import iso, parse_instant
from consigne.rules.errors import Conflict
from consigne.rules.evidence.certificate import ROOM as CHUNK
from consigne.rules.evidence.certificate import Certificate, open_certificate
from consigne.rules.evidence.errors import EvidenceError
from consigne.rules.evidence.proofs import open_checkpoint
from consigne.rules.evidence.restoration import Declared, Restored, open_restoration
from consigne.rules.evidence.signature import Checkpoint

CHECKPOINTS = "checkpoints/"
CERTIFICATES = "certificates/"
RESTORATIONS = "restorations/"
LATE = timedelta(hours=1)
"""How long after it was written a thing may come to be published, two transactions apart."""

Opened = TypeVar("Opened")


def checkpoint_name(size: int) -> str:
    """The object of a published checkpoint."""
    return f"{CHECKPOINTS}{size:012d}"


def since(room: str, newest: datetime | None) -> str:
    """The name after which a room's objects, which begin with an instant, may be news to a catalog whose newest is
    this one."""
    return room if newest is None else f"{room}{iso(newest - LATE)}"


def newest_published(platform: Platform) -> Checkpoint | None:
    """The largest checkpoint of the catalog's own register that is larger than what the catalog has sealed."""
    with platform.catalog.begin() as tx:
        origin = platform.catalog.register_origin(tx)
        own = platform.catalog.newest_checkpoint(tx)
    size = 0 if own is None else int(own["size"])
    found = [one for one in published(platform, size) if one.origin == origin]
    return max(found, key=lambda one: one.size, default=None)


def published(platform: Platform, above: int) -> list[Checkpoint]:
    """Checkpoints over more entries than these, of any origin."""
    return list(_opened(platform, CHECKPOINTS, checkpoint_name(above), open_checkpoint))


def restorations(platform: Platform) -> list[Restored | Declared]:
    """Every restoration note, and every declaration of one."""
    return list(_opened(platform, RESTORATIONS, "", open_restoration))


def certificates(platform: Platform, origin: str, after: str) -> Iterator[list[tuple[Certificate, bytes]]]:
    """The certificates of this installation, object by object, each with its file."""
    keys = platform.keyring.public_keys()
    for _, data in objects(platform, CERTIFICATES, after):
        opened = []
        for line in data.splitlines(keepends=True):
            try:
                opened.append((open_certificate(line, keys), line))
            except EvidenceError:
                continue
        yield [(one, line) for one, line in opened if one.origin == origin]


def certificate_row(certificate: Certificate, file: bytes, published_at: datetime) -> dict[str, object]:
    """As the catalog holds it."""
    body = certificate.body
    return {
        "id": UUID(body["id"]), "scope": body["scope"], "artifact": UUID(body["artifact"]) if "artifact" in body else None,
        "epoch": body["epoch"], "file": file, "chunk": UUID(certificate.chunk.origin.partition(CHUNK)[2]),
        "issued_at": parse_instant(body["issued_at"]), "irrecoverable_after": parse_instant(body["irrecoverable_after"]),
        "published_at": published_at,
    }  # fmt: skip


def objects(platform: Platform, room: str, after: str = "") -> Iterator[tuple[str, bytes]]:
    """Name and content of every version, the names after `after`. Who published it is not known by that."""
    for held in platform.store.list_evidence(room, after):
        if not held.is_marker:
            try:
                yield held.object, platform.store.read_evidence(held.object, held.version)
            except Conflict:
                continue


def _opened(
    platform: Platform, room: str, after: str, read: Callable[[bytes, Mapping[str, bytes]], Opened]
) -> Iterator[Opened]:
    keys = platform.keyring.public_keys()
    for _, data in objects(platform, room, after):
        try:
            yield read(data, keys)
        except EvidenceError:
            continue
