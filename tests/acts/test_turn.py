"""What was erased before its day is proven gone by the next day: its epoch is turned over (P6)."""

from __future__ import annotations

from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

import pytest
from sqlalchemy import select, text, update

from consigne.acts import turn
from consigne.acts.close import close_epochs
from consigne.acts.epochs import open_epoch, open_first
from consigne.acts.held import keep_up
from consigne.acts.repair import mend_epochs
from consigne.acts.turn import turn_over
from consigne.adapters.catalog import tables as t
from consigne.rules.clock import local_midnight
from consigne.rules.errors import Conflict, Misconfigured, Unavailable
from consigne.rules.evidence.certificate import read_parts
from contract.memory import MemoryKeyring

from .test_hold import CALLER, lift, placed
from .world import World, with_parts

DAY = timedelta(days=1)


def end_now(world: World, id: str) -> None:
    """As an objection does."""
    with world.platform.catalog.begin() as tx:
        for row in world.artifacts(id):
            world.platform.catalog.set_clock(
                tx, row.id, world.platform.catalog.now(tx), restricted=True, ended_for="objected"
            )


def closing(world: World) -> timedelta:
    """How long after the stage was set the next local day begins."""
    tomorrow = local_midnight(world.base, world.policy.zone) + 1.5 * DAY
    return local_midnight(tomorrow, world.policy.zone) - world.base


def proofs(world: World) -> dict[str, str]:
    """artifact → what its certificate amounts to with the others."""
    report = world.verified()
    assert report.verified
    return {each["artifact"]: each["proof"] for each in report.certificates if each["scope"] == "artifact"}


def turning(world: World) -> dict[str, datetime]:
    rows = world.rows(select(t.epochs).where(t.epochs.c.turning_at.is_not(None)))
    return {row.name: row.turning_at for row in rows}


@pytest.fixture
def early(world: World) -> World:
    """Of three calls of one day, the first is erased half a year early."""
    for seed, id in enumerate("abc"):
        world.deliver(id, seed=seed)
    world.ingest()
    end_now(world, "a")
    world.expire()
    assert {(row.source_id, row.state) for row in world.artifacts()} == {
        ("a", "erased"), ("b", "kept"), ("c", "kept"),
    }  # fmt: skip
    return world


@pytest.mark.promise("P6")
def test_the_next_daily_closing_makes_the_proof_cryptographic(early: World) -> None:
    [name] = {row.epoch for row in early.artifacts()}
    before = {row.id: early.content(row) for row in early.artifacts() if row.state == "kept"}
    due_at = early.rows(select(t.epochs.c.due_at))[0].due_at
    assert set(proofs(early).values()) == {"logical"}
    assert turning(early) == {name: early.base + closing(early)}
    early.pass_time(closing(early) - timedelta(minutes=1))
    assert turn_over(early.platform) == 0
    early.expire()
    assert early.epochs() == {name: "open"}

    early.pass_time(closing(early))
    assert turn_over(early.platform) == 4
    assert turn_over(early.platform) == 0
    following = name[:-1] + "1"
    early.expire()
    assert early.epochs() == {name: "destroyed", following: "open"}
    assert early.keyring.epochs() == [following]
    with pytest.raises(Conflict, match="epoch_destroyed"):
        early.keyring.open_epoch(name)
    assert set(proofs(early).values()) == {"cryptographic"}
    [certificate] = early.certificates("epoch")
    body = read_parts(bytes(certificate.file))["body"]
    assert set(body["artifacts"]) == {str(row.id) for row in early.artifacts("a")}
    kept = [row for row in early.artifacts() if row.state == "kept"]
    assert {row.id: early.content(row) for row in kept} == before
    assert {(row.epoch, tuple(row.earlier_epochs)) for row in kept} == {(following, (name,))}
    [entry] = early.register("expire:epoch:turned")
    assert (entry["subject"], entry["epoch"], entry["count"]) == (name, following, 4)
    [kept_due] = early.rows(select(t.epochs.c.due_at).where(t.epochs.c.name == following))
    assert kept_due.due_at == due_at


