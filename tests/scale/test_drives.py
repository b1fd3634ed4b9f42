"""A store of four drives, for real: what is destroyed while drives are away, and what lies there that S3 does not
show (P6)."""

from __future__ import annotations

import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from minio.error import S3Error
from sqlalchemy import Engine, select

from acts.conftest import catalog, engine, server, world
from acts.test_expire import AFTER
from acts.world import World, expire, ingest
from consigne.acts import compare, reconcile
from consigne.acts import expire as expiry
from consigne.acts.ports import ObjectVersion
from consigne.adapters.catalog import tables as t
from consigne.adapters.catalog.tables_gone import findings
from consigne.adapters.store.minio import RECORDINGS
from consigne.rules.drives import away
from consigne.rules.envelope import MAGIC
from consigne.rules.errors import Unavailable
from consigne.rules.evidence.certificate import read_parts
from consigne.rules.evidence.report import NOT_PROVEN
from consigne.rules.layout import object_name
from consigne.rules.values import ArtifactName
from kill.real import Real
from scale.four_drives import FourDrives, start

__all__ = ["catalog", "engine", "server", "world"]
ARTIFACTS = 1_000
PATIENCE_S = 90


class Site:
    """Trial calls, kept and due, in a world of real parts."""

    def __init__(self, world: World, engine: Engine, store: FourDrives, folder: Path) -> None:
        for id in ("a", "b", "c"):
            world.deliver_trial(id)
        self.store = store
        real = Real(world, engine, store, folder).prepare()
        real.deliver(world.intake)
        self.world = real.world()
        self.platform = self.world.platform
        ingest(self.platform, "first")
        self.world.pass_time(AFTER)
        self.artifacts = self.world.artifacts()
        assert {row.state for row in self.artifacts} == {"kept"}

    def fill(self, number: int) -> None:
        """So many artifacts like one that went through the ingest, each with an object and a key of its own."""
        like = self.artifacts[0]
        [call] = self.world.rows(select(t.recordings).where(t.recordings.c.id == like.recording))
        columns = t.artifacts.c.keys()
        rows: dict[Any, list[dict[str, Any]]] = {t.recordings: [], t.artifacts: [], t.data_keys: []}
        for _ in range(number):
            recording, id, attempt = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
            data = MAGIC + os.urandom(2_000)
            name = object_name(like.purpose, call.started_at.date(), recording, like.part, attempt)
            stored = self.platform.store.put(name, data, sha256(data).digest())
            wrapped = self.platform.keyring.wrap(
                like.epoch, os.urandom(32), ArtifactName(id, attempt, like.purpose).context()
            )
            digests = dict.fromkeys(
                ("identity_digest", "content_digest", "audio_digest"), recording.bytes * 2
            )
            rows[t.recordings].append(
                call._asdict() | digests | {"id": recording, "source_id": str(recording)}
            )
            of_its_own = {
                "id": id,
                "recording": recording,
                "attempt": attempt,
                "object": name,
                "version": stored.version,
            }
            rows[t.artifacts].append({each: getattr(like, each) for each in columns} | of_its_own)
            rows[t.data_keys].append(
                {"artifact": id, "attempt": attempt, "epoch": like.epoch, "wrapped": wrapped}
            )
        with self.world.engine.begin() as tx:
            for table, made in rows.items():
                tx.execute(table.insert(), made)
        self.artifacts = self.world.artifacts()

    def begin(self) -> str:
        """The keys of what is due are gone, its objects are there; the chunk."""
        expiry.freeze_manifest(self.platform, "night", False)
        [chunk] = expiry.measure_volume(self.platform, "night")
        expiry.recheck(self.platform, chunk)
        expiry.destroy_keys(self.platform, chunk)
        return chunk

    def wait_for(self, missing: int) -> None:
        """Until the store says that so many drives are away."""
        drives = self.platform.store.drives
        until(lambda: len(away(retried(drives))) == missing)

    def certified(self) -> list[dict[str, Any]]:
        return [read_parts(bytes(row.file))["body"] for row in self.world.certificates("artifact")]

    def open_alarms(self) -> list[str]:
        return [
            row.kind for row in self.world.rows(select(findings.c.kind).where(findings.c.state == "open"))
        ]

    def is_read(self, artifact: Any) -> bool:
        """Whether the store's root is given the object, by its exact version."""
        try:
            with self.store.owner.get_object(
                RECORDINGS, artifact.object, version_id=artifact.version
            ) as answer:
                return len(answer.read()) > 0
        except S3Error:
            return False


@pytest.fixture
def drives(tmp_path: Path, world: World) -> Iterator[FourDrives]:
    started = start(tmp_path / "minio")
    try:
        started.bring_in_line(world.policy)
        yield started
    finally:
        started.stop()


@pytest.fixture
def few(world: World, engine: Engine, drives: FourDrives, tmp_path: Path) -> Site:
    return Site(world, engine, drives, tmp_path)


