"""Real deaths and sleepers: SIGKILL at seeded moments, and a stopped worker that wakes after a takeover (P8)."""

from __future__ import annotations

import os
import random
import signal
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from acts.world import World, expire, ingest, make_world
from consigne.acts import turn
from consigne.acts.journey import Platform
from consigne.acts.turn import turn_over
from consigne.adapters.catalog.open import Catalog
from consigne.rules.clock import local_midnight
from contract.servers import Server

from .fingerprint import fingerprint, noise, settled
from .real import Real
from .test_crash import LONG, OVER

INGEST_KILLS, EXPIRE_KILLS, CLOSE_KILLS = 18, 8, 4


@pytest.fixture
def twin(server: object, engine: Engine) -> Iterator[Engine]:
    """A second clone of the migrated database: nobody is killed there."""
    from acts.conftest import engine as make

    clone = make.__wrapped__(server)  # type: ignore[attr-defined]
    yield next(clone)
    next(clone, None)


def deliver_twenty(world: World) -> None:
    for number in range(10):
        world.deliver(f"plain{number}", seed=number, transcript=None if number == 9 else metadata_words())
    world.deliver("both", purposes=["training", "quality"])
    for stem in ("twin", "twin-again"):
        world.deliver("twin", stem=stem, seed=3)
    world.deliver("unheard", notice=None)
    world.deliver(
        "objected", objection={"at_s": 0.5}, caller="+33611111111"
    )  # whose objection is theirs alone
    world.deliver("unknown", purposes=["marketing"])
    world.intake.deliver("broken", b"RIFF", b"{")
    for number in range(3):
        world.deliver_trial(f"trial{number}", left=LONG - timedelta(minutes=number), seed=20 + number)


def metadata_words() -> dict[str, object]:
    return {"words": [{"text": "bonjour", "start_s": 0.2, "end_s": 0.5, "speaker": "agent"}]}


def kill_at(real: Real, act: Callable[[Platform], object], calls: int, late_s: float) -> bool:
    """Let a child begin so many changing calls, and kill it a little later; false where it was done before."""
    heard, told = os.pipe()

    def tell(_: str) -> None:
        os.write(told, b".")

    pid = real.child(act, tell)
    os.close(told)
    try:
        done = all(os.read(heard, 1) for _ in range(calls))
        if done:
            time.sleep(late_s)
            os.kill(pid, signal.SIGKILL)
    finally:
        os.close(heard)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert code in (0, -signal.SIGKILL), "it failed instead of dying"
    return code != 0


def end_early(world: World, id: str) -> None:
    """As an objection does."""
    with world.platform.catalog.begin() as tx:
        for row in world.artifacts(id):
            now = world.platform.catalog.now(tx)
            world.platform.catalog.set_clock(tx, row.id, now, restricted=True, ended_for="objected")


def close(platform: Platform, run: str) -> None:
    """The daily closing: what lives moves to the next generation, and the epoch ends."""
    turn_over(platform)
    expire(platform, run)


def until_closing(world: World) -> timedelta:
    """Until a little after the next local midnight."""
    noon = local_midnight(world.base, world.policy.zone) + timedelta(days=1, hours=12)
    return local_midnight(noon, world.policy.zone) - world.base + OVER


@pytest.mark.promise("P6", "P8")
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(1, 10))])
def test_thirty_kills_over_an_ingest_an_expiry_and_a_closing(
    world: World, twin: Engine, minio: Server, tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thirty each, three hundred with `--long`: nothing lost, nothing doubled, nothing readable that was erased."""
    monkeypatch.setattr(turn, "CHUNK", 2)
    real = Real(make_world(twin, Catalog(twin, os.urandom)), twin, minio, tmp_path).prepare()
    real.like.base = world.base
    deliver_twenty(world)
    real.deliver(world.intake)
    world.ingest()
    end_early(world, "plain0")
    world.pass_time(OVER)
    world.expire()
    world.pass_time(until_closing(world))
    close(world.platform, "closing")

    draw, died, live = random.Random(20261122 + seed), Counter[str](), real.world()
    already = noise(live)
    for act, kills, most in ((ingest, INGEST_KILLS, 14), (expire, EXPIRE_KILLS, 7), (close, CLOSE_KILLS, 4)):
        if act is expire:
            end_early(live, "plain0")
        if act is not ingest:
            live.pass_time(OVER if act is expire else until_closing(live))
        for _ in range(kills):
            run, calls, late_s = str(uuid.uuid4()), draw.randint(1, most), draw.uniform(0, 0.03)
            died[act.__name__] += kill_at(real, lambda platform: act(platform, run), calls, late_s)  # noqa: B023
        act(live.platform, str(uuid.uuid4()))
    assert died == {"ingest": INGEST_KILLS, "expire": EXPIRE_KILLS, "close": CLOSE_KILLS}
    found, undisturbed = settled(live), settled(world)
    # What a killed ingest left under an artifact's prefix was swept with it, and is counted.
    swept, expected = found.pop("counts"), undisturbed.pop("counts")
    assert len(swept) == len(expected) and all(counts >= (1, 0) for counts in swept)
    assert found == undisturbed
    assert {each["proof"] for each in live.verified().certificates} == {"cryptographic"}
    # At most the parts that a delivery had stored when its worker died.
    assert noise(live) - already <= 4 * INGEST_KILLS


@pytest.mark.promise("P6", "P8")
@pytest.mark.parametrize(
    ("act", "place", "nth"),
    [
        (ingest, "put", 2),
        (expire, "publish", 1),
        (expire, "delete_versions", 1),
        (expire, "destroy_epoch", 1),
        (close, "open_epoch", 1),
        (close, "destroy_epoch", 1),
    ],
)
def test_a_stopped_worker_that_wakes_after_a_takeover_changes_nothing(
    engine: Engine, catalog: Catalog, minio: Server, tmp_path: Path, act: Callable[[Platform, str], object],
    place: str, nth: int,
) -> None:  # fmt: skip
    like = make_world(engine, catalog)
    like.deliver("a", purposes=["training", "quality"])
    like.deliver_trial("b", left=LONG)
    like.deliver("c", seed=2)
    real = Real(like, engine, minio, tmp_path).prepare()
    real.deliver(like.intake)
    live, seen = real.world(), Counter[str]()
    if act is not ingest:
        ingest(live.platform, "before")
        live.pass_time(OVER)
    if act is close:
        end_early(live, "c")
        expire(live.platform, "before")
        live.pass_time(until_closing(live))

    def sleep_at(called: str) -> None:
        seen[called] += 1
        if called == place and seen[called] == nth:
            os.kill(os.getpid(), signal.SIGSTOP)

    pid = real.child(lambda platform: act(platform, "sleeper"), sleep_at)
    try:
        assert os.WIFSTOPPED(os.waitpid(pid, os.WUNTRACED)[1])
        act(live.platform, "takeover")
        after = fingerprint(live)
        os.kill(pid, signal.SIGCONT)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        pid = 0
    finally:
        if pid:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    assert fingerprint(live) == after
    noise(live)
    assert {row.state for row in live.artifacts("a")} == {"kept"}
    assert {row.state for row in live.artifacts("b")} == ({"kept"} if act is ingest else {"erased"})
    assert {row.state for row in live.artifacts("c")} == ({"erased"} if act is close else {"kept"})
