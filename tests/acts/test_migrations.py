"""The catalog's migrations lead to the tables as the code knows them."""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, MetaData, create_engine, select, text
from sqlalchemy.exc import OperationalError

from acts.world import TEXT
from consigne.adapters.catalog import tables_decided, tables_people
from consigne.adapters.catalog.columns import metadata
from consigne.adapters.catalog.migrate import HERE, _config, migrate, newest_version, version
from consigne.adapters.catalog.open import Catalog
from consigne.adapters.catalog.session import Session, open_engine
from consigne.doors.local import prepare_catalog
from consigne.doors.local.supervisor import RETRY_STEP_CODE
from consigne.doors.settings import Settings
from consigne.rules.errors import Unavailable
from consigne.rules.policy.load import load


def test_they_end_where_the_tables_are(engine: Engine) -> None:
    assert {"holds", "objections"} <= metadata.tables.keys()
    assert (tables_decided.holds.name, tables_people.objections.name) == ("holds", "objections")
    with engine.begin() as tx:
        context = MigrationContext.configure(tx, opts={"version_table": "consigne_version"})
        assert compare_metadata(context, metadata) == []


def test_entries_of_before_are_found_by_what_they_name(engine: Engine) -> None:
    """The statements of migrations 0002 and 0003, on an entry that was written without them."""
    catalog = Session(engine, lambda count: b"s" * count)
    name = "0cc5364e-6a82-445c-9879-c88bf9bd801d"
    with engine.begin() as tx:
        catalog.append(
            tx, "dpo", "decide:request:filed", [{"subject": name, "artifacts": [name], "ground": "dispute"}]
        )
        written = tx.execute(text("SELECT subjects FROM register")).scalar_one()
        tx.execute(text("UPDATE register SET subjects = '{}'"))
        tx.execute(
            text(
                "UPDATE register SET subjects = ARRAY(SELECT DISTINCT found[1] FROM regexp_matches("
                r"convert_from(payload, 'UTF8'), '[0-9a-f]{8}(?\:-[0-9a-f]{4}){3}-[0-9a-f]{12}', 'g') AS found)"
                " || (convert_from(payload, 'UTF8')\\:\\:json ->> 'kind')"
            )
        )
        tx.execute(
            text(
                "UPDATE register SET subjects = subjects || ARRAY(SELECT 'actor\\:' || (said ->> 'actor') UNION "
                "SELECT 'why\\:' || (said ->> name) FROM unnest(ARRAY['code', 'ground', 'reason']) AS name "
                "WHERE said ->> name ~ '^[a-z][a-z0-9_]{0,47}$') "
                "FROM (SELECT id AS entry, convert_from(payload, 'UTF8')\\:\\:json AS said FROM register) AS read WHERE id = entry"
            )
        )
        filled = tx.execute(text("SELECT subjects FROM register")).scalar_one()
        assert sorted(filled) == sorted(written) == [name, "actor:dpo", "decide:request:filed", "why:dispute"]


NOW = datetime.now(UTC).replace(microsecond=0)
PAST, SOON, LATER = NOW - timedelta(hours=2), NOW - timedelta(hours=1), NOW + timedelta(days=1)
POLICY = load(TEXT).policy
WAITING = ("plain", "awaited", "held", "set_aside", "erasing", "erased")
"""Artifacts, all past their end; what each waits for."""


def uid(name: str) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_OID, name)


