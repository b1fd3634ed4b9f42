"""A multipart upload under an artifact's name, begun before its deletion and completed after, on a real MinIO (P6)."""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from minio import Minio
from minio.error import S3Error
from sqlalchemy import Engine, select

from acts.test_expire import AFTER
from acts.world import World, ingest
from consigne.acts import compare, expire, reconcile
from consigne.acts.ports import ObjectVersion
from consigne.adapters.catalog import tables as t
from consigne.adapters.catalog.tables_gone import findings
from consigne.adapters.store.minio import RECORDINGS, connect, open_pool
from consigne.rules.errors import Unavailable
from consigne.rules.evidence.certificate import read_parts
from consigne.rules.layout import part_prefix
from contract.servers import REGION, Server, start, wait_until_ready

from .real import Real


@pytest.fixture
def own(tmp_path: Path, world: World) -> Iterator[Server]:
    """A MinIO that may be started anew."""
    started = start(tmp_path / "minio")
    try:
        started.bring_in_line(world.policy)
        yield started
    finally:
        started.process.terminate()
        started.process.wait(timeout=30)


class Run:
    """One trial call, due, in a world of real parts, and somebody who may upload."""

    def __init__(self, world: World, engine: Engine, own: Server, folder: Path) -> None:
        world.deliver_trial("a")
        self.own = own
        self.real = Real(world, engine, own, folder).prepare()
        self.real.deliver(world.intake)
        self.world = self.real.world()
        self.platform = self.world.platform
        ingest(self.platform, "first")
        self.world.pass_time(AFTER)
        self.artifact = self.world.artifacts("a")[0]
        expire.freeze_manifest(self.platform, "night", False)
        [self.chunk] = expire.measure_volume(self.platform, "night")

    def begin(self, object: str) -> tuple[str, list[Any]]:
        """An upload with its first part; what `complete` takes."""
        root = self._root()
        upload = root._create_multipart_upload(RECORDINGS, object, {})
        [etag] = [root._upload_part(RECORDINGS, object, b"noise", {}, upload, 1)]
        from minio.datatypes import Part

        return upload, [Part(1, etag)]

    def complete(self, object: str, begun: tuple[str, list[Any]]) -> None:
        self._root()._complete_multipart_upload(RECORDINGS, object, *begun)

    def forget(self) -> None:
        """MinIO starts anew: what its memory knew of uploads is gone, its disk knows them by their exact names."""
        process = self.own.process
        process.terminate()
        process.wait(timeout=30)
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(self.own.folder)}
        environment["MINIO_CONFIG_ENV_FILE"] = str(self.own.folder / "minio.env")
        with (self.own.folder / "log").open("ab") as log:
            self.own.process = subprocess.Popen(process.args, env=environment, stdout=log, stderr=log)
        wait_until_ready(self.own)

    def step(self, *names: str) -> None:
        for name in names:
            getattr(expire, name)(self.platform, self.chunk)

    def listed(self) -> list[ObjectVersion]:
        return self.platform.store.list_versions(part_prefix(self.artifact.object))

    def counted(self) -> tuple[int, int]:
        """What the certificate says went: versions and uploads."""
        [row] = [row for row in self.world.certificates("artifact") if row.artifact == self.artifact.id]
        steps = read_parts(bytes(row.file))["body"]["steps"]
        return steps["versions_deleted"], steps["uploads_aborted"]

    def _root(self) -> Minio:
        return connect(self.own.endpoint, REGION, False, self.own.root, open_pool())


@pytest.fixture
def run(world: World, engine: Engine, own: Server, tmp_path: Path) -> Run:
    return Run(world, engine, own, tmp_path)


@pytest.mark.promise("P6")
@pytest.mark.parametrize("foreign", [False, True])
def test_an_upload_that_was_begun_before_cannot_be_completed_after(run: Run, foreign: bool) -> None:
    name = part_prefix(run.artifact.object) + str(uuid.uuid4()) if foreign else run.artifact.object
    begun = run.begin(name)
    run.step("recheck", "destroy_keys", "delete_objects")
    with pytest.raises(S3Error, match="NoSuchUpload"):
        run.complete(name, begun)
    run.step("verify_absent", "sign_certificate")
    assert run.counted() == (1, 1) and run.listed() == []


@pytest.mark.promise("P6")
@pytest.mark.parametrize("completed", [False, True])
def test_no_certificate_while_it_exists(run: Run, completed: bool) -> None:
    """MinIO forgot the upload, so that the deletion does not see it: the proof does, or the version it became."""
    begun = run.begin(run.artifact.object)
    run.forget()
    run.step("recheck", "destroy_keys", "delete_objects")
    if completed:
        run.complete(run.artifact.object, begun)
        assert len(run.listed()) == 1
    with pytest.raises(Unavailable, match="still_listed"):
        run.step("verify_absent")
    assert run.artifact.id not in {row.artifact for row in run.world.certificates("artifact")}
    assert run.listed() == []
    run.step("verify_absent", "sign_certificate")  # the task's own retry
    assert run.counted() == ((2, 0) if completed else (1, 1))
    if not completed:
        with pytest.raises(S3Error, match="NoSuchUpload"):
            run.complete(run.artifact.object, begun)


@pytest.mark.promise("P6")
def test_what_appears_after_the_certificate_is_found_and_removed_with_an_alarm(run: Run) -> None:
    """Under a name that nobody knows, and forgotten: MinIO lists no such upload at all, so only what it becomes
    is found."""
    name = part_prefix(run.artifact.object) + str(uuid.uuid4())
    begun = run.begin(name)
    run.forget()
    run.step("recheck", "destroy_keys", "delete_objects", "verify_absent", "sign_certificate")
    assert run.counted() == (1, 0)
    run.complete(name, begun)
    assert [version.object for version in run.listed()] == [name]
    assert compare.compare_store(run.platform) == {"foreign_version": 1}
    assert reconcile.sweep_findings(run.platform) == 1
    assert run.listed() == []
    [found] = run.world.rows(select(findings))
    assert (found.act, found.artifact, found.subject) == ("alarm", run.artifact.id, name)
    assert {row.state for row in run.world.rows(select(t.artifacts.c.state))} == {"erased"}
