"""Killed anywhere while the policy changes, started again, the same end (P8)."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from acts.test_policy import DPO, FEW, OPS, SIX, WHY, version
from acts.world import World, expire
from consigne.acts.configure import decide_draft, draft_policy
from consigne.acts.journey import Platform
from consigne.acts.reclock import reclock
from consigne.adapters.catalog.tables_decided import policy_drafts as drafts
from consigne.rules.policy.draft import Draft, DraftAnswer

from .test_crash import killed_everywhere

DAY = timedelta(days=1)


@pytest.mark.promise("P5", "P8")
def test_killed_anywhere_from_a_draft_to_what_it_ends(world: World) -> None:
    """What the version ends goes, what it shortens lies under its new day, and each moved once."""
    world.deliver("a", ago=2 * DAY)
    world.deliver("b", ago=DAY / 2, seed=1)
    world.ingest()
    before = {row.id: row for row in world.artifacts()}
    begins = (world.base + DAY).isoformat()
    text = version((SIX, FEW), (r"in_force_from: \S+", f"in_force_from: {begins}"))

    def act(platform: Platform, run: str) -> None:
        """The person who was cut off tries again; Consigne's own part goes on by itself."""
        world.pass_time(timedelta(0))
        if not world.rows(select(drafts.c.id)):
            assert isinstance(draft_policy(platform, OPS, text, WHY), Draft)
        [row] = world.rows(select(drafts.c.id, drafts.c.digest))
        said = DraftAnswer.VISA, WHY, world.policy.digest
        assert isinstance(decide_draft(platform, DPO, row.id, row.digest, *said), Draft)
        world.pass_time(1.5 * DAY)
        reclock(platform)
        expire(platform, run)

    places, _ = killed_everywhere(world, act)
    assert {"commit", "open_epoch", "destroy_epoch"} & set(places) == {"commit", "open_epoch"}
    after = {row.id: row for row in world.artifacts()}
    assert {row.source_id: row.state for row in after.values()} == {"a": "erased", "b": "kept"}
    for id, row in after.items():
        assert row.due_at < before[id].due_at
        assert (row.epoch == before[id].epoch) is (row.state == "erased")
    assert re.match(
        r"training/\d{4}-\d\d-\d\d/0$", next(row.epoch for row in after.values() if row.state == "kept")
    )
