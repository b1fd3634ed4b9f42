"""What tells that the database, `recordings` or the keyring came back from a backup; looked for at each start."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from consigne.acts.evidence import (
    CERTIFICATES,
    certificates,
    checkpoint_name,
    objects,
    published,
    restorations,
    since,
)
from consigne.acts.journey import Platform
from consigne.acts.protect import artifact_id
from consigne.acts.tombstones import ROOM, Tombstone, read_tombstones
from consigne.rules.errors import Misconfigured
from consigne.rules.evidence.certificate import Certificate
from consigne.rules.evidence.errors import EvidenceError
from consigne.rules.evidence.merkle import EMPTY_ROOT
from consigne.rules.evidence.proofs import open_checkpoint
from consigne.rules.evidence.restoration import (
    CONTINUED,
    Continued,
    base_of,
    common_size,
    generation,
    in_order,
)
from consigne.rules.evidence.signature import Checkpoint
from consigne.rules.layout import part_prefix
from consigne.rules.values import Part

LOOKED_AT = 100
"""Of what was kept and erased last, at each start; more only where one of these is not as it should be."""
LOST = ("object_missing", "key_missing")
_CHUNK = re.compile(r"Z-([0-9a-f-]{36})-[0-9a-f]{32}$")


@dataclass(frozen=True, slots=True)
class News:
    """What the evidence bucket holds and the catalog does not know: tombstones that are believed, how many are not,
    certificates with their files, and how the register goes on where it is shorter than what was published."""

    tombstones: Sequence[Tombstone]
    doubted: int
    certificates: Sequence[tuple[Certificate, bytes]]
    continued: Continued | None

    @property
    def is_any(self) -> bool:
        """Whether the database came back."""
        return bool(self.tombstones or self.certificates or self.continued)


def check_witness(platform: Platform) -> None:
    """`evidence` is never restored: Misconfigured where it lacks the newest checkpoint that the outside witness was
    told of, or where what was published is of another installation than the catalog."""
    told = platform.witness.told()
    if told:
        try:
            known = open_checkpoint(told[-1], platform.keyring.public_keys())
        except EvidenceError:
            raise Misconfigured(
                "witness_unverified", "witness", "no key of this keyring signed the newest note that it holds"
            ) from None
        if known not in published(platform, known.size - 1):
            raise Misconfigured(
                "evidence_behind_witness",
                checkpoint_name(known.size),
                "the evidence bucket is never restored from a backup: bring back the newest one",
            )
    with platform.catalog.begin() as tx:
        own, base = platform.catalog.newest_checkpoint(tx), platform.catalog.origin(tx)
    if own is None and any(base_of(one.origin) != base for one in published(platform, 0)):
        raise Misconfigured(
            "evidence_of_another", "evidence", "this database is new, and its keyring published for another"
        )


def read_news(platform: Platform) -> News:
    """Cheap where nothing came back: only the newest objects are listed, and few are read."""
    with platform.catalog.begin() as tx:
        burial, certificate = platform.catalog.newest_burial(tx), platform.catalog.newest_certificate(tx)
    certified = _new_certificates(platform, certificate)
    tombstones, doubted = _new_tombstones(
        platform, burial, {UUID(one.body["artifact"]) for one, _ in certified if "artifact" in one.body}
    )
    return News(tombstones, doubted, certified, continued(platform))


def _new_certificates(platform: Platform, newest: datetime | None) -> list[tuple[Certificate, bytes]]:
    after = since(CERTIFICATES, newest)
    named = {
        UUID(found[1])
        for held in platform.store.list_evidence(CERTIFICATES, after)
        if (found := _CHUNK.search(held.object))
    }
    with platform.catalog.begin() as tx:
        origin = platform.catalog.origin(tx)
        unknown = named - platform.catalog.certified_chunks(tx, list(named))
    if not unknown:
        return []
    return [
        one
        for several in certificates(platform, origin, after)
        for one in several
        if UUID(one[0].chunk.origin.rpartition("/")[2]) in unknown
    ]


def _new_tombstones(
    platform: Platform, newest: datetime | None, certified: set[UUID]
) -> tuple[list[Tombstone], int]:
    """Those that are believed, and how many are not."""
    keys = platform.keyring.public_keys()
    believed: dict[UUID, Tombstone] = {}
    unsigned: dict[UUID, Tombstone] = {}
    for _, data in objects(platform, ROOM, since(ROOM, newest)):
        found, is_signed = read_tombstones(data, keys)
        for one in filter(_is_whole, found):
            (believed if is_signed or one.artifact in certified else unsigned).setdefault(one.artifact, one)
    known = _known(platform, [*believed, *unsigned])
    believed = {id: one for id, one in believed.items() if id not in known}
    unsigned = {id: one for id, one in unsigned.items() if id not in known and id not in believed}
    harmless = _harmless(platform, unsigned)
    return [*believed.values(), *(unsigned[id] for id in harmless)], len(unsigned) - len(harmless)


def _is_whole(found: Tombstone) -> bool:
    """Whether its names belong together: what lies elsewhere is no business of this artifact's tombstone."""
    place = f"/{found.recording}/{found.part}/"
    return (
        found.part in list(Part)
        and found.artifact == artifact_id(found.recording, found.purpose, Part(found.part))
        and found.object.startswith(f"{found.purpose}/")
        and part_prefix(found.object).endswith(place)
    )


def _known(platform: Platform, ids: Sequence[UUID]) -> set[UUID]:
    with platform.catalog.begin() as tx:
        return platform.catalog.buried(tx, ids)


