"""A tombstone that nobody signed and no certificate names erases nothing; but the person may have objected while the
keyring was away, and the backup not know it. So what it names stays kept and is inaudible until the DPO answers, or
its own end comes: whoever forges one gains silence, never an erasure."""

from __future__ import annotations

from collections.abc import Sequence

from consigne.acts.compare import note
from consigne.acts.journey import Platform
from consigne.rules.clock import iso
from consigne.rules.evidence.tombstone import Tombstone
from consigne.rules.findings import FindingAct, FindingKind, Found


def hush_doubted(platform: Platform, doubted: Sequence[Tombstone]) -> None:
    """A finding for each that names what is kept here. What the DPO answered stays answered."""
    with platform.catalog.begin() as tx:
        known = platform.catalog.kept_among(tx, [one.artifact for one in doubted])
    kept = [one for one in doubted if one.artifact in known and known[one.artifact]["state"] == "kept"]
    kind, act = FindingKind.DOUBTED_TOMBSTONE, FindingAct.DECIDE
    found = [Found(kind, str(one.artifact), iso(one.erasing_at), act, one.artifact) for one in kept]
    note(platform, found)
