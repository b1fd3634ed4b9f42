"""What is due goes, in the order of design.md, section 4: one function a task of `expire_recordings`.

Each function starts from what the catalog says is done and can be run again: it takes up every artifact of
its chunk that is `erasing` and has not passed its step.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from consigne.acts.attest import attest_artifacts, publish_certificates
from consigne.acts.catalog import Transaction
from consigne.acts.drives import delete_on_drives, refuse_half
from consigne.acts.foretell import make_forecast, set_aside
from consigne.acts.journey import Platform
from consigne.acts.ports import Erasure, ObjectVersion
from consigne.acts.remains import Remains, find_remains, see_remains
from consigne.acts.tombstones import publish_tombstones, sign_tombstones
from consigne.acts.truth import check_replayed
from consigne.acts.turn import end_early
from consigne.rules.errors import Conflict, Misconfigured, Unavailable
from consigne.rules.evidence.canonical import encode

CHUNK = 1_000
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
    """Two clocks must agree, and the catalog's may not lie behind the register; no backup that came back may wait for
    its replay. Misconfigured otherwise."""
    with platform.catalog.begin() as tx:
        check_replayed(platform, tx)
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
    """Authorise the manifest, but set aside what exceeds the forecast of the day before; never a wait for what is
    ordinary, or for all where there is no forecast. A dry run authorises nothing."""
    with platform.catalog.begin() as tx:
        manifest, now = platform.catalog.manifest_of(tx, run), platform.catalog.now(tx)
        if manifest is None or manifest["dry_run"]:
            return []
        if platform.catalog.authorise(tx, manifest["id"], manifest["digest"], now):
            set_aside(platform, tx, manifest["id"], now)
            entry = {"subject": str(manifest["id"]), "digest": manifest["digest"]}
            platform.catalog.append(tx, "consigne", "expire:manifest:authorised", [entry])
        return [str(chunk) for chunk in platform.catalog.manifest_chunks(tx, manifest["id"])]


def recheck(platform: Platform, chunk: str) -> int:
    """Lock, check again, `erasing`, tombstone, intent: one transaction. What was extended meanwhile stays."""
    ids = _authorised(platform, chunk)
    with platform.catalog.begin() as tx:
        now = platform.catalog.now(tx)
        started = platform.catalog.start_erasing(tx, ids, now, "period_ended")
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
    is_signed = bool(unpublished) and publish_tombstones(platform, unpublished, EVIDENCE_KEPT)
    ids = [erasure.artifact for erasure in todo]
    with platform.catalog.begin() as tx:
        now = platform.catalog.now(tx)
        gone = platform.catalog.delete_keys(tx, ids)
        told = {"published_at": now} | ({"signed_at": now} if is_signed else {})
        platform.catalog.mark_erasures(tx, [erasure.artifact for erasure in unpublished], **told)
        platform.catalog.mark_erasures(tx, ids, key_deleted_at=now)
        entries = [{"subject": str(id), "outcome": "key_deleted"} for id in gone]
        platform.catalog.append(tx, "consigne", "expire:artifact:key-deleted", entries)
    return len(gone)


def delete_objects(platform: Platform, chunk: str) -> int:
    """Every version, marker and incomplete upload under the artifacts' prefixes goes, whoever put it there."""
    todo = [e for e in _erasures(platform, chunk) if e.key_deleted_at is not None and e.absent_at is None]
    found = find_remains(platform, todo)
    # A listing may lag behind what was put: the recorded version goes whether or not it is listed.
    recorded = [ObjectVersion(e.object, e.version, False) for e in todo]
    _remove(platform, {e.artifact: (found[e.artifact], 0, 0) for e in todo}, recorded)
    return len(todo)


def _remove(
    platform: Platform, found: Mapping[UUID, tuple[Remains, int, int]], recorded: Sequence[ObjectVersion] = ()
) -> None:
    """artifact → what goes, and how many versions and uploads went before."""
    counted: dict[tuple[int, int], list[UUID]] = {}
    for artifact, (remains, versions, uploads) in found.items():
        key = (versions + len(remains.versions), uploads + len(remains.uploads))
        counted.setdefault(key, []).append(artifact)
    # Noted first: counted after it, a crash in between would leave a certificate that says nothing was there.
    with platform.catalog.begin() as tx:
        for (versions, uploads), ids in counted.items():
            platform.catalog.mark_erasures(tx, ids, versions_deleted=versions, uploads_aborted=uploads)
    platform.store.abort_uploads([upload for remains, *_ in found.values() for upload in remains.uploads])
    listed = [one for remains, *_ in found.values() for one in remains.versions]
    missing = delete_on_drives(platform, list(dict.fromkeys([*recorded, *listed])))
    with platform.catalog.begin() as tx:
        platform.catalog.mark_erasures(tx, list(found), drives_away=missing)


