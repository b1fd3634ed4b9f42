"""Killed anywhere while a backup is brought to the truth, started again, the same end (P6, P8)."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from sqlalchemy import select

from acts.test_erased_again import stuck
from acts.test_expire import AFTER, chunks_of
from acts.test_replay import Backup
from acts.world import World
from consigne.acts.expire import recheck
from consigne.acts.replay import bring_to_truth
from consigne.acts.seal import check_register, publish, seal
from consigne.acts.tombstones import ROOM
from consigne.adapters.catalog import tables as t
from consigne.adapters.catalog import tables_gone as gone
from consigne.rules.clock import iso

from .crashing import After, Fuse, Killed, crashing

__all__ = ["stuck"]

NOTED_FIRST = {"restore:object:removed", "repair:epoch:destroyed-again", "repair:epoch:orphan-destroyed"}
"""Whoever is killed before it is done notes it once more."""


def told(world: World) -> dict[str, Any]:
    """The end, but for how often what was noted before it was done."""
    rows = world.rows(select(gone.restorations))
    erased = [row for row in world.artifacts() if row.state == "erased"]
    certificates = world.certificates()
    published = b"".join(body or b"" for _, _, body in world.store.evidence)
    return {
        "artifacts": [(row.source_id, row.part, row.state, row.epoch) for row in world.artifacts()],
        "keys": sorted(map(str, world.keys())),
        "under": [world.under(row) for row in erased],
        "objects": sorted(name for name, *_ in world.store.versions),
        "epochs": world.epochs(),
        "epoch keys": world.keyring.epochs(),
        "reserved": sorted(world.keyring._destroyed),
        "tombstones": sorted(
            (row.object, row.key_deleted_at is None, row.absent_at is None)
            for row in world.rows(select(t.tombstones))
        ),
        "certificates": sorted((row.scope, str(row.artifact), row.epoch) for row in certificates),
        "all published": all(row.published_at and bytes(row.file) in published for row in certificates),
        "verified": world.verified().verified,
        "restored": [(row.parts, row.counts, row.origin, row.ended_at is not None) for row in rows],
        "lost": sorted((row.object, row.reason) for row in world.rows(select(gone.losses))),
        "register": check_register(world.platform).verified,
        "notes": sum(name.startswith("restorations/") for name, *_ in world.store.evidence),
        "done": Counter(one["kind"] for one in world.register() if one["kind"] not in NOTED_FIRST),
        "noted": NOTED_FIRST & {one["kind"] for one in world.register()},
    }


@pytest.mark.promise("P6", "P8")
@pytest.mark.parametrize(
    ("parts", "deadly"),
    [
        (("database",), Fuse),
        (("keyring", "recordings"), Fuse),
        (("database", "keyring", "recordings"), Fuse),
        (("database", "keyring", "recordings"), After),
    ],
)
def test_killed_anywhere_in_a_replay(world: World, parts: tuple[str, ...], deadly: type[Fuse]) -> None:
    world.deliver_trial("a")
    world.deliver_trial("begun", left=timedelta(minutes=2))
    world.deliver("kept")
    world.ingest()
    world.pass_time(timedelta(minutes=3))
    recheck(world.platform, chunks_of(world, "caught")[0])  # the backup is taken in the middle of it
    seal(world.platform)
    publish(world.platform, asked=True)
    taken = Backup(world)
    world.deliver("later", ago=AFTER * 10)
    world.ingest()
    world.pass_time(AFTER)
    world.expire()
    seal(world.platform)
    publish(world.platform, asked=True)
    now = Backup(world)
    evidence = list(world.store.evidence)

    def put_back() -> None:
        now.put_back(*({"database", "keyring", "recordings"} - {*parts}))
        taken.put_back(*parts)
        world.store.evidence = list(evidence)

    put_back()
    assert bring_to_truth(world.platform, parts) is not None
    undisturbed = told(world)
    assert undisturbed["register"] and undisturbed["verified"]
    for number in count():
        put_back()
        fuse = deadly(number)
        try:
            bring_to_truth(crashing(world.platform, fuse), parts)
        except Killed:
            # Nothing open: only the answer to the last commit was lost.
            is_over = not any(row.ended_at is None for row in world.rows(select(gone.restorations)))
            has_begun = bool(world.rows(select(gone.restorations)))
            bring_to_truth(world.platform, () if is_over and has_begun else parts)
        found = told(world)
        differ = {
            name: (found[name], undisturbed[name]) for name in found if found[name] != undisturbed[name]
        }
        assert not differ, f"killed before call {number}, {fuse.places[-1]}: {differ}"
        if fuse.left:
            break
    assert {"commit", "publish", "destroy_epoch"} <= set(fuse.places)


@pytest.mark.promise("P6")
def test_killed_early_it_still_finds_what_only_a_certificate_tells_of(world: World, stuck: Backup) -> None:
    """Of an unsigned tombstone; certificates that were taken back already would vouch for none."""
    [(name, version, data)] = [one for one in world.store.evidence if one[0].startswith(ROOM)]
    rest = [one for one in world.store.evidence if one[0] != name]
    unsigned = (data or b"").partition(b"\n")[0] + b"\n"
    evidence = [*rest, (f"{ROOM}{iso(world.base)}-{'0' * 32}", version, unsigned)]
    for number in range(5):
        stuck.put_back("database", "recordings", "keyring")
        world.store.evidence = list(evidence)
        with pytest.raises(Killed):
            bring_to_truth(crashing(world.platform, After(number)))
        bring_to_truth(world.platform)
        assert {row.state for row in world.artifacts()} == {"erased"} and world.store.versions == []
