"""What is due goes, in the order of design.md, section 4: one function a task of `expire_recordings`.

Each function starts from what the catalog says is done and can be run again: it takes up every artifact of
its chunk that is `erasing` and has not passed its step.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from consigne.acts.attest import attest_artifacts, attest_epoch, publish_certificates
from consigne.acts.journey import Platform
from consigne.acts.ports import Erasure, ObjectVersion, Upload
from consigne.rules.clock import iso
from consigne.rules.errors import Conflict, Misconfigured, Unavailable
from consigne.rules.evidence.canonical import encode
from consigne.rules.layout import part_prefix

CHUNK = 200
LIMIT = 50_000
"""Artifacts of one run; the next run takes what is left."""
CLOCKS_APART = timedelta(minutes=5)
"""How far the catalog's clock may lie from the store's before destruction refuses."""
UNSEEN = timedelta(minutes=10)
"""What may fall due between a run that freezes nothing and its report."""
EVIDENCE_KEPT = timedelta(days=3653)
"""How long the evidence bucket holds tombstones and certificates under compliance lock: ten years."""


def freeze_manifest(platform: Platform, run: str, dry_run: bool) -> str | None:
    """Name what this run may destroy; None where nothing is due. Run again, it gives the same manifest.
    Refuses on a doubtful clock."""
    check_clock(platform)
    with platform.catalog.begin() as tx:
        now = platform.catalog.now(tx)
        known = platform.catalog.manifest_of(tx, run)
        if known is not None:
            return str(known["id"])
        due = platform.catalog.due_artifacts(tx, now, LIMIT)
        if not due:
            return None
        made = {platform.new_id(): due[start : start + CHUNK] for start in range(0, len(due), CHUNK)}
        digest = hashlib.sha256(encode([str(id) for id in due])).hexdigest()
        id = platform.new_id()
        platform.catalog.add_manifest(tx, id, run, dry_run, digest, now, made)
        entry = {"subject": str(id), "digest": digest, "count": len(due), "dry_run": dry_run}
        platform.catalog.append(tx, "consigne", "expire:manifest:frozen", [entry])
    return str(id)


def check_clock(platform: Platform) -> None:
    """Two clocks must agree, and the catalog's may not lie behind the register. Misconfigured otherwise."""
    with platform.catalog.begin() as tx:
        _, shift_s = platform.catalog.clock_shift(tx)
        now = platform.catalog.now(tx)
        newest = platform.catalog.newest_entry_at(tx)
    apart = abs(now - timedelta(seconds=shift_s) - platform.store.server_time())
    if apart > CLOCKS_APART:
        raise Misconfigured(
            "clocks_apart", "catalog and store", f"{int(apart.total_seconds())} s; set the clocks"
        )
    if newest is not None and newest > now + CLOCKS_APART:
        raise Misconfigured(
            "clock_behind_register", "catalog", "the register holds later acts; set the clock"
        )


def measure_volume(platform: Platform, run: str) -> list[str]:
    """Authorise the manifest (all of it, until a forecast exists); a dry run authorises nothing."""
    with platform.catalog.begin() as tx:
        manifest = platform.catalog.manifest_of(tx, run)
        if manifest is None or manifest["dry_run"]:
            return []
        if platform.catalog.authorise(tx, manifest["id"], manifest["digest"], platform.catalog.now(tx)):
            entry = {"subject": str(manifest["id"]), "digest": manifest["digest"]}
            platform.catalog.append(tx, "consigne", "expire:manifest:authorised", [entry])
        return [str(chunk) for chunk in platform.catalog.manifest_chunks(tx, manifest["id"])]


