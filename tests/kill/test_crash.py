"""Killed at any place, started again, the same end (P8): every place of ingest, of a decision, of an expiry."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from sqlalchemy import insert, select

from acts.test_expire import DPO, TRAINER, WHY
from acts.world import World, expire, ingest
from consigne.acts import decide, extend
from consigne.acts.journey import Platform
from consigne.acts.ports import Upload
from consigne.acts.safe import take_out
from consigne.acts.turn import turn_over
from consigne.adapters.catalog import tables as t
from consigne.rules.access import Denied
from consigne.rules.errors import Conflict, Tampered, Unavailable
from consigne.rules.request import Answer, Decision
from consigne.rules.values import ArtifactName

from .crashing import After, Cut, Fuse, Killed, Lost, crashing, part_states, set_parts
from .fingerprint import fingerprint, noise

Act = Callable[[Platform, str], object]
# A test kills for minutes on a slow machine: what it ingests must not fall due on the way.
LONG, OVER = timedelta(minutes=9), timedelta(minutes=11)
_RUNS = (f"run {number}" for number in count())


class Saved:
    """A moment to which a world can be put back."""

    def __init__(self, world: World) -> None:
        self._world, self._parts = world, part_states(world)
        with world.engine.begin() as tx:
            self._rows = {
                table: [dict(row) for row in tx.execute(select(table)).mappings()]
                for table in t.metadata.sorted_tables
            }

    def restore(self) -> None:
        set_parts(self._world, self._parts)
        with self._world.engine.begin() as tx:
            for table in reversed(t.metadata.sorted_tables):
                tx.execute(table.delete())
            for table, rows in self._rows.items():
                if rows:
                    tx.execute(insert(table), rows)


def killed_everywhere(
    world: World, act: Act, deadly: type[Fuse] = Fuse, told: Callable[[World], dict[str, Any]] = fingerprint
) -> tuple[list[str], int]:
    """Kill `act` at every place (or as `deadly` says) and run it again; returns the places, and the most noise that one
    death left."""
    saved = Saved(world)
    act(world.platform, next(_RUNS))
    undisturbed, at_rest, worst = told(world), noise(world), 0
    for number in count():
        saved.restore()
        fuse = deadly(number)
        try:
            act(crashing(world.platform, fuse), next(_RUNS))
        except (Killed, Unavailable, Conflict):
            assert fuse.left <= 0
            act(world.platform, next(_RUNS))
        found = told(world)
        assert found == undisturbed, f"{deadly.__name__}: call {number}, {fuse.places[-1]}"
        worst = max(worst, noise(world) - at_rest)
        if fuse.left > 0:
            return fuse.places, worst
    raise AssertionError


def places_of(world: World, act: Act) -> list[str]:
    """The changing calls that an act makes, in order; all is as before."""
    saved, fuse = Saved(world), After(10_000)
    act(crashing(world.platform, fuse), next(_RUNS))
    saved.restore()
    return fuse.places


@pytest.mark.promise("P8")
@pytest.mark.parametrize("deadly", [After, Lost])
def test_killed_after_any_call_of_an_ingest(world: World, deadly: type[Fuse]) -> None:
    """Or the answer lost, and the process goes on in the belief that nothing was done."""
    world.deliver("a")
    world.deliver("b", notice=None)
    places, worst = killed_everywhere(world, ingest, deadly)
    assert {(row.source_id, row.state) for row in world.artifacts()} == {("a", "kept")}
    assert {"put", "open_epoch", "clear", "commit"} == set(places)
    assert 0 < worst <= 2


@pytest.mark.promise("P3", "P8")
def test_two_attempts_of_one_artifact_share_neither_key_nor_name(world: World) -> None:
    """The worker that had stored it died before anybody knew: what it left opens under nothing that is kept."""
    drawn: list[bytes] = []

    def draw(count: int) -> bytes:
        drawn.append(os.urandom(count))
        return drawn[-1]

    world.deliver_trial("a", left=LONG, transcript=None)
    platform = replace(world.platform, random=draw)
    [number] = [number for number, place in enumerate(places_of(world, ingest)) if place == "put"]
    with pytest.raises(Killed):
        ingest(crashing(platform, After(number)), "killed")
    ingest(platform, "again")
    first, second = world.store.versions
    assert len(drawn) == len(set(drawn)) == 2 and first[0] != second[0] and first[2] != second[2]
    [row] = world.artifacts("a")
    assert (row.object, row.version) == second[:2] and world.content(row)
    key, name = world.keys()[row.id], ArtifactName(row.id, row.attempt, row.purpose)
    recorded = hashlib.sha256(first[2] or b"").digest()  # even by somebody who may write the catalog
    with pytest.raises(Tampered):
        take_out(world.store, world.keyring, row.epoch, name, *first[:2], key.wrapped, recorded)


@pytest.mark.promise("P6", "P8")
@pytest.mark.parametrize("deadly", [Fuse, After, Lost])
def test_killed_anywhere_from_an_early_erasure_to_the_end_of_its_epoch(
    world: World, deadly: type[Fuse]
) -> None:
    for seed, (id, left) in enumerate((("early", 9), ("stays", 9), ("ends", 5))):
        world.deliver_trial(id, left=timedelta(minutes=left), seed=seed, transcript=None)
    world.ingest()
    with world.platform.catalog.begin() as tx:
        now = world.platform.catalog.now(tx)
        [early] = world.artifacts("early")
        world.platform.catalog.set_clock(tx, early.id, now, restricted=True, ended_for="objected")

    def act(platform: Platform, run: str) -> None:
        # However long the test has run: nothing else falls due on the way.
        gone = datetime.now(UTC) - world.base
        if world.now() < world.base + timedelta(minutes=3):
            world.pass_time(timedelta(minutes=1) - gone)
            expire(platform, f"{run} early")
        world.pass_time(timedelta(minutes=6) - gone)
        turn_over(platform)
        expire(platform, run)

    places, _ = killed_everywhere(world, act, deadly)
    states = {row.source_id: (row.state, row.epoch[-2:]) for row in world.artifacts()}
    assert states == {"early": ("erased", "/0"), "stays": ("kept", "/1"), "ends": ("erased", "/0")}
    assert sorted(world.epochs().values()) == ["destroyed", "destroyed", "open"]
    assert {each["proof"] for each in world.verified().certificates} == {"cryptographic"}
    assert set(places) == {"open_epoch", "commit", "publish", "delete_versions", "destroy_epoch"}


@pytest.mark.promise("P8")
def test_killed_anywhere_in_an_ingest(world: World) -> None:
    world.deliver("a", purposes=["training", "quality"])
    world.deliver("a", stem="y", purposes=["training", "quality"])  # the same call again
    world.deliver("a", stem="z", seed=9)  # its identifier again
    world.deliver("b", notice=None)
    world.deliver("c", seed=1, transcript=None)
    world.deliver_trial("d", left=LONG, seed=2, transcript=None)
    places, worst = killed_everywhere(world, ingest)
    assert {row.source_id for row in world.artifacts()} == {"a", "d"}
    assert {"put", "open_epoch", "clear", "commit"} == set(places)
    # An unrecorded object for each part that its delivery had stored so far, and no more.
    assert 0 < worst <= 4


@pytest.mark.promise("P5", "P8")
@pytest.mark.parametrize("deadly", [Fuse, After, Lost])
def test_killed_anywhere_in_a_decision(world: World, deadly: type[Fuse]) -> None:
    world.deliver_trial("a", left=LONG)
    world.ingest()
    ids = [row.id for row in world.artifacts("a")]
    before = world.artifacts("a")[0]
    until = world.base + timedelta(days=3)

    def act(platform: Platform, run: str) -> None:
        world.pass_time(timedelta(0))
        asked = decide.file_request(platform, world.policy, TRAINER, ids, until, "dispute", WHY)
        if isinstance(asked, Denied):  # asked before the kill
            assert asked.code in ("already_asked", "past_due")
        [filed] = world.rows(select(t.requests))
        said = decide.answer_request(
            platform, world.policy, DPO, filed.id, filed.digest, Answer.EXTEND_AND_RESTRICT, None, WHY
        )
        assert isinstance(said, Decision)
        extend.apply_decision(platform, world.policy, filed.id)
        world.pass_time(OVER)
        expire(platform, run)

    def again(platform: Platform, run: str) -> None:
        """The person who was cut off asks and answers again; Consigne's own part goes on by itself."""
        if world.rows(select(t.decisions.c.id)):
            for request in extend.unapplied(platform, 0):
                extend.apply_decision(platform, world.policy, request)
            world.pass_time(OVER)
            expire(platform, run)
        else:
            act(platform, run)

    places, _ = killed_everywhere(world, again, deadly)
    after = world.artifacts("a")
    assert {row.state for row in after} == {"kept"} and all(row.restricted for row in after)
    assert before.due_at < after[0].due_at <= until
    assert world.epochs()[before.epoch] == "destroyed" and after[0].epoch != before.epoch
    assert {"open_epoch", "destroy_epoch", "publish", "commit"} == set(places)


