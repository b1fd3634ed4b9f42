"""What still lies under the prefixes of artifacts that are being erased, whoever put it there."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby
from typing import Protocol
from uuid import UUID

from consigne.acts.journey import Platform
from consigne.acts.ports import ObjectVersion, Store, Upload
from consigne.rules.layout import day_prefix, part_prefix

AT_ONCE = 4
"""Listings asked for at the same time."""
FEW = 8
"""So many artifacts of a day are asked for one by one."""
OTHERS = 4
"""A walk over a day ends where it has met so many times more than the artifacts that it looks for, and a page."""
PAGE = 1_000


class Buried(Protocol):
    """An artifact, and the name of its object."""

    @property
    def artifact(self) -> UUID: ...

    @property
    def object(self) -> str: ...


@dataclass(slots=True)
class Remains:
    """Versions, markers and incomplete uploads under one artifact's prefix."""

    versions: list[ObjectVersion] = field(default_factory=list)
    uploads: list[Upload] = field(default_factory=list)


def find_remains(platform: Platform, erasures: Sequence[Buried]) -> dict[UUID, Remains]:
    """What is to be removed, by walking over days, and by MinIO's memory of uploads: quick, and no proof."""
    uploads = _by_prefix(platform.store.list_uploads(""), erasures)
    ordered = sorted(erasures, key=lambda erasure: erasure.object)
    found: dict[UUID, Remains] = {}
    for day, group in groupby(ordered, key=lambda erasure: day_prefix(erasure.object)):
        of_day = list(group)
        listed = _walk(platform.store, day, of_day) if len(of_day) > FEW else None
        if listed is None:
            listed = {prefix: platform.store.list_versions(prefix) for prefix in map(_prefix, of_day)}
        for erasure in of_day:
            versions, known = listed[_prefix(erasure)], uploads[_prefix(erasure)]
            found[erasure.artifact] = Remains(
                versions, _with_foreign(platform.store, erasure, versions, known)
            )
    return found


def see_remains(platform: Platform, erasures: Sequence[Buried]) -> dict[UUID, Remains]:
    """What a listing of each exact prefix shows, and uploads by exact name, which alone MinIO reads from its
    disks. Uploads are asked for first: one that is completed in between is then seen as a version, so what is
    empty here was empty when the asking began."""
    known = _by_prefix(platform.store.list_uploads(""), erasures)

    def see(erasure: Buried) -> Remains:
        prefix = _prefix(erasure)
        uploads = [*known[prefix], *platform.store.list_uploads_of(erasure.object)]
        versions = platform.store.list_versions(prefix)
        return Remains(versions, _with_foreign(platform.store, erasure, versions, uploads))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        seen = pool.map(see, erasures)
        return {erasure.artifact: remains for erasure, remains in zip(erasures, seen, strict=True)}


def _with_foreign(
    store: Store, erasure: Buried, versions: Sequence[ObjectVersion], known: Sequence[Upload]
) -> list[Upload]:
    # Who wrote under a name of their own may have begun an upload under it too.
    names = {version.object for version in versions} - {erasure.object}
    asked = [upload for name in sorted(names) for upload in store.list_uploads_of(name)]
    return list(dict.fromkeys([*known, *asked]))


def _walk(store: Store, day: str, erasures: Sequence[Buried]) -> dict[str, list[ObjectVersion]] | None:
    """By prefix, from the first to the last of these, which are sorted; None where too much else lies there."""
    prefixes = [_prefix(erasure) for erasure in erasures]
    found: dict[str, list[ObjectVersion]] = {prefix: [] for prefix in prefixes}
    for met, version in enumerate(store.versions_after(day, after=prefixes[0])):
        place = bisect_right(prefixes, version.object) - 1
        if version.object.startswith(prefixes[place]):
            found[prefixes[place]].append(version)
        elif place == len(prefixes) - 1:
            break
        if met > PAGE + OTHERS * len(prefixes):
            return None
    return found


def _by_prefix(uploads: Sequence[Upload], erasures: Sequence[Buried]) -> Mapping[str, list[Upload]]:
    prefixes = sorted(map(_prefix, erasures))
    found: dict[str, list[Upload]] = {prefix: [] for prefix in prefixes}
    for upload in uploads:
        prefix = prefixes[max(0, bisect_right(prefixes, upload.object) - 1)]
        if upload.object.startswith(prefix):
            found[prefix].append(upload)
    return found


def _prefix(erasure: Buried) -> str:
    return part_prefix(erasure.object)
