"""The hard dates lived through (P5): by the test clock, on a real PostgreSQL, whatever zone the machine and the
server are in."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import datetime, timedelta

import psycopg
import pytest
from sqlalchemy import Engine, text

from consigne.acts import expire as acts
from consigne.acts.close import close_epochs
from consigne.acts.draw import keep_months
from consigne.adapters.catalog.open import Catalog
from consigne.rules.clock import iso, parse_instant
from consigne.rules.errors import Misconfigured

from .world import World, make_world, metadata, sound

pytestmark = pytest.mark.promise("P5")
SECOND = timedelta(seconds=1)
# The call's start, its purpose, and when all of it falls due: three of tests/unit/dates.py.
LIVED = (
    (
        "2027-08-31T23:30:00+02:00",
        "training",
        "2028-02-29T00:00:00+01:00",
    ),  # 31 August and six months: 29 February
    ("2028-02-29T00:30:00+01:00", "training", "2028-08-29T00:00:00+02:00"),
    ("2027-10-31T02:55:30+02:00", "trial", "2027-10-31T02:05:00+01:00"),  # the hour that comes twice
)


@pytest.fixture(params=["UTC", "Europe/Paris", "Pacific/Kiritimati"])
def anywhere(
    request: pytest.FixtureRequest, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    """A world whose process and database server are in one zone."""
    zone, url = request.param, engine.url
    with engine.begin() as tx:
        tx.execute(text(f"ALTER DATABASE {url.database} SET timezone = '{zone}'"))
    engine.dispose()  # what is connected already
    with psycopg.connect(url.set(drivername="postgresql").render_as_string(hide_password=False)) as plain:
        assert plain.execute("SHOW timezone").fetchone() == (zone,)
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    yield make_world(engine, Catalog(engine, os.urandom))
    monkeypatch.undo()
    time.tzset()


def put_clock(world: World, at: datetime) -> None:
    """The catalog's clock says so now."""
    world.pass_time(timedelta(0))
    world.pass_time(at - world.now())


@pytest.mark.parametrize(("start", "purpose", "end"), LIVED)
def test_it_goes_at_its_second_and_not_before(anywhere: World, start: str, purpose: str, end: str) -> None:
    world, began_at, due_at = anywhere, parse_instant(start), parse_instant(end)
    put_clock(world, began_at + 5 * SECOND)
    keep_months(world.platform)
    world.intake.deliver("a", sound(0), metadata("a", began_at, purposes=[purpose]))
    world.ingest()
    assert {(row.state, iso(row.due_at)) for row in world.artifacts()} == {("kept", iso(due_at))}
    put_clock(world, due_at - 30 * SECOND)
    world.expire()
    assert {row.state for row in world.artifacts()} == {"kept"} and len(world.keys()) == 2
    put_clock(world, due_at + SECOND)
    world.expire()
    assert {row.state for row in world.artifacts()} == {"erased"} and world.keys() == {}
    assert world.verified().verified


@pytest.mark.parametrize("back", [timedelta(minutes=6), timedelta(days=2), timedelta(days=400)])
def test_a_clock_set_back_destroys_nothing_and_says_so(world: World, back: timedelta) -> None:
    """Two calls are due, one is gone already; then the clock is set back and every task says why it stops."""
    for id, left in (("gone", 2), ("due", 4)):
        world.deliver_trial(id, left=timedelta(minutes=left))
    world.ingest()
    world.pass_time(timedelta(minutes=2, seconds=1))
    world.expire()
    world.pass_time(timedelta(minutes=5))
    assert acts.freeze_manifest(world.platform, "frozen", False)
    before = (
        world.artifacts(),
        world.keys(),
        world.epochs(),
        list(world.store.versions),
        world.keyring.epochs(),
    )
    world.pass_time(timedelta(minutes=5) - back)
    for task in (
        lambda: acts.freeze_manifest(world.platform, "next", False),
        lambda: close_epochs(world.platform, False),
        world.expire,
    ):
        with pytest.raises(Misconfigured) as fault:
            task()
        assert fault.value.code == "clock_behind_register" and "set the clock" in fault.value.advice
    # The manifest that was frozen before: what it names is not due any more by this clock.
    for chunk in acts.measure_volume(world.platform, "frozen"):
        assert acts.recheck(world.platform, chunk) == 0
        acts.destroy_keys(world.platform, chunk)
        acts.delete_objects(world.platform, chunk)
        acts.sign_certificate(world.platform, chunk)
    after = (
        world.artifacts(),
        world.keys(),
        world.epochs(),
        list(world.store.versions),
        world.keyring.epochs(),
    )
    assert after == before and {row.state for row in world.artifacts("due")} == {"kept"}
    world.pass_time(timedelta(minutes=7))
    assert world.expire() == {"left": 0}
    assert {row.state for row in world.artifacts()} == {"erased"}
