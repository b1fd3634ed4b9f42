"""Writes sample deliveries as a source does, audio first, and foretells what becomes of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

from consigne.doors.samples.conversation import converse
from consigne.doors.samples.delivery import Circumstances, Delivery, deliver
from consigne.doors.samples.kinds import KINDS, Kind
from consigne.doors.samples.manifest import Foretold, Manifest, foretell
from consigne.doors.samples.moments import life_of, purposes_of, start_of
from consigne.doors.samples.sound import container_of
from consigne.doors.samples.values import draws, values
from consigne.rules.errors import Misconfigured
from consigne.rules.policy.model import Policy

_LONGEST_TRIAL = timedelta(days=1)
_REPEATS = frozenset({"delivered_before", "id_reused"})


def generate(directory: Path, count: int, seed: int, now: datetime, policy: Policy) -> Manifest:
    """Write `count` deliveries into `directory`, and `samples-<seed>.json` beside it.

    It fits a policy that draws every call (`sampling_rate: 1`). Contents depend on the seed and each call's index, instants on `now` and the policy too. What is foretold
    holds where no call of this seed was delivered before. A call that comes twice (`delivered_before`,
    `id_reused`) has the same identifier under a later stem; whichever comes first, one is kept.
    Misconfigured('no_sample_fits') for a policy under which no call could be kept.
    """
    directory.mkdir(parents=True, exist_ok=True)
    foretold = []
    for delivery, told in calls(count, seed, now, policy):
        write(directory, told.stem, delivery)
        foretold.append(told)
    manifest = Manifest(seed, now, tuple(foretold))
    manifest.write(manifest_file(directory, seed))
    return manifest


def manifest_file(directory: Path, seed: int) -> Path:
    """Where the manifest goes: outside the folder of deliveries, which is intake."""
    return directory.parent / f"samples-{seed}.json"


def calls(count: int, seed: int, now: datetime, policy: Policy) -> Iterator[tuple[Delivery, Foretold]]:
    """Deliveries and their foretold ends, one by one, in the order of their stems."""
    kinds = _possible(policy, now)
    first: tuple[Kind, Delivery] | None = None
    for index in range(count):
        kind = kinds[index % len(kinds)]
        if kind.code in _REPEATS:
            assert first is not None
            yield _repeated(kind, first, index, seed, now, policy)
        else:
            delivery, told = _made(kind, f"demo{seed}-{index:05d}", index, seed, now, policy)
            first = (kind, delivery)
            yield delivery, told


def _made(
    kind: Kind, id: str, index: int, seed: int, now: datetime, policy: Policy
) -> tuple[Delivery, Foretold]:
    draw, said = draws(seed, index, "call"), values(seed, index)
    container = container_of(index)
    version = _notice(kind, policy)
    assert version is not None
    call = converse(kind, said, container, draw, _lead_ms(kind, policy, version))
    started_at = start_of(kind, policy, version, now, draws(seed, index, "start"))
    if started_at is None:
        raise Misconfigured("no_sample_fits", kind.name)
    around = Circumstances(id, started_at, version, policy.zone)
    delivery = deliver(kind, said, call, around, container, draw)
    return delivery, foretell(id, id, kind, purposes_of(kind, policy), call)


def _repeated(
    kind: Kind, came: tuple[Kind, Delivery], index: int, seed: int, now: datetime, policy: Policy
) -> tuple[Delivery, Foretold]:
    first_kind, first = came
    # "_" sorts behind ".": after the first one, by stem and by file name.
    delivery, told = _made(
        replace(first_kind, outcome=kind.outcome, code=kind.code), first.id, index, seed, now, policy
    )
    told = replace(told, stem=f"{first.id}_again", kind=kind.name)
    return (first if kind.code == "delivered_before" else delivery), told


def _possible(policy: Policy, now: datetime) -> list[Kind]:
    """The kinds that a policy leaves; a call that comes again only behind its first."""
    kinds: list[Kind] = []
    for before, kind in pairwise((None, *KINDS)):
        assert kind is not None
        if before in kinds if kind.code in _REPEATS else _is_possible(kind, policy, now):
            kinds.append(kind)
    if not kinds:
        raise Misconfigured("no_sample_fits", "policy")
    return kinds


def _is_possible(kind: Kind, policy: Policy, now: datetime) -> bool:
    known = all(name in policy.purposes for name in kind.purposes) or kind.code == "unknown_purpose"
    known = known and purposes_of(kind, policy) == kind.purposes
    version = _notice(kind, policy) if known else None
    if version is None or (kind.code == "needs_transcript" and not _needs_transcript(kind, policy)):
        return False
    if kind.when in ("ends", "overdue") and life_of(kind.purposes[0], policy, version, now) > _LONGEST_TRIAL:
        return False
    return start_of(kind, policy, version, now, draws(0, 0, kind.name)) is not None


def _needs_transcript(kind: Kind, policy: Policy) -> bool:
    return all(policy.purposes[name].redaction.requires_transcript for name in kind.purposes)


def _notice(kind: Kind, policy: Policy) -> str | None:
    """The version of a notice that covers all purposes (or of one that does not); None where there is none."""
    wanted = {name for name in purposes_of(kind, policy) if name in policy.purposes}
    fits = (
        v
        for v, each in policy.notices.items()
        if wanted.issubset(each.covers) != (kind.code == "notice_does_not_cover")
    )
    return next(fits, None)


def _lead_ms(kind: Kind, policy: Policy, version: str) -> int:
    if kind.code != "announced_late":
        return 0
    return policy.notices[version].announced_within.seconds_exact() * 1_000 + 3_000


def write(directory: Path, stem: str, delivery: Delivery) -> None:
    """Audio first, the JSON last, each under another name until it is whole."""
    audio = directory / f"{stem}{delivery.suffix}"
    if delivery.audio is None:
        # Links are not followed: at once a delivery without audio, where a JSON alone is one after a while only.
        audio.unlink(missing_ok=True)
        audio.symlink_to(f"absent{delivery.suffix}")
    else:
        _place(audio, delivery.audio)
    _place(directory / f"{stem}.json", delivery.json)


def _place(file: Path, data: bytes) -> None:
    unfinished = file.with_name(f".{file.name}.part")
    unfinished.write_bytes(data)
    unfinished.chmod(0o640)  # the folder's group reads it where workers are users of their own
    unfinished.rename(file)
