"""Bucket against catalog: two streams in one order, merged, so that memory does not grow with either."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from itertools import groupby
from typing import TypeVar
from uuid import UUID

from consigne.rules.errors import Unavailable


@dataclass(frozen=True, slots=True)
class Listed:
    """A version or delete marker in the bucket; `modified_at` is what the store says, which root can forge."""

    object: str
    version: str
    is_marker: bool
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class Recorded:
    """An artifact that is not erased, and the one version of its object that counts."""

    object: str
    version: str
    artifact: UUID
    state: str


class Verdict(Enum):
    """MATCHED: the recorded version; FOREIGN: another under its object; UNRECORDED: no row names the object;
    MISSING: the recorded version was not listed."""

    MATCHED = auto()
    FOREIGN = auto()
    UNRECORDED = auto()
    MISSING = auto()


Compared = tuple[Verdict, Listed | None, Recorded | None]
Named = TypeVar("Named", Listed, Recorded)


def compare(listing: Iterable[Listed], recorded: Iterable[Recorded]) -> Iterator[Compared]:
    """Every version and every row once, judged. Both come by object name, ascending by code point; Unavailable
    ('listing_unordered') where they do not: nothing could be told from them."""
    rows = _ascending(recorded)
    row = next(rows, None)
    for name, versions in groupby(_ascending(listing), key=lambda one: one.object):
        while row is not None and row.object < name:
            yield Verdict.MISSING, None, row
            row = next(rows, None)
        if row is None or row.object > name:
            yield from ((Verdict.UNRECORDED, version, None) for version in versions)
            continue
        yield from _of_one(versions, row)
        row = next(rows, None)
    while row is not None:
        yield Verdict.MISSING, None, row
        row = next(rows, None)


def _of_one(versions: Iterable[Listed], row: Recorded) -> Iterator[Compared]:
    is_there = False
    for listed in versions:
        is_recorded = listed.version == row.version and not listed.is_marker
        is_there |= is_recorded
        yield Verdict.MATCHED if is_recorded else Verdict.FOREIGN, listed, row
    if not is_there:
        yield Verdict.MISSING, None, row


def _ascending(stream: Iterable[Named]) -> Iterator[Named]:
    last = ""
    for one in stream:
        if one.object < last:
            raise Unavailable("listing_unordered", "store")
        last = one.object
        yield one


def is_old(modified_at: datetime, store_now: datetime, safe_age: timedelta) -> bool:
    """Whether no running ingest can be about to record it. A date in the future is forged, and hides nothing."""
    return not store_now - safe_age < modified_at <= store_now + safe_age
