"""What is of an earlier day than the rest and cannot be put right: then all stays shut (P6, P7)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from consigne.acts.catalog import Transaction
from consigne.acts.declare import OPERATOR
from consigne.acts.evidence import (
    CERTIFICATES,
    CHECKPOINTS,
    RESTORATIONS,
    checkpoint_name,
    objects,
    published,
    since,
)
from consigne.acts.journey import Platform
from consigne.acts.tombstones import ROOM as TOMBSTONES
from consigne.acts.tombstones import read_tombstones
from consigne.rules.errors import Misconfigured
from consigne.rules.evidence.certificate import read_parts
from consigne.rules.evidence.errors import EvidenceError
from consigne.rules.evidence.proofs import open_checkpoint
from consigne.rules.evidence.restoration import base_of
from consigne.rules.evidence.signature import split_note

_SIGNING = re.compile(r"signing-([1-9][0-9]{0,8})")


def check_witness(platform: Platform, is_older_keyring: bool = False) -> None:
    """`evidence` is never restored: Misconfigured where it lacks the newest checkpoint that the outside witness was
    told of, or where what was published is of another installation than the catalog. With an older keyring, that
    somebody declared, a note of the witness that it cannot verify is passed over."""
    told = platform.witness.told()
    if told:
        try:
            known = open_checkpoint(told[-1], platform.keyring.public_keys())
        except EvidenceError:
            if not is_older_keyring:
                raise Misconfigured(
                    "witness_unverified",
                    "witness",
                    "no key of this keyring signed the newest note that it holds",
                ) from None
        else:
            if known not in published(platform, known.size - 1):
                raise Misconfigured(
                    "evidence_behind_witness",
                    checkpoint_name(known.size),
                    "the evidence bucket is never restored from a backup: bring back the newest one",
                )
    with platform.catalog.begin() as tx:
        own, base = platform.catalog.newest_checkpoint(tx), platform.catalog.origin(tx)
    if own is None and any(base_of(one.origin) != base for one in published(platform, 0)):
        raise Misconfigured(
            "evidence_of_another", "evidence", "this database is new, and its keyring published for another"
        )


def check_keyring(platform: Platform, is_older_keyring: bool = False) -> None:
    """A keyring from before a rotation recognises neither what was published since nor what was erased:
    Misconfigured('keyring_behind') where it lacks a key that the catalog or newer evidence names. An operator who has
    no better one may declare it (`is_older_keyring`), and the register says so."""
    lacking = sorted({*_lacked_by_catalog(platform), *_lacked_by_evidence(platform)})
    if lacking and not is_older_keyring:
        raise Misconfigured(
            "keyring_behind",
            ", ".join(lacking),
            "it is older than a rotation: bring back the newest keyring (where there is none any more: "
            "`restore --declare older-keyring`)",
        )
    if lacking:
        entry = {"subject": "keyring", "keys": lacking, "outcome": "older"}
        with platform.catalog.begin() as tx:
            platform.catalog.append(tx, OPERATOR, "restore:keyring:declared", [entry])


def used_versions(platform: Platform) -> dict[str, int]:
    """The newest version of each key that the catalog names; 0 where it names none."""
    with platform.catalog.begin() as tx:
        used, newest = platform.catalog.key_versions(tx), platform.catalog.newest_checkpoint(tx)
    return used | {"signing": 0 if newest is None else _signed_by(newest["note"])}


def _lacked_by_catalog(platform: Platform) -> Iterator[str]:
    for name, version in used_versions(platform).items():
        if version > platform.keyring.versions(name)[-1]:
            yield name


def _lacked_by_evidence(platform: Platform) -> Iterator[str]:
    """Of what start-up reads anyway: newer than what the catalog knows. Only a later version of our own name counts;
    whoever may publish evidence could claim one, and gains a house that is shut until an operator looks."""
    keys = platform.keyring.public_keys()
    signing, tombstone = (platform.keyring.versions(name)[-1] for name in ("signing", "tombstone"))
    with platform.catalog.begin() as tx:
        rooms = _newer_than(platform, tx)
    for room, after in rooms.items():
        for _, data in objects(platform, room, after):
            if _signed_by(_note_of(data) if room == CERTIFICATES else data) > signing:
                yield "signing"
            found, is_signed = read_tombstones(data, keys) if room == TOMBSTONES else ([], False)
            if is_signed and any(one.key_version > tombstone for one in found):
                yield "tombstone"


def _newer_than(platform: Platform, tx: Transaction) -> dict[str, str]:
    own = platform.catalog.newest_checkpoint(tx)
    return {
        CHECKPOINTS: checkpoint_name(0 if own is None else int(own["size"])),
        RESTORATIONS: "",
        TOMBSTONES: since(TOMBSTONES, platform.catalog.newest_burial(tx)),
        CERTIFICATES: since(CERTIFICATES, platform.catalog.newest_certificate(tx)),
    }


def _note_of(data: bytes) -> bytes:
    """The note of an object of certificates: its lines share one."""
    try:
        return str(read_parts(data.splitlines(keepends=True)[0] if data else b"")["note"]).encode()
    except EvidenceError:
        return b""


def _signed_by(note: bytes) -> int:
    """The newest version of the signing key that a note names; 0 where it names none, or is none."""
    try:
        names = [name for name, _ in split_note(note)[1]]
    except EvidenceError:
        return 0
    return max((int(found[1]) for name in names if (found := _SIGNING.fullmatch(name))), default=0)