def recheck(platform: Platform, chunk: str) -> int:
    """Lock, check again, `erasing`, tombstone, intent: one transaction. What was extended meanwhile stays."""
    ids = _authorised(platform, chunk)
    version = platform.keyring.mac("tombstone", b"").version
    with platform.catalog.begin() as tx:
        now = platform.catalog.now(tx)
        started = platform.catalog.start_erasing(tx, ids, now, "period_ended", version)
        entries = [
            {"subject": str(erasure.artifact), "outcome": "intended", "ground": erasure.ground}
            for erasure in platform.catalog.erasures(tx, started)
        ]
        platform.catalog.append(tx, "consigne", "expire:artifact:erasing", entries)
    return len(started)


def destroy_keys(platform: Platform, chunk: str) -> int:
    """The tombstones go to the evidence bucket, then the key rows go: from here on the objects are noise."""
    todo = [erasure for erasure in _erasures(platform, chunk) if erasure.key_deleted_at is None]
    if not todo:
        return 0
    unpublished = [erasure for erasure in todo if erasure.published_at is None]
    if unpublished:
        data = encode([tombstone(erasure) for erasure in unpublished]) + b"\n"
        name = f"tombstones/{iso(unpublished[0].erasing_at)}-{hashlib.sha256(data).hexdigest()[:32]}"
        platform.store.publish(name, data, platform.store.server_time() + EVIDENCE_KEPT)
    ids = [erasure.artifact for erasure in todo]
    with platform.catalog.begin() as tx:
        now = platform.catalog.now(tx)
        gone = platform.catalog.delete_keys(tx, ids)
        platform.catalog.mark_erasures(tx, [erasure.artifact for erasure in unpublished], published_at=now)
        platform.catalog.mark_erasures(tx, ids, key_deleted_at=now)
        entries = [{"subject": str(id), "outcome": "key_deleted"} for id in gone]
        platform.catalog.append(tx, "consigne", "expire:artifact:key-deleted", entries)
    return len(gone)


def tombstone(erasure: Erasure) -> dict[str, object]:
    """What outlives an artifact: keyed digests and dates, no content (docs/formats.md)."""
    return {
        "artifact": str(erasure.artifact), "recording": str(erasure.recording), "purpose": erasure.purpose,
        "part": erasure.part, "epoch": erasure.epoch, "attempt": str(erasure.attempt), "object": erasure.object,
        "identity_digest": erasure.identity_digest.hex(), "audio_digest": erasure.audio_digest.hex(),
        "key_version": erasure.key_version, "ground": erasure.ground, "erasing_at": iso(erasure.erasing_at),
    }  # fmt: skip


def delete_objects(platform: Platform, chunk: str) -> int:
    """Every version, marker and incomplete upload under the artifact's prefix goes, whoever put it there."""
    todo = [e for e in _erasures(platform, chunk) if e.key_deleted_at is not None and e.absent_at is None]
    for erasure in todo:
        versions, uploads = _listed(platform, erasure)
        # Noted first: counted after it, a crash in between would leave a certificate that says nothing was there.
        with platform.catalog.begin() as tx:
            counts = {"versions_deleted": len(versions), "uploads_aborted": len(uploads)}
            platform.catalog.mark_erasures(tx, [erasure.artifact], **counts)
        platform.store.abort_uploads(uploads)
        platform.store.delete_versions(versions)
    return len(todo)


def _listed(platform: Platform, erasure: Erasure) -> tuple[list[ObjectVersion], list[Upload]]:
    """All under the artifact's prefix. Each attempt's name is asked for by itself too: MinIO reads uploads from
    its disk for an exact name only."""
    prefix = part_prefix(erasure.object)
    versions = platform.store.list_versions(prefix)
    names = {prefix, erasure.object, *(version.object for version in versions)}
    found = {upload: None for name in sorted(names) for upload in platform.store.list_uploads(name)}
    return versions, list(found)


