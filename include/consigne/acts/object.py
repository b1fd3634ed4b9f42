"""Somebody objects (GDPR, article 21): by a delivery, or by an adviser's word; and takes it back.

It is recorded with keyed digests only. The gate refuses what it binds, whenever it is delivered; what is kept
already is restricted and ends at once, except what a decision or a hold keeps: nobody hears that any more.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from consigne.acts.catalog import Transaction
from consigne.acts.find import caller_indexes
from consigne.acts.journey import Platform
from consigne.acts.locate import identity_digest, policy_now
from consigne.rules.access import Denied, Target, Verb, may
from consigne.rules.checks import ID
from consigne.rules.clock import iso
from consigne.rules.errors import BadInput
from consigne.rules.evidence.canonical import encode
from consigne.rules.objections import (
    ALTERNATIVES,
    Objection,
    demanded_by_law,
    other_party,
    purposes_said,
    said_at,
)
from consigne.rules.policy.model import Policy
from consigne.rules.recording import IncomingRecording
from consigne.rules.values import Actor, Private

_OBJECTIONS = UUID("0d5c5f5e-3c3b-5c6a-9b1e-6a4f7e2d8c10")  # a name space of our own for uuid5 (RFC 9562)
_SOURCE = re.compile(r"[!-~]{1,64}")
_CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")
AT_ONCE = 1_000
"""Artifacts that one transaction ends; the next minute takes what is left."""
ON_THEIR_WAY = timedelta(days=40)
"""Longer than the gate lets a call wait (its horizon), so that all which an objection missed has come by then."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """What an adviser was told: the call by its identifier at the source, the caller's number, or both (an empty one
    is not given); the purposes, none for all; the alternative offered, one of ALTERNATIVES."""

    call: str
    source: str
    caller: Private[str]
    purposes: Sequence[str]
    alternative: str


def callers_of(platform: Platform, incoming: IncomingRecording) -> list[bytes]:
    """The blind indexes of the person that we speak with; none where the number was withheld."""
    number = other_party(incoming)
    return caller_indexes(platform, number) if number else []


def said_in(platform: Platform, policy: Policy, incoming: IncomingRecording) -> Objection | None:
    """The objection that a delivery carries: of its call, and of its caller from then on. The same delivery
    gives the same one again."""
    said = incoming.objection
    if said is None:
        return None
    call = identity_digest(platform, incoming.source, incoming.id).digest
    purposes, at = purposes_said(said, policy), said_at(incoming, said)
    name = encode({"call": call.hex(), "purposes": list(purposes), "at": iso(at)})
    alternative = said.alternative if said.alternative and _CODE.fullmatch(said.alternative) else None
    callers = tuple(callers_of(platform, incoming))
    return Objection(uuid5(_OBJECTIONS, name.decode()), call, callers, purposes, alternative, at)


def record_said(platform: Platform, tx: Transaction, objection: Objection, delivery: UUID) -> None:
    """Record a delivery's objection, once."""
    if platform.catalog.add_objection(tx, objection, "consigne", platform.catalog.now(tx)):
        entry = _told(objection) | {"delivery": str(delivery)}
        platform.catalog.append(tx, "consigne", "inform:objection:recorded", [entry])


def object_to(platform: Platform, policy: Policy, actor: Actor, spoken: Spoken) -> Objection | Denied:
    """Record what a caller said to an adviser, and end what is kept already of what it binds. Registered.

    Denied('role_missing'). BadInput('bad_field') names `call` (also where neither call nor caller is given),
    `source`, `caller`, `purposes` (unknown, or demanded by law) or `alternative`.
    """
    with platform.catalog.begin() as tx:
        now = platform.catalog.now(tx)
        if denied := _why_not(platform, tx, policy, actor, now):
            return denied
    objection = _heard(platform, policy, spoken, now)
    with platform.catalog.begin() as tx:
        platform.catalog.add_objection(tx, objection, actor.user, now)
        platform.catalog.append(tx, actor.user, "inform:objection:recorded", [_told(objection)])
        _end(platform, tx, policy, objection.id, actor.user)
    return objection


