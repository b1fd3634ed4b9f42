"""Keeping under another purpose: stored again under that purpose's prefix, clock and epoch, with a new data key.

The old listeners' identities cannot reach the new prefix, and no old key opens what lies there. What was
stored is in nobody's reach until the one transaction that keeps it there and lets the old artifact go; killed
before, it is noise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from consigne.acts import safe
from consigne.acts.catalog import Transaction
from consigne.acts.epochs import open_epoch
from consigne.acts.journey import Platform
from consigne.acts.locate import in_force
from consigne.acts.ports import Artifact
from consigne.acts.protect import artifact_id
from consigne.rules.clock import iso, local_date
from consigne.rules.errors import Conflict, Misconfigured, Unavailable
from consigne.rules.evidence.masked import masked_statement
from consigne.rules.layout import object_name
from consigne.rules.policy.model import Policy
from consigne.rules.repurpose import Movable, due_there, why_not_move
from consigne.rules.request import Decision
from consigne.rules.retention import Due
from consigne.rules.values import ArtifactName, ArtifactState, Part


@dataclass(frozen=True, slots=True)
class Shelved:
    """One artifact stored again, before the catalog knows it: `old` as it was read, `row` what `moving` said."""

    old: Artifact
    row: Mapping[str, Any]
    due: Due
    put: safe.PutIn


def movables(platform: Platform, tx: Transaction, ids: Sequence[UUID]) -> list[Movable]:
    """Those of the artifacts that are kept, as a change of purpose judges them."""
    return [_movable(platform, tx, row) for row in platform.catalog.moving(tx, ids)]


def _movable(platform: Platform, tx: Transaction, row: Mapping[str, Any]) -> Movable:
    masked_under = platform.catalog.policy(tx, row["policy"]).purposes.get(row["purpose"])
    return Movable(
        artifact=row["artifact"],
        recording=row["recording"],
        purpose=row["purpose"],
        part=Part(row["part"]),
        started_at=row["started_at"],
        received_at=row["received_at"],
        notice=row["notice"],
        at_start=platform.catalog.policy_at(tx, row["clock_start"]),
        redaction=masked_under.redaction if masked_under else None,
        is_held=row["is_held"],
        there=row["there"],
        objected=row["objected"],
    )


def move(platform: Platform, policy: Policy, ids: Sequence[UUID], decision: Decision) -> dict[UUID, str]:
    """Make a decision to keep under `decision.purpose` true; idempotent. Each artifact's outcome: `moved`, `gone`,
    or repurpose's code; empty where it was applied before.

    Faults: Unavailable; Conflict('epoch_closing', 'absent', 'changed', 'version_changed') where something moved in
    between: call again.
    """
    stored, outcomes = _store_again(platform, policy, ids, decision)
    with platform.catalog.begin() as tx:
        held = {id: platform.catalog.artifact(tx, id, lock=True) for id in sorted(ids)}
        current = platform.catalog.decision(tx, decision.request, lock=True)
        if current is None or current.applied_at is not None:
            return {}
        now = platform.catalog.now(tx)
        if in_force(platform, tx, now).digest != policy.digest:  # judged and clocked by another version
            raise Conflict("version_changed", str(decision.request), "the sweep applies it by the new one")
        again = {one.artifact: one for one in movables(platform, tx, list(stored))}
        entries = []
        for id, artifact in held.items():
            if id in stored:
                # Judged again: while it was stored, somebody may have objected.
                code = (
                    why_not_move(policy, stored[id].put.name.purpose, again[id], now)
                    if id in again
                    else "gone"
                )
                outcomes[id] = code or _keep(platform, tx, policy, artifact, stored[id], now)
            entries.append(_did(id, decision, outcomes[id], stored.get(id)))
        platform.catalog.mark_applied(tx, decision.id, now)
        platform.catalog.append(tx, decision.decided_by, "decide:artifact:applied", entries)
    return outcomes


def _store_again(
    platform: Platform, policy: Policy, ids: Sequence[UUID], decision: Decision
) -> tuple[dict[UUID, Shelved], dict[UUID, str]]:
    """What was stored under the other purpose, and why the rest was not."""
    purpose = decision.purpose or ""
    stored: dict[UUID, Shelved] = {}
    outcomes = dict.fromkeys(ids, "gone")
    with platform.catalog.begin() as tx:
        now = platform.catalog.now(tx)
        rows = platform.catalog.moving(tx, ids)
        doubted = {id for id in ids if platform.catalog.is_doubted(tx, id)}
        judged = [(row, _movable(platform, tx, row)) for row in rows if row["artifact"] not in doubted]
    outcomes |= dict.fromkeys(doubted, "doubted")  # nobody hears it, under no other purpose either
    for row, movable in judged:
        if code := why_not_move(policy, purpose, movable, now):
            outcomes[movable.artifact] = code
            continue
        if _is_applied(platform, decision):  # by somebody faster
            break
        due = due_there(policy, purpose, movable)
        stored[movable.artifact] = _shelve(platform, policy, purpose, row, due)
    return stored, outcomes


def _is_applied(platform: Platform, decision: Decision) -> bool:
    with platform.catalog.begin() as tx:
        current = platform.catalog.decision(tx, decision.request)
    return current is None or current.applied_at is not None


def _shelve(platform: Platform, policy: Policy, purpose: str, row: Mapping[str, Any], due: Due) -> Shelved:
    with platform.catalog.begin() as tx:
        old = platform.catalog.artifact(tx, row["artifact"])
        wrapped = platform.catalog.wrapped_key(tx, row["artifact"])
    if old is None or wrapped is None:
        raise Conflict("absent", str(row["artifact"]))
    known = ArtifactName(old.id, old.attempt, old.purpose)
    place = old.object, old.version, wrapped, old.digest
    content = safe.take_out(platform.store, platform.keyring, old.epoch, known, *place)
    part = Part(old.part)
    name = ArtifactName(artifact_id(old.recording, purpose, part), platform.new_id(), purpose)
    epoch = open_epoch(platform, policy, purpose, due.due_at)
    object = object_name(
        purpose, local_date(row["started_at"], policy.zone), old.recording, part, name.attempt
    )
    put = safe.put_in(platform.store, platform.keyring, epoch, name, object, content, platform.random)
    facts = platform.store.inspect(put.object, put.version)
    if facts is None:
        raise Unavailable("not_stored", str(name.artifact), "stored again by the next try")
    if facts.encryption != "aws:kms" or facts.bytes != put.bytes:
        raise Misconfigured("stored_otherwise", str(name.artifact), "the store must encrypt by its KMS")
    return Shelved(old, row, due, put)


def _keep(
    platform: Platform,
    tx: Transaction,
    policy: Policy,
    artifact: Artifact | None,
    shelved: Shelved,
    now: datetime,
) -> str:
    if artifact is None or artifact.state != ArtifactState.KEPT:
        return "gone"
    if artifact.hold is not None:
        return "held"
    if artifact.attempt != shelved.old.attempt:
        raise Conflict("changed", str(artifact.id), "stored again by the next try")
    put, name, row = shelved.put, shelved.put.name, shelved.row
    if not platform.catalog.hold_epoch_open(tx, put.epoch):
        raise Conflict("epoch_closing", put.epoch)
    signature = platform.keyring.sign(masked_statement(str(name.artifact), str(name.attempt), row["masked"]))
    new = {
        "id": name.artifact, "recording": artifact.recording, "purpose": name.purpose, "part": artifact.part,
        "clock_start": row["clock_start"], "due_at": shelved.due.due_at, "cap_at": shelved.due.cap_at,
        "policy": policy.digest, "epoch": put.epoch, "attempt": name.attempt, "object": put.object,
        "version": put.version, "digest": put.digest, "bytes": put.bytes, "masked": row["masked"],
        "masked_signature": signature.bytes, "masked_key": signature.key, "stored_at": now,
    }  # fmt: skip
    if not platform.catalog.move_in(tx, new, put.wrapped):
        return "already_kept_there"
    platform.catalog.set_clock(tx, artifact.id, now, restricted=True, ended_for="kept_under_another_purpose")
    return "moved"


def _did(id: UUID, decision: Decision, outcome: str, shelved: Shelved | None) -> dict[str, object]:
    entry: dict[str, object] = {
        "subject": str(id),
        "request": str(decision.request),
        "decision": str(decision.id),
        "outcome": outcome,
    }
    if shelved:
        entry |= {"recording": str(shelved.old.recording), "purpose": shelved.old.purpose}
    if shelved and outcome == "moved":
        entry |= {
            "new_artifact": str(shelved.put.name.artifact),
            "new_purpose": shelved.put.name.purpose,
            "due_at": iso(shelved.due.due_at),
            "epoch": shelved.put.epoch,
            "object": shelved.put.digest.hex(),
        }
    return entry