def _harmless(platform: Platform, unsigned: Mapping[UUID, Tombstone]) -> list[UUID]:
    """Unsigned ones that take nothing from anybody: the artifact is unknown here, past its end, or its object is
    gone. Whoever may publish evidence could write others."""
    with platform.catalog.begin() as tx:
        now, known = platform.catalog.now(tx), platform.catalog.kept_among(tx, list(unsigned))
    return [
        id
        for id in unsigned
        if id not in known
        or known[id]["due_at"] <= now
        or platform.store.inspect(known[id]["object"], known[id]["version"]) is None
    ]


def continued(platform: Platform, origin: str | None = None) -> Continued | None:
    """How the register goes on where it is shorter than what was published, or was cut since by a restoration that
    this database does not know; None where it is neither. `origin`: as it was named already."""
    try:
        chain = in_order(restorations(platform))
    except EvidenceError:
        raise Misconfigured(
            "restorations_disordered",
            "evidence",
            "its restoration notes do not follow one another: verify --register",
        ) from None
    if origin is not None:
        chain = [one for one in chain if generation(one.kept.origin) < generation(origin)]
    mine, own = _own(platform, origin)
    latest = chain[-1].kept.origin if chain else mine
    cut = common_size(chain, own.origin)
    kept = min([own, *([cut] if cut else [])], key=lambda one: one.size)
    last = max(
        (one for one in published(platform, kept.size) if one.origin == latest),
        key=lambda one: one.size,
        default=Checkpoint(latest, kept.size, kept.root),
    )
    if (
        cut is None and last.size <= _own(platform, origin)[1].size
    ):  # again: it may have been sealed meanwhile
        return None
    return Continued(last, Checkpoint(f"{mine}{CONTINUED}{len(chain) + 1}", kept.size, kept.root))


def _own(platform: Platform, origin: str | None) -> tuple[str, Checkpoint]:
    """The installation's name, and the catalog's register as far as it is sealed, under the name that it has now,
    or had where `origin` is its next."""
    with platform.catalog.begin() as tx:
        mine, newest = platform.catalog.origin(tx), platform.catalog.newest_checkpoint(tx)
        named = platform.catalog.register_origin(tx)
    if newest is None:
        return mine, Checkpoint(named if origin is None else mine, 0, EMPTY_ROOT)
    if origin is not None:
        named = open_checkpoint(newest["note"], platform.keyring.public_keys()).origin
    return mine, Checkpoint(named, newest["size"], newest["root"])


def lives_again(platform: Platform, news: News) -> set[str]:
    """Epochs that were destroyed, as the catalog or a certificate says, and whose keys live."""
    living = platform.keyring.epochs()
    with platform.catalog.begin() as tx:
        states = platform.catalog.epoch_states(tx, living)
    certified = {one.body["epoch"] for one, _ in news.certificates if one.body["scope"] == "epoch"}
    gone = [name for name in living if name in certified or states.get(name) == "destroyed"]
    return {
        name for name in gone if platform.keyring.epoch_lives(name)
    }  # still: it may just have been closed


def _lacks_keys(platform: Platform) -> bool:
    """Whether an epoch's key is absent under which something is kept that is not known to be lost."""
    living = platform.keyring.epochs()
    with platform.catalog.begin() as tx:
        lost = {str(row["epoch"]) for row in platform.catalog.losses(tx, LOST)}
        lacking = set(platform.catalog.key_epochs(tx)) - set(living) - lost
    absent = {name for name in lacking if not platform.keyring.epoch_lives(name)}
    with platform.catalog.begin() as tx:  # still: it may just have been emptied and closed
        return bool(absent and absent & set(platform.catalog.key_epochs(tx)))


def is_store_astray(platform: Platform, news: News) -> bool:
    """Whether something lies where an artifact was erased, or a kept one is absent, among the newest of each; or
    something is there again that was lost."""
    with platform.catalog.begin() as tx:
        kept = platform.catalog.newest_kept(tx, LOOKED_AT)
        erased = platform.catalog.newest_buried(tx, LOOKED_AT)
        lost = platform.catalog.losses(tx, ["object_missing"])[:LOOKED_AT]
    dead = {one.artifact for one in news.tombstones}
    places = [row["object"] for row in erased] + [one.object for one in news.tombstones[-LOOKED_AT:]]
    return (
        any(platform.store.list_versions(part_prefix(place)) for place in places)
        or any(row["artifact"] not in dead and _is_missing(platform, row) for row in kept)
        or any(is_there(platform, row) for row in lost)
    )


def _is_missing(platform: Platform, row: Mapping[str, Any]) -> bool:
    if is_there(platform, row):
        return False
    with platform.catalog.begin() as tx:  # still kept: it may just have been erased
        found = platform.catalog.kept_among(tx, [row["artifact"]])
    return any(one["state"] == "kept" for one in found.values())


def is_there(platform: Platform, row: Mapping[str, Any]) -> bool:
    """Whether the recorded version is in the store."""
    return platform.store.inspect(row["object"], row["version"]) is not None


def parts_of(platform: Platform, news: News, declared: Iterable[str]) -> set[str]:
    """Which parts came back."""
    signs = {
        "database": news.is_any,
        # Where the catalog itself is of another time, what it keeps says nothing of the keyring's.
        "keyring": bool(lives_again(platform, news)) or (not news.is_any and _lacks_keys(platform)),
        "recordings": is_store_astray(platform, news),
    }
    return {*declared, *(part for part, is_back in signs.items() if is_back)}