@pytest.mark.promise("P6")
def test_what_survived_is_proven_gone_on_its_own_day(early: World) -> None:
    early.pass_time(closing(early))
    turn_over(early.platform)
    early.expire()
    due_at = max(row.due_at for row in early.artifacts() if row.state == "kept")
    early.pass_time(due_at - early.base + timedelta(minutes=1))
    early.expire()
    assert {row.state for row in early.artifacts()} == {"erased"}
    assert set(early.epochs().values()) == {"destroyed"} and early.keyring.epochs() == []
    assert set(proofs(early).values()) == {"cryptographic"}
    assert turning(early).keys() == {name for name in early.epochs() if name.endswith("/0")}


@pytest.mark.promise("P6")
def test_every_epoch_that_ever_wrapped_its_key_is_turned_over(world: World) -> None:
    """Moved by a policy to an earlier day, then ended: the later epoch could still open it too."""
    world.deliver("a")
    world.deliver("b", seed=1, ago=2 * DAY)
    world.ingest()
    first, other = world.artifacts("a")[0].epoch, world.artifacts("b")[0].epoch
    ids = [row.id for row in world.artifacts("a")]
    with world.engine.begin() as tx:  # as a move wrote it
        tx.execute(
            update(t.artifacts).where(t.artifacts.c.id.in_(ids)).values(earlier_epochs=["gone/0", first])
        )
        tx.execute(update(t.artifacts).where(t.artifacts.c.id.in_(ids)).values(epoch=other))
        tx.execute(update(t.data_keys).where(t.data_keys.c.artifact.in_(ids)).values(epoch=other))
    end_now(world, "a")
    world.expire()
    assert set(turning(world)) == {first, other}
    world.pass_time(closing(world))
    turn_over(world.platform)
    world.expire()
    assert world.epochs() == {first: "destroyed", other: "destroyed", other[:-1] + "1": "open"}


@pytest.mark.promise("P6")
def test_an_epoch_that_ends_by_then_is_left_alone(world: World) -> None:
    world.deliver_trial("a")
    world.deliver_trial("b", left=timedelta(minutes=9), seed=1)
    world.ingest()
    end_now(world, "a")
    end_now(world, "b")
    world.expire()
    late = world.artifacts("b")[0].epoch
    # Epochs of a minute close by the minute.
    assert turning(world)[late] <= world.base + timedelta(minutes=2)
    world.pass_time(timedelta(minutes=2))
    world.expire()
    assert world.epochs()[late] == "destroyed"
    assert set(turning(world)) <= {late, world.artifacts("a")[0].epoch}


@pytest.mark.promise("P6")
def test_what_is_stored_after_the_closing_goes_into_the_next_generation(early: World) -> None:
    """Also while the old one is not empty yet; and one wrapped just before is moved after."""
    [name] = {row.epoch for row in early.artifacts()}
    early.pass_time(closing(early))
    early.intake._now = early.now
    early.deliver("late", seed=7)
    early.ingest()
    assert {row.epoch for row in early.artifacts("late")} == {name[:-1] + "1"}
    assert early.epochs()[name] == "open"
    turn_over(early.platform)
    early.expire()
    assert early.epochs()[name] == "destroyed"
    assert all(early.content(row) for row in early.artifacts("late") + early.artifacts("b"))


@pytest.mark.promise("P8")
def test_in_chunks_and_no_more_at_once_than_asked(early: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn, "CHUNK", 1)
    early.pass_time(closing(early))
    assert [turn_over(early.platform, 3), turn_over(early.platform, 3), turn_over(early.platform, 3)] == [
        3,
        1,
        0,
    ]
    early.expire()
    assert set(proofs(early).values()) == {"cryptographic"}


