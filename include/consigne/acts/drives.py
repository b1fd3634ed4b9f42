"""Drives that the store is without: what they hold of an erased object goes when they are back."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from consigne.acts.compare import CHUNK, close_unseen, note
from consigne.acts.journey import Platform
from consigne.acts.ports import ObjectVersion
from consigne.rules.drives import Drive, away, may_make_whole, there_both_times
from consigne.rules.errors import Unavailable
from consigne.rules.findings import FindingAct, FindingKind, Found


def delete_on_drives(platform: Platform, versions: Sequence[ObjectVersion]) -> int:
    """Delete them; returns how many drives were away. Unavailable('drives_away') where too many were: the store
    may call deleted what half of its drives keep (MinIO does), and to delete once more is the remedy."""
    before = platform.store.drives()
    platform.store.delete_versions(versions)
    drives = there_both_times(before, platform.store.drives())
    refuse_half(drives)
    return len(away(drives))


def refuse_half(drives: Sequence[Drive]) -> None:
    """Unavailable('drives_away') where half of a set or more is away: what is gone from the others could come back
    whole, and is not listed."""
    if may_make_whole(drives):
        where = f"{len(away(drives))} of {len(drives)}"
        raise Unavailable("drives_away", where, "goes on when more than half of each set are there")


def see_drives(platform: Platform) -> int:
    """An alarm for each drive that is away, until it is back. Where all are there, what went while one was away is
    deleted once more, which reaches each of them; returns how many artifacts."""
    with platform.catalog.begin() as tx:
        began = platform.catalog.now(tx)
    missing = away(platform.store.drives())
    note(platform, [Found(FindingKind.DRIVE_AWAY, one.name, "", FindingAct.ALARM) for one in missing])
    close_unseen(platform, (FindingKind.DRIVE_AWAY,), began)
    return 0 if missing else _delete_again(platform)


def _delete_again(platform: Platform) -> int:
    done = 0
    while left := _left_on_drives(platform):
        if delete_on_drives(platform, [version for _, version in left]):
            break  # one went away again
        ids = [id for id, _ in left]
        with platform.catalog.begin() as tx:
            platform.catalog.mark_returned(tx, ids)
            entries = [{"subject": str(id), "outcome": "deleted_again"} for id in ids]
            platform.catalog.append(tx, "consigne", "reconcile:artifact:drives-back", entries)
        done += len(ids)
    return done


def _left_on_drives(platform: Platform) -> list[tuple[UUID, ObjectVersion]]:
    with platform.catalog.begin() as tx:
        return platform.catalog.left_on_drives(tx, CHUNK)
