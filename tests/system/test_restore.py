"""A disk is lost and a backup of everything put back: what was erased since stays erased (issue 6, Shown by 2),
also what fell due while the keyring was away (Shown by 9)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from consigne.adapters.catalog import tables as t
from consigne.doors.apply import read_policy
from consigne.doors.local import report
from consigne.doors.samples.generate import calls
from consigne.doors.samples.manifest import Foretold
from system.conftest import CHECKOUT, LONGEST_UP_S, Up
from system.inside import deliveries, hand_in, reading, settings_of, wait_until

SEED = 23
LOST = ("keyring", "postgres/data", "minio/data/recordings")


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Up]:
    """A platform of its own, without samples: what is done to it is done to nobody else."""
    up = Up(tmp_path / "state", tmp_path / "tmp")
    up.temporary_dir.mkdir()
    try:
        began = up.consigne("up", "--detach", "--test-clock", "--no-samples", timeout_s=LONGEST_UP_S)
        assert began.returncode == 0, began.stderr[-4_000:]
        yield replace(up, status=up.json("status", "--secrets"))
    finally:
        up.consigne("down")


def now(up: Up) -> datetime:
    with reading(up) as tx:
        return datetime.fromisoformat(str(tx.exec_driver_sql("SELECT consigne_now()").scalar_one()))


def artifacts(up: Up, ids: list[str]) -> dict[str, str]:
    """Audio artifact → state, of these calls."""
    joined = t.artifacts.join(t.recordings, t.recordings.c.id == t.artifacts.c.recording)
    query = select(t.artifacts.c.id, t.artifacts.c.state).select_from(joined)
    with reading(up) as tx:
        rows = tx.execute(query.where(t.recordings.c.source_id.in_(ids), t.artifacts.c.part == "audio"))
        return {str(row.id): row.state for row in rows}


def export(up: Up, artifact: str, out: Path) -> subprocess.CompletedProcess[str]:
    password = up.state_dir / "secrets" / "account-trainer"
    said = ("--reason", "coaching", "--out", str(out), "--as", "trainer", "--password-file", str(password))
    return up.consigne("export", artifact, *said)


def come_up(up: Up) -> set[tuple[str, str]]:
    """`up` again; every pair of states of the replay's step and of the api-server or scheduler seen meanwhile."""
    seen = set()
    command = [CHECKOUT / "consigne", "up", "--detach", "--no-samples", "--state", up.state_dir]
    with (up.temporary_dir / "up.log").open("wb") as log:
        coming = subprocess.Popen(
            command, cwd=CHECKOUT, env=os.environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        while coming.poll() is None:
            if found := report.read(settings_of(up)):
                doors = ("api-server", "scheduler")
                seen |= {(found.parts["prepare-catalog"].state, found.parts[name].state) for name in doors}
            time.sleep(0.1)
    assert coming.returncode == 0, (up.temporary_dir / "up.log").read_text()[-4_000:]
    return seen


def away_for_an_hour(up: Up, due: Collection[str]) -> None:
    """The keyring is gone while these fall due: their keys and objects go all the same, and only their certificates
    wait for it (Shown by 9)."""

    def steps() -> list[tuple[object, object]]:
        query = select(t.tombstones.c.absent_at, t.artifacts.c.erased_at)
        joined = t.tombstones.join(t.artifacts, t.artifacts.c.id == t.tombstones.c.artifact)
        with reading(up) as tx:
            rows = tx.execute(query.select_from(joined).where(t.artifacts.c.id.in_(due)))
            return [(row.absent_at, row.erased_at) for row in rows]

    keyring, elsewhere = up.state_dir / "keyring", up.state_dir / "keyring-elsewhere"
    keyring.rename(elsewhere)
    try:
        assert up.consigne("clock", "--advance", "PT1H").returncode == 0
        up.consigne("expire")
        wait_until(lambda: [bool(gone) for gone, _ in steps()] == [True] * len(due), "the objects to go", 180)
        assert {erased for _, erased in steps()} == {None} and up.json("certificates") == []
    finally:
        elsewhere.rename(keyring)
    wait_until(lambda: all(erased for _, erased in steps()), "the certificates to follow", 240)
    wait_until(lambda: not list((keyring / "epochs").glob("trial*")), "their epochs to close", 240)


def _verdicts(told: Foretold) -> set[tuple[str, str]]:
    return {(each.purpose, each.verdict) for each in told.verdicts}


@pytest.mark.promise("P6")
def test_a_lost_disk_and_a_backup_bring_nothing_back(own: Up, tmp_path: Path) -> None:
    made = list(calls(20, SEED, now(own), read_policy(settings_of(own))[0].policy))
    gone = [one for one in made if one[1].kind == "trial"][:2]
    kept = [one for one in made if ("training", "admitted") in _verdicts(one[1])][:1]
    assert len(gone) == 2 and len(kept) == 1
    hand_in(own, gone + kept)
    assert own.consigne("ingest", "--wait").returncode == 0
    gone_ids, kept_ids = ([told.id for _, told in some] for some in (gone, kept))
    erased, stays = artifacts(own, gone_ids), artifacts(own, kept_ids)
    assert set(erased.values()) == set(stays.values()) == {"kept"}, "their time came before the backup"
    backups = tmp_path / "backups"
    done = own.consigne("backup", str(backups))
    assert done.returncode == 0, done.stderr
    manifest = json.loads((Path(done.stdout.splitlines()[-1]) / "manifest.json").read_text())
    assert set(manifest["parts"]) == {"database", "recordings", "keyring", "secrets"}

    away_for_an_hour(own, erased)
    assert set(artifacts(own, gone_ids).values()) == {"erased"}
    certified = {one["artifact"] for one in own.json("certificates") if one["scope"] == "artifact"}
    assert erased.keys() <= certified
    assert "it_runs" in own.consigne("restore", str(backups)).stderr
    assert own.consigne("down").returncode == 0
    for name in LOST:
        shutil.rmtree(own.state_dir / name)
    done = own.consigne("restore", str(backups))
    assert done.returncode == 0, done.stderr

    seen = come_up(own)
    assert {door for replay, door in seen if replay != "done"} == {"stopped"}, (
        "open before the replay was done"
    )
    assert set(artifacts(own, gone_ids).values()) == {"erased"}
    for artifact in erased:
        heard = export(own, artifact, tmp_path / "heard")
        assert heard.returncode != 0 and not (tmp_path / "heard").exists(), heard.stderr
    [artifact] = stays
    heard = export(own, artifact, tmp_path / "kept")
    assert heard.returncode == 0 and (tmp_path / "kept").stat().st_size, heard.stderr
    assert not [file.name for file in (own.state_dir / "keyring" / "epochs").glob("trial*")]
    assert certified == {one["artifact"] for one in own.json("certificates") if one["scope"] == "artifact"}
    verified = own.consigne("verify", "--register")
    assert verified.returncode == 0, verified.stdout + verified.stderr

    hand_in(own, gone)
    assert own.consigne("ingest", "--wait").returncode == 0
    again = [one["code"] for one in deliveries(own, "") if one["id"] in gone_ids]
    assert again.count("erased_before") == len(gone_ids)
    assert set(artifacts(own, gone_ids).values()) == {"erased"}
