"""The register is sealed: entries numbered and hashed off the hot path, checkpoints signed and published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from consigne.acts.catalog import Transaction
from consigne.acts.evidence import RESTORATIONS, objects
from consigne.acts.expire import EVIDENCE_KEPT
from consigne.acts.journey import Platform
from consigne.acts.ports import ObjectVersion
from consigne.acts.truth import notice_restored
from consigne.rules.clock import iso
from consigne.rules.errors import Misconfigured, Tampered, Unavailable
from consigne.rules.evidence.errors import EvidenceError
from consigne.rules.evidence.merkle import Frontier, hash_leaf
from consigne.rules.evidence.proofs import (
    open_checkpoint,
    write_consistency_proof,
    write_register_proofs,
)
from consigne.rules.evidence.register import verify_register
from consigne.rules.evidence.report import Finding, Report
from consigne.rules.evidence.signature import checkpoint_body, read_checkpoint, sign_note, split_note
from consigne.rules.sealing import LONGEST_GAP

BATCH = 50_000
PUBLISH_EVERY = timedelta(hours=1)
ROOM = "checkpoints/"
ACTOR = "consigne"
_LOST = "The catalog says that this checkpoint was published; the bucket lacks it."
_MISPLACED = "This checkpoint lies under a name that is not its own."
_LACKS = "The outside witness was told of this checkpoint; the bucket lacks it."
_FORGOT = "The outside witness was told of this checkpoint, and has it no more."


@dataclass(frozen=True, slots=True)
class Sealed:
    """How many entries this seal took up, and how many the register holds sealed."""

    entries: int
    size: int


def seal(platform: Platform) -> Sealed:
    """Number what is committed, in one transaction with the checkpoint that signs it. Nothing new: nothing
    is signed. Two at once follow one another; killed at any point, the next one starts from what committed.
    Tampered where the last checkpoint is not the one that was signed: nothing is built on it. Misconfigured where
    evidence knows more of this register than the database: it came back from a backup, and nothing is signed."""
    if notice_restored(platform):
        raise Misconfigured("restored_unreplayed", "catalog", "stop Consigne and run `consigne up`")
    catalog = platform.catalog
    with catalog.begin() as tx:
        catalog.lock_register(tx)
        before = _read_frontier(platform, catalog.newest_checkpoint(tx))
        rows = catalog.unsealed(tx, BATCH)
        if rows:
            catalog.number(tx, [id for id, _ in rows], before.size)
            _sign(platform, tx, before.extend(hash_leaf(leaf) for _, leaf in rows))
    if rows:
        with catalog.begin() as tx:
            catalog.tidy_register(tx)
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
    body = checkpoint_body(platform.catalog.register_origin(tx), frontier.size, root)
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
        now, sealing = catalog.now(tx), catalog.sealing(tx)
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
        _note_gap(platform, tx, "published", sealing.waiting_since, now)
    return size


def tell_witness(platform: Platform) -> int | None:
    """Tell the outside witness of the newest published checkpoint, until it knows. Returns its size; None where it
    is told already, or nobody is there to be told. Where the witness is away, the register says so once for each
    checkpoint, and the fault is raised."""
    catalog = platform.catalog
    with catalog.begin() as tx:
        last, sealing = catalog.newest_checkpoint(tx, published=True), catalog.sealing(tx)
    if last is None or last["witnessed_at"] is not None:
        return None
    size: int = last["size"]
    try:
        if not platform.witness.tell(last["note"]):
            return None
    except (Unavailable, Misconfigured) as fault:
        _note_trouble(platform, size, fault.code)
        raise
    with catalog.begin() as tx:
        now = catalog.now(tx)
        catalog.mark_witnessed(tx, size, now)
        _note_gap(platform, tx, "witnessed", sealing.untold_since, now)
    return size


def _note_trouble(platform: Platform, size: int, code: str) -> None:
    with platform.catalog.begin() as tx:
        known = platform.catalog.newest_entry(tx, "seal:witness:failed")
        if known is None or (known["size"], known["code"]) != (size, code):
            platform.catalog.append(tx, ACTOR, "seal:witness:failed", [{"size": size, "code": code}])


def _note_gap(
    platform: Platform, tx: Transaction, outcome: str, since: datetime | None, now: datetime
) -> None:
    """What waited longer than it may is in the register, once it is over."""
    if since is not None and now - since > LONGEST_GAP:
        entry = {"outcome": outcome, "from": iso(since), "until": iso(now)}
        platform.catalog.append(tx, ACTOR, "seal:gap:noticed", [entry])


def check_register(platform: Platform) -> Report:
    """The register of this installation against every checkpoint version in the evidence bucket, against what the
    outside witness was told, and against the catalog's own checkpoints."""
    with platform.catalog.begin() as tx:  # first what follows from the others: all may go on meanwhile
        recorded = platform.catalog.published_checkpoints(tx)
        witnessed = platform.catalog.witnessed_checkpoints(tx)
    told = platform.witness.told()
    held = platform.store.list_evidence(ROOM)
    restored = list(objects(platform, RESTORATIONS))
    hidden = [found for found in platform.store.list_evidence(RESTORATIONS) if found.is_marker]
    notes = [
        (found.object, platform.store.read_evidence(found.object, found.version))
        for found in held
        if not found.is_marker
    ]
    keys = platform.keyring.public_keys()
    taken: dict[int, datetime] = {}
    for found in held:
        if found.modified_at is not None and (size := _read_name(found.object)) >= 0:
            taken[size] = min(found.modified_at, taken.get(size, found.modified_at))
    outside = [(f"witness note {place}", note) for place, note in enumerate(told or (), 1)]
    with platform.catalog.begin() as tx:
        platform.catalog.steady(tx)
        minutes = platform.catalog.checkpoint_notes(tx)
        report = verify_register(
            platform.catalog.sealed_rows(tx), [*notes, *outside], keys, minutes, restored, list(taken.items())
        )
    versions = {(found.object, found.version) for found in held}
    more = [
        *(_tell_marker(found) for found in [*held, *hidden] if found.is_marker),
        *(
            Finding.failed(name, _MISPLACED)
            for name, note in notes
            if _size(note, keys) not in (-1, _read_name(name))
        ),
        *(
            Finding.failed(_name(size), _LOST)
            for size, version in recorded.items()
            if (_name(size), version) not in versions
        ),
        *_compare_witness(notes, told, witnessed, keys),
    ]
    return Report((*report.findings, *more))