def test_a_key_that_does_not_open_keeps_its_epoch_and_stops_no_neighbour(early: World) -> None:
    broken, *_ = early.artifacts("b")
    with early.engine.begin() as tx:
        tx.execute(update(t.data_keys).where(t.data_keys.c.artifact == broken.id).values(wrapped=bytes(61)))
    early.pass_time(closing(early))
    assert turn_over(early.platform) == 3
    assert early.expire() == {"left": 0}
    assert early.epochs()[broken.epoch] == "open"
    early.pass_time(closing(early) + timedelta(hours=4))
    with pytest.raises(Conflict, match="1 left"):
        early.expire()


def test_another_day_another_generation(early: World) -> None:
    for day, id in ((0, "b"), (1, "c")):
        early.pass_time(closing(early) + day * DAY)
        turn_over(early.platform)
        end_now(early, id)
        early.expire()
    early.pass_time(closing(early) + 2 * DAY)
    assert turn_over(early.platform) == 0
    early.expire()
    assert set(early.epochs().values()) == {"destroyed"}
    assert set(proofs(early).values()) == {"cryptographic"}
    assert sorted(name[-1] for name in early.epochs()) == ["0", "1", "2"]


@pytest.mark.promise("P5", "P6")
def test_a_hold_s_epoch_turns_within_the_hold(world: World) -> None:
    """Erased although a hold that a restored catalog knows of was open: the others stay the hold's."""
    world.deliver("a")
    world.deliver("b", seed=1)
    world.ingest()
    hold = placed(world, caller=CALLER)
    keep_up(world.platform)
    [name] = {row.epoch for row in world.artifacts()}
    with world.engine.begin() as tx:  # what the erasing of a tombstone that came back does
        mine = t.artifacts.c.id.in_([row.id for row in world.artifacts("a")])
        tx.execute(update(t.epochs).where(t.epochs.c.name == name).values(turning_at=world.base))
        tx.execute(
            t.data_keys.delete().where(t.data_keys.c.artifact.in_(select(t.artifacts.c.id).where(mine)))
        )
        tx.execute(update(t.artifacts).where(mine).values(state="erased", hold=None))
    assert turn_over(world.platform) == 2
    close_epochs(world.platform, False)
    kept = world.artifacts("b")
    assert {(row.epoch, row.hold) for row in kept} == {(hold.epoch_name("training", 1), hold.id)}
    assert world.epochs()[name] == "destroyed" and all(world.content(row) for row in kept)
    [dates] = world.rows(select(t.epochs.c.due_at).where(t.epochs.c.name == kept[0].epoch))
    assert dates.due_at == hold.review_at
    lift(world, hold)
    keep_up(world.platform)
    close_epochs(world.platform, False)
    assert world.epochs()[kept[0].epoch] == "destroyed"
    assert all(row.hold is None and world.content(row) for row in world.artifacts("b"))


def test_a_generation_is_found_past_thousands(world: World) -> None:
    """Half a year of daily closings, and more."""
    due_at = world.base + 300 * DAY
    with world.engine.begin() as tx:
        spent = [
            {"name": f"training/x/{number}", "purpose": "training", "due_at": due_at, "generation": number,
             "state": "destroyed", "opened_at": world.base}
            for number in range(2000)
        ]  # fmt: skip
        tx.execute(t.epochs.insert(), spent)
    world.keyring.destroy_epoch("training/x/2000")
    for _ in range(2):
        name = open_first(world.platform, "training", due_at, lambda number: f"training/x/{number}")
        assert name == "training/x/2001"
    assert world.keyring.epoch_lives(name)


@pytest.mark.promise("P6")
def test_what_was_erased_early_before_the_upgrade_is_turned_over_after_it(early: World) -> None:
    upgrade = import_module("consigne.adapters.catalog.migrations.versions.0003_gone")
    early.deliver("other", ago=3 * DAY, seed=5)
    early.ingest()
    [name] = turning(early)
    with early.engine.begin() as tx:
        tx.execute(update(t.epochs).values(turning_at=None))
        tx.execute(text(upgrade.TURN_EARLY))
    assert set(turning(early)) == {name}
    assert turn_over(early.platform) == 4
    early.expire()
    assert set(proofs(early).values()) == {"cryptographic"}


