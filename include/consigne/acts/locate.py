"""Find a claimed delivery's files again, and recognise its call: file names and numbers stay in intake, the
catalog holds keyed digests."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from consigne.acts.catalog import Transaction
from consigne.acts.journey import Platform
from consigne.acts.ports import Delivery, Mac, Waiting
from consigne.acts.truth import check_replayed
from consigne.rules.errors import BadInput, Conflict
from consigne.rules.evidence.canonical import encode
from consigne.rules.policy.model import Policy
from consigne.rules.recording import IncomingRecording
from consigne.rules.sources import native
from consigne.rules.values import Private

_KEY = "tombstone"


def in_force(platform: Platform, tx: Transaction, now: datetime) -> Policy:
    """The policy at an instant; without one nothing is judged, nor while a restored backup is not brought to the
    truth."""
    check_replayed(platform, tx)
    return policy_for(platform, tx, now)


def policy_for(platform: Platform, tx: Transaction, now: datetime) -> Policy:
    """As `in_force`, for what brings a restored backup to the truth."""
    policy = platform.catalog.policy_at(tx, now)
    if policy is None:
        raise Conflict("no_policy", "catalog", "run `consigne apply` with a policy that is in force")
    return policy


def policy_now(platform: Platform) -> Policy:
    """The policy in force by the catalog's clock."""
    with platform.catalog.begin() as tx:
        return in_force(platform, tx, platform.catalog.now(tx))


def waiting(platform: Platform, policy: Policy) -> dict[bytes, Waiting]:
    """What lies in intake, oldest first, by the keyed digest of its stem: the one that it was claimed by, else the
    newest."""
    with platform.catalog.begin() as tx:
        rows = platform.catalog.open_deliveries(tx, platform.intake.source)
    return look(platform, policy, rows)[0]


def look(
    platform: Platform, policy: Policy, rows: Sequence[Delivery], most_new: int | None = None
) -> tuple[dict[bytes, Waiting], list[Waiting]]:
    """As `waiting`, beside the open deliveries `rows`, with at most `most_new` that nobody claimed; and what it leaves
    of those."""
    stems, claimed = {row.fingerprint: row.stem_digest for row in rows}, {row.stem_digest for row in rows}
    versions = platform.keyring.versions(_KEY)
    found: dict[bytes, Waiting] = {}
    left: list[Waiting] = []
    new = 0
    for place in platform.intake.waiting(policy.size_cap_bytes):
        # Known by its files, a stem need not go to the keyring, which may be another process.
        if place.fingerprint in stems:
            found[stems[place.fingerprint]] = place
        elif new == most_new:
            left.append(place)
        else:
            stem = _stem(platform, place, versions, claimed)
            new += stem not in claimed
            found[stem] = place
    return found, left


def _stem(platform: Platform, place: Waiting, versions: Sequence[int], claimed: Collection[bytes]) -> bytes:
    digests = stem_digests(platform, place.stem, versions)
    return next((digest for digest in digests if digest in claimed), digests[-1])


def waiting_of(
    platform: Platform, policy: Policy, states: Sequence[str], ids: Sequence[UUID]
) -> dict[bytes, Waiting]:
    """As `waiting`, for those of these deliveries that are in one of the states: by their fingerprints, so that what
    else lies in intake costs little; all of intake where the files of one are not those that were claimed."""
    with platform.catalog.begin() as tx:
        rows = platform.catalog.deliveries_in(tx, states, ids)
    stems = {row.fingerprint: row.stem_digest for row in rows}
    found = platform.intake.waiting(policy.size_cap_bytes, stems.keys()) if stems else ()
    places = {stems[place.fingerprint]: place for place in found}
    return places if len(places) == len(rows) else waiting(platform, policy)


def stem_digests(platform: Platform, stem: str, versions: Sequence[int] | None = None) -> list[bytes]:
    """By what a delivery is found again in intake, under these versions of the key (all where none are given)."""
    message = b"stem" + stem.encode("utf-8", "surrogateescape")
    mac, wanted = platform.keyring.mac, versions or platform.keyring.versions(_KEY)
    return [mac(_KEY, message, version).digest for version in wanted]


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
    """Keyed digests (32 bytes each) of (source, id), of audio and metadata together, and of the audio alone, all
    under one version of the key; `audios` are the last under every version, oldest first. The key stays in the
    keyring, so that none can be guessed from a copy of the catalog."""

    identity: bytes
    content: bytes
    audio: bytes
    version: int
    audios: tuple[bytes, ...]


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
    mac, versions = platform.keyring.mac, platform.keyring.versions(_KEY)
    identity = identity_digest(platform, incoming.source, incoming.id)
    audios = {version: mac(_KEY, b"audio" + sound, version).digest for version in versions}
    return Digests(
        identity.digest,
        mac(_KEY, b"content" + sound + words, identity.version).digest,
        audios[identity.version],
        identity.version,
        tuple(audios.values()),
    )


def identity_digest(platform: Platform, source: str, id: str) -> Mac:
    """What recognises a call again by the name that its source gave it: under the version of the key by which the
    catalog knows it already, so that all its rows agree; else under the newest."""
    name = b"identity" + encode({"source": source, "id": id})
    macs = [platform.keyring.mac(_KEY, name, version) for version in platform.keyring.versions(_KEY)]
    if len(macs) == 1:
        return macs[0]
    with platform.catalog.begin() as tx:
        known = platform.catalog.known_identities(tx, [mac.digest for mac in macs])
    return next((mac for mac in macs if mac.digest in known), macs[-1])


def lacks_words(policy: Policy, purposes: Sequence[str], incoming: IncomingRecording) -> bool:
    """Whether a purpose needs a transcript and the delivery brought none."""
    wanted = any(
        policy.purposes[name].redaction.requires_transcript for name in purposes if name in policy.purposes
    )
    return wanted and not (incoming.transcript and incoming.transcript.reveal().words)
