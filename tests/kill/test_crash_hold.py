"""Killed at any place of catching and releasing, started again, the same end (P8)."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from acts.test_hold import CALLER, lift, placed
from acts.world import World, expire
from consigne.acts.held import keep_up
from consigne.acts.journey import Platform
from consigne.adapters.catalog.tables_decided import holds

from .test_crash import LONG, OVER, killed_everywhere


@pytest.mark.promise("P5", "P8")
def test_killed_anywhere_while_a_hold_comes_and_goes(world: World) -> None:
    world.deliver_trial("a", left=LONG)
    world.deliver("c", seed=1)
    world.ingest()
    own = {row.id: (row.due_at, row.epoch) for row in world.artifacts("c")}
    hold = placed(world, caller=CALLER)

    def act(platform: Platform, run: str) -> None:
        world.pass_time(OVER)
        if world.rows(select(holds.c.state).where(holds.c.state == "open")):
            keep_up(platform)
            expire(platform, f"{run} held")  # nothing of it goes
            lift(world, hold)
        keep_up(platform)
        expire(platform, run)

    places, _ = killed_everywhere(world, act)
    assert {(row.source_id, row.state) for row in world.artifacts()} == {("a", "erased"), ("c", "kept")}
    assert {row.id: (row.due_at, row.epoch) for row in world.artifacts("c")} == own
    assert {row.hold for row in world.artifacts("c")} == {None}
    assert (
        {"commit"} <= set(places) <= {"commit", "open_epoch", "destroy_epoch", "publish", "delete_versions"}
    )
    assert {state for name, state in world.epochs().items() if "/hold-" in name} == {"destroyed"}