def verify_absent(platform: Platform, chunk: str) -> int:
    """Nothing is seen under the exact prefix, after the deletion. What is seen all the same goes now, and
    Unavailable lets the task look again."""
    todo = [e for e in _erasures(platform, chunk) if e.drives_away is not None and e.absent_at is None]
    with platform.catalog.begin() as tx:
        began_at = platform.catalog.now(tx)
    seen = see_remains(platform, todo)
    refuse_half(platform.store.drives())
    absent = [e.artifact for e in todo if seen[e.artifact] == Remains()]
    with platform.catalog.begin() as tx:
        platform.catalog.mark_erasures(tx, absent, absent_at=began_at)
    left = [e for e in todo if seen[e.artifact] != Remains()]
    if left:
        counts = {e.artifact: (e.versions_deleted or 0, e.uploads_aborted or 0) for e in left}
        _remove(platform, {id: (seen[id], *counts[id]) for id in counts})
        sign_certificate(platform, chunk)  # of the others: one that stays must not keep them from theirs
        raise Unavailable("still_listed", f"{len(left)} artifacts", "removed now, and looked for again")
    return len(absent)


def sign_certificate(platform: Platform, chunk: str) -> int:
    """erasing → erased and the certificates, signed together, in one transaction; then they are published."""
    ids = _authorised(platform, chunk)
    sign_tombstones(platform, EVIDENCE_KEPT)
    with platform.catalog.begin() as tx:
        gone = [erasure for erasure in platform.catalog.erasures(tx, ids) if erasure.absent_at is not None]
        if gone:
            finish(platform, tx, gone)
    publish_certificates(platform, EVIDENCE_KEPT)
    return len(gone)


def finish(platform: Platform, tx: Transaction, gone: Sequence[Erasure]) -> None:
    """erasing → erased; certified, unless a certificate is there that was taken back after a restore."""
    ids = [erasure.artifact for erasure in gone]
    certified = platform.catalog.certified(tx, ids)
    end_early(platform, tx, gone)
    if uncertified := [erasure for erasure in gone if erasure.artifact not in certified]:
        attest_artifacts(platform, tx, uncertified)
    platform.catalog.finish_erasing(tx, ids, platform.catalog.now(tx))


def report_expiry(platform: Platform, run: str) -> dict[str, int]:
    """How many artifacts and epochs are left past their end, and certificates unpublished; Conflict('overdue')
    where any is, so that the run shows it. Writes the forecast of the local day, once."""
    with platform.catalog.begin() as tx:
        now = platform.catalog.now(tx)
        manifest = platform.catalog.manifest_of(tx, run)
        # Without a manifest nothing was due when the run began, or the run failed before it could say so.
        frozen_at: datetime = now - UNSEEN if manifest is None else manifest["frozen_at"]
        left = 0
        if manifest is None or not manifest["dry_run"]:
            left = platform.catalog.overdue(tx, frozen_at)
            left += platform.catalog.epochs_late(tx, frozen_at)
            left += sum(map(len, platform.catalog.unpublished_certificates(tx).values()))
        if manifest is not None:
            entry = {"subject": str(manifest["id"]), "left": left}
            platform.catalog.append(tx, "consigne", "expire:manifest:reported", [entry])
        make_forecast(platform, tx, now)
    if left:
        raise Conflict("overdue", f"{left} left", "see the failed tasks of this run; the next run goes on")
    return {"left": left}


def _authorised(platform: Platform, chunk: str) -> Sequence[UUID]:
    with platform.catalog.begin() as tx:
        check_replayed(platform, tx)
        ids = platform.catalog.authorised_chunk(tx, UUID(chunk))
    if ids is None:
        raise Conflict("not_authorised", chunk, "no authorisation for this manifest's digest, or a dry run")
    return ids


def _erasures(platform: Platform, chunk: str) -> list[Erasure]:
    ids = _authorised(platform, chunk)
    with platform.catalog.begin() as tx:
        return platform.catalog.erasures(tx, ids)
