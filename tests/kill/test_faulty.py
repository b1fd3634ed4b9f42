"""Between Consigne and MinIO stands what delays, cuts, refuses, loses answers and lists late: the end is the
undisturbed one (P8), and no certificate claims what is not so (P6)."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import Engine

from acts.world import World, expire, ingest, make_world
from consigne.acts.journey import Platform
from consigne.adapters.catalog.open import Catalog
from consigne.rules.errors import Conflict, Unavailable
from contract.faulty import KINDS, Faults, faulty
from contract.servers import Server

from .fingerprint import fingerprint, noise
from .real import Real
from .test_crash import LONG, OVER
from .test_sigkill import twin

__all__ = ["twin"]
PATIENCE = 40
LATE, UNSEEN = "lagging: what it was", "lagging: nothing yet"
OTHERS = tuple(kind for kind in KINDS if not kind.startswith("lagging"))


def deliver(world: World) -> None:
    world.deliver("both", purposes=["training", "quality"])
    world.deliver("plain", seed=1)
    world.deliver("unheard", notice=None)
    for number in range(2):
        world.deliver_trial(f"trial{number}", left=LONG - timedelta(minutes=number), seed=20 + number)


@contextmanager
def seen_through(
    world: World, engine: Engine, minio: Server, folder: Path, faults: Faults
) -> Iterator[World]:
    """The same calls, before parts that are real, and a MinIO behind the proxy."""
    with faulty(minio, faults) as between:
        real = Real(make_world(engine, Catalog(engine, os.urandom)), engine, between, folder).prepare()
        real.like.base = world.base
        real.deliver(world.intake)
        yield real.world()


def persist(
    act: Callable[[Platform, str], object], platform: Platform, faults: Faults, kinds: Sequence[str]
) -> int:
    """Again and again, as Airflow's retries do, until a run goes through; how many failed. Nothing but what a retry
    cures may come out of it."""
    faults.plan(*kinds)
    for failed in range(PATIENCE):
        try:
            act(platform, str(uuid.uuid4()))
            return failed
        except (Unavailable, Conflict) as fault:
            assert isinstance(fault, Unavailable) or fault.code in ("overdue", "unfinished"), fault
    pytest.fail("it never came through")


@pytest.mark.promise("P6", "P8")
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whatever_lies_between_the_end_is_the_undisturbed_one(
    world: World, twin: Engine, minio: Server, tmp_path: Path, seed: int
) -> None:
    deliver(world)
    faults = Faults(Random(seed), every=2)
    with seen_through(world, twin, minio, tmp_path, faults) as live:
        world.ingest()
        world.pass_time(OVER)
        world.expire()
        already = noise(live)
        failed = persist(ingest, live.platform, faults, OTHERS * 2)
        live.pass_time(OVER)
        faults.left = [LATE] * 6
        failed += persist(expire, live.platform, faults, OTHERS)
        assert failed and faults.left.count(LATE) < 6
        faults.left.clear()
        found, undisturbed = fingerprint(live), fingerprint(world)
        # What was put while its answer was lost goes with its artifact; a listing that lags counts fewer.
        assert len(found.pop("counts")) == len(undisturbed.pop("counts"))
        assert found == undisturbed
        # For each answer to a PUT that was lost one object without a key, and never a second version of a kept one.
        assert noise(live) - already <= failed


@pytest.mark.promise("P6")
def test_a_listing_that_shows_nothing_yet_hides_no_recorded_object(
    world: World, twin: Engine, minio: Server, tmp_path: Path
) -> None:
    """All along: what the catalog recorded goes by its version, listed or not."""
    deliver(world)
    faults = Faults(Random(7), every=1)
    with seen_through(world, twin, minio, tmp_path, faults) as live:
        ingest(live.platform, "in")
        live.pass_time(OVER)
        faults.plan(*[UNSEEN] * 1000)
        expire(live.platform, "out")
        assert len(faults.left) < 1000
        faults.left.clear()
        gone = [row for row in live.artifacts() if row.state == "erased"]
        assert len(gone) == 4 and [live.under(row) for row in gone] == [[]] * 4
        assert {each["proof"] for each in live.verified().certificates} == {"cryptographic"}
