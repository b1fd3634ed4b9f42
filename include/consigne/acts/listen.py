"""Hearing and exporting: the register commits first, then bytes flow (P4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from consigne.acts.journey import Platform
from consigne.acts.ports import Artifact
from consigne.acts.reclock import due_now
from consigne.acts.safe import take_out
from consigne.acts.truth import check_replayed
from consigne.rules.access import Denied, Target, Verb, may
from consigne.rules.errors import Conflict, Misconfigured
from consigne.rules.policy.model import Policy
from consigne.rules.values import Actor, ArtifactName, ArtifactState, Part, Private


@dataclass(frozen=True, slots=True)
class Offered:
    """A part, decrypted, for someone entitled: FLAC for audio, JSON (UTF-8) for a transcript."""

    recording: UUID
    part: Part
    content: Private[bytes]


def export(platform: Platform, actor: Actor, id: UUID, reason: str) -> Offered | Denied:
    """One artifact's content for an actor whose roles were just read; `reason` is a code of the policy.

    Offered or denied, the register's entry is committed before this returns. Denied('unknown_artifact')
    where there is none, Denied('lost') where what came back from a backup cannot open it. Faults: Conflict('absent', 'epoch_gone') where it goes in this very moment.
    """
    with platform.catalog.begin() as tx:
        check_replayed(platform, tx)
        artifact = platform.catalog.artifact(tx, id)
        wrapped = platform.catalog.wrapped_key(tx, id)
        now = platform.catalog.now(tx)
        policy = platform.catalog.policy_at(tx, now)
        if policy is None:
            raise Misconfigured("no_policy_in_force")
        hushed = platform.catalog.is_hushed(tx, id)
        due_at = due_now(platform, tx, artifact, now) if artifact else now
        verdict = _judge(policy, actor, artifact, due_at, hushed, reason, now)
        if not isinstance(verdict, Denied) and platform.catalog.lost(tx, id) is not None:
            verdict = Denied("lost")
        told = _told(id, artifact, policy) | (
            # A denial goes without its reason: one that the policy does not list may be any text.
            {"code": verdict.code} if isinstance(verdict, Denied) else {"reason": reason}
        )
        kind = "denied" if isinstance(verdict, Denied) else "offered"
        platform.catalog.append(tx, actor.user, f"listen:artifact:{kind}", [told])
    if isinstance(verdict, Denied):
        return verdict
    return Offered(verdict.recording, Part(verdict.part), _open(platform, verdict, wrapped))


def _judge(
    policy: Policy,
    actor: Actor,
    artifact: Artifact | None,
    due_at: datetime,
    hushed: bool,
    reason: str,
    now: datetime,
) -> Artifact | Denied:
    if artifact is None:
        return Denied("unknown_artifact")
    target = Target(
        purpose=artifact.purpose,
        part=Part(artifact.part),
        restricted=artifact.restricted or hushed,
        due_at=due_at,
        state=ArtifactState(artifact.state),
    )
    verdict = may(policy, actor, Verb.EXPORT, target, reason, now)
    return verdict if isinstance(verdict, Denied) else artifact


def _told(id: UUID, artifact: Artifact | None, policy: Policy) -> dict[str, object]:
    entry: dict[str, object] = {"subject": str(id), "verb": Verb.EXPORT.value, "policy": policy.digest}
    if artifact is not None:
        entry |= {"recording": str(artifact.recording), "purpose": artifact.purpose, "part": artifact.part}
    return entry


def _open(platform: Platform, artifact: Artifact, wrapped: bytes | None) -> Private[bytes]:
    if wrapped is None:
        raise Conflict("absent", str(artifact.id))
    name = ArtifactName(artifact.id, artifact.attempt, artifact.purpose)
    return take_out(
        platform.store,
        platform.keyring,
        artifact.epoch,
        name,
        artifact.object,
        artifact.version,
        wrapped,
        artifact.digest,
    )
