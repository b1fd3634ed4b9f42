"""Every subset of {database, recordings, keyring} put back from a backup: what was erased stays erased (P6)."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, select

from acts.conftest import shift_clock
from acts.test_expire import DPO, TRAINER, WHY
from acts.world import TEXT, World, expire, ingest, make_world, metadata, sound
from consigne.acts import decide, extend
from consigne.acts.listen import Offered, export
from consigne.acts.replay import bring_to_truth
from consigne.acts.seal import check_register, publish, seal
from consigne.adapters.catalog import tables as t
from consigne.adapters.catalog import tables_gone as gone
from consigne.adapters.catalog.open import Catalog
from consigne.adapters.catalog.session import open_engine
from consigne.doors.settings import Settings
from consigne.rules.policy.load import load
from consigne.rules.request import Answer, Decision, ExceptionRequest
from contract import servers
from contract.servers import Server

from .real import Real

OVER = timedelta(minutes=11)
PARTS = ("database", "keyring", "recordings")
SUBSETS = [parts for size in (1, 2, 3) for parts in itertools.combinations(PARTS, size)]
DATABASE = "restored"


@dataclass
class Site:
    """An installation of real parts, and two moments of it: the backup's and now."""

    server: Settings
    minio: Server
    folder: Path
    engine: Engine
    like: World
    before: dict[str, list[bytes]] = field(default_factory=dict)

    @property
    def real(self) -> Real:
        return Real(self.like, self.engine, self.minio, self.folder)

    def world(self) -> World:
        return self.real.world()

    def deliver(self, id: str, **changes: Any) -> None:
        audio = sound(changes.pop("seed"))
        ago = changes.pop("ago", timedelta(days=1))
        (self.folder / "intake" / f"{id}.wav").write_bytes(audio)
        (self.folder / "intake" / f"{id}.json").write_bytes(metadata(id, self.like.base - ago, **changes))

    def keep(self, moment: str) -> None:
        """All three parts and the evidence as they are now."""
        self._database(f"{DATABASE}_{moment}", DATABASE)
        stop(self.minio)
        shutil.copytree(self.minio.folder / "data", self.folder / moment / "data")
        start(self.minio)
        shutil.copytree(self.folder / "keys", self.folder / moment / "keys")

    def put_back(self, parts: tuple[str, ...]) -> World:
        """These parts of the backup, all else as it is now; the clock goes on."""
        self._database(DATABASE, f"{DATABASE}_{'backup' if 'database' in parts else 'now'}")
        shift_clock(self.engine, int(OVER.total_seconds()))
        self._folder("keys", self.folder / "keys", "keyring" in parts)
        stop(self.minio)
        data = self.minio.folder / "data"
        shutil.rmtree(data)
        shutil.copytree(self.folder / "now" / "data", data)
        self._folder("data/recordings", data / "recordings", "recordings" in parts)
        start(self.minio)
        return self.world()

    def _folder(self, name: str, target: Path, is_old: bool) -> None:
        shutil.rmtree(target)
        shutil.copytree(self.folder / ("backup" if is_old else "now") / name, target)

    def _database(self, name: str, template: str) -> None:
        self.engine.dispose()
        plain = self.server.database_admin_url("postgres").replace("+psycopg", "", 1)
        with psycopg.connect(plain, autocommit=True) as admin:
            admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}")


def stop(minio: Server) -> None:
    minio.process.terminate()
    minio.process.wait(timeout=30)


def start(minio: Server) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(minio.folder),
        "MINIO_CONFIG_ENV_FILE": str(minio.folder / "minio.env"),
    }
    with (minio.folder / "log").open("ab") as log:
        minio.process = subprocess.Popen(minio.process.args, env=environment, stdout=log, stderr=log)
    servers.wait_until_ready(minio)


