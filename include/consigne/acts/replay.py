"""Start-up: whatever came back from a backup is brought to the truth before ingest and desk open (P6).

The evidence bucket says what is gone, the keyring whether a key lives; neither is asked of the catalog. Every
step is idempotent and committed by itself: whoever is killed here, the next start goes on, and until it has ended
everything stays shut (`acts.truth`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from consigne.acts.attest import publish_certificates
from consigne.acts.behind import check_keyring, check_witness
from consigne.acts.came_back import News, continued, lives_again, parts_of, read_news
from consigne.acts.catalog import Transaction
from consigne.acts.declare import publish_declaration, publish_note, record_declared, restoration_name
from consigne.acts.evidence import certificate_row
from consigne.acts.expire import EVIDENCE_KEPT, finish
from consigne.acts.hush import hush_doubted
from consigne.acts.journey import Platform
from consigne.acts.losses import add_counts, name_losses
from consigne.acts.remains import Remains, see_remains
from consigne.acts.repair import mend_epochs
from consigne.rules.clock import iso, parse_instant
from consigne.rules.errors import Unavailable
from consigne.rules.evidence.restoration import PARTS, Restored, restoration_body

ACTOR = "consigne"
CHUNK = 500


@dataclass(frozen=True, slots=True)
class Restoration:
    """What came back, whereof somebody `declared` it, and what was done: `counts` by `restore:…` word."""

    id: UUID
    parts: tuple[str, ...]
    declared: tuple[str, ...]
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an artifact lay."""

    artifact: UUID
    object: str


def bring_to_truth(
    platform: Platform, declared: Collection[str] = (), is_older_keyring: bool = False
) -> Restoration | None:
    """Erase again what was erased, destroy again what was destroyed, name what is lost; None where nothing came back.
    `declared`: parts of which an operator says that they were put back (`database`, `recordings`, `keyring`): never
    what the database says of it, whose superuser would declare the tail that he dropped.

    Misconfigured where the evidence bucket itself is older than the outside witness knows, or of another
    installation, or the keyring lacks a key that was in use (unless an operator says that it `is_older_keyring`): then
    all stays shut.
    """
    check_witness(platform, is_older_keyring)
    check_keyring(platform, is_older_keyring)
    news = read_news(platform, is_declared=bool(declared))
    hush_doubted(platform, news.doubted)
    begun = _begin(platform, news, declared)
    if begun is None:
        mend_epochs(platform)
        return None
    id, parts = begun
    _bury(platform, id, news)
    _take_back(platform, id, news)  # after it: a certificate that is known vouches for no tombstone any more
    _bury_begun(platform, id)
    _destroy_again(platform, news)
    _remove_objects(platform)
    publish_certificates(platform, EVIDENCE_KEPT)
    name_losses(platform, id, parts, [one.erasing_at for one in news.tombstones])
    return _end(platform, id, declared)


def _begin(platform: Platform, news: News, declared: Collection[str]) -> tuple[UUID, tuple[str, ...]] | None:
    found, again = parts_of(platform, news, declared), lives_again(platform, news)
    with platform.catalog.begin() as tx:
        platform.catalog.lock_register(tx)  # as `acts.truth`: of two that notice it, one opens it
        known = platform.catalog.open_restoration(tx, lock=True)
        if known is None and not found:
            return None
        id = platform.new_id() if known is None else known["id"]
        parts = tuple(sorted({*found, *(known["parts"] if known else ())}))
        told: dict[str, Any] = (
            {} if known is not None and known["parts"] == list(parts) else {"parts": list(parts)}
        )
        if news.continued is not None and (known is None or known["origin"] is None):
            kept, published = news.continued.kept, news.continued.published
            told |= {"origin": kept.origin, "register_size": kept.size, "published_size": published.size}
        counts = {"doubted": len(news.doubted), "destroyed_again": len(again)}
        if known is not None and not known["counts"]:  # opened by the sealer
            told |= {"counts": counts}
        if known is None:
            newest = platform.catalog.newest_checkpoint(tx)
            size = 0 if newest is None else newest["size"]
            fresh: dict[str, Any] = {
                "register_size": size,
                "published_size": size,
                "counts": counts,
            }
            fresh |= {
                "began_at": platform.catalog.now(tx),
                "kept_until": platform.catalog.newest_entry_at(tx),
            }
            row = {"id": id, **fresh, **told}
            platform.catalog.begin_restoration(tx, row)
        elif told:
            platform.catalog.change_restoration(tx, id, **told)
        entry = {"subject": str(id), **told}
        platform.catalog.append(tx, ACTOR, "restore:backup:noticed", [entry] if told else [])
        record_declared(platform, tx, id, declared)
    return id, parts


def _take_back(platform: Platform, restoration: UUID, news: News) -> None:
    """Certificates as they were published: never issued twice. Epochs that they call destroyed are so again."""
    for start in range(0, len(news.certificates), CHUNK):
        some = news.certificates[start : start + CHUNK]
        with platform.catalog.begin() as tx:
            now = platform.catalog.now(tx)
            count = platform.catalog.take_back(tx, [certificate_row(one, file, now) for one, file in some])
            for one, _ in some:
                if one.body["scope"] == "epoch":
                    at = parse_instant(one.body["destroyed_at"])
                    platform.catalog.record_destroyed(tx, one.body["epoch"], one.body["purpose"], at)
            add_counts(platform, tx, restoration, certificates=count)
            entry = {"subject": str(restoration), "count": count}
            platform.catalog.append(tx, ACTOR, "restore:certificates:taken-back", [entry] if count else [])


