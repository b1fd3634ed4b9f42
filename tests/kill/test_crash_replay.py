"""Killed anywhere while a backup is brought to the truth, started again, the same end (P6, P8)."""

from __future__ import annotations

from collections import Counter
from itertools import count
from typing import Any

import pytest
from sqlalchemy import select

from acts.test_expire import AFTER
from acts.test_replay import Backup
from acts.world import World
from consigne.acts.replay import bring_to_truth
from consigne.acts.seal import check_register, publish, seal
from consigne.adapters.catalog import tables as t
from consigne.adapters.catalog import tables_gone as gone

from .crashing import After, Fuse, Killed, crashing

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
    world.deliver("kept")
    world.ingest()
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
        now.put_back("database", "keyring", "recordings")
        taken.put_back(*parts)
        world.store.evidence = list(evidence)

    put_back()
    assert bring_to_truth(world.platform) is not None
    undisturbed = told(world)
    assert undisturbed["register"] and undisturbed["verified"]
    for number in count():
        put_back()
        fuse = deadly(number)
        try:
            bring_to_truth(crashing(world.platform, fuse))
        except Killed:
            bring_to_truth(world.platform)
        found = told(world)
        differ = {
            name: (found[name], undisturbed[name]) for name in found if found[name] != undisturbed[name]
        }
        assert not differ, f"killed before call {number}, {fuse.places[-1]}: {differ}"
        if fuse.left:
            break
    assert {"commit", "publish", "destroy_epoch"} <= set(fuse.places)