def left_behind() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(revision from which on it can be, table, row): what an installation holds in the middle of its work. A column
    that a revision does not have yet is left out."""
    yield "0001", "policies", {"digest": POLICY.digest, "version": "1", "in_force_from": PAST, "applied_at": PAST, "text": TEXT}  # fmt: skip
    yield "0001", "installation", {"origin": "consigne.test/register"}
    yield "0001", "epochs", {"name": "trial/1/0", "purpose": "trial", "due_at": LATER, "state": "open", "opened_at": PAST}  # fmt: skip
    yield "0001", "deliveries", {
        "id": uid("delivery"), "source": "folder", "source_id": "d", "stem_digest": b"s", "fingerprint": "f",
        "state": "quarantined", "code": "bad_json", "deadline": LATER, "received_at": PAST,
    }  # fmt: skip
    for name in WAITING:
        state = name if name in ("erasing", "erased") else "kept"
        yield "0001", "recordings", {
            "id": uid(f"call {name}"), "source": "folder", "source_id": name, "identity_digest": name.encode(),
            "content_digest": b"c", "audio_digest": b"a", "started_at": PAST, "received_at": PAST, "duration_ms": 1,
            "direction": "inbound", "queue": "support", "agent": "a", "language": "fr", "caller_index": b"i",
            "caller_index_version": 1, "policy": POLICY.digest,
        }  # fmt: skip
        yield "0001", "artifacts", {
            "id": uid(name), "recording": uid(f"call {name}"), "purpose": "trial", "part": "audio", "state": state,
            "clock_start": PAST, "due_at": SOON, "cap_at": LATER, "policy": POLICY.digest, "epoch": "trial/1/0",
            "attempt": uid(f"try {name}"), "object": f"trial/2026/11/01/{uid(f'call {name}')}/audio/{name}", "version": "v",
            "digest": b"d", "bytes": 7, "masked": [], "masked_signature": b"s", "masked_key": "k", "stored_at": PAST,
        }  # fmt: skip
        if state == "kept":
            yield "0001", "data_keys", {"artifact": uid(name), "attempt": uid(f"try {name}"), "epoch": "trial/1/0", "wrapped": b"w"}  # fmt: skip
        else:
            yield "0001", "tombstones", {
                "artifact": uid(name), "recording": uid(f"call {name}"), "identity_digest": name.encode(), "audio_digest": b"a",
                "key_version": 1, "purpose": "trial", "part": "audio", "epoch": "trial/1/0", "attempt": uid(f"try {name}"),
                "object": f"trial/2026/11/01/{uid(f'call {name}')}/audio/{name}", "ground": "period_ended", "erasing_at": SOON,
                "published_at": SOON, "key_deleted_at": SOON, "versions_deleted": 1 if state == "erased" else None,
            }  # fmt: skip
    yield "0001", "certificates", {
        "id": uid("certificate"), "scope": "artifact", "artifact": uid("erased"), "epoch": "trial/1/0", "file": b"{}\n",
        "chunk": uid("chunk"), "issued_at": SOON, "irrecoverable_after": SOON,
    }  # fmt: skip
    yield "0001", "requests", {
        "id": uid("request"), "requester": "trainer", "ground": "dispute", "reason": "r", "until": LATER, "filed_at": PAST,
        "lapses_at": LATER, "digest": "0" * 64, "policy": POLICY.digest, "state": "pending",
    }  # fmt: skip
    yield "0001", "request_items", {"request": uid("request"), "artifact": uid("awaited"), "due_at": SOON}
    entry = b'{"at":"2026-11-01T00:00:00.000Z","actor":"trainer","kind":"decide:request:filed","ground":"dispute"}'
    yield "0001", "register", {"salt": b"s" * 32, "payload": entry, "leaf": b"l", "leaf_index": 0}
    yield "0001", "checkpoints", {"size": 1, "root": b"r", "frontier": b"f", "note": b"n", "sealed_at": PAST}
    yield "0001", "manifests", {"id": uid("manifest"), "run": "r", "dry_run": False, "digest": "0" * 64, "frozen_at": SOON}  # fmt: skip
    yield "0002", "holds", {
        "id": uid("hold"), "mandate": "m", "authority": "a", "reason": "r", "scope": "recording", "recording": uid("call held"),
        "restrict": True, "placed_by": "dpo", "placed_at": PAST, "review_at": LATER, "policy": POLICY.digest, "state": "open",
    }  # fmt: skip
    yield "0002", "policy_drafts", {
        "id": uid("draft"), "digest": "1" * 64, "version": "2", "text": TEXT, "author": "ops", "reason": "r",
        "in_force_from": LATER, "filed_at": PAST, "lapses_at": LATER, "policy": POLICY.digest, "impact": {}, "state": "pending",
    }  # fmt: skip
    yield "0002", "objections", {
        "id": uid("objection"), "identity_digest": b"o", "purposes": ["trial"], "objected_at": PAST, "recorded_by": "dpo",
        "recorded_at": PAST,
    }  # fmt: skip
    yield "0003", "volumes", {
        "id": uid("volume"), "manifest": uid("manifest"), "digest": "0" * 64, "counts": {}, "policy": POLICY.digest,
        "set_aside_at": SOON, "lapses_at": LATER, "state": "pending",
    }  # fmt: skip
    yield "0003", "volume_items", {"artifact": uid("set_aside"), "volume": uid("volume")}
    yield "0003", "findings", {
        "id": uid("finding"), "kind": "moved_due_date", "subject": "s", "act": "decide", "state": "open", "found_at": SOON,
        "seen_at": SOON,
    }  # fmt: skip


REVISIONS = [script.stem.partition("_")[0] for script in sorted((HERE / "versions").glob("0*.py"))]
SHA256_OF_THE_FIRST = "dddc8b0b17dfb93fa663afd1a5769006c3ea8d7b166a2c1fef85d24732b477d1"


@pytest.fixture
def empty(server: Settings) -> Iterator[Engine]:
    """A database without a table."""
    plain = server.database_admin_url("postgres").replace("+psycopg", "", 1)
    with psycopg.connect(plain, autocommit=True) as admin:
        admin.execute("CREATE DATABASE from_before")
    opened = open_engine(server.database_admin_url("from_before"))
    yield opened
    opened.dispose()
    with psycopg.connect(plain, autocommit=True) as admin:
        admin.execute("DROP DATABASE from_before WITH (FORCE)")


def bring_to(engine: Engine, revision: str) -> MetaData:
    """The tables as they are then."""
    with engine.connect() as connection:
        command.upgrade(_config(connection), revision)
    found = MetaData()
    found.reflect(engine)
    return found


def test_a_released_migration_does_not_change() -> None:
    """As it is in the tag v0.1.0: who installed that is brought on from there."""
    first = HERE / "versions" / "0001_first.py"
    assert hashlib.sha256(first.read_bytes()).hexdigest() == SHA256_OF_THE_FIRST


@pytest.mark.promise("P5", "P8")
@pytest.mark.parametrize("revision", REVISIONS[:-1])
def test_work_under_way_goes_on_from_every_revision(empty: Engine, revision: str) -> None:
    before = bring_to(empty, revision)
    rows = [(table, row) for since, table, row in left_behind() if since <= revision]
    with empty.begin() as tx:
        for table, row in rows:
            tx.execute(before.tables[table].insert().values(row))
    now = bring_to(empty, "head")
    with empty.begin() as tx:
        for name, row in rows:
            table = now.tables[name]
            there = tx.execute(select(*(table.c[each] for each in row))).mappings()
            assert row in [dict(one) for one in there], (name, row)
        catalog = Catalog(empty, os.urandom)
        going = {"plain", "held", "set_aside", "erasing"}
        going -= {name for name, since in (("held", "0002"), ("set_aside", "0003")) if since <= revision}
        assert set(catalog.due_artifacts(tx, catalog.now(tx), 100)) == {uid(name) for name in going}
        [erasure] = catalog.erasures(tx, [uid(name) for name in WAITING])
        assert (erasure.artifact, erasure.key_deleted_at) == (uid("erasing"), SOON)
        assert catalog.request(tx, uid("request"))
        assert [one.id for one in catalog.drafts_without_run(tx)] == [uid("draft")] * (revision >= "0002")
        assert [one.id for one in catalog.volumes_waiting(tx)] == [uid("volume")] * (revision >= "0003")


def test_code_that_was_rolled_back_leaves_newer_tables_alone(engine: Engine) -> None:
    with engine.begin() as tx:
        tx.execute(text("UPDATE consigne_version SET version_num = '9999'"))
    migrate(engine)
    with engine.begin() as tx:
        assert version(tx) == "9999" > newest_version()


@pytest.mark.parametrize("revision", REVISIONS[:-1])
def test_older_code_works_on_newer_tables(empty: Engine, revision: str) -> None:
    """No column goes, changes its type or begins to be asked for: workers of before go on while others are new."""
    before, now = bring_to(empty, revision), bring_to(empty, "head")
    for name, table in before.tables.items():
        newer = now.tables[name]
        for column in table.columns:
            assert str(newer.c[column.name].type) == str(column.type), (name, column.name)
            assert column.nullable <= newer.c[column.name].nullable, (name, column.name)
        for added in set(newer.c.keys()) - set(table.c.keys()):
            assert newer.c[added].nullable or newer.c[added].server_default is not None, (name, added)


@pytest.mark.promise("P8")
def test_a_task_under_way_and_the_migration_do_not_wait_for_each_other(empty: Engine) -> None:
    """As the ingest does: the delivery first, then its artifacts, while the migration is asked for in between."""
    bring_to(empty, "0003")
    with ThreadPoolExecutor(1) as pool, empty.connect() as old:
        with old.begin():
            old.execute(text("UPDATE deliveries SET token = NULL"))
            migrated = pool.submit(migrate, empty)
            until_one_waits(empty, migrated)
            old.execute(text("UPDATE artifacts SET token = NULL"))
        migrated.result(60)
    with empty.connect() as tx:
        assert version(tx) == newest_version()


@pytest.mark.promise("P8")
@pytest.mark.parametrize(("mode", "made"), [("ROW EXCLUSIVE", 0), ("SHARE", 8)])
def test_a_migration_that_was_cut_short_goes_on(empty: Engine, mode: str, made: int) -> None:
    """In its third index, or behind all ten (two were there before): and builds none of them again."""
    bring_to(empty, "0003")
    with empty.connect() as old, old.begin():
        before = indexes(old)
        old.execute(text(f"LOCK TABLE artifacts IN {mode} MODE"))
        impatient = open_engine(empty.url.render_as_string(False))
        with impatient.connect() as connection, pytest.raises(OperationalError):
            connection.exec_driver_sql("SET lock_timeout = '100ms'")
            connection.commit()
            command.upgrade(_config(connection), "head")
        impatient.dispose()
    with empty.connect() as tx:
        assert version(tx) == "0003"
        built = indexes(tx)
        assert len(built) == len(before) + made
        assert {name for name in before if built[name] != before[name]} == {
            "ix_certificates_issued_at",
            "ix_certificates_epoch",
        }
    migrate(empty)
    with empty.connect() as tx:
        assert indexes(tx).items() >= built.items()
        assert (
            compare_metadata(
                MigrationContext.configure(tx, opts={"version_table": "consigne_version"}), metadata
            )
            == []
        )


def indexes(tx: Connection) -> dict[str, int]:
    """Each index and its file, which is another one after a rebuild."""
    query = text("SELECT relname, relfilenode FROM pg_class WHERE relkind = 'i' AND relname LIKE 'ix%'")
    return dict(tx.execute(query).tuples().all())


@pytest.mark.promise("P8")
@pytest.mark.parametrize(("table", "mode"), [("certificates", "ROW EXCLUSIVE"), ("artifacts", "SHARE")])
def test_a_migration_that_postgresql_ends_is_to_be_tried_again(empty: Engine, table: str, mode: str) -> None:
    """In one of its indexes, or in its transaction: Unavailable, and nothing of a statement in it."""
    bring_to(empty, "0003")
    with ThreadPoolExecutor(1) as pool, empty.connect() as old, empty.connect() as other, old.begin():
        old.execute(text(f"LOCK TABLE {table} IN {mode} MODE"))
        for ended in ("pg_terminate_backend", "pg_cancel_backend"):
            migrated = pool.submit(migrate, empty)
            other.execute(text(f"SELECT {ended}(:pid)"), {"pid": until_one_waits(empty, migrated)})
            with pytest.raises(Unavailable, match="the next try goes on") as fault:
                migrated.result(60)
            assert len(str(fault.value).splitlines()) == 1
    migrate(empty)
    with empty.connect() as tx:
        assert version(tx) == newest_version()


@pytest.mark.promise("P8")
def test_a_migration_waits_for_the_one_before_however_long(empty: Engine) -> None:
    """A killed one's statement goes on, and holds the lock; a table's lock is waited for no longer than elsewhere."""
    impatient = create_engine(empty.url, connect_args={"options": "-c lock_timeout=100ms"})
    said: list[str] = []
    waited = text(
        "SELECT bool_and(waitstart < clock_timestamp() - interval '200 ms') FROM pg_locks WHERE NOT granted"
    )
    with ThreadPoolExecutor(1) as pool, empty.connect() as killed:
        killed.execute(text("SELECT pg_advisory_lock(4711001)"))
        migrated = pool.submit(migrate, impatient, said.append)
        until_one_waits(empty, migrated, "advisory")
        while not killed.execute(waited).scalar_one():
            assert not migrated.done()
        killed.execute(text("SELECT pg_advisory_unlock(4711001)"))
        migrated.result(60)
    assert [line.partition(":")[0] for line in said] == ["the catalog's tables"]
    with impatient.connect() as tx:
        assert version(tx) == newest_version()
        assert tx.execute(text("SHOW lock_timeout")).scalar_one() == "100ms"
    impatient.dispose()


def test_prepare_says_in_a_line_that_it_is_to_be_tried_again(
    server: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And not that it is beyond hope: the supervisor calls it again."""
    away = open_engine("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    monkeypatch.setenv("CONSIGNE_STATE", str(server.state_dir))
    monkeypatch.setattr(prepare_catalog, "apply", lambda *_: migrate(away))
    assert prepare_catalog.main() == RETRY_STEP_CODE
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("catalog: OperationalError: ")


def until_one_waits(engine: Engine, working: Future[None], kind: str = "relation") -> int:
    """For a lock of that kind, in this database; its backend."""
    waiting = text(
        "SELECT pid FROM pg_locks WHERE NOT granted AND locktype = :kind AND database = "
        "(SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    while not working.done():
        with engine.connect() as tx:
            if pid := tx.execute(waiting, {"kind": kind}).scalar():
                return int(pid)
    working.result()
    raise AssertionError("nothing waits")