@pytest.fixture(scope="module")
def site(server: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A backup is taken; then a call is erased, another kept longer, and two more come, of which one is erased."""
    minio, folder, policy = (
        servers.start(tmp_path_factory.mktemp("minio")),
        tmp_path_factory.mktemp("site"),
        load(TEXT).policy,
    )
    plain = server.database_admin_url("postgres").replace("+psycopg", "", 1)
    with psycopg.connect(plain, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {DATABASE} TEMPLATE consigne")
    engine = open_engine(server.database_admin_url(DATABASE))
    try:
        minio.bring_in_line(policy)
        with engine.begin() as tx:
            tx.exec_driver_sql("UPDATE clock SET test = true")
        made = Site(server, minio, folder, engine, make_world(engine, Catalog(engine, os.urandom)))
        made.real.prepare()
        live_through(made)
        yield made
    finally:
        stop(minio)
        engine.dispose()
        with psycopg.connect(plain, autocommit=True) as admin:
            for name in (DATABASE, f"{DATABASE}_backup", f"{DATABASE}_now"):
                admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def live_through(site: Site) -> None:
    trial = {"purposes": ["trial"]}
    site.deliver("gone", seed=1, ago=timedelta(minutes=1), **trial)
    site.deliver("extended", seed=2, ago=timedelta(minutes=3), **trial)
    site.deliver("kept", seed=3)
    world = site.world()
    ingest(world.platform, "first")
    seal(world.platform)
    publish(world.platform, asked=True)
    site.keep("backup")
    site.deliver("short", seed=4, ago=timedelta(minutes=2), **trial)
    site.deliver("later", seed=5, ago=timedelta(days=3))
    world = site.world()
    ingest(world.platform, "second")
    assert {row.state for row in world.artifacts()} == {"kept"}
    extend_call(world, "extended")
    shift_clock(site.engine, int(OVER.total_seconds()))
    expire(world.platform, "third")
    assert {row.state for id in ("gone", "short") for row in world.artifacts(id)} == {"erased"}
    seal(world.platform)
    publish(world.platform, asked=True)
    for id in ("kept", "extended", "later"):
        site.before[id] = [world.content(row) for row in world.artifacts(id)]
    site.keep("now")


def extend_call(world: World, id: str) -> None:
    ids, until = [row.id for row in world.artifacts(id)], world.base + timedelta(days=3)
    asked = decide.file_request(world.platform, world.policy, TRAINER, ids, until, "dispute", WHY)
    assert isinstance(asked, ExceptionRequest), asked
    said = decide.answer_request(
        world.platform, world.policy, DPO, asked.id, asked.digest, Answer.EXTEND, None, WHY
    )
    assert isinstance(said, Decision)
    extend.apply_decision(world.platform, world.policy, asked.id)


@pytest.mark.promise("P6", "P7")
@pytest.mark.parametrize("parts", SUBSETS, ids="+".join)
def test_what_was_erased_stays_erased_whatever_comes_back(site: Site, parts: tuple[str, ...]) -> None:
    world = site.put_back(parts)
    erased = {row.object for row in world.rows(select(t.tombstones))}
    found = bring_to_truth(world.platform, parts)
    assert found is not None and set(found.parts) == set(parts)
    check_erased(world)
    check_kept(site, world)
    check_proofs(site, world)
    assert erased <= {row.object for row in world.rows(select(t.tombstones))}
    assert bring_to_truth(world.platform) is None
    check_redelivery(site, world)
    # Life goes on, and still nothing contradicts what was published.
    expire(world.platform, "after")
    seal(world.platform)
    publish(world.platform, asked=True)
    check_proofs(site, world)
    check_erased(world)
    assert bring_to_truth(world.platform) is None


def check_erased(world: World) -> None:
    """Nothing of the two is there, no key, and their epochs' keys neither."""
    tombstones = [row for row in world.rows(select(t.tombstones)) if row.purpose == "trial"]
    assert len({row.recording for row in tombstones}) >= 2
    assert all(row.absent_at for row in tombstones)
    living, keys = world.platform.keyring.epochs(), world.keys()
    for row in tombstones:
        assert world.under(row) == []
        assert row.epoch not in living
        assert row.artifact not in keys
        denied = export(world.platform, TRAINER, row.artifact, "coaching")
        assert not isinstance(denied, Offered)
    assert {row.state for row in world.artifacts("gone")} == {"erased"}


def check_kept(site: Site, world: World) -> None:
    """Each opens, or is among the losses with a reason that is true."""
    lost = {(row.recording, row.part): row.reason for row in world.rows(select(gone.losses))}
    rows = {id: world.artifacts(id) for id in site.before}
    kept = {row.object for id in site.before for row in rows[id]}
    objects = {held.object for held in world.platform.store.list_versions("training/")} - kept
    for id, contents in site.before.items():
        for row, content in zip(rows[id], contents, strict=False):
            reason = lost.get((row.recording, row.part))
            if reason in (None, "decision_missing"):
                assert world.content(row) == content, (id, reason)
            else:
                with pytest.raises(Exception, match=r"epoch_gone|absent"):
                    world.content(row)
    assert not any(row.id for row in rows["kept"] if (row.recording, row.part) in lost)
    # Where the database and the bucket are both older, nothing is left that could name what came since.
    assert list(lost.values()).count("row_missing") == (2 if not rows["later"] and objects else 0)


def check_proofs(site: Site, world: World) -> None:
    report = world.verified()
    assert report.verified, report.findings
    report = check_register(world.platform)
    assert report.verified, report.findings
    held = {row.id for row in world.certificates()}
    assert site_certificates(site) <= held


def site_certificates(site: Site) -> set[Any]:
    """Those that were issued until now."""
    url = site.server.database_admin_url(f"{DATABASE}_now")
    engine = open_engine(url)
    try:
        with engine.begin() as tx:
            return {row.id for row in tx.execute(select(t.certificates))}
    finally:
        engine.dispose()


def check_redelivery(site: Site, world: World) -> None:
    """The same call again, and the same sound under another name."""
    for id, seed in (("gone", 1), ("short", 4)):
        site.deliver(id, seed=seed, ago=-OVER / 2, purposes=["trial"])
        site.deliver(f"{id}-again", seed=seed, ago=-OVER / 2, purposes=["trial"])
    ingest(world.platform, "again")
    told = world.rows(select(t.verdicts, t.deliveries.c.source_id).join(t.deliveries))
    for id in ("gone", "short"):
        codes = {row.code for row in told if row.source_id == f"{id}-again"}
        assert codes == {"erased_before"}, id
        assert "erased_before" in {row.code for row in told if row.source_id == id}
    assert {row.source_id for row in world.artifacts()} <= {"gone", "short", "extended", "kept", "later"}