def _heard(platform: Platform, policy: Policy, spoken: Spoken, now: datetime) -> Objection:
    call, number = spoken.call.strip(), spoken.caller.reveal().strip()
    if not (call or number) or (call and not re.fullmatch(ID, call)):
        raise BadInput("bad_field", "call")
    if not _SOURCE.fullmatch(spoken.source):
        raise BadInput("bad_field", "source")
    if not set(spoken.purposes) <= policy.purposes.keys() - set(demanded_by_law(policy)):
        raise BadInput("bad_field", "purposes")
    if spoken.alternative not in ALTERNATIVES:
        raise BadInput("bad_field", "alternative")
    return Objection(
        platform.new_id(),
        identity_digest(platform, spoken.source, call).digest if call else None,
        tuple(caller_indexes(platform, number)) if number else (),
        tuple(dict.fromkeys(spoken.purposes)),
        spoken.alternative,
        now,
    )


def withdraw(platform: Platform, policy: Policy, actor: Actor, id: UUID) -> list[UUID] | Denied:
    """A caller's objection holds no longer for calls that begin from now on; what was refused stays refused.
    Returns its id, none where nothing stands. Denied('role_missing'): who sees objections withdraws by id."""
    return _withdraw(platform, policy, actor, id, [], (Verb.SEE_OBJECTIONS, Verb.OBJECT))


def withdraw_of_caller(
    platform: Platform, policy: Policy, actor: Actor, number: Private[str]
) -> list[UUID] | Denied:
    """The same for all that a caller objected to, by the number. BadInput('bad_field', 'caller')."""
    callers = caller_indexes(platform, number.reveal().strip())
    return _withdraw(platform, policy, actor, None, callers, (Verb.OBJECT,))


def _withdraw(
    platform: Platform, policy: Policy, actor: Actor, id: UUID | None, callers: Sequence[bytes],
    verbs: Sequence[Verb],
) -> list[UUID] | Denied:  # fmt: skip
    with platform.catalog.begin() as tx:
        now = platform.catalog.now(tx)
        if denied := _why_not(platform, tx, policy, actor, now, verbs):
            return denied
        ended = platform.catalog.withdraw(tx, id, callers, actor.user, now)
        entries = [{"subject": str(one), "policy": policy.digest} for one in ended]
        platform.catalog.append(tx, actor.user, "inform:objection:withdrawn", entries)
    return ended


def end_objected(platform: Platform) -> int:
    """End what was kept before its objection was known: it came late, or while the call was on its way. Returns
    how many artifacts."""
    policy = policy_now(platform)
    with platform.catalog.begin() as tx:
        since = platform.catalog.now(tx) - ON_THEIR_WAY
        return _end(platform, tx, policy, since, "consigne")


def _end(platform: Platform, tx: Transaction, policy: Policy, said: UUID | datetime, actor: str) -> int:
    now = platform.catalog.now(tx)
    found = platform.catalog.objected(tx, now, demanded_by_law(policy), said, AT_ONCE)
    for one in found:
        if one.is_extended:
            platform.catalog.restrict(tx, one.artifact)
        else:
            platform.catalog.set_clock(tx, one.artifact, now, restricted=True, ended_for="objected")
    entries = [
        {
            "subject": str(one.artifact), "recording": str(one.recording), "purpose": one.purpose,
            "objection": str(one.objection), "policy": policy.digest,
            "outcome": "restricted" if one.is_extended else "ended",
        }
        for one in found
    ]  # fmt: skip
    platform.catalog.append(tx, actor, "inform:artifact:ended", entries)
    return len(found)


def _why_not(
    platform: Platform, tx: Transaction, policy: Policy, actor: Actor, now: datetime,
    verbs: Sequence[Verb] = (Verb.OBJECT,),
) -> Denied | None:  # fmt: skip
    for verb in verbs:
        verdict = may(policy, actor, verb, Target(), None, now)
        if isinstance(verdict, Denied):
            entry = {"code": verdict.code, "verb": str(verb), "policy": policy.digest}
            platform.catalog.append(tx, actor.user, "inform:objection:denied", [entry])
            return verdict
    return None


def _told(objection: Objection) -> dict[str, object]:
    return {
        "subject": str(objection.id),
        "call": objection.identity_digest.hex() if objection.identity_digest else None,
        # Not whose it is, not even as an index: the register outlives the recordings.
        "stands": bool(objection.callers),
        "purposes": list(objection.purposes),
        "alternative": objection.alternative,
        "objected_at": iso(objection.objected_at),
    }
