"""How every effect is written: a worker that finishes late changes nothing, and one bad row stops nobody (P8)."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import select, text

from consigne.acts import deliveries, expire, ingest
from consigne.acts.catalog import Transaction
from consigne.acts.close import close_epochs
from consigne.acts.journey import Outcome, Platform, Step, advance
from consigne.acts.ports import Delivery
from consigne.adapters.catalog import tables as t
from consigne.rules.errors import BadInput, Conflict, Misconfigured, Tampered, Unavailable
from consigne.rules.values import Quarantined

from .test_expire import AFTER, chunks_of
from .world import World, with_parts


class Interrupted:
    """A part one of whose calls is followed, once, by whatever others do meanwhile."""

    def __init__(self, part: Any, name: str, meanwhile: Callable[[], object]) -> None:
        self._part, self._name, self._meanwhile = part, name, meanwhile

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._part, name)
        if name != self._name:
            return real

        def call(*args: Any) -> Any:
            result = real(*args)
            meanwhile, self._meanwhile = self._meanwhile, lambda: None
            meanwhile()
            return result

        return call


def everything(world: World) -> dict[str, Any]:
    """Every row of every table, and every object, but what only says who claimed or intended something."""
    found: dict[str, Any] = {}
    for table in t.metadata.sorted_tables:
        if table.name not in ("register", "chunks", "manifests", "manifest_chunks", "authorisations"):
            columns = [column for column in table.c if column.name != "token"]
            found[table.name] = sorted(map(repr, world.rows(select(*columns))))
    found["entries"] = sorted(
        repr(sorted(entry.items()))
        for entry in world.register()
        if "intended" not in entry["kind"] and not entry["kind"].endswith("reported")
    )
    found["keyring"] = world.keyring.epochs()
    return found


@pytest.mark.promise("P8")
@pytest.mark.parametrize("call", ["put", "open_epoch", "read_audio", "inspect", "clear"])
def test_a_worker_that_finishes_after_a_takeover_changes_nothing(world: World, call: str) -> None:
    world.deliver("a", purposes=["training", "quality"])
    world.deliver("b", notice=None)
    after: list[dict[str, Any]] = []

    def takeover() -> None:
        world.ingest("second")
        after.append(everything(world))

    part = next(name for name in ("store", "keyring", "intake") if hasattr(getattr(world, name), call))
    slow = with_parts(world, **{part: Interrupted(getattr(world, part), call, takeover)})
    slow.ingest("first")
    assert everything(world) == after[0]
    assert len(world.artifacts("a")) == 4 and {row.state for row in world.artifacts()} == {"kept"}
    assert all(world.content(row) for row in world.artifacts())
    noise = {version[0] for version in world.store.versions} - {row.object for row in world.artifacts()}
    assert len(noise) == (4 if call in ("put", "open_epoch") else 0)  # what it stored late: no key opens it


@pytest.mark.promise("P8")
@pytest.mark.parametrize("call", ["publish", "list_versions", "delete_versions"])
def test_an_expiry_that_finishes_after_a_takeover_changes_nothing(world: World, call: str) -> None:
    world.deliver_trial("a")
    world.deliver("b")
    world.ingest()
    world.pass_time(AFTER)
    after: list[dict[str, Any]] = []

    def takeover() -> None:
        world.expire("second")
        after.append(everything(world))

    slow = with_parts(world, store=Interrupted(world.store, call, takeover))
    chunks = chunks_of(world, "first")
    for name in ("recheck", "destroy_keys", "delete_objects", "verify_absent", "sign_certificate"):
        for chunk in chunks:
            getattr(expire, name)(slow.platform, chunk)
    close_epochs(slow.platform, False)
    assert len(after) == 1
    assert everything(world) == after[0]


@pytest.mark.promise("P8")
def test_two_who_sign_at_once_certify_once(world: World) -> None:
    world.deliver_trial("a")
    world.ingest()
    world.pass_time(AFTER)
    [chunk] = chunks_of(world, "first")
    for name in ("recheck", "destroy_keys", "delete_objects", "verify_absent"):
        getattr(expire, name)(world.platform, chunk)
    second = Thread(target=lambda: signed.append(expire.sign_certificate(world.platform, chunk)))
    signed: list[int] = []
    waits = text("SELECT count(*) FROM pg_locks WHERE NOT granted")

    def meanwhile() -> None:  # the first stands within its transaction
        second.start()
        while second.is_alive() and not world.rows(waits)[0][0]:
            pass

    slow = with_parts(world, keyring=Interrupted(world.keyring, "sign", meanwhile))
    signed.append(expire.sign_certificate(slow.platform, chunk))
    second.join()
    assert sorted(signed) == [0, 2]
    assert len(world.certificates()) == len(world.register("expire:artifact:erased")) == 2


@pytest.mark.promise("P8")
def test_a_lost_claim_takes_with_it_whatever_was_written(world: World) -> None:
    """Also where the step writes before it moves the row."""
    world.deliver("a")
    ingest.discover_intake(world.platform, "first")
    [row] = world.rows(select(t.deliveries.c.id))

    def settle(
        platform: Platform, tx: Transaction, row: Delivery, token: uuid.UUID, _: Quarantined | None
    ) -> bool:
        platform.catalog.append(tx, "consigne", "test:row:written", [{"subject": "x"}])
        return platform.catalog.move_delivery(tx, row.id, uuid.uuid4(), "claimed", "valid")

    step: Step[Delivery, None] = Step(
        "test:delivery:step", deliveries.taking(["claimed"]), lambda *_: None, settle
    )
    assert advance(world.platform, step, [row.id]) == Outcome(lost=[row.id])
    assert world.register("test:row:written") == []


class Faulty:
    """A step on a world's claimed deliveries, whose effect fails as told for each."""

    def __init__(self, world: World, *faults: Exception | None) -> None:
        self.world, self.faults = world, list(faults)
        for number in range(len(faults)):
            world.deliver(f"d{number}")
        ingest.discover_intake(world.platform, "first")
        query = select(t.deliveries.c.id).order_by(t.deliveries.c.source_id)
        self.ids = [row.id for row in world.rows(query)]

    def advance(self) -> Outcome:
        def effect(platform: Platform, row: Delivery) -> None:
            fault = self.faults[self.ids.index(row.id)]
            if fault is not None:
                raise fault

        def settle(
            platform: Platform, tx: Transaction, row: Delivery, token: uuid.UUID, result: Quarantined | None
        ) -> bool:
            target = "quarantined" if isinstance(result, Quarantined) else "valid"
            return platform.catalog.move_delivery(tx, row.id, token, "claimed", target)

        return advance(
            self.world.platform,
            Step("test:delivery:step", deliveries.taking(["claimed"]), effect, settle),
            self.ids,
        )