def verify_absent(platform: Platform, chunk: str) -> int:
    """The listing of the exact prefix is empty, seen after the deletion; Unavailable where it is not: the next
    run deletes again."""
    todo = [e for e in _erasures(platform, chunk) if e.versions_deleted is not None and e.absent_at is None]
    absent = [e.artifact for e in todo if _listed(platform, e) == ([], [])]
    with platform.catalog.begin() as tx:
        platform.catalog.mark_erasures(tx, absent, absent_at=platform.catalog.now(tx))
    if len(absent) < len(todo):
        raise Unavailable(
            "still_listed", f"{len(todo) - len(absent)} artifacts", "deleted again by the next run"
        )
    return len(absent)


def sign_certificate(platform: Platform, chunk: str) -> int:
    """erasing → erased and the certificates, signed together, in one transaction; then they are published."""
    ids = _authorised(platform, chunk)
    with platform.catalog.begin() as tx:
        gone = [erasure for erasure in platform.catalog.erasures(tx, ids) if erasure.absent_at is not None]
        if gone:
            attest_artifacts(platform, tx, gone)
            platform.catalog.finish_erasing(
                tx, [erasure.artifact for erasure in gone], platform.catalog.now(tx)
            )
    publish_certificates(platform, EVIDENCE_KEPT)
    return len(gone)


def close_epochs(platform: Platform, dry_run: bool) -> list[str]:
    """Destroy the keys of due epochs that hold nothing any more. The fence decides for each."""
    if dry_run:
        return []
    check_clock(platform)
    with platform.catalog.begin() as tx:
        names = platform.catalog.epochs_to_close(tx, platform.catalog.now(tx))
    closed = [name for name in names if _close(platform, name)]
    publish_certificates(platform, EVIDENCE_KEPT)
    return closed


def _close(platform: Platform, name: str) -> bool:
    with platform.catalog.begin() as tx:
        if not platform.catalog.start_closing(tx, name):
            return False
        platform.catalog.append(
            tx, "consigne", "expire:epoch:closing", [{"subject": name, "outcome": "intended"}]
        )
    platform.keyring.destroy_epoch(name)
    if platform.keyring.epoch_lives(name):
        raise Unavailable("epoch_lives", name, "the keyring still holds a key that it reported destroyed")
    with platform.catalog.begin() as tx:
        now = platform.catalog.now(tx)
        if platform.catalog.close_epoch(tx, name, now):
            attest_epoch(platform, tx, name, now)
    return True


def report_expiry(platform: Platform, run: str) -> dict[str, int]:
    """How many artifacts and epochs are left past their end, and certificates unpublished; Conflict('overdue')
    where any is, so that the run shows it."""
    with platform.catalog.begin() as tx:
        now = platform.catalog.now(tx)
        manifest = platform.catalog.manifest_of(tx, run)
        # Without a manifest nothing was due when the run began, or the run failed before it could say so.
        frozen_at: datetime = now - UNSEEN if manifest is None else manifest["frozen_at"]
        left = 0
        if manifest is None or not manifest["dry_run"]:
            left = platform.catalog.overdue(tx, frozen_at)
            left += len(platform.catalog.epochs_to_close(tx, frozen_at))
            left += sum(map(len, platform.catalog.unpublished_certificates(tx).values()))
        if manifest is not None:
            entry = {"subject": str(manifest["id"]), "left": left}
            platform.catalog.append(tx, "consigne", "expire:manifest:reported", [entry])
    if left:
        raise Conflict("overdue", f"{left} left", "see the failed tasks of this run; the next run goes on")
    return {"left": left}


def _authorised(platform: Platform, chunk: str) -> Sequence[UUID]:
    with platform.catalog.begin() as tx:
        ids = platform.catalog.authorised_chunk(tx, UUID(chunk))
    if ids is None:
        raise Conflict("not_authorised", chunk, "no authorisation for this manifest's digest, or a dry run")
    return ids


def _erasures(platform: Platform, chunk: str) -> list[Erasure]:
    ids = _authorised(platform, chunk)
    with platform.catalog.begin() as tx:
        return platform.catalog.erasures(tx, ids)
