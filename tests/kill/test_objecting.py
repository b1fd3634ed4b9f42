"""Killed while an objection is taken in: it is said once, and holds."""

from __future__ import annotations

from datetime import timedelta

import pytest

from acts.world import World, ingest

from .test_crash import killed_everywhere


@pytest.mark.promise("P1", "P8")
def test_killed_anywhere_an_objection_holds_and_is_said_once(world: World) -> None:
    world.deliver("a", ago=timedelta(hours=2), objection={"at_s": 0.5, "purposes": ["training"]})
    world.deliver("b", ago=timedelta(hours=1))
    places, _ = killed_everywhere(world, ingest)
    assert len(places) > 10
    assert world.verdicts("a") == world.verdicts("b") == {"training": "objected"}
    assert len(world.register("inform:objection:recorded")) == 1