# What a restored backup or a death left of epochs


@pytest.mark.promise("P6")
def test_a_key_of_which_the_catalog_knows_nothing_is_destroyed_for_ever(early: World) -> None:
    early.keyring.open_epoch("training/2099-01-01/0")
    early.expire()  # by the daily run, not only at start-up
    assert "training/2099-01-01/0" not in early.keyring.epochs()
    with pytest.raises(Conflict, match="epoch_destroyed"):
        early.keyring.open_epoch("training/2099-01-01/0")
    [entry] = early.register("repair:epoch:orphan-destroyed")
    assert entry["subject"] == "training/2099-01-01/0"
    assert mend_epochs(early.platform).orphans == []


@pytest.mark.promise("P8")
def test_an_epoch_that_is_just_being_made_is_not_hit(early: World) -> None:
    """Row first, key after: whoever lists keys and asks for rows afterwards finds the row of each."""
    made: list[str] = []

    class Meanwhile:
        def __getattr__(self, name: str) -> Any:
            return getattr(early.keyring, name)

        def epochs(self) -> list[str]:
            made.append(open_epoch(early.platform, early.policy, "quality", early.base + 9 * DAY))
            listed = early.keyring.epochs()
            made.append(open_epoch(early.platform, early.policy, "quality", early.base + 8 * DAY))
            return listed

    mended = mend_epochs(with_parts(early, keyring=Meanwhile()).platform)
    assert (mended.again, mended.orphans, mended.keyless) == ([], [], [])
    assert set(made) <= set(early.keyring.epochs())


@pytest.mark.promise("P6")
def test_another_installation_s_keyring_is_not_touched(world: World) -> None:
    world.keyring.open_epoch("training/2027-01-01/0")
    with pytest.raises(Misconfigured, match="foreign_keyring"):
        mend_epochs(world.platform)
    assert world.keyring.epochs() == ["training/2027-01-01/0"]


@pytest.mark.promise("P8")
def test_an_epoch_whose_key_was_never_made_gets_it_at_its_next_use(early: World) -> None:
    """Killed between row and key."""
    due_at = early.base + 9 * DAY
    with early.platform.catalog.begin() as tx:
        early.platform.catalog.add_epoch(tx, ["quality/x/0"], "quality", due_at, early.base)
    assert mend_epochs(early.platform).keyless == []
    assert (
        open_first(early.platform, "quality", due_at, lambda number: f"quality/x/{number}") == "quality/x/0"
    )
    assert early.keyring.epoch_lives("quality/x/0")


@pytest.mark.promise("P8")
def test_an_epoch_that_wraps_keys_and_has_none_is_named(early: World) -> None:
    [name] = {row.epoch for row in early.artifacts("b")}
    lost = MemoryKeyring()
    mended = mend_epochs(with_parts(early, keyring=lost).platform)
    assert mended.keyless == [name] and lost.epochs() == []


@pytest.mark.promise("P8")
def test_a_closing_that_was_interrupted_is_ended_before_the_epoch_s_day(early: World) -> None:
    [name] = {row.epoch for row in early.artifacts()}
    early.pass_time(closing(early))
    turn_over(early.platform)

    class Away:
        def __getattr__(self, attribute: str) -> Any:
            return getattr(early.keyring, attribute)

        def destroy_epoch(self, name: str) -> None:
            raise Unavailable("keyring")

    with pytest.raises(Unavailable):
        with_parts(early, keyring=Away()).expire()
    assert early.epochs()[name] == "closing" and set(proofs(early).values()) == {"logical"}
    early.expire()
    assert early.epochs()[name] == "destroyed" and set(proofs(early).values()) == {"cryptographic"}
