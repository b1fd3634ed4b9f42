"""Find a claimed delivery's files again, and recognise its call: file names and numbers stay in intake, the
catalog holds keyed digests."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from consigne.acts.catalog import Transaction
from consigne.acts.journey import Platform
from consigne.acts.ports import Delivery, Waiting
from consigne.rules.errors import BadInput, Conflict
from consigne.rules.evidence.canonical import encode
from consigne.rules.policy.model import Policy
from consigne.rules.recording import IncomingRecording
from consigne.rules.sources import native
from consigne.rules.values import Private


def in_force(platform: Platform, tx: Transaction, now: datetime) -> Policy:
    """The policy at an instant; without one nothing is judged."""
    policy = platform.catalog.policy_at(tx, now)
    if policy is None:
        raise Conflict("no_policy", "catalog", "run `consigne apply` with a policy that is in force")
    return policy


def policy_now(platform: Platform) -> Policy:
    """The policy in force by the catalog's clock."""
    with platform.catalog.begin() as tx:
        return in_force(platform, tx, platform.catalog.now(tx))


def waiting(platform: Platform, policy: Policy) -> dict[bytes, Waiting]:
    """What lies in intake, by the keyed digest of its stem."""
    places = platform.intake.waiting(policy.size_cap_bytes)
    return {stem_digest(platform, place.stem): place for place in places}


def stem_digest(platform: Platform, stem: str) -> bytes:
    """By what a delivery is found again in intake."""
    return platform.keyring.mac("tombstone", b"stem" + stem.encode("utf-8", "surrogateescape")).digest


def located(found: Mapping[bytes, Waiting], row: Delivery) -> Waiting:
    """Where a delivery's files lie, if they are still the ones that were claimed."""
    place = found.get(row.stem_digest)
    if place is None:
        raise BadInput("missing_audio", "files")
    if place.fingerprint != row.fingerprint:
        raise Conflict("changed", str(row.id), "its files changed; the next run claims it anew")
    if place.trouble is not None:
        raise BadInput(*place.trouble)
    return place


@dataclass(frozen=True, slots=True)
class Contents:
    """A delivery as read now."""

    incoming: IncomingRecording
    audio: Private[bytes]
    suffix: str
    digests: Digests


@dataclass(frozen=True, slots=True)
class Digests:
    """Keyed digests (32 bytes each) of (source, id), of audio and metadata together, and of the audio alone.
    The key stays in the keyring, so that none can be guessed from a copy of the catalog."""

    identity: bytes
    content: bytes
    audio: bytes


def contents(platform: Platform, policy: Policy, found: Mapping[bytes, Waiting], row: Delivery) -> Contents:
    """Read a delivery whole. BadInput names what is wrong with it; Conflict('changed') where it moved."""
    place = located(found, row)
    metadata, audio = platform.intake.read_json(place), platform.intake.read_audio(place)
    incoming = native.read(row.source, metadata.reveal(), policy.size_cap_bytes)
    suffix = "" if place.audio is None else "." + place.audio.rpartition(".")[2].lower()
    return Contents(incoming, audio, suffix, _digests(platform, incoming, metadata, audio))


def _digests(
    platform: Platform, incoming: IncomingRecording, metadata: Private[bytes], audio: Private[bytes]
) -> Digests:
    sound, words = (hashlib.sha256(content.reveal()).digest() for content in (audio, metadata))
    mac = platform.keyring.mac
    return Digests(
        identity_digest(platform, incoming.source, incoming.id),
        mac("tombstone", b"content" + sound + words).digest,
        mac("tombstone", b"audio" + sound).digest,
    )


def identity_digest(platform: Platform, source: str, id: str) -> bytes:
    """What recognises a call again by the name that its source gave it."""
    name = encode({"source": source, "id": id})
    return platform.keyring.mac("tombstone", b"identity" + name).digest


def lacks_words(policy: Policy, purposes: Sequence[str], incoming: IncomingRecording) -> bool:
    """Whether a purpose needs a transcript and the delivery brought none."""
    wanted = any(
        policy.purposes[name].redaction.requires_transcript for name in purposes if name in policy.purposes
    )
    return wanted and not (incoming.transcript and incoming.transcript.reveal().words)