@pytest.mark.promise("P6", "P8")
def test_killed_anywhere_in_an_expiry(world: World) -> None:
    world.deliver_trial("a", left=LONG)
    world.deliver_trial("b", left=LONG - timedelta(minutes=1), transcript=None)
    world.deliver("c")
    world.ingest()
    world.pass_time(OVER)
    audio = world.artifacts("a")[0].object
    world.store.versions += [(audio, "older", b"x"), (audio.rpartition("/")[0] + "/x", "marker", None)]
    world.store.uploads.append(Upload(audio, "left"))
    places, _ = killed_everywhere(world, expire)
    states: dict[str, set[str]] = {}
    for row in world.artifacts():
        states.setdefault(row.source_id, set()).add(row.state)
    assert states == {"a": {"erased"}, "b": {"erased"}, "c": {"kept"}}
    assert noise(world) == 0
    assert {"commit", "publish", "delete_versions", "abort_uploads", "destroy_epoch"} == set(places)


@pytest.mark.promise("P8")
def test_the_catalog_s_connection_lost_at_any_commit(world: World) -> None:
    """The task fails as for a part that is away, and the next run ends right."""
    world.deliver("a")
    world.deliver_trial("b", left=LONG, transcript=None)
    world.deliver("c", notice=None)
    killed_everywhere(world, ingest, Cut)
    world.pass_time(OVER)
    places, _ = killed_everywhere(world, expire, Cut)
    assert places.count("commit") > 10
    assert {(row.source_id, row.state) for row in world.artifacts()} == {("a", "kept"), ("b", "erased")}


