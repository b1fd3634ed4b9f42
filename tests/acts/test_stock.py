"""The stock says what a recount of the catalog's rows would say: after any history, by several at once, whatever was rolled
back or killed, and whether or not it was rolled up."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import Connection, Engine, text

from consigne.acts.roll_up import roll_up
from consigne.adapters.catalog import stock, views_calendar
from consigne.adapters.catalog.open import Catalog
from consigne.adapters.catalog.volumes import VolumesCatalog

from .test_migrations import until_one_waits
from .world import World

WORKERS, STEPS = 4, 25
_SUMS = (
    r"SELECT thing, name, state, how, ends_at\:\:text, is_ended, sum(number), sum(bytes) FROM stock GROUP BY 1, 2, 3, 4, 5, 6 "
    "HAVING sum(number) <> 0 OR sum(bytes) <> 0 ORDER BY 1, 2, 3, 4, 5, 6"
)
_MINE = "id IN (SELECT id FROM artifacts WHERE part = :part ORDER BY random() LIMIT :some)"
CHANGES = (
    "UPDATE artifacts SET state = (ARRAY['storing', 'kept', 'erasing', 'erased'])[1 + CAST(:some AS int) % 4] WHERE "
    + _MINE,
    "UPDATE artifacts SET due_at = due_at + CAST(:some AS int) * interval '1 day' WHERE " + _MINE,
    "UPDATE artifacts SET extension = CASE WHEN extension IS NULL THEN id END WHERE " + _MINE,
    "UPDATE artifacts SET hold = CASE WHEN hold IS NULL THEN id END, unheld_due_at = due_at WHERE " + _MINE,
    "UPDATE artifacts SET ended_for = CASE WHEN ended_for IS NULL THEN 'objected' END, bytes = bytes + 1 WHERE "
    + _MINE,
    "UPDATE artifacts SET token = id WHERE " + _MINE,
    "DELETE FROM artifacts WHERE " + _MINE,
    "INSERT INTO artifacts SELECT (jsonb_populate_record(a, jsonb_build_object('id', gen_random_uuid(), 'part', CAST(:part AS text), "
    "'purpose', 'p' || gen_random_uuid()))).* FROM artifacts AS a ORDER BY random() LIMIT :some",
    "UPDATE deliveries SET state = (ARRAY['claimed', 'valid', 'cleared'])[1 + CAST(:some AS int) % 3] WHERE CAST(:part AS text) <> ''",
)


def sums(tx: Connection) -> list[tuple[object, ...]]:
    return [tuple(row) for row in tx.execute(text(_SUMS))]


def live(engine: Engine, seed: int, part: str) -> None:
    """One of several that change rows of their own, some of it in vain."""
    chance = random.Random(f"{seed} {part}")
    for _ in range(STEPS):
        with engine.connect() as connection:
            with connection.begin() as tx:
                for change in chance.sample(CHANGES[:-1], chance.randint(1, 3)):
                    connection.execute(text(change), {"part": part, "some": chance.randint(1, 5)})
                if chance.random() < 0.3:
                    tx.rollback()
                    continue
            if chance.random() < 0.3:
                with connection.begin():
                    connection.execute(text("SELECT consigne_roll_up()"))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_it_equals_a_recount_after_any_history(world: World, engine: Engine, seed: int) -> None:
    for name in ("a", "b"):
        world.deliver(name)
    world.ingest()
    parts = [f"part {number}" for number in range(WORKERS)]
    with engine.begin() as tx:
        for part in parts:
            tx.execute(text(CHANGES[-2]), {"part": part, "some": 4})
    with ThreadPoolExecutor(WORKERS) as pool:
        for done in [pool.submit(live, engine, seed, part) for part in parts]:
            done.result()
    with engine.begin() as tx:
        tx.execute(text(CHANGES[-1]), {"part": "any", "some": seed})
        counted = sums(tx)
        assert len(counted) > WORKERS
        tx.execute(text("SELECT consigne_recount()"))
        assert counted == sums(tx)


@pytest.mark.promise("P8")
def test_a_recount_and_a_task_under_way_do_not_wait_for_each_other(world: World, engine: Engine) -> None:
    """As the ingest does: the delivery first, then its artifacts, while a recount is asked for in between."""
    world.deliver("a")
    world.ingest()
    with ThreadPoolExecutor(1) as pool, engine.connect() as task:
        with task.begin():
            task.execute(text("UPDATE deliveries SET token = NULL"))
            recounted = pool.submit(recount, engine)
            until_one_waits(engine, recounted)
            task.execute(text("UPDATE artifacts SET ended_for = 'objected'"))
        recounted.result(60)
    with engine.begin() as tx:
        told = sums(tx)
        assert any(row[5] for row in told)
        recount(engine)
        assert sums(tx) == told


def recount(engine: Engine) -> None:
    with engine.begin() as tx:
        tx.execute(text("SELECT consigne_recount()"))


def test_rolled_up_it_says_the_same_in_one_row_a_key(world: World, engine: Engine) -> None:
    for number in range(6):
        world.deliver(f"call-{number}")
    world.ingest()
    with engine.begin() as tx:
        before, told = sums(tx), stock.kept_by_state(tx)
        rows = tx.execute(text("SELECT count(*) FROM stock")).scalar_one()
    assert roll_up(world.platform) > 0
    with engine.begin() as tx:
        assert (sums(tx), stock.kept_by_state(tx)) == (before, told)
        assert tx.execute(text("SELECT count(*) FROM stock")).scalar_one() == len(before) < rows
    assert roll_up(world.platform) == 0


def test_a_roll_up_that_was_killed_changes_nothing(world: World, engine: Engine) -> None:
    world.deliver("a")
    world.ingest()
    with engine.connect() as connection:
        before = sums(connection)
        connection.rollback()
        with connection.begin() as tx:
            assert connection.execute(text("SELECT consigne_roll_up()")).scalar_one() > 0
            tx.rollback()
        assert sums(connection) == before


@pytest.mark.promise("P5")
def test_what_falls_due_is_foretold_and_shown_from_it(world: World, catalog: Catalog) -> None:
    for number in range(3):
        world.deliver(f"call-{number}")
    world.ingest()
    rows = world.artifacts()
    [due_at] = {row.due_at for row in rows}
    with catalog.begin() as tx:
        assert VolumesCatalog.ends_ahead(catalog, tx, due_at) == [("training", due_at, len(rows))]
        assert VolumesCatalog.ends_ahead(catalog, tx, due_at - timedelta(seconds=1)) == []
        assert views_calendar.later(tx, due_at, None) == {"training": len(rows)}
        assert views_calendar.overdue(tx, due_at, ["quality"]) == {}
        assert views_calendar.overdue(tx, due_at, ["training"]) == {"training": len(rows)}
        assert catalog.purposes_kept(tx) == {"training"}
    world.pass_time(due_at - world.base + timedelta(hours=1))
    world.expire()
    with catalog.begin() as tx:
        assert catalog.purposes_kept(tx) == set() and views_calendar.later(tx, world.base, None) == {}
        told = {(one.state, one.number, one.bytes) for one in stock.kept_by_state(tx)}
        assert told == {("erased", len(rows), sum(row.bytes for row in rows))}
        assert {(one.state, one.number) for one in stock.deliveries_by_state(tx)} == {("cleared", 3)}
