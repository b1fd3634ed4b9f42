"""Certificates: signed in the transaction that they speak of, published afterwards."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from consigne.acts.catalog import Transaction
from consigne.acts.evidence import CERTIFICATES
from consigne.acts.journey import Platform
from consigne.acts.ports import Erasure
from consigne.rules.clock import iso, parse_instant
from consigne.rules.errors import Unavailable
from consigne.rules.evidence.canonical import Json
from consigne.rules.evidence.certificate import certificate_body, issue, read_parts
from consigne.rules.horizons import declared_backups, irrecoverable_after

ACTOR = "consigne"


def attest_artifacts(platform: Platform, tx: Transaction, gone: Sequence[Erasure]) -> None:
    """One certificate an artifact, all under one signature; each names its register entry's leaf."""
    entries = [
        {
            "subject": str(erasure.artifact),
            "purpose": erasure.purpose,
            "outcome": "erased",
            "ground": erasure.ground,
        }
        for erasure in gone
    ]
    leaves = platform.catalog.append(tx, ACTOR, "expire:artifact:erased", entries)
    now = _now(platform, tx)
    named = {digest: platform.catalog.policy(tx, digest).version for digest in {one.policy for one in gone}}
    bodies = [
        _artifact(platform, now, named[erasure.policy], erasure, leaf)
        for erasure, leaf in zip(gone, leaves, strict=True)
    ]
    _sign(platform, tx, bodies)


def attest_epoch(platform: Platform, tx: Transaction, name: str, destroyed_at: datetime) -> None:
    """The epoch's certificate: it raises its artifacts' from logical to cryptographic."""
    entry = {"subject": name, "outcome": "destroyed", "provider": platform.keyring.provider}
    [leaf] = platform.catalog.append(tx, ACTOR, "expire:epoch:destroyed", [entry])
    artifacts: list[Json] = [str(id) for id in sorted(platform.catalog.erased_under(tx, name), key=str)]
    facts = _now(platform, tx) | _common(platform, name, name.partition("/")[0], leaf)
    facts |= {"destroyed_at": iso(destroyed_at), "artifacts": artifacts}
    _sign(platform, tx, [certificate_body("epoch", facts)])


def _artifact(
    platform: Platform, now: dict[str, Json], version: str, erasure: Erasure, leaf: bytes
) -> dict[str, Json]:
    facts = now | _common(platform, erasure.epoch, erasure.purpose, leaf)
    assert erasure.key_deleted_at is not None and erasure.absent_at is not None
    earlier: list[Json] = [*sorted(set(erasure.earlier_epochs) - {erasure.epoch})]
    facts |= {
        "artifact": str(erasure.artifact), "recording": str(erasure.recording), "part": erasure.part,
        "object": erasure.object, "due_at": iso(erasure.due_at), "ground": erasure.ground,
        "earlier_epochs": earlier,
        "policy": {"version": version, "digest": erasure.policy},
        "steps": {
            "key_row_deleted_at": iso(erasure.key_deleted_at), "listing_empty_at": iso(erasure.absent_at),
            "versions_deleted": erasure.versions_deleted or 0, "uploads_aborted": erasure.uploads_aborted or 0,
        },
    }  # fmt: skip
    if erasure.drives_away:
        facts["drives_away"] = erasure.drives_away
    return certificate_body("artifact", facts)


def _now(platform: Platform, tx: Transaction) -> dict[str, Json]:
    """The facts of all certificates of a moment: asked for once, however many are issued."""
    now = platform.catalog.now(tx)
    test, offset_s = platform.catalog.clock_shift(tx)
    versions = platform.catalog.all_policies(tx)
    backups = declared_backups(versions, now)
    return {
        "issued_at": iso(now), "irrecoverable_after": iso(irrecoverable_after(versions, now)),
        "backups": {"database": str(backups.database), "keyring": str(backups.keyring)},
        "clock": {"test": test, "offset_s": offset_s},
    }  # fmt: skip


def _common(platform: Platform, epoch: str, purpose: str, leaf: bytes) -> dict[str, Json]:
    return {
        "id": str(platform.new_id()), "provider": platform.keyring.provider, "assurance": platform.keyring.assurance,
        "purpose": purpose, "epoch": epoch, "entry": leaf.hex(),
    }  # fmt: skip


def _sign(platform: Platform, tx: Transaction, bodies: Sequence[dict[str, Json]]) -> None:
    chunk, now = platform.new_id(), platform.catalog.now(tx)
    name = platform.keyring.sign(b"").key
    public = platform.keyring.public_keys()[name]

    def sign(message: bytes) -> bytes:
        signature = platform.keyring.sign(message)
        if signature.key != name:
            raise Unavailable(
                "keyring", name, "the signing key was rotated meanwhile: signed by the next try"
            )
        return signature.bytes

    files = issue(
        bodies,
        origin=platform.catalog.origin(tx),
        chunk=str(chunk),
        key_name=name,
        sign=sign,
        public_key=public,
    )
    rows = [
        {
            "id": body["id"], "scope": body["scope"], "artifact": body.get("artifact"), "epoch": body["epoch"],
            "file": file, "chunk": chunk, "issued_at": now, "irrecoverable_after": parse_instant(str(body["irrecoverable_after"])),
        }
        for body, file in zip(bodies, files, strict=True)
    ]  # fmt: skip
    platform.catalog.add_certificates(tx, rows)


def publish_certificates(platform: Platform, kept: timedelta) -> int:
    """Put what the evidence bucket does not hold yet there, one object a chunk; run again, it goes on."""
    with platform.catalog.begin() as tx:
        chunks = platform.catalog.unpublished_certificates(tx)
    for chunk, files in chunks.items():
        data = b"".join(file for _, file in files)
        issued_at = read_parts(files[0][1])["body"][
            "issued_at"
        ]  # an instant in front: start-up lists the newest
        name = f"{CERTIFICATES}{issued_at}-{chunk}-{hashlib.sha256(data).hexdigest()[:32]}"
        platform.store.publish(name, data, platform.store.server_time() + kept)
        with platform.catalog.begin() as tx:
            platform.catalog.mark_published(tx, [id for id, _ in files], platform.catalog.now(tx))
    return len(chunks)
