"""Reading the register is in the register: who looked for what."""

from __future__ import annotations

from consigne.acts.journey import Platform
from consigne.rules.clock import iso
from consigne.rules.sought import Sought
from consigne.rules.values import Actor


def note_reading(platform: Platform, actor: Actor, sought: Sought, taken: str) -> None:
    """Committed before anything is shown; `taken` is `page`, `json` or `csv`."""
    entry: dict[str, object] = {"outcome": taken}
    for name in ("who", "kind", "why", "before"):
        if (value := getattr(sought, name)) is not None:
            entry[f"sought_{name}"] = value
    if sought.subject is not None:
        entry["subject"] = str(sought.subject)
    for name in ("since", "until"):
        if (instant := getattr(sought, name)) is not None:
            entry[f"sought_{name}"] = iso(instant)
    with platform.catalog.begin() as tx:
        platform.catalog.append(tx, actor.user, "register:entries:read", [entry])


def note_proof(platform: Platform, actor: Actor, number: int) -> None:
    """Somebody took the proof of one entry."""
    with platform.catalog.begin() as tx:
        platform.catalog.append(tx, actor.user, "register:proof:taken", [{"number": number}])
