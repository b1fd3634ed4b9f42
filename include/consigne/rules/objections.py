"""Objections (GDPR, article 21): which purposes of a call one binds.

Said of a call, it binds that call whenever it is delivered. Said by a caller, it binds their calls that had not
ended by then, until it is withdrawn; what it bound stays bound. Nobody can object to what a law demands
(article 21(1)): a purpose with a `legal_text` stays.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from consigne.rules.policy.model import Policy
from consigne.rules.recording import IncomingRecording
from consigne.rules.recording import Objection as Said

ALTERNATIVES = ("not_recorded", "called_back", "another_channel")
"""What an adviser can offer somebody who objects; a source may name others."""


@dataclass(frozen=True, slots=True)
class Objection:
    """A row of `objections`. `identity_digest` and `callers` are keyed digests of the call's (source, id) and of the
    caller's number; no `purposes` means all that nothing in law demands."""

    id: UUID
    identity_digest: bytes | None
    callers: tuple[bytes, ...]
    purposes: tuple[str, ...]
    alternative: str | None
    objected_at: datetime
    withdrawn_at: datetime | None = None


def objected(
    found: Iterable[Objection], identity_digest: bytes, incoming: IncomingRecording, asked: Iterable[str]
) -> frozenset[str]:
    """The purposes asked that the objections found for a call, or for its caller, bind."""
    binding = [one for one in found if _binds(one, identity_digest, incoming)]
    return frozenset(
        purpose for purpose in asked for one in binding if not one.purposes or purpose in one.purposes
    )


def _binds(one: Objection, identity_digest: bytes, incoming: IncomingRecording) -> bool:
    if one.identity_digest == identity_digest:
        return True
    began_before = one.withdrawn_at is None or incoming.started_at < one.withdrawn_at
    return bool(one.callers) and one.objected_at <= incoming.ended_at and began_before


def purposes_said(said: Said, policy: Policy | None) -> tuple[str, ...]:
    """The purposes that a delivery's objection is remembered for: all (empty) where it names none, or one that the
    policy does not know: a wrong name must not make an objection void."""
    known = policy.purposes if policy else {}
    return said.purposes if all(name in known for name in said.purposes) else ()


def said_at(incoming: IncomingRecording, said: Said) -> datetime:
    """When a delivery's objection was made (UTC)."""
    return incoming.started_at + timedelta(milliseconds=said.at_ms)


def demanded_by_law(policy: Policy) -> tuple[str, ...]:
    """The purposes that no objection binds."""
    return tuple(name for name, purpose in policy.purposes.items() if purpose.legal_text is not None)


def other_party(incoming: IncomingRecording) -> str:
    """The number of the person that we speak with: whoever calls, and in a call of ours whoever is called. Empty
    where it was withheld. It is personal data: only its digest may rest."""
    number = (incoming.callee if incoming.direction == "outbound" else incoming.caller).reveal()
    return "" if number == "anonymous" else number