def test_one_bad_row_never_stops_the_others(world: World) -> None:
    stage = Faulty(
        world, None, Conflict("changed"), BadInput("bad_field", "id"), Tampered("object_digest"), None
    )
    first, changed, bad, tampered, last = stage.ids
    assert stage.advance() == Outcome(
        done=[first, last], refused=[bad], left={changed: "changed", tampered: "object_digest"}
    )


def test_a_fault_of_our_own_code_leaves_its_row_and_shows_its_place_but_no_value(world: World) -> None:
    stage = Faulty(world, None, KeyError("a caller's number"), None)
    first, faulty, last = stage.ids
    outcome = stage.advance()
    assert outcome.done == [first, last]
    assert "KeyError" in outcome.left[faulty] and "caller" not in outcome.left[faulty]


def test_a_part_that_is_away_ends_the_round(world: World) -> None:
    stage = Faulty(world, None, Unavailable("store", "put"), None)
    outcome = stage.advance()
    assert outcome == Outcome(done=stage.ids[:1], failed=dict.fromkeys(stage.ids[1:], "store put"))
    with pytest.raises(Unavailable, match="2 rows"):
        deliveries.finish(outcome)
    stage.faults = [None] * 3
    assert stage.advance() == Outcome(done=stage.ids[1:])


def test_a_wrong_installation_stops_the_task(world: World) -> None:
    stage = Faulty(world, Misconfigured("store_refused"))
    with pytest.raises(Misconfigured):
        stage.advance()
    assert world.rows(select(t.deliveries.c.state)) == [("claimed",)]


def test_what_is_left_for_the_next_run_fails_no_task() -> None:
    left = {uuid.uuid4(): "changed", uuid.uuid4(): "changed"}
    assert deliveries.finish(Outcome(left=left)) == {"done": 0, "refused": 0, "left": ["changed"], "lost": 0}


@pytest.mark.promise("P8")
def test_two_epochs_of_one_name_never_live(world: World) -> None:
    """A closed epoch's name is spent: what falls due then is stored under the next generation."""
    world.deliver("a")
    world.ingest()
    [epoch] = world.epochs()
    with world.engine.begin() as tx:
        tx.execute(t.epochs.update().values(state="closing"))
    world.deliver("b")
    world.ingest()
    assert sorted(world.epochs()) == [epoch, epoch.removesuffix("0") + "1"]
    world.keyring.destroy_epoch(epoch.removesuffix("0") + "1")  # destroyed while the catalog does not know it
    world.deliver("c")
    world.ingest()
    assert {row.epoch for row in world.artifacts("c")} == {epoch.removesuffix("0") + "2"}


@pytest.mark.promise("P8")
def test_no_epoch_key_lives_without_a_row_that_will_end_it(world: World) -> None:
    class Dies:
        def __getattr__(self, name: str) -> Any:
            return getattr(world.keyring, name)

        def wrap(self, *_: Any) -> bytes:
            raise Unavailable("keyring")

    world.deliver("a")
    with pytest.raises(Unavailable):
        with_parts(world, keyring=Dies()).ingest()
    assert set(world.keyring.epochs()) <= set(world.epochs())
