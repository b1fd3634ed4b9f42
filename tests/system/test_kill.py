"""Killed at ten moments of an ingest, and with its parts away: the end is the undisturbed one
(issue 3, Shown by 6; how it must behave)."""

from __future__ import annotations

import io
import re
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

import psutil
import pytest
import soundfile
from sqlalchemy import select

from consigne.acts.safe import take_out
from consigne.adapters.catalog import tables
from consigne.adapters.store.minio import RECORDINGS
from consigne.doors.cli.runs import Runs
from consigne.doors.local.status import component_states
from consigne.doors.samples.delivery import Delivery
from consigne.doors.samples.manifest import Foretold
from consigne.doors.wiring import open_platform
from consigne.rules.errors import ConsigneError
from consigne.rules.evidence.canonical import decode
from consigne.rules.values import ArtifactName, Part
from system.conftest import Up
from system.inside import (
    component,
    deliveries,
    hand_in,
    in_intake,
    processes,
    reading,
    recordings,
    sample_calls,
    settings_of,
    stopped,
    store_as,
    wait_until,
)

SEED, CALLS = 9, 200
COMPONENTS = ("api-server", "scheduler", "dag-processor", "postgres", "minio", "sealer")
# Two ways for a task to end: its own process, and the worker that watches over it.
TASK, WORKER = (
    re.compile(r"airflow worker -- [0-9a-f-]{36}"),
    re.compile(r"airflow worker -- LocalExecutor: [0-9a-f-]{36}"),
)
TARGETS = (*COMPONENTS, "task", "task", "worker", "worker")
PATIENCE_S = 420
AWAY_S = 8
Calls = Sequence[tuple[Delivery, Foretold]]


@dataclass
class Source:
    """Calls handed in, and whoever starts the Dag until nothing is left of them to judge."""

    up: Up
    calls: Calls
    handed_in: int = 0
    run: str | None = None

    def hand_in(self, count: int) -> None:
        """That many more of them."""
        hand_in(self.up, [*self.calls[self.handed_in : self.handed_in + count]])
        self.handed_in += count

    def carry_on(self) -> None:
        """Look at the run under way, and start another where there is none. Whatever is away: next time."""
        try:
            runs = Runs(settings_of(self.up))
            self.run = self.run or runs.start("ingest_recordings", {})
            runs.wait("ingest_recordings", self.run, patience_s=1)
            self.run = None
        except ConsigneError:
            time.sleep(0.2)

    def states(self) -> Counter[str]:
        try:
            return Counter(one["state"] for one in deliveries(self.up, self.prefix))
        except ConsigneError:
            return Counter()

    @property
    def prefix(self) -> str:
        return self.calls[0][1].id.partition("-")[0] + "-"

    def has_begun(self) -> bool:
        self.carry_on()
        return bool(self.states())

    def is_over(self) -> bool:
        found = self.states()
        return found["cleared"] + found["quarantined"] == found.total() == self.handed_in

    def is_settled(self) -> bool:
        self.carry_on()
        return self.is_over()