def test_the_fingerprint_sees_what_a_death_could_do(world: World) -> None:
    """A test that cannot fail is a defect: each harm shows."""
    world.deliver("a")
    world.deliver_trial("b")
    world.ingest()
    world.pass_time(OVER)
    world.expire()
    saved, sound = Saved(world), fingerprint(world)
    kept, gone = world.artifacts("a")[0], world.artifacts("b")[0]

    def bring_back() -> None:
        world.store.versions.append((gone.object, "back", b"x"))

    def rows(statement: Any) -> Callable[[], None]:
        def change() -> None:
            with world.engine.begin() as tx:
                tx.execute(statement)

        return change

    harms: list[Callable[[], None]] = [
        bring_back,
        lambda: world.keyring._epochs.__setitem__(gone.epoch, bytes(32)),
        lambda: world.intake.deliver("a", b"", b""),
        rows(t.artifacts.update().where(t.artifacts.c.id == kept.id).values(due_at=world.base)),
        rows(t.epochs.update().where(t.epochs.c.name == kept.epoch).values(state="closing")),
        rows(t.certificates.delete().where(t.certificates.c.scope == "epoch")),
        rows(t.certificates.update().values(published_at=None)),
        rows(t.data_keys.update().where(t.data_keys.c.artifact == kept.id).values(epoch=gone.epoch)),
        rows(t.deliveries.update().values(code="past_due")),
        lambda: world.store.evidence.clear(),
    ]
    for number, harm in enumerate(harms):
        saved.restore()
        assert fingerprint(world) == sound
        harm()
        try:
            found = fingerprint(world)
        except Exception:  # it does not even open
            continue
        assert found != sound, number
