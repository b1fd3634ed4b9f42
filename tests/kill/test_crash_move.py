"""Killed at any place while something is kept under another purpose, started again, the same end (P8)."""

from __future__ import annotations

import os
import signal
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from acts.test_expire import DPO, TRAINER, WHY
from acts.world import World, expire, ingest, make_world
from consigne.acts import decide, extend
from consigne.acts.journey import Platform
from consigne.adapters.catalog.open import Catalog
from consigne.rules.errors import ConsigneError
from consigne.rules.request import Answer, Decision, ExceptionRequest
from contract.servers import Server

from .fingerprint import noise, settled
from .real import Real
from .test_crash import killed_everywhere


def decided(world: World) -> ExceptionRequest:
    """The DPO decides to keep all under `quality`."""
    ids, until = [row.id for row in world.artifacts()], world.base + timedelta(days=220)
    asked = decide.file_request(world.platform, world.policy, TRAINER, ids, until, "dispute", WHY)
    assert isinstance(asked, ExceptionRequest)
    said = (asked.id, asked.digest, Answer.KEEP_UNDER_ANOTHER_PURPOSE, None, WHY, "quality")
    assert isinstance(decide.answer_request(world.platform, world.policy, DPO, *said), Decision)
    return asked


@pytest.mark.promise("P3", "P5", "P8")
def test_killed_anywhere_in_a_change_of_purpose(world: World) -> None:
    world.deliver("a")
    world.deliver("b")
    world.ingest()
    count = len(decided(world).items)

    def act(platform: Platform, run: str) -> None:
        for request in extend.unapplied(platform, 0):
            extend.apply_decision(platform, world.policy, request)
        expire(platform, run)

    places, worst = killed_everywhere(world, act, told=settled)
    assert {row.purpose for row in world.artifacts() if row.state == "kept"} == {"quality"}
    assert {row.purpose for row in world.artifacts() if row.state == "erased"} == {"training"}
    assert {"put", "open_epoch", "commit", "publish", "delete_versions"} <= set(places)
    # Objects without a key: at most what one try had stored.
    assert 0 < worst <= count


@pytest.mark.promise("P3", "P6", "P8")
def test_on_real_parts_two_at_once_keep_it_once_and_the_old_listeners_cannot_reach_it(
    engine: Engine, catalog: Catalog, minio: Server, tmp_path: Path
) -> None:
    like = make_world(engine, catalog)
    like.deliver("a")
    real = Real(like, engine, minio, tmp_path).prepare()
    real.deliver(like.intake)
    live = real.world()
    ingest(live.platform, "before")
    before = {row.part: live.content(row) for row in live.artifacts()}
    asked, seen = decided(live), Counter[str]()

    def sleep_at(called: str) -> None:
        seen[called] += 1
        if (called, seen["put"]) == ("put", 2):
            os.kill(os.getpid(), signal.SIGSTOP)

    pid = real.child(lambda platform: extend.apply_decision(platform, like.policy, asked.id), sleep_at)
    try:
        assert os.WIFSTOPPED(os.waitpid(pid, os.WUNTRACED)[1])
        applied = extend.apply_decision(live.platform, like.policy, asked.id)
        assert isinstance(applied, extend.Applied) and set(applied.outcomes.values()) == {"moved"}
        os.kill(pid, signal.SIGCONT)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        pid = 0
    finally:
        if pid:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    expire(live.platform, "after")
    kept = {row.part: row for row in live.artifacts() if row.state == "kept"}
    assert {part: live.content(row) for part, row in kept.items()} == before
    assert {row.purpose for row in kept.values()} == {"quality"}
    assert [live.under(row) for row in live.artifacts() if row.purpose == "training"] == [[], []]
    for row in kept.values():
        with pytest.raises(ConsigneError, match="AccessDenied"):
            live.platform.store.get("training", row.object, row.version)
    assert noise(live) == 2  # what the sleeper stored: no key opens it
