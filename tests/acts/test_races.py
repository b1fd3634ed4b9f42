"""A hold or an extension that commits while its artifact is being erased, in both orders, a thousand times: what was
accepted is there, and what came too late was told so (P5)."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from consigne.acts import decide, expire
from consigne.acts.extend import apply_decision
from consigne.adapters.catalog import tables as t
from consigne.adapters.catalog.tables_decided import holds
from consigne.rules.access import Denied
from consigne.rules.clock import add
from consigne.rules.errors import BadInput
from consigne.rules.hold import Hold
from consigne.rules.request import Answer, Decision

from .stage import DPO, WHY, Stage
from .test_hold import place
from .world import World

HOLDS, ROUND = 600, 60
EXTENSIONS = 400
AHEAD = timedelta(milliseconds=300)  # of the end of the response time, and as long after it
PAST = timedelta(seconds=-1)


@pytest.fixture
def stage(world: World) -> Stage:
    """Rows without objects in the world of memory ports: what is raced for is the catalog's."""
    return Stage(world.platform, world.policy, world.engine)


def beside(*acts: Callable[[], None]) -> None:
    """All of these at the same time; what one raises is raised."""
    faults: list[BaseException] = []

    def guarded(act: Callable[[], None]) -> None:
        try:
            act()
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=guarded, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]


def chunks_of(world: World, run: str) -> dict[uuid.UUID, str]:
    """artifact → the chunk that it is alone in."""
    expire.freeze_manifest(world.platform, run, False)
    expire.measure_volume(world.platform, run)
    rows = world.rows(
        select(t.manifest_chunks)
        .join(t.manifests, t.manifests.c.id == t.manifest_chunks.c.manifest)
        .where(t.manifests.c.run == run)
    )
    return {row.artifacts[0]: str(row.id) for row in rows}


def is_there(stage: Stage, artifact: uuid.UUID) -> bool:
    """Kept, and its key opens."""
    row = stage.row(artifact)
    return row.state == "kept" and row.wrapped is not None and len(stage.key_of(artifact)) == 32


@pytest.mark.promise("P5")
def test_never_erased_under_an_accepted_hold(
    world: World, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    came = [race(world, stage, monkeypatch, f"race {at}") for at in range(HOLDS // ROUND)]
    assert sum(accepted + late for accepted, late in came) == HOLDS
    assert sum(accepted for accepted, _ in came) and sum(late for _, late in came)
    assert {entry["too_late"] for entry in world.register("hold:hold:placed")} == {0}


def race(world: World, stage: Stage, monkeypatch: pytest.MonkeyPatch, run: str) -> tuple[int, int]:
    """How many holds were accepted, and how many came too late."""
    artifacts = [stage.keep(left=PAST) for _ in range(ROUND)]
    recordings = {id: stage.row(id).recording for id in artifacts}
    with monkeypatch.context() as patched:
        patched.setattr(expire, "CHUNK", 1)
        chunks = chunks_of(world, run)
    accepted: set[uuid.UUID] = set()

    def erase() -> None:
        for id in artifacts:
            expire.recheck(world.platform, chunks[id])

    def hold(ids: Iterable[uuid.UUID]) -> None:
        for id in ids:
            try:
                assert isinstance(place(world, recording=recordings[id]), Hold)
            except BadInput as fault:
                assert fault.code == "recording_erased"
            else:
                accepted.add(id)

    # One half from the same end, so that both reach each at once; the other from the opposite one.
    half = ROUND // 2
    beside(erase, lambda: hold(artifacts[:half]), lambda: hold(artifacts[half:][::-1]))
    world.expire()
    assert all(is_there(stage, id) for id in accepted)
    assert {stage.row(id).state for id in artifacts if id not in accepted} <= {"erased"}
    with world.engine.begin() as tx:  # out of the way of the next
        for table in (holds, t.data_keys, t.artifacts):
            tx.execute(table.delete())
    return len(accepted), ROUND - len(accepted)


@pytest.mark.promise("P5")
def test_never_erased_under_an_accepted_extension(world: World, stage: Stage) -> None:
    """Each answer comes as its response time runs out (before, at and after it in turn), and the erasing as soon as
    it has."""
    requests = [stage.asked(stage.keep(left=timedelta(hours=1))) for _ in range(EXTENSIONS)]
    lapse = add(requests[0].filed_at, world.policy.response_time, world.policy.zone)
    world.pass_time(lapse - world.now() - AHEAD)
    over = (add(request.filed_at, world.policy.response_time, world.policy.zone) for request in requests)
    turns = sorted(
        ((end + AHEAD * (at % 3 - 1), requests[at]) for at, end in enumerate(over)), key=lambda turn: turn[0]
    )
    decided: dict[uuid.UUID, Any] = {}
    done = threading.Event()

    def answer() -> None:
        try:
            for until, request in turns:
                time.sleep(max(0.0, (until - world.now()).total_seconds()))
                decided[request.items[0].artifact] = decide.answer_request(
                    world.platform, world.policy, DPO, request.id, request.digest, Answer.EXTEND, None, WHY
                )
        finally:
            done.set()

    def erase() -> None:
        run = 0
        while not done.is_set():
            run += 1
            world.expire(f"race {run}")

    beside(answer, erase)
    for request in requests:
        apply_decision(world.platform, world.policy, request.id)
    world.expire("last")
    accepted = {id for id, said in decided.items() if isinstance(said, Decision)}
    late = {id for id, said in decided.items() if isinstance(said, Denied)}
    assert len(accepted) + len(late) == EXTENSIONS and accepted and late
    assert {decided[id].code for id in late} <= {"lapsed", "not_kept"}
    assert all(is_there(stage, id) for id in accepted)
    assert {stage.row(id).state for id in late} == {"erased"}
