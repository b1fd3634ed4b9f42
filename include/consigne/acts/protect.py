"""Redact, prove, encrypt, store: admitted → protected, and each artifact storing → kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID, uuid5

from consigne.acts import safe
from consigne.acts.catalog import Catalog, Transaction
from consigne.acts.deliveries import delivery_ids, finish, found_in, quarantine, taking
from consigne.acts.epochs import open_epoch
from consigne.acts.find import caller_index
from consigne.acts.journey import Platform, Step, advance
from consigne.acts.locate import Contents, contents, in_force, lacks_words, policy_now, waiting_of
from consigne.acts.ports import Artifact, Delivery
from consigne.rules import checks
from consigne.rules.clock import local_date
from consigne.rules.errors import Conflict, Misconfigured
from consigne.rules.evidence.masked import masked_statement
from consigne.rules.layout import object_name
from consigne.rules.policy.model import Policy
from consigne.rules.recording import IncomingRecording
from consigne.rules.redaction import names
from consigne.rules.redaction.profiles import WITH_NAMES
from consigne.rules.redaction.redact import Protected, protect
from consigne.rules.redaction.transcript import Detector
from consigne.rules.retention import Due, clock_start, falls_due
from consigne.rules.values import ArtifactName, MaskedInterval, Part, Quarantined, Refused

_RECORDINGS = UUID("6c9ed1d8-7c42-5d0b-9d8f-5a3b7c1e2f40")  # a name space of our own for uuid5 (RFC 9562)


@dataclass(frozen=True, slots=True)
class Shelved:
    """One part that was stored, before the catalog knows it."""

    part: Part
    due: Due
    masked: tuple[MaskedInterval, ...]
    put: safe.PutIn


@dataclass(frozen=True, slots=True)
class Stowed:
    """A delivery whose every part is stored."""

    read: Contents
    recording: UUID
    received_at: datetime
    duration_ms: int
    shelved: tuple[Shelved, ...]
    remarks: tuple[str, ...]  # ids of checks
    expired: tuple[str, ...]  # purposes whose end came while this was on its way
    policy: str  # by whose clocks


def protect_recordings(platform: Platform, chunk: str) -> dict[str, object]:
    """admitted → protected: no content is stored before its redaction is proven (P2)."""
    policy, ids = policy_now(platform), delivery_ids(platform, chunk)
    found = waiting_of(platform, policy, ["admitted"], ids)

    def effect(platform: Platform, row: Delivery) -> Stowed | Quarantined:
        return stow(platform, policy, row, contents(platform, policy, found, row))

    step = Step("ingest:delivery:protect", taking(["admitted"]), effect, settle, intends=True)
    return finish(advance(platform, step, ids))


def stow(platform: Platform, policy: Policy, row: Delivery, read: Contents) -> Stowed | Quarantined:
    """Redact, prove and store a delivery's parts for each purpose. Conflict('not_transcribed') where it waits for
    its words."""
    recording = uuid5(_RECORDINGS, read.digests.identity.hex())
    with platform.catalog.begin() as tx:
        now = platform.catalog.now(tx)
        purposes = platform.catalog.admitted_purposes(tx, row.id)
        at_start = platform.catalog.policy_at(tx, min(read.incoming.started_at, row.received_at))
        there = {artifact_id(recording, purpose, part) for purpose in purposes for part in Part}
        there &= platform.catalog.artifacts_of(tx, recording)
    if platform.transcriber.configured and lacks_words(policy, purposes, read.incoming):
        raise Conflict("not_transcribed", str(row.id), "the next run goes on with it")
    shelved: list[Shelved] = []
    expired: list[str] = []
    duration_ms, remarks = 0, tuple[str, ...]()
    clean: dict[tuple[str, bool], Protected] = {}
    for purpose in purposes:
        if purpose not in policy.purposes:  # removed meanwhile: it falls due
            expired.append(purpose)
            continue
        rule = policy.purposes[purpose].redaction
        redacted = clean.get((rule.profile, rule.requires_transcript)) or _redact(
            platform, policy, purpose, read
        )
        if isinstance(redacted, Quarantined):
            return redacted
        clean[(rule.profile, rule.requires_transcript)] = redacted
        duration_ms = redacted.duration_ms
        remarks = tuple(one.check for one in checks.explain_audio(read.incoming, redacted.sound))
        dues = {
            part: due
            for part, due in _dues(policy, at_start, purpose, row, read).items()
            if artifact_id(recording, purpose, part) not in there
        }
        if any(due.due_at <= now for due in dues.values()):
            expired.append(purpose)
            continue
        shelved += _shelve(platform, policy, purpose, recording, read, redacted, dues)
    made = tuple(shelved), remarks, tuple(expired), policy.digest
    return Stowed(read, recording, row.received_at, duration_ms, *made)


def _redact(platform: Platform, policy: Policy, purpose: str, read: Contents) -> Protected | Quarantined:
    rule = policy.purposes[purpose].redaction
    extra = _look_for_names(platform, rule.profile, read.incoming)
    if isinstance(extra, Quarantined):
        return extra
    words, cap_ms = read.incoming.transcript, policy.recording_cap.seconds_exact() * 1000
    done = protect(read.audio, read.suffix, words, rule.profile, rule.requires_transcript, cap_ms, extra)
    if isinstance(done, Quarantined):
        return replace(done, checks=checks.undecoded(done))
    return checks.verdict(checks.explain_audio(read.incoming, done.sound)) or done


def _look_for_names(
    platform: Platform, profile: str, incoming: IncomingRecording
) -> Sequence[Detector] | Quarantined:
    if profile not in WITH_NAMES or incoming.transcript is None:
        return ()
    try:
        found = platform.names.find(incoming.transcript, incoming.language)
    except Misconfigured as fault:  # this call waits; those that need no names go on
        raise Conflict(fault.code, fault.where, fault.advice) from None
    return found if isinstance(found, Quarantined) else (names.detector(found.reveal()),)


def _dues(
    policy: Policy, at_start: Policy | None, purpose: str, row: Delivery, read: Contents
) -> dict[Part, Due]:
    notice = read.incoming.notice.version if read.incoming.notice else None
    parts = [part for part in policy.purposes[purpose].parts if part in (Part.AUDIO, Part.TRANSCRIPT)]
    return {
        part: falls_due(at_start, policy, notice, purpose, part, read.incoming.started_at, row.received_at)
        for part in parts
    }


def _shelve(
    platform: Platform, policy: Policy, purpose: str, recording: UUID, read: Contents, redacted: Protected,
    dues: dict[Part, Due],
) -> list[Shelved]:  # fmt: skip
    made = []
    day = local_date(read.incoming.started_at, policy.zone)
    for part, due in dues.items():
        content = redacted.audio if part is Part.AUDIO else redacted.transcript
        if content is None:
            continue
        name = ArtifactName(artifact_id(recording, purpose, part), platform.new_id(), purpose)
        epoch = open_epoch(platform, policy, purpose, due.due_at)
        place = object_name(purpose, day, recording, part, name.attempt)
        put = safe.put_in(platform.store, platform.keyring, epoch, name, place, content, platform.random)
        made.append(Shelved(part, due, redacted.masked, put))
    return made


def artifact_id(recording: UUID, purpose: str, part: Part) -> UUID:
    """The same artifact at every attempt: uuid5 over recording, purpose and part."""
    return uuid5(recording, f"{purpose}/{part}")


def settle(
    platform: Platform, tx: Transaction, row: Delivery, token: UUID, result: Stowed | Quarantined
) -> bool:
    """admitted → protected with recording, artifacts and keys; or quarantined, or refused."""
    if isinstance(result, Quarantined):
        return quarantine(platform, tx, row, token, result)
    policy = in_force(platform, tx, platform.catalog.now(tx))
    if policy.digest != result.policy:
        raise Conflict(
            "version_changed", str(row.id), "another version came into force: the next run goes on"
        )
    known = platform.catalog.known(tx, [result.read.digests.identity])
    if known.content_digest is not None and row.recording is None:  # its twin was faster
        if known.content_digest != result.read.digests.content:
            return quarantine(platform, tx, row, token, Quarantined("id_reused", "id"))
        return _refuse(platform, tx, row, token, "delivered_before")
    if set(result.expired) == set(platform.catalog.admitted_purposes(tx, row.id)):
        return _refuse(platform, tx, row, token, "past_due")
    _refuse_purposes(platform, tx, row, result.expired, "past_due")
    values = {"recording": result.recording, "findings": found_in(row, result.remarks)}
    if not platform.catalog.move_delivery(tx, row.id, token, "admitted", "protected", **values):
        return False
    if (
        not platform.catalog.add_recording(tx, _recording(platform, tx, policy, row, result))
        and row.recording is None
    ):
        raise Conflict(
            "raced", str(row.id), "the same call was stored meanwhile; judged again at the next try"
        )
    for shelved in result.shelved:
        _record(platform, tx, policy, result, shelved)
    return True


def _refuse(platform: Platform, tx: Transaction, row: Delivery, token: UUID, code: str) -> bool:
    _refuse_purposes(platform, tx, row, platform.catalog.admitted_purposes(tx, row.id), code)
    return platform.catalog.move_delivery(tx, row.id, token, "admitted", "refused", code=code)


def _refuse_purposes(
    platform: Platform, tx: Transaction, row: Delivery, purposes: Sequence[str], code: str
) -> None:
    platform.catalog.set_verdicts(tx, row.id, {purpose: Refused(code) for purpose in purposes})
    entries = [{"subject": str(row.id), "purpose": purpose, "outcome": code} for purpose in purposes]
    platform.catalog.append(tx, "consigne", "ingest:delivery:refused", entries)


def _recording(
    platform: Platform, tx: Transaction, policy: Policy, row: Delivery, result: Stowed
) -> dict[str, object]:
    incoming, digests = result.read.incoming, result.read.digests
    caller = caller_index(platform, tx, incoming.caller)
    return {
        "id": result.recording, "source": row.source, "source_id": incoming.id,
        "identity_digest": digests.identity, "content_digest": digests.content, "audio_digest": digests.audio,
        "key_version": digests.version, "started_at": incoming.started_at, "received_at": row.received_at, "duration_ms": result.duration_ms,
        "direction": incoming.direction, "queue": incoming.queue, "agent": incoming.agent,
        "language": incoming.language, "caller_index": caller.digest, "caller_index_version": caller.version,
        "notice": incoming.notice.version if incoming.notice else None, "policy": policy.digest,
    }  # fmt: skip


def _record(platform: Platform, tx: Transaction, policy: Policy, result: Stowed, shelved: Shelved) -> None:
    put, name = shelved.put, shelved.put.name
    if not platform.catalog.hold_epoch_open(tx, put.epoch):
        raise Conflict("epoch_closing", put.epoch, "stored again under the next generation")
    masked = [
        {"start_ms": span.start_ms, "end_ms": span.end_ms, "kind": span.kind} for span in shelved.masked
    ]
    signature = platform.keyring.sign(masked_statement(str(name.artifact), str(name.attempt), masked))
    row = {
        "id": name.artifact, "recording": result.recording, "purpose": name.purpose, "part": str(shelved.part),
        "clock_start": clock_start(result.read.incoming.started_at, result.received_at), "due_at": shelved.due.due_at, "cap_at": shelved.due.cap_at,
        "policy": policy.digest, "epoch": put.epoch, "attempt": name.attempt, "object": put.object,
        "version": put.version, "digest": put.digest, "bytes": put.bytes, "masked": masked,
        "masked_signature": signature.bytes, "masked_key": signature.key, "stored_at": platform.catalog.now(tx),
    }  # fmt: skip
    platform.catalog.add_artifact(tx, row, put.wrapped)
    entry = {
        "subject": str(name.artifact), "recording": str(result.recording), "purpose": name.purpose,
        "policy": policy.digest, "object": put.digest.hex(), "outcome": "stored",
    }  # fmt: skip
    platform.catalog.append(tx, "consigne", "ingest:artifact:stored", [entry])


def confirm_stored(platform: Platform, chunk: str) -> dict[str, object]:
    """storing → kept where the store holds the recorded version, encrypted by the server. What is not there
    is forgotten with its key, and its delivery stored anew by the next run."""
    with platform.catalog.begin() as tx:
        rows = platform.catalog.take_deliveries(
            tx, ["protected"], delivery_ids(platform, chunk), platform.new_id()
        )
        recordings = [row.recording for row in rows if row.recording is not None]
        storing = platform.catalog.storing(tx, recordings)
    step = Step("ingest:artifact:confirm", _taking_storing, _inspect, _settle_confirmed)
    return finish(advance(platform, step, storing))


def _taking_storing(
    catalog: Catalog, tx: Transaction, ids: Sequence[UUID], token: UUID
) -> Sequence[Artifact]:
    return catalog.take_storing(tx, ids, token)


def _inspect(platform: Platform, artifact: Artifact) -> str:
    facts = platform.store.inspect(artifact.object, artifact.version)
    if facts is None:
        return "missing"
    return "confirmed" if facts.encryption == "aws:kms" and facts.bytes == artifact.bytes else "wrong"


def _settle_confirmed(
    platform: Platform, tx: Transaction, artifact: Artifact, token: UUID, result: str | Quarantined
) -> bool:
    entry = {"subject": str(artifact.id), "purpose": artifact.purpose, "outcome": str(result)}
    if result == "confirmed":
        done = platform.catalog.keep_artifact(tx, artifact.id, token)
    else:
        done = platform.catalog.drop_artifact(tx, artifact.id, token)
        platform.catalog.store_again(tx, artifact.recording)
    if done:
        platform.catalog.append(tx, "consigne", "ingest:artifact:confirmed", [entry])
    return done
