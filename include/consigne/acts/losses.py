"""What was kept and cannot be opened any more after a backup came back: found, and named with the reason.

Objects that no row knows are named here and left where they lie: noise without a key, which `reconcile_storage`
sweeps; until then a better backup may still bring their rows back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from consigne.acts.came_back import LOST, is_there
from consigne.acts.catalog import Transaction
from consigne.acts.journey import Platform
from consigne.acts.ports import ObjectVersion
from consigne.acts.protect import artifact_id
from consigne.rules.values import Part

ACTOR = "consigne"
CHUNK = 1_000
MOST = 10_000
"""Whose end passed while a decision that is lost kept them: so many are named."""

Row = Mapping[str, Any]


def name_losses(
    platform: Platform, restoration: UUID, parts: Collection[str], burials: Sequence[datetime]
) -> None:
    """Everything kept that has no object or no key; after a database also objects without a row, and what outlived
    its own end (`burials`: when expiry ran since). Losses that are none any more are withdrawn."""
    _withdraw(platform)
    if {"database", "recordings"} & set(parts):
        _compare_store(platform, restoration, has_lost_rows="database" in parts)
    _compare_keys(platform, restoration)
    if burials:
        with platform.catalog.begin() as tx:
            outlived = platform.catalog.outlived(tx, min(max(burials), platform.catalog.now(tx)), MOST)
        _tell(platform, restoration, outlived, "decision_missing")


def _withdraw(platform: Platform) -> None:
    with platform.catalog.begin() as tx:
        lost = platform.catalog.losses(tx, LOST)
    living = set(platform.keyring.epochs()) if lost else set()
    back = [
        row
        for row in lost
        if (row["epoch"] in living if row["reason"] == "key_missing" else is_there(platform, row))
    ]
    with platform.catalog.begin() as tx:
        platform.catalog.withdraw_losses(tx, [row["object"] for row in back])
        entries = [{"subject": str(row["artifact"]), "outcome": "there_again"} for row in back]
        platform.catalog.append(tx, ACTOR, "restore:loss:withdrawn", entries)


def _compare_store(platform: Platform, restoration: UUID, has_lost_rows: bool) -> None:
    """One walk over the bucket: what lies where something was erased goes; then what is kept and was not seen."""
    seen: set[UUID] = set()
    walk = platform.store.versions_after("")
    while page := list(islice(walk, CHUNK)):
        seen |= _judge(platform, restoration, page, has_lost_rows)
    for rows in _pages(platform):
        missing = [row for row in rows if row["artifact"] not in seen]
        _tell(platform, restoration, missing, "object_missing")


def _pages(platform: Platform) -> Iterator[Sequence[Row]]:
    last = None
    while True:
        with platform.catalog.begin() as tx:
            rows = platform.catalog.kept_after(tx, last, CHUNK)
        if not rows:
            return
        yield rows
        last = rows[-1]["artifact"]


def _judge(
    platform: Platform, restoration: UUID, page: Sequence[ObjectVersion], has_lost_rows: bool
) -> set[UUID]:
    """The kept artifacts whose recorded version is among these."""
    named = {found: place for found in page if (place := _place(found.object)) is not None}
    ids = list({place["artifact"] for place in named.values()})
    with platform.catalog.begin() as tx:
        known, buried = platform.catalog.kept_among(tx, ids), platform.catalog.buried(tx, ids)
    back: dict[ObjectVersion, UUID] = {}
    unknown: dict[UUID, Row] = {}
    seen: set[UUID] = set()
    for found, place in named.items():
        id, row = place["artifact"], known.get(place["artifact"])
        if row is not None and row["state"] != "erased":
            if (found.object, found.version) == (row["object"], row["version"]):
                seen.add(id)
        elif id in buried or row is not None:
            back[found] = id
        elif not found.is_marker:
            unknown.setdefault(id, place)
    _remove(platform, back)
    if has_lost_rows:
        _tell(platform, restoration, list(unknown.values()), "row_missing")
    return seen


def _remove(platform: Platform, back: Mapping[ObjectVersion, UUID]) -> None:
    with platform.catalog.begin() as tx:  # noted first, as in `acts.expire`
        entries = [{"subject": str(id), "outcome": "removed"} for id in sorted(set(back.values()), key=str)]
        platform.catalog.append(tx, ACTOR, "restore:object:removed", entries)
    platform.store.delete_versions(list(back))


def _place(object: str) -> dict[str, Any] | None:
    """What an object's name says; None where it is no artifact's."""
    try:
        purpose, _, _, _, recording, part, _ = object.split("/")
        id = artifact_id(UUID(recording), purpose, Part(part))
    except ValueError:
        return None
    return {"artifact": id, "recording": UUID(recording), "purpose": purpose, "part": part, "object": object}


def _compare_keys(platform: Platform, restoration: UUID) -> None:
    with platform.catalog.begin() as tx:
        wrapping = platform.catalog.key_epochs(tx)
    lacking = sorted(set(wrapping) - set(platform.keyring.epochs()))
    last = None
    while lacking:
        with platform.catalog.begin() as tx:
            rows = platform.catalog.kept_under(tx, lacking, last, CHUNK)
        if not rows:
            break
        _tell(platform, restoration, rows, "key_missing")
        last = rows[-1]["artifact"]
    for name in lacking:
        # Reserved: a new key of that name would open nothing that is kept under it.
        platform.keyring.destroy_epoch(name)


def _tell(platform: Platform, restoration: UUID, rows: Sequence[Row], reason: str) -> None:
    if not rows:
        return
    with platform.catalog.begin() as tx:
        now = platform.catalog.now(tx)
        lost = [
            {name: row[name] for name in ("object", "artifact", "recording", "purpose", "part")}
            | {"reason": reason, "restoration": restoration, "found_at": now}
            for row in rows
        ]
        new = set(platform.catalog.add_losses(tx, lost))
        add_counts(platform, tx, restoration, **{reason: len(new)})
        entries = [
            {"subject": str(row["artifact"]), "recording": str(row["recording"]), "purpose": row["purpose"],
             "reason": reason, "outcome": "lost"}
            for row in rows if row["object"] in new
        ]  # fmt: skip
        platform.catalog.append(tx, ACTOR, "restore:artifact:lost", entries)


def add_counts(platform: Platform, tx: Transaction, id: UUID, **more: int) -> None:
    """Added to the open restoration's, in the transaction of what they count."""
    row = platform.catalog.open_restoration(tx, lock=True)
    if row is not None and any(more.values()):
        counts = row["counts"] | {name: row["counts"].get(name, 0) + count for name, count in more.items()}
        platform.catalog.change_restoration(tx, id, counts=counts)
