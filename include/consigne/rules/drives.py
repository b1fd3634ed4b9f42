"""A store's drives. An object lies in parts on the drives of one set, and is whole where no fewer than half of them
are: MinIO's parity is at most half of a set."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Drive:
    """As the store names it, `set` being that of its erasure set; `is_there`: it can be read and written."""

    name: str
    set: str
    is_there: bool


def away(drives: Iterable[Drive]) -> list[Drive]:
    """Those that are not there."""
    return [drive for drive in drives if not drive.is_there]


def there_both_times(before: Iterable[Drive], after: Iterable[Drive]) -> list[Drive]:
    """Each drive once, away if it was at either time."""
    drives = {drive.name: drive for drive in before}
    for drive in after:
        is_there = drive.is_there and drives.get(drive.name, drive).is_there
        drives[drive.name] = replace(drive, is_there=is_there)
    return list(drives.values())


def may_make_whole(drives: Iterable[Drive]) -> bool:
    """Whether what lies on those that are away could make an object whole when they come back: half of a set or
    more."""
    sets: dict[str, list[Drive]] = {}
    for drive in drives:
        sets.setdefault(drive.set, []).append(drive)
    return any(2 * len(away(of_set)) >= len(of_set) for of_set in sets.values())