def _tell_marker(found: ObjectVersion) -> Finding:
    return Finding.failed(found.object, "A delete marker lies over it: somebody tried to remove it.")


def _compare_witness(
    notes: Sequence[tuple[str, bytes]],
    told: Sequence[bytes] | None,
    witnessed: Sequence[int],
    keys: Mapping[str, bytes],
) -> list[Finding]:
    """What the witness knows and the bucket lacks, and what the witness knew."""
    if told is None:
        return (
            [Finding.not_proven("", "The outside witness cannot be asked what it was told.")]
            if witnessed
            else []
        )
    known, published = {_size(note, keys) for note in told}, {_size(note, keys) for _, note in notes}
    return [
        *(Finding.failed(_name(size), _LACKS) for size in sorted(known - published - {-1})),
        *(Finding.failed(_name(size), _FORGOT) for size in witnessed if size not in known),
    ]


def _size(note: bytes, keys: Mapping[str, bytes]) -> int:
    """Of a checkpoint that verifies; -1 for one that does not."""
    try:
        return open_checkpoint(note, keys).size
    except EvidenceError:
        return -1


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
    if (
        last is not None
        and last["size"] < newest["size"]
        and _origin(last["note"]) == _origin(newest["note"])
    ):
        name = f"consistency-{last['size']}-{newest['size']}.json"
        files[name] = write_consistency_proof(known, last["note"], newest["note"])
    places = {leaf: number for number, leaf in enumerate(known)}
    sealed = [leaf for leaf in leaves if leaf in places]
    proofs = write_register_proofs(known, [places[leaf] for leaf in sealed], newest["note"])
    files |= {f"entry-{leaf.hex()[:32]}.json": proof for leaf, proof in zip(sealed, proofs, strict=True)}
    return files


def _name(size: int) -> str:
    return f"{ROOM}{size:012d}"


def _read_name(name: str) -> int:
    number = name.removeprefix(ROOM)
    return int(number) if number.isdecimal() and _name(int(number)) == name else -2


def _origin(note: bytes) -> str:
    return read_checkpoint(split_note(note)[0]).origin


def _file(size: int) -> str:
    return f"checkpoint-{size}"
