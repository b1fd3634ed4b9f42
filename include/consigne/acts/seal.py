"""The register is sealed: entries numbered and hashed off the hot path, checkpoints signed and published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from consigne.acts.catalog import Transaction
from consigne.acts.expire import EVIDENCE_KEPT
from consigne.acts.journey import Platform
from consigne.rules.errors import Tampered
from consigne.rules.evidence.errors import EvidenceError
from consigne.rules.evidence.merkle import Frontier, hash_leaf
from consigne.rules.evidence.proofs import (
    open_checkpoint,
    write_consistency_proof,
    write_register_proofs,
)
from consigne.rules.evidence.register import verify_register
from consigne.rules.evidence.report import Finding, Report
from consigne.rules.evidence.signature import checkpoint_body, sign_note

BATCH = 50_000
PUBLISH_EVERY = timedelta(hours=1)
ROOM = "checkpoints/"


@dataclass(frozen=True, slots=True)
class Sealed:
    """How many entries this seal took up, and how many the register holds sealed."""

    entries: int
    size: int


def seal(platform: Platform) -> Sealed:
    """Number what is committed, in one transaction with the checkpoint that signs it. Nothing new: nothing
    is signed. Two at once follow one another; killed at any point, the next one starts from what committed.
    Tampered where the last checkpoint is not the one that was signed: nothing is built on it."""
    catalog = platform.catalog
    with catalog.begin() as tx:
        catalog.lock_register(tx)
        before = _read_frontier(platform, catalog.newest_checkpoint(tx))
        rows = catalog.unsealed(tx, BATCH)
        if rows:
            catalog.number(tx, [id for id, _ in rows], before.size)
            _sign(platform, tx, before.extend(hash_leaf(leaf) for _, leaf in rows))
    return Sealed(len(rows), before.size + len(rows))


def _read_frontier(platform: Platform, newest: Mapping[str, Any] | None) -> Frontier:
    if newest is None:
        return Frontier()
    try:
        frontier = Frontier.from_bytes(newest["frontier"])
        signed = open_checkpoint(newest["note"], platform.keyring.public_keys())
    except EvidenceError as error:
        raise Tampered("checkpoint_altered", "register", error.code) from None
    if (signed.size, signed.root) != (frontier.size, frontier.root()):
        raise Tampered("checkpoint_altered", "register")
    return frontier


def _sign(platform: Platform, tx: Transaction, frontier: Frontier) -> None:
    root = frontier.root()
    body = checkpoint_body(platform.catalog.origin(tx), frontier.size, root)
    signature = platform.keyring.sign(body)
    public_key = platform.keyring.public_keys()[signature.key]
    note = sign_note(body, signature.key, lambda _: signature.bytes, public_key)
    now = platform.catalog.now(tx)
    platform.catalog.add_checkpoint(tx, frontier.size, root, frontier.to_bytes(), note, now)


def publish(platform: Platform, asked: bool = False) -> int | None:
    """Put the newest checkpoint under compliance lock, an hour after the last one or when asked.

    Returns its size; None where there is nothing to publish yet. Killed between the PUT and its record, it
    puts the same bytes once more.
    """
    catalog = platform.catalog
    with catalog.begin() as tx:
        newest, last = catalog.newest_checkpoint(tx), catalog.newest_checkpoint(tx, published=True)
        now = catalog.now(tx)
    if newest is None or newest["published_at"] is not None:
        return None
    if last is not None and not asked and now - last["published_at"] < PUBLISH_EVERY:
        return None
    size: int = newest["size"]
    version = platform.store.publish(
        _name(size), newest["note"], platform.store.server_time() + EVIDENCE_KEPT
    )
    with catalog.begin() as tx:
        catalog.mark_checkpoint(tx, size, now, version)
    return size


def check_register(platform: Platform) -> Report:
    """The register of this installation against every checkpoint version in the evidence bucket."""
    held = [found for found in platform.store.list_evidence(ROOM) if not found.is_marker]
    notes = [(found.object, platform.store.read_evidence(found.object, found.version)) for found in held]
    versions = {(found.object, found.version) for found in held}
    with platform.catalog.begin() as tx:
        recorded = platform.catalog.published_checkpoints(tx)
        report = verify_register(platform.catalog.sealed_rows(tx), notes, platform.keyring.public_keys())
    lost = [
        Finding.failed(
            _name(size), "The catalog says that this checkpoint was published; the bucket lacks it."
        )
        for size, version in recorded.items()
        if (_name(size), version) not in versions
    ]
    return Report((*report.findings, *lost))


def prove_entries(platform: Platform, leaves: Sequence[bytes]) -> dict[str, bytes]:
    """Files that tie entries to the register: its newest checkpoint, the last published one and the proof
    that one grew out of the other, and a register proof for each of these leaves that is sealed (by its
    first 32 hex digits)."""
    catalog = platform.catalog
    with catalog.begin() as tx:
        newest, last = catalog.newest_checkpoint(tx), catalog.newest_checkpoint(tx, published=True)
        if newest is None:
            return {}
        known = catalog.leaves(tx, newest["size"])
    files = {_file(newest["size"]): newest["note"]}
    if last is not None and last["size"] < newest["size"]:
        files[_file(last["size"])] = last["note"]
        name = f"consistency-{last['size']}-{newest['size']}.json"
        files[name] = write_consistency_proof(known, last["note"], newest["note"])
    places = {leaf: number for number, leaf in enumerate(known)}
    sealed = [leaf for leaf in leaves if leaf in places]
    proofs = write_register_proofs(known, [places[leaf] for leaf in sealed], newest["note"])
    files |= {f"entry-{leaf.hex()[:32]}.json": proof for leaf, proof in zip(sealed, proofs, strict=True)}
    return files


def _name(size: int) -> str:
    return f"{ROOM}{size:012d}"


def _file(size: int) -> str:
    return f"checkpoint-{size}"
