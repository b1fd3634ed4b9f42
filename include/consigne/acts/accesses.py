"""What the store says was read, written or deleted, against what the register says was offered."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from consigne.acts.catalog import Transaction
from consigne.acts.compare import told
from consigne.acts.journey import Platform
from consigne.rules.clock import parse_instant
from consigne.rules.findings import FindingAct, FindingKind, Found
from consigne.rules.layout import part_prefix, recording_of
from consigne.rules.store_audit import READS, RECORDINGS, Access

CHUNK = 1_000
SETTLING = timedelta(minutes=10)
"""A listener's read is judged after that: what explains it may be about to be written."""
# Register entry of an artifact → how long before the read and after it the entry may stand. What is kept under
# another purpose is read before its outcome is known.
EXPLAINS: Mapping[str, tuple[timedelta, timedelta]] = {
    "listen:artifact:offered": (timedelta(minutes=10), timedelta(minutes=1)),
    "decide:artifact:applied": (timedelta(minutes=10), timedelta(hours=1)),
}
EXPLAINED_KEPT, KEPT = timedelta(days=30), timedelta(days=365)


def keep_accesses(platform: Platform, found: Sequence[Access]) -> int:
    """Keep what the store's audit log tells; returns how many are new. Idempotent."""
    with platform.catalog.begin() as tx:
        _, shift_s = platform.catalog.clock_shift(tx)
        return platform.catalog.add_accesses(tx, found, shift_s)


def explain_accesses(platform: Platform) -> dict[str, int]:
    """Judge what came since; one finding for each identity and kind of request. Returns how many accesses were
    `explained` and `unexplained`."""
    counts: Counter[str] = Counter()
    while accesses := _next(platform):
        counts += _explain(platform, accesses)
    with platform.catalog.begin() as tx:
        now = platform.catalog.now(tx)
        platform.catalog.forget_accesses(tx, now - EXPLAINED_KEPT, now - KEPT)
    return dict(counts)


def _next(platform: Platform) -> list[tuple[int, Access]]:
    with platform.catalog.begin() as tx:
        return platform.catalog.unexplained(tx, platform.catalog.now(tx) - SETTLING, CHUNK)


def _explain(platform: Platform, accesses: Sequence[tuple[int, Access]]) -> Counter[str]:
    entries, artifacts = _entries(platform, [access for _, access in accesses])
    explained = [id for id, access in accesses if _is_explained(access, entries[access.object])]
    groups: defaultdict[str, list[tuple[int, Access]]] = defaultdict(list)
    for id, access in accesses:
        if not _is_explained(access, entries[access.object]):
            groups[f"{access.identity} {access.api}"].append((id, access))
    with platform.catalog.begin() as tx:
        platform.catalog.settle_accesses(tx, explained, True, None)
        for subject, group in groups.items():
            _note(platform, tx, subject, group, artifacts)
    return Counter(explained=len(explained), unexplained=len(accesses) - len(explained))


def _note(
    platform: Platform, tx: Transaction, subject: str, group: Sequence[tuple[int, Access]], artifacts: Mapping[str, UUID]
) -> None:  # fmt: skip
    """One finding for all that an identity did of a kind; named after the first request, and the artifact's where
    all was under its name."""
    concerned = {artifacts.get(part_prefix(access.object)) for _, access in group}
    artifact = concerned.pop() if len(concerned) == 1 else None
    first = group[0][1].request
    found = Found(FindingKind.UNEXPLAINED_ACCESS, subject, first, FindingAct.ALARM, artifact)
    made = platform.catalog.note_found(tx, platform.new_id(), found, platform.catalog.now(tx))
    if made:
        entry = told(made) | {"count": len(group)}
        platform.catalog.append(tx, "consigne", "reconcile:finding:found", [entry])
    platform.catalog.settle_accesses(tx, [id for id, _ in group], False, made.id if made else None)


def _entries(
    platform: Platform, accesses: Sequence[Access]
) -> tuple[defaultdict[str, list[tuple[str, datetime]]], dict[str, UUID]]:
    """Object → the register's entries on its artifact (kind, instant); and prefix → artifact, whose attempts and
    uploads share it."""
    recordings = {id for access in accesses if (id := recording_of(access.object))}
    with platform.catalog.begin() as tx:
        artifacts = platform.catalog.artifacts_in(tx, recordings)
        entries = platform.catalog.told_of(tx, [one.id for one in artifacts], list(EXPLAINS))
    told_at: defaultdict[str, list[tuple[str, datetime]]] = defaultdict(list)
    for entry in entries:
        told_at[entry["subject"]].append((entry["kind"], parse_instant(entry["at"])))
    by_object: defaultdict[str, list[tuple[str, datetime]]] = defaultdict(list)
    for one in artifacts:
        by_object[one.object] = told_at[str(one.id)]
    return by_object, {part_prefix(one.object): one.id for one in artifacts}


def _is_explained(access: Access, entries: Sequence[tuple[str, datetime]]) -> bool:
    """Only reads by a listener's identity can be, each by an entry on that artifact at about that time."""
    if access.bucket != RECORDINGS or access.api not in READS or not access.identity.startswith("listen-"):
        return False
    return any(at - EXPLAINS[kind][1] <= access.at <= at + EXPLAINS[kind][0] for kind, at in entries)
