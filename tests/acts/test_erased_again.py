"""A backup that was taken while something was being erased: what was destroyed since is so again, and certified once."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from consigne.acts import expire, turn
from consigne.acts.compare import compare_keys
from consigne.acts.listen import Offered, export
from consigne.acts.reconcile import sweep_findings
from consigne.acts.replay import bring_to_truth
from consigne.acts.seal import check_register, publish, seal
from consigne.acts.tombstones import ROOM, read_tombstones
from consigne.acts.truth import notice_restored
from consigne.adapters.catalog import tables as t
from consigne.adapters.catalog.open import Catalog
from consigne.rules.clock import iso
from consigne.rules.errors import Misconfigured, Tampered

from .test_expire import AFTER, TRAINER, chunks_of
from .test_replay import Backup, states
from .test_turn import closing, early, end_now
from .world import World

__all__ = ["early"]
DAY = timedelta(days=1)


@pytest.fixture
def stuck(world: World) -> Backup:
    """One artifact was left `erasing` for hours, another began just before the backup; then the one task that took
    them up erased with them what an objection ended after the backup."""
    for number in range(6):  # one of them comes before what was objected to, by its id
        world.deliver_trial(f"stuck-{number}", left=timedelta(minutes=2))
    world.deliver("objected", purposes=["training"])
    world.ingest()
    world.pass_time(AFTER)
    expire.recheck(world.platform, chunks_of(world, "first")[0])  # no worker came after that
    world.pass_time(timedelta(hours=2))
    world.deliver("later", purposes=["trial"], ago=timedelta(minutes=5) - timedelta(hours=2))
    world.ingest()
    world.pass_time(timedelta(hours=2, minutes=30))
    expire.recheck(world.platform, chunks_of(world, "second")[0])
    taken = Backup(world)
    world.pass_time(timedelta(hours=4))
    end_now(world, "objected")
    world.expire()
    assert {state for _, state in states(world)} == {"erased"}
    return taken


def is_offered(world: World, id: str) -> bool:
    return any(
        isinstance(export(world.platform, TRAINER, row.id, "coaching"), Offered)
        for row in world.artifacts(id)
    )


@pytest.mark.promise("P6")
def test_an_object_of_tombstones_is_found_by_its_newest(world: World, stuck: Backup) -> None:
    [(name, _, data)] = [one for one in world.store.evidence if one[0].startswith(ROOM)]
    found, _ = read_tombstones(data or b"", world.keyring.public_keys())
    ages = {one.erasing_at for one in found}
    assert len(ages) == 3 and name.startswith(f"{ROOM}{iso(max(ages))}-")
    stuck.put_back("database", "recordings", "keyring")
    assert bring_to_truth(world.platform) is not None
    assert {state for _, state in states(world)} == {"erased"} and world.store.versions == []
    assert not is_offered(world, "objected")


@pytest.mark.promise("P6")
def test_what_is_certified_is_erased_again_whatever_its_tombstone_is_named(
    world: World, stuck: Backup
) -> None:
    """As the first ones were: by the oldest of their object."""
    [(name, version, data)] = [one for one in world.store.evidence if one[0].startswith(ROOM)]
    rest = [one for one in world.store.evidence if one[0] != name]
    oldest = f"{ROOM}{iso(world.base)}-{'0' * 32}"
    stuck.put_back("database", "recordings", "keyring")
    world.store.evidence = rest  # nor is it kept where none is left at all
    with pytest.raises(Tampered, match="certified_without_tombstone"):
        bring_to_truth(world.platform)
    world.store.evidence = [*rest, (oldest, version, data)]
    assert bring_to_truth(world.platform) is not None
    assert {state for _, state in states(world)} == {"erased"} and not is_offered(world, "objected")


@pytest.mark.promise("P6")
def test_a_certificate_names_the_epoch_that_wraps_the_key_in_the_backup(
    early: World, engines: Callable[[str], Engine]
) -> None:
    """Moved twice after the backup, then erased, and killed before its certificate."""
    world, taken = early, Backup(early)
    [first] = {row.epoch for row in world.artifacts("b")}
    world.pass_time(closing(world))
    turn.turn_over(world.platform)
    end_now(world, "c")
    world.expire()
    world.pass_time(closing(world) + DAY)
    turn.turn_over(world.platform)
    wraps = {name for row in world.artifacts("b") for name in (row.epoch, *row.earlier_epochs)}
    assert len(wraps) == 3 and first in wraps
    end_now(world, "b")
    [chunk] = chunks_of(world, "killed")
    expire.recheck(world.platform, chunk)
    expire.destroy_keys(world.platform, chunk)
    mine = {str(row.id) for row in world.artifacts("b")}
    taken.put_back("database")
    acting = replace(world.platform, catalog=Catalog(engines("expire"), world.platform.random))
    assert bring_to_truth(acting) is not None
    bodies = [json.loads(row.file)["body"] for row in world.certificates("artifact")]
    named = [{body["epoch"], *body["earlier_epochs"]} for body in bodies if body["artifact"] in mine]
    assert named == [wraps] * len(mine) and len(mine) == 2
    # The one under which the backup has its key does not outlive the next daily closing.
    turning = world.rows(select(t.epochs.c.turning_at, t.epochs.c.state).where(t.epochs.c.name == first))
    assert [row.turning_at is not None or row.state == "destroyed" for row in turning] == [True]


@pytest.mark.promise("P5", "P6", "P8")
@pytest.mark.parametrize("parts", [("database",), ("database", "recordings", "keyring")])
def test_what_was_begun_in_the_backup_is_certified_once(world: World, parts: tuple[str, ...]) -> None:
    world.deliver_trial("a")
    world.deliver_trial("b", left=timedelta(minutes=7))
    world.ingest()
    world.pass_time(AFTER)
    expire.recheck(world.platform, chunks_of(world, "begun")[0])
    taken = Backup(world)
    world.expire()
    mine = {row.id for row in world.artifacts("a")}
    certified = {row.id for row in world.certificates("artifact")}
    assert len(certified) == len(mine) == 2
    taken.put_back(*parts)
    found = bring_to_truth(world.platform)
    assert found is not None and found.counts["erased_again"] == len(mine)
    assert states(world) == {("a", "erased"), ("b", "kept")}
    assert {row.id for row in world.certificates("artifact")} == certified
    assert not mine & {row.artifact for row in world.rows(select(t.data_keys.c.artifact))}
    world.pass_time(AFTER + timedelta(minutes=10))
    assert world.expire() == {"left": 0}
    assert states(world) == {("a", "erased"), ("b", "erased")}
    assert len(world.certificates("artifact")) == 4


@pytest.mark.promise("P5", "P6")
def test_a_task_that_the_backup_caught_destroys_nothing_before_the_replay(world: World) -> None:
    world.deliver_trial("a")
    world.ingest()
    world.pass_time(AFTER)
    [chunk] = chunks_of(world, "caught")
    taken = Backup(world)
    seal(world.platform)
    publish(world.platform, asked=True)
    taken.put_back("database")
    assert notice_restored(world.platform)
    before = list(world.store.versions)
    for act in (
        lambda: expire.recheck(world.platform, chunk),
        lambda: expire.destroy_keys(world.platform, chunk),
        lambda: expire.delete_objects(world.platform, chunk),
        lambda: expire.verify_absent(world.platform, chunk),
        lambda: expire.sign_certificate(world.platform, chunk),
        lambda: turn.turn_over(world.platform),
        lambda: compare_keys(world.platform),
        lambda: sweep_findings(world.platform),
    ):
        with pytest.raises(Misconfigured, match="restored_unreplayed"):
            act()
    assert states(world) == {("a", "kept")} and world.store.versions == before
    bring_to_truth(world.platform, {"database"})
    assert world.expire() == {"left": 0} and states(world) == {("a", "erased")}
    assert check_register(world.platform).verified