def until(what: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < end
        time.sleep(0.2)


def retried(act: Callable[..., Any], *args: Any) -> Any:
    """As a task is: a store that finds its drives again says 503 meanwhile."""
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            return act(*args)
        except Unavailable:
            assert time.monotonic() < end
            time.sleep(0.2)


@pytest.mark.promise("P6")
def test_a_thousand_artifacts_expire_while_a_drive_is_away(few: Site) -> None:
    site, drives = few, few.store
    site.fill(ARTIFACTS)
    objects = {row.object for row in site.artifacts}
    assert len(objects) > ARTIFACTS
    drives.lose(3)
    site.wait_for(1)
    expire(site.platform, "night")
    assert {row.state for row in site.world.artifacts()} == {"erased"}
    assert all(not drives.held(drives.drive(number)) for number in range(3))
    # What the certificates say of the fourth is so: parts lie there, and none of them says anything.
    assert drives.held(drives.taken(3)) == objects
    assert {body["drives_away"] for body in site.certified()} == {1}
    report = site.world.verified()
    assert report.verified and any(
        one.level == NOT_PROVEN and "Drives of the store" in one.sentence for one in report.findings
    )
    for file in (drives.taken(3) / RECORDINGS).rglob("*"):
        assert not file.is_file() or not {MAGIC, b"fLaC", b"OggS"} & {
            file.read_bytes()[at : at + 4] for at in (0, 32)
        }
    assert reconcile.sweep_findings(site.platform) == 0 and site.open_alarms() == ["drive_away"]

    drives.bring_back(3)
    site.wait_for(0)
    retried(reconcile.sweep_findings, site.platform)
    told = site.world.register("reconcile:artifact:drives-back")
    assert {entry["subject"] for entry in told} == {str(row.id) for row in site.artifacts}
    assert not drives.held(drives.drive(3))
    assert site.open_alarms() == []
    assert not any(site.is_read(artifact) for artifact in site.artifacts[:20])
    assert compare.compare_store(site.platform) == {}


@pytest.mark.promise("P6")
def test_what_the_store_forgot_to_heal_is_unreadable_and_deleted_again(few: Site) -> None:
    """MinIO heals by itself what it remembers. Restarted meanwhile it does not, and parts stay on the drive."""
    store = few.store
    store.lose(3)
    few.wait_for(1)
    expire(few.platform, "night")
    store.restart()
    store.bring_back(3)
    few.wait_for(0)
    objects = {row.object for row in few.artifacts}
    assert store.held(store.drive(3)) == objects
    # Not listed, and not read: with all drives, and with that one and another alone.
    assert compare.compare_store(few.platform) == {}
    assert not any(few.is_read(artifact) for artifact in few.artifacts)
    for number in (0, 1):
        store.lose(number)
    few.wait_for(2)
    assert not any(few.is_read(artifact) for artifact in few.artifacts)
    for number in (0, 1):
        store.bring_back(number)
    few.wait_for(0)
    retried(reconcile.sweep_findings, few.platform)
    assert not store.held(store.drive(3))


@pytest.mark.promise("P6")
def test_nothing_is_certified_while_half_is_away(few: Site) -> None:
    """MinIO calls a deletion done, and lists nothing, while two of four drives keep the object."""
    store, chunk = few.store, few.begin()
    for number in (2, 3):
        store.lose(number)
    few.wait_for(2)
    for refused in ("drives_away", "not_deleted"):  # the second time it knows better
        with pytest.raises(Unavailable, match=refused):
            expiry.delete_objects(few.platform, chunk)
    with pytest.raises(Unavailable, match="drives_away"):
        expiry.verify_absent(few.platform, chunk)
    assert [few.platform.store.list_versions(row.object) for row in few.artifacts] == [[]] * len(
        few.artifacts
    )
    assert few.certified() == []
    for number in (2, 3):
        store.bring_back(number)
    few.wait_for(0)
    for act in (expiry.delete_objects, expiry.verify_absent, expiry.sign_certificate):
        retried(act, few.platform, chunk)
    assert len(few.certified()) == len(few.artifacts) and few.world.verified().verified
    assert not any("drives_away" in body for body in few.certified())
    assert all(not store.held(store.drive(number)) for number in range(4))


@pytest.mark.promise("P6")
def test_what_is_planted_on_drives_by_hand(few: Site, tmp_path: Path) -> None:
    """Put back on half of the drives or more it is an object again: found and swept. On fewer, S3 shows nothing, nor
    foreign files: docs/security.md says so."""
    store, whole, part = few.store, few.artifacts[0], few.artifacts[1]
    for number in range(4):
        for artifact in (whole, part):
            shutil.copytree(
                store.drive(number) / RECORDINGS / artifact.object, tmp_path / str(number) / artifact.object
            )
    expire(few.platform, "night")
    assert compare.compare_store(few.platform) == {}

    for number in range(4):
        shutil.copytree(
            tmp_path / str(number) / whole.object, store.drive(number) / RECORDINGS / whole.object
        )
    shutil.copytree(tmp_path / "0" / part.object, store.drive(0) / RECORDINGS / part.object)
    foreign = store.drive(0) / RECORDINGS / "trial" / "call.wav"
    foreign.write_bytes(b"RIFF")
    assert few.is_read(whole)
    assert not few.platform.store.list_versions(part.object)
    assert compare.compare_store(few.platform) == {"foreign_version": 1}
    assert reconcile.sweep_findings(few.platform) == 1
    assert few.platform.store.list_versions(whole.object) == []
    assert all(not (store.drive(number) / RECORDINGS / whole.object).exists() for number in range(4))
    [found] = few.world.rows(select(findings))
    assert (found.act, found.subject, found.artifact) == ("alarm", whole.object, whole.id)
    assert foreign.exists()
    few.platform.store.delete_versions([ObjectVersion(part.object, part.version, False)])
    assert not (store.drive(0) / RECORDINGS / part.object).exists()
