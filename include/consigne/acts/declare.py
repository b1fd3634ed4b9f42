"""An operator says that a backup was put back: what the database cannot say of itself (P7).

Who it was is not known beyond that: whoever may write the state folder of an installation that is down.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from consigne.acts.catalog import Transaction
from consigne.acts.evidence import RESTORATIONS, restorations
from consigne.acts.expire import EVIDENCE_KEPT
from consigne.acts.journey import Platform
from consigne.rules.clock import iso
from consigne.rules.evidence.restoration import PARTS, Declared, Restored, declaration_body, declared_parts
from consigne.rules.evidence.signature import sign_note

OPERATOR = "operator"


def declare(platform: Platform, id: UUID) -> bool:
    """Declare afterwards all parts of a restoration that was only noticed; False where evidence knows none of this
    id. Idempotent."""
    parts = {part for one in _noted(platform, id) for part in one.parts}
    publish_declaration(platform, id, parts)
    with platform.catalog.begin() as tx:
        record_declared(platform, tx, id, parts)
    return bool(parts)


def record_declared(platform: Platform, tx: Transaction, id: UUID, parts: Collection[str]) -> None:
    """In the register and on the restoration's row, for the desk; nothing where that row says it already."""
    if parts and platform.catalog.declare_restoration(tx, id, sorted(parts)):
        entry = {"subject": str(id), "parts": sorted(parts), "outcome": "declared"}
        platform.catalog.append(tx, OPERATOR, "restore:backup:declared", [entry])


def publish_declaration(platform: Platform, id: UUID, parts: Collection[str]) -> None:
    """A second signed note beside the restoration's own, where that does not say it."""
    lacking = set(parts) - declared_parts(restorations(platform), str(id))
    for noted in _noted(platform, id)[:1] if lacking else ():
        with platform.catalog.begin() as tx:
            now = platform.catalog.now(tx)
        said = tuple(part for part in PARTS if part in lacking)
        name = f"{RESTORATIONS}{noted.at}-{id}-declared"
        publish_note(platform, name, declaration_body(Declared(str(id), iso(now), said)))


def restoration_name(id: UUID, began_at: datetime) -> str:
    """Its note's object in the evidence bucket."""
    return f"{RESTORATIONS}{iso(began_at)}-{id}"


def publish_note(platform: Platform, name: str, body: bytes) -> None:
    """Signed, under compliance lock."""
    signature = platform.keyring.sign(body)
    public_key = platform.keyring.public_keys()[signature.key]
    note = sign_note(body, signature.key, lambda _: signature.bytes, public_key)
    platform.store.publish(name, note, platform.store.server_time() + EVIDENCE_KEPT)


def _noted(platform: Platform, id: UUID) -> list[Restored]:
    return [one for one in restorations(platform) if isinstance(one, Restored) and one.id == str(id)]
