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
    objects,
    published,
    restorations,
    since,
)
from consigne.acts.journey import Platform
from consigne.acts.protect import artifact_id
from consigne.acts.tombstones import ROOM, read_tombstones
from consigne.rules.clock import parse_instant
from consigne.rules.errors import Misconfigured, Tampered
from consigne.rules.evidence.certificate import Certificate
from consigne.rules.evidence.errors import EvidenceError
from consigne.rules.evidence.merkle import EMPTY_ROOT
from consigne.rules.evidence.proofs import open_checkpoint
from consigne.rules.evidence.restoration import (
    CONTINUED,
    Continued,
    Restored,
    common_size,
    generation,
    in_order,
)
from consigne.rules.evidence.signature import Checkpoint
from consigne.rules.evidence.tombstone import Tombstone
from consigne.rules.layout import part_prefix
from consigne.rules.values import Part

LOOKED_AT = 100
"""Of what was kept and erased last, at each start; more only where one of these is not as it should be."""
LOST = ("object_missing", "key_missing")
_CHUNK = re.compile(r"Z-([0-9a-f-]{36})-[0-9a-f]{32}$")


@dataclass(frozen=True, slots=True)
class News:
    """What the evidence bucket holds and the catalog does not know: tombstones that are believed and those that are
    not, certificates with their files, and how the register goes on where it is shorter than what was published."""

    tombstones: Sequence[Tombstone]
    doubted: Sequence[Tombstone]
    certificates: Sequence[tuple[Certificate, bytes]]
    continued: Continued | None

    @property
    def is_any(self) -> bool:
        """Whether the database came back."""
        return bool(self.tombstones or self.certificates or self.continued)


def read_news(platform: Platform, is_declared: bool = False) -> News:
    """Cheap where nothing came back: only the newest objects are listed, and few are read. Every tombstone is where
    somebody says that a backup was put back, or a restoration is open."""
    with platform.catalog.begin() as tx:
        is_back = is_declared or platform.catalog.open_restoration(tx) is not None
        burial = None if is_back else platform.catalog.newest_burial(tx)
        certificate = platform.catalog.newest_certificate(tx)
    certified = _new_certificates(platform, certificate)
    erased = {UUID(one.body["artifact"]): one for one, _ in certified if "artifact" in one.body}
    tombstones, doubted = _new_tombstones(platform, burial, erased)
    if _unburied(platform, erased, tombstones):  # named otherwise than by when it was written
        tombstones, doubted = _new_tombstones(platform, None, erased)
        _check_buried(platform, _unburied(platform, erased, tombstones))
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
    platform: Platform, newest: datetime | None, certified: Mapping[UUID, Certificate]
) -> tuple[list[Tombstone], list[Tombstone]]:
    """Those that are believed, and those that are not: whoever may publish evidence could write what nobody signed and
    no certificate names. A signed one is believed first, whatever stands beside it."""
    keys = platform.keyring.public_keys()
    signed: dict[UUID, Tombstone] = {}
    vouched: dict[UUID, Tombstone] = {}
    doubted: dict[UUID, Tombstone] = {}
    for _, data in objects(platform, ROOM, since(ROOM, newest)):
        found, is_signed = read_tombstones(data, keys)
        known = _known(platform, [one.artifact for one in found])
        for one in found:
            if one.artifact not in known and _is_whole(one):
                is_vouched = _is_certified(one, certified.get(one.artifact))
                kind = signed if is_signed else vouched if is_vouched else doubted
                kind.setdefault(one.artifact, one)
    believed = vouched | signed
    return [*believed.values()], [one for id, one in doubted.items() if id not in believed]


def _is_certified(found: Tombstone, certificate: Certificate | None) -> bool:
    """Whether the certificate speaks of what an unsigned tombstone names."""
    said = {"recording": str(found.recording), "purpose": found.purpose, "part": found.part, "epoch": found.epoch,
            "object": found.object, "ground": found.ground}  # fmt: skip
    if certificate is None or said != {name: certificate.body[name] for name in said}:
        return False
    # By the clock of then, not by that of a database that came back.
    return found.erasing_at <= parse_instant(certificate.body["steps"]["key_row_deleted_at"])


def _unburied(platform: Platform, erased: Iterable[UUID], tombstones: Sequence[Tombstone]) -> set[UUID]:
    """Those of the certified that no tombstone names."""
    left = {*erased} - {one.artifact for one in tombstones}
    return left - _known(platform, list(left))


def _check_buried(platform: Platform, certified: set[UUID]) -> None:
    """Tampered where any of these is kept here: a tombstone is published before the certificate, and is gone."""
    with platform.catalog.begin() as tx:
        known = platform.catalog.kept_among(tx, list(certified))
    if kept := sorted(str(id) for id, row in known.items() if row["state"] != "erased"):
        raise Tampered("certified_without_tombstone", kept[0], "bring back the newest evidence bucket")


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


def continued(platform: Platform, origin: str | None = None) -> Continued | None:
    """How the register goes on where it is shorter than what was published, or was cut since by a restoration that
    this database does not know; None where it is neither. `origin`: as it was named already."""
    try:
        chain = in_order([one for one in restorations(platform) if isinstance(one, Restored)])
    except EvidenceError:
        raise Misconfigured(
            "restorations_disordered",
            "evidence",
            "its restoration notes do not follow one another: verify --register",
        ) from None
    if origin is not None:
        chain = [one for one in chain if generation(one.kept.origin) < generation(origin)]
    mine, own, note = _own(platform, origin)
    latest = chain[-1].kept.origin if chain else mine
    cut = common_size(chain, own.origin)
    kept = min([own, *([cut] if cut else [])], key=lambda one: one.size)
    begun = [one.kept for one in chain if one.kept.origin == latest and one.kept.size > kept.size]
    last = max(
        [*begun, *(one for one in published(platform, kept.size) if one.origin == latest)],
        key=lambda one: one.size,
        default=Checkpoint(latest, kept.size, kept.root),
    )
    if (
        cut is None and last.size <= _own(platform, origin)[1].size
    ):  # again: it may have been sealed meanwhile
        return None
    if kept == own and note is not None:
        _check_signed(platform, own, note)
    return Continued(last, Checkpoint(f"{mine}{CONTINUED}{len(chain) + 1}", kept.size, kept.root))


def _check_signed(platform: Platform, own: Checkpoint, note: bytes) -> None:
    """Tampered where the database holds another tree than the keyring signed: no note is signed over that."""
    try:
        signed = open_checkpoint(note, platform.keyring.public_keys())
    except EvidenceError as error:
        raise Tampered("checkpoint_altered", "register", error.code) from None
    if (signed.size, signed.root) != (own.size, own.root):
        raise Tampered("checkpoint_altered", "register")


def _own(platform: Platform, origin: str | None) -> tuple[str, Checkpoint, bytes | None]:
    """The installation's name, and the catalog's register as far as it is sealed, with its note, under the name
    that it has now, or had where `origin` is its next."""
    with platform.catalog.begin() as tx:
        mine, newest = platform.catalog.origin(tx), platform.catalog.newest_checkpoint(tx)
        named = platform.catalog.register_origin(tx)
    if newest is None:
        return mine, Checkpoint(named if origin is None else mine, 0, EMPTY_ROOT), None
    if origin is not None:
        named = open_checkpoint(newest["note"], platform.keyring.public_keys()).origin
    return mine, Checkpoint(named, newest["size"], newest["root"]), newest["note"]


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