@pytest.fixture(scope="module")
def killed(platform_up: Up) -> Source:
    """Two hundred calls ingested, while ten processes are killed one after the other."""
    # Trials end within minutes, which a disturbed run may take.
    calls = [call for call in sample_calls(platform_up, "kill") if call[1].kind != "trial"][:CALLS]
    assert len(calls) == CALLS
    source, draw = Source(platform_up, calls), Random(SEED)
    targets = list(TARGETS)
    draw.shuffle(targets)
    source.hand_in(CALLS // 2)
    wait_until(source.has_begun, "the ingest to begin")
    for target in targets:
        # So that there is work under way, or waiting, whenever one is killed.
        source.hand_in(CALLS // 2 // len(targets))
        moment = time.monotonic() + draw.uniform(0.5, 3)
        while time.monotonic() < moment:
            source.carry_on()
        _kill(source, target, draw)
    assert source.handed_in == CALLS
    wait_until(source.is_settled, "all to be judged", PATIENCE_S)
    wait_until(lambda: _are_healthy(platform_up), "every component to be back")
    return source


def _of(up: Up, target: str) -> list[psutil.Process]:
    if target in COMPONENTS:
        return component(up, target)[:1]
    wanted = TASK if target == "task" else WORKER
    return [one for one in processes(up) if wanted.fullmatch(_line(one))]


def _line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline()).strip()
    except psutil.Error:
        return ""


def _kill(source: Source, target: str, draw: Random) -> None:
    """SIGKILL one of them, as soon as there is one."""
    found: list[psutil.Process] = []

    def is_found() -> bool:
        found[:] = _of(source.up, target)
        if not found:
            source.carry_on()
        return bool(found)

    wait_until(is_found, f"{target} to run")
    assert not source.is_over(), "killed too late to disturb anything"
    try:
        draw.choice(found).kill()
    except psutil.NoSuchProcess:  # it has just ended by itself
        _kill(source, target, draw)


def _are_healthy(up: Up) -> bool:
    return {one["state"] for one in component_states(settings_of(up)).values()} == {"healthy"}


def _end(one: dict[str, Any]) -> tuple[object, ...]:
    verdicts = one["verdicts"] if one["state"] == "cleared" else []
    told = sorted((each["purpose"], str(each["code"])) for each in verdicts)
    return one["id"], one["state"], one["code"], tuple(told)


def _foretold(told: Foretold) -> tuple[object, ...]:
    verdicts = told.verdicts if told.state == "cleared" else ()
    return told.id, told.state, told.code, tuple(sorted((each.purpose, str(each.code)) for each in verdicts))


def _assert_undisturbed(source: Source) -> None:
    """Codes as foretold; every part of what is kept is there once, confirmed, and opens."""
    assert Counter(map(_end, deliveries(source.up, source.prefix))) == Counter(
        _foretold(told) for _, told in source.calls
    )
    expected = {
        (told.id, each.purpose, part)
        for _, told in source.calls
        if told.state == "cleared" and told.code is None
        for each in told.verdicts
        if each.code is None
        for part in ("audio", "transcript")
    }
    kept = [
        (each["source_id"], one["purpose"], one["part"], one["state"])
        for each in recordings(source.up, source.prefix)
        for one in each["artifacts"]
    ]
    assert Counter(kept) == Counter((*each, "kept") for each in expected)


@pytest.mark.promise("P8")
def test_the_end_is_as_foretold(killed: Source) -> None:
    _assert_undisturbed(killed)


@pytest.mark.promise("P8")
def test_every_artifact_opens(killed: Source) -> None:
    _assert_all_open(killed)


def _assert_all_open(source: Source) -> None:
    platform = open_platform(settings_of(source.up), "listen")
    opened = 0
    for each in recordings(source.up, source.prefix):
        for one in each["artifacts"]:
            with platform.catalog.begin() as tx:
                artifact = platform.catalog.artifact(tx, one["id"])
                wrapped = platform.catalog.wrapped_key(tx, one["id"])
            assert artifact and wrapped
            name = ArtifactName(artifact.id, artifact.attempt, artifact.purpose)
            content = take_out(
                platform.store, platform.keyring, artifact.epoch, name, artifact.object, artifact.version,
                wrapped, artifact.digest,
            ).reveal()  # fmt: skip
            if one["part"] == Part.AUDIO:
                frames, rate_hz = soundfile.read(io.BytesIO(content), always_2d=True)
                assert abs(len(frames) * 1_000 / rate_hz - each["duration_ms"]) <= 1
            else:
                assert content.startswith(b"{")
            opened += 1
    assert opened


@pytest.mark.promise("P3")
@pytest.mark.promise("P8")
def test_what_a_killed_attempt_left_in_the_bucket_opens_nowhere(killed: Source) -> None:
    """Each artifact has one key, of the attempt that the catalog names; an object beside it has none."""
    artifacts, keys = tables.artifacts, tables.data_keys
    with reading(killed.up, "owner") as tx:
        rows = tx.execute(select(artifacts).where(artifacts.c.state == "kept")).all()
        pairs = set(tx.execute(select(keys.c.artifact, keys.c.attempt)).tuples())
        storing = tx.execute(select(artifacts.c.id).where(artifacts.c.state == "storing")).all()
    assert storing == []
    assert pairs == {(row.id, row.attempt) for row in rows}
    held = {
        (one.object_name, one.version_id)
        for one in store_as(killed.up).list_objects(RECORDINGS, recursive=True, include_version=True)
    }
    assert {(row.object, row.version) for row in rows} <= held
    assert len({row.object for row in rows}) == len(rows)


@pytest.mark.promise("P7")
@pytest.mark.promise("P8")
def test_nothing_is_done_twice(killed: Source) -> None:
    """The register tells of each delivery's and each artifact's end once, and still verifies."""
    with reading(killed.up, "owner") as tx:
        payloads = tx.execute(select(tables.register.c.payload)).scalars()
        told = Counter(
            (entry["kind"], entry.get("subject"), entry.get("outcome")) for entry in map(_entry, payloads)
        )
        rows = tx.execute(
            select(tables.deliveries).where(tables.deliveries.c.source_id.startswith(killed.prefix))
        )
        ends = {str(row.id): row.state for row in rows}
    assert len(ends) == CALLS
    for id, state in ends.items():
        if state == "cleared":
            assert told["ingest:delivery:cleared", id, None] == 1
        else:
            assert sum(n for key, n in told.items() if key[:2] == ("ingest:delivery:quarantined", id)) == 1
    for each in recordings(killed.up, killed.prefix):
        for one in each["artifacts"]:
            assert told["ingest:artifact:confirmed", one["id"], "confirmed"] == 1
    assert killed.up.consigne("verify", "--register").returncode == 0


def _entry(payload: bytes) -> dict[str, object]:
    entry = decode(payload)
    assert isinstance(entry, dict)
    return dict(entry)


@pytest.mark.promise("P8")
def test_intake_holds_what_is_quarantined_and_nothing_else(killed: Source) -> None:
    stems = {told.stem: told for _, told in killed.calls}
    left = {name.rpartition(".")[0] for name in in_intake(killed.up) if name.startswith(killed.prefix)}
    waiting = {stem.removesuffix("_again") for stem in left}
    assert waiting == {told.id for told in stems.values() if told.state == "quarantined"}
    assert not any(name.startswith(".") for name in in_intake(killed.up))


# A part that is away


@contextmanager
def _keyring_gone(up: Up) -> Iterator[None]:
    keyring, elsewhere = up.state_dir / "keyring", up.state_dir / "keyring-elsewhere"
    keyring.rename(elsewhere)
    try:
        yield
    finally:
        made = [file.name for file in keyring.rglob("*.key")] if keyring.exists() else []
        shutil.rmtree(keyring, ignore_errors=True)
        elsewhere.rename(keyring)
        assert made == [], "keys were made anew beside those that are away"


AWAY: dict[str, Callable[[Up], AbstractContextManager[None]]] = {
    "minio": lambda up: stopped(up, "minio"),
    "postgres": lambda up: stopped(up, "postgres"),
    "keyring": _keyring_gone,
}


@pytest.mark.promise("P8")
@pytest.mark.parametrize("part", AWAY)
def test_a_part_that_is_away_in_the_middle_of_a_run_changes_nothing(platform_up: Up, part: str) -> None:
    calls = [
        call
        for call in sample_calls(platform_up, part)
        if call[1].kind in ("card", "plain", "keyed", "not_announced", "bad_field")
    ]
    source = Source(platform_up, calls)
    source.hand_in(len(calls))
    wait_until(source.has_begun, "the ingest to begin")
    with AWAY[part](platform_up):
        time.sleep(AWAY_S)
    wait_until(source.is_settled, "all to be judged", PATIENCE_S)
    _assert_undisturbed(source)
    _assert_all_open(source)
