"""Killed anywhere while a volume is measured, set aside and answered, started again, the same end (P8)."""

from __future__ import annotations

from contextlib import suppress

import pytest

from acts.test_volume import DAY, DELETE, DPO, HOUR, ends, volume
from acts.world import World
from consigne.acts.expire import freeze_manifest, measure_volume, recheck, report_expiry
from consigne.acts.journey import Platform
from consigne.acts.volume import answer_volume
from consigne.rules.errors import Conflict
from consigne.rules.volume import Volume

from .test_crash import killed_everywhere


@pytest.mark.promise("P5", "P8")
def test_killed_anywhere_from_the_measure_to_the_answer(world: World) -> None:
    """What was foretold begins to go, what exceeds it is set aside once and goes after the answer."""
    world.deliver("foretold")
    world.deliver("excess", seed=1)
    world.ingest()
    ends(world, ["foretold"], 20 * HOUR)
    world.expire()
    ends(world, ["excess"], 21 * HOUR)
    world.pass_time(DAY)

    def act(platform: Platform, run: str) -> None:
        freeze_manifest(platform, run, False)
        for chunk in measure_volume(platform, run):
            recheck(platform, chunk)
        with suppress(Conflict):  # what is erasing is not erased yet
            report_expiry(platform, run)
        set_aside = volume(world)
        said = answer_volume(platform, DPO, set_aside.id, set_aside.digest, DELETE)
        assert isinstance(said, Volume)

    places, _ = killed_everywhere(world, act)
    assert places == ["commit"] * 5
    assert {row.source_id: row.state for row in world.artifacts()} == {
        "foretold": "erasing",
        "excess": "kept",
    }
    for kind, count in (("volume:set_aside", 1), ("artifact:set_aside", 2), ("volume:decided", 1)):
        assert len(world.register(f"expire:{kind}")) == count
    assert volume(world).counts["training"] == {"foretold": 2, "gone": 0, "due": 4, "set_aside": 2}
    world.expire()
    assert {row.state for row in world.artifacts()} == {"erased"}
