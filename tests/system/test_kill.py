"""Killed at ten moments of an ingest, and with its parts away: the end is the undisturbed one
(issue 3, Shown by 6; how it must behave)."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from random import Random

import psutil
import pytest
from sqlalchemy import select

from consigne.adapters.catalog import tables
from consigne.adapters.store.minio import RECORDINGS
from consigne.doors.local.status import component_states
from system.conftest import Up
from system.inside import (
    component,
    in_intake,
    processes,
    reading,
    sample_calls,
    settings_of,
    stopped,
    store_as,
    wait_until,
)
from system.undisturbed import Source, assert_all_open, assert_nothing_twice, assert_undisturbed

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


@pytest.mark.promise("P8")
def test_the_end_is_as_foretold(killed: Source) -> None:
    assert_undisturbed(killed)


@pytest.mark.promise("P8")
def test_every_artifact_opens(killed: Source) -> None:
    assert_all_open(killed)


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
    assert_nothing_twice(killed)


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
    assert_undisturbed(source)
    assert_all_open(source)