def _bury(platform: Platform, restoration: UUID, news: News) -> None:
    """The tombstones are the catalog's again, and no key of what they name is left in it."""
    for start in range(0, len(news.tombstones), CHUNK):
        some = news.tombstones[start : start + CHUNK]
        with platform.catalog.begin() as tx:
            now = platform.catalog.now(tx)
            done = {"published_at": now, "signed_at": now, "key_deleted_at": now}
            rows = [asdict(one) | done for one in some]
            _tell_buried(platform, tx, restoration, platform.catalog.bury(tx, rows))


def _bury_begun(platform: Platform, restoration: UUID) -> None:
    """What was `erasing` in the backup and is certified since: its tombstone is no news, but its key came back."""
    while True:
        with platform.catalog.begin() as tx:
            now, ids = platform.catalog.now(tx), platform.catalog.certified_with_keys(tx, CHUNK)
            platform.catalog.delete_keys(tx, ids)
            platform.catalog.mark_erasures(tx, ids, published_at=now, key_deleted_at=now)
            _tell_buried(platform, tx, restoration, ids)
        if not ids:
            return


def _tell_buried(platform: Platform, tx: Transaction, restoration: UUID, ids: Sequence[UUID]) -> None:
    add_counts(platform, tx, restoration, erased_again=len(ids))
    entries = [{"subject": str(id), "restoration": str(restoration), "outcome": "key_deleted"} for id in ids]
    platform.catalog.append(tx, ACTOR, "restore:artifact:buried", entries)


def _destroy_again(platform: Platform, news: News) -> None:
    """Keys that must not live go; names that were spent are reserved again, should the keyring not know them."""
    lived = set(platform.keyring.epochs())
    for one, _ in news.certificates:
        if one.body["scope"] == "epoch" and one.body["epoch"] not in lived:
            platform.keyring.destroy_epoch(one.body["epoch"])
    mend_epochs(platform)


def _remove_objects(platform: Platform) -> None:
    """What lies where something is buried goes, by version; then it is seen to be absent and certified, unless its
    certificate was taken back."""
    while True:
        with platform.catalog.begin() as tx:
            rows = platform.catalog.half_buried(tx, CHUNK)
        if not rows:
            return
        places = [_Place(row["artifact"], row["object"]) for row in rows]
        _remove(platform, places)
        _finish(platform, [place.artifact for place in places])


def _remove(platform: Platform, places: Sequence[_Place]) -> None:
    """Every version, marker and upload under these prefixes, noted first; Unavailable where any is seen after."""
    found = see_remains(platform, places)
    with platform.catalog.begin() as tx:
        for place in places:
            remains = found[place.artifact]
            counts = {"versions_deleted": len(remains.versions), "uploads_aborted": len(remains.uploads)}
            platform.catalog.mark_erasures(tx, [place.artifact], **counts)
        entries = [
            {
                "subject": str(place.artifact),
                "count": len(found[place.artifact].versions),
                "outcome": "removed",
            }
            for place in places
            if found[place.artifact] != Remains()
        ]
        platform.catalog.append(tx, ACTOR, "restore:object:removed", entries)
    platform.store.abort_uploads([one for remains in found.values() for one in remains.uploads])
    platform.store.delete_versions([one for remains in found.values() for one in remains.versions])
    again = see_remains(platform, places)
    left = sum(remains != Remains() for remains in again.values())
    if left:
        raise Unavailable("still_listed", f"{left} artifacts", "removed at the next try")


def _finish(platform: Platform, ids: Sequence[UUID]) -> None:
    with platform.catalog.begin() as tx:
        now = platform.catalog.now(tx)
        platform.catalog.mark_buried(tx, ids, now)
        finish(platform, tx, platform.catalog.erasures(tx, ids))


def _end(platform: Platform, id: UUID, declared: Collection[str]) -> Restoration:
    """The note is published before the register goes on under its new name."""
    with platform.catalog.begin() as tx:
        row = platform.catalog.open_restoration(tx)
    assert row is not None
    counts = {name: int(count) for name, count in row["counts"].items() if count}
    parts, said = (tuple(part for part in PARTS if part in some) for some in (row["parts"], [*declared]))
    name = restoration_name(id, row["began_at"])
    if not platform.store.list_evidence(name):
        register = continued(platform, row["origin"]) if row["origin"] else None
        restored = Restored(str(id), iso(row["began_at"]), parts, said, counts, register)
        publish_note(platform, name, restoration_body(restored))
    publish_declaration(platform, id, said)  # where the note was published before somebody said so
    with platform.catalog.begin() as tx:
        platform.catalog.change_restoration(tx, id, ended_at=platform.catalog.now(tx))
        entry = {"subject": str(id), "parts": list(parts), "counts": counts, "outcome": "replayed"}
        platform.catalog.append(tx, ACTOR, "restore:backup:replayed", [entry])
    return Restoration(id, parts, said, counts)
