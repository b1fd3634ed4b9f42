"""Names and typed reasons are forgotten when their period ends, down to the bytes; the tree still verifies."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, insert, select, text
from sqlalchemy.exc import IntegrityError

from consigne.acts.forget import forget_names, rewrite_files
from consigne.acts.journey import Platform
from consigne.acts.seal import check_register, publish, seal
from consigne.adapters.catalog import tables as t
from consigne.adapters.catalog import tables_decided as td
from consigne.adapters.catalog import tables_gone as tg
from consigne.adapters.catalog import tables_people as tp
from consigne.adapters.catalog import views
from consigne.adapters.catalog.names import NAMES, NOBODY
from consigne.adapters.catalog.open import Catalog
from consigne.doors.local import postgres
from consigne.doors.settings import Settings
from consigne.rules.clock import iso
from consigne.rules.errors import Tampered
from consigne.rules.evidence.register import PURGING

from .world import World

YEAR = timedelta(days=370)


@pytest.fixture
def sealer(world: World, engines: Callable[[str], Engine]) -> Platform:
    """As the sealer sees the catalog."""
    return replace(world.platform, catalog=Catalog(engines("seal"), os.urandom))


def write_everywhere(world: World, name: str) -> None:
    """One row in each table that holds a name or a reason, all of them over in a year from now."""
    world.deliver(f"call-{name}")
    world.ingest()
    now, id = world.now(), uuid.uuid4
    artifact = world.artifacts()[0]
    request, hold, manifest = id(), id(), id()
    digest = world.policy.digest
    said = {"reason": f"because {name}", "policy": digest}
    rows: list[tuple[Any, dict[str, Any]]] = [
        (t.requests, {"id": request, "requester": name, "ground": "dispute", "why_not_less": f"no less {name}", "until": now,
                      "filed_at": now, "lapses_at": now, "digest": "0" * 64, "state": "decided", **said}),
        (t.decisions, {"id": id(), "request": request, "request_digest": "0" * 64, "answer": "refuse", "decided_by": name,
                       "decided_at": now, **said}),
        (td.opinions, {"request": request, "owner": name, "request_digest": "0" * 64, "given_at": now, **said}),
        (td.holds, {"id": hold, "mandate": "TJ 1", "authority": "TJ Paris", "scope": "agent", "agent": name, "restrict": False,
                    "placed_by": name, "placed_at": now, "review_at": now, "state": "lifted", "ended_at": now,
                    "ended_by": name, **said}),
        (td.policy_drafts, {"id": id(), "digest": "0" * 64, "version": "x", "text": "x", "author": name, "in_force_from": now,
                            "filed_at": now, "lapses_at": now, "impact": {}, "state": "decided", "answer": "refuse",
                            "decided_by": name, "decided_reason": f"since {name}", "decided_at": now, **said}),
        (tp.objections, {"id": id(), "purposes": [], "objected_at": now, "recorded_by": name, "recorded_at": now,
                         "withdrawn_at": now, "withdrawn_by": name}),
        (tp.acknowledgements, {"agent": name, "notice": "1", "acknowledged_at": now, "recorded_by": name, "channel": "desk"}),
        (tp.acknowledgements, {"agent": "a.martin", "notice": "1", "acknowledged_at": now, "recorded_by": name, "channel": "desk"}),
        (tp.acknowledgements, {"agent": name, "notice": "2", "acknowledged_at": now + timedelta(seconds=1),
                               "recorded_by": name, "channel": "desk"}),
        (tp.draws, {"source": "s", "call": name, "purpose": "training", "id": id(), "month": "2026-11", "rate": "1", "drawn": True,
                    "at_set_up": False, "queue": "q", "agent": name, "policy": digest, "drawn_at": now}),
        (tp.messages, {"id": id(), "recipient": name, "kind": "attempt", "subject": name, "made_at": now, "next_try_at": now}),
        (t.manifests, {"id": manifest, "run": "r", "dry_run": False, "digest": "0", "frozen_at": now}),
        (tg.volumes, {"id": id(), "manifest": manifest, "digest": "0", "counts": {}, "set_aside_at": now, "lapses_at": now,
                      "state": "decided", "answer": "delete", "decided_by": name, "decided_at": now, **said}),
        (tg.findings, {"id": id(), "kind": "k", "subject": "s", "act": "alarm", "state": "closed", "found_at": now, "seen_at": now,
                       "closed_at": now, "closed_by": name, "reason": f"seen by {name}"}),
    ]  # fmt: skip
    with world.engine.begin() as tx:
        for table, row in rows:
            tx.execute(insert(table).values(row))
        tx.execute(text("UPDATE artifacts SET state = 'erased', erased_at = now(), due_at = now()"))
        tx.execute(text("UPDATE recordings SET agent = ''"))
        tx.execute(text("DELETE FROM data_keys"))
    with world.platform.catalog.begin() as tx:
        for reason in ("dispute", f"typed by {name}"):
            entry = {"subject": str(artifact.id), "reason": reason}
            world.platform.catalog.append(tx, name, "decide:request:filed", [entry])


def everywhere(engine: Engine, name: str) -> set[str]:
    """The tables in which the name stands, whole or in part."""
    with engine.begin() as tx:
        tables = tx.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).scalars()
        return {
            table
            for table in tables
            if tx.execute(
                text(
                    f"SELECT count(*) FROM {table} AS one WHERE one::text LIKE :name OR one::text LIKE :hex"
                ),
                {"name": f"%{name}%", "hex": f"%{name.encode().hex()}%"},
            ).scalar_one()
        }


@pytest.mark.promise("P7")
def test_names_are_forgotten_a_year_later_and_the_tree_verifies(world: World, sealer: Platform) -> None:
    name = f"user-{os.urandom(6).hex()}"
    write_everywhere(world, name)
    held = everywhere(world.engine, name)
    assert held == {named.table for named in NAMES} | {"register"}
    seal(sealer)
    publish(sealer)
    assert forget_names(sealer) == 0 and everywhere(world.engine, name) == held
    world.pass_time(YEAR)
    before = len(world.rows(select(t.register)))
    assert forget_names(sealer) >= before
    # What the gate asks for stays: each agent's newest acknowledgement.
    assert everywhere(world.engine, name) == {"acknowledgements"}
    [kept] = world.rows(select(tp.acknowledgements).where(tp.acknowledgements.c.agent == name))
    assert (kept.notice, kept.recorded_by) == ("2", NOBODY)
    seal(sealer)
    publish(sealer, asked=True)
    report = check_register(sealer)
    assert report.verified
    assert any(f"What {before} entries said was purged" in each.sentence for each in report.findings)
    assert forget_names(sealer) == 0
    # and pages that read them go on
    with world.platform.catalog.begin() as tx:
        assert views.history(tx, [world.artifacts()[0].id]) == []
        assert world.platform.catalog.newest_entry_at(tx) is not None


@pytest.mark.promise("P7")
def test_the_act_is_in_the_register_without_a_name(world: World, sealer: Platform) -> None:
    name = f"user-{os.urandom(6).hex()}"
    write_everywhere(world, name)
    seal(sealer)
    world.pass_time(YEAR)
    forget_names(sealer)
    rows = world.rows(select(t.register.c.payload).where(t.register.c.payload.is_not(None)))
    entries = [json.loads(row.payload) for row in rows]
    told = {(entry["table"], entry["rows"]) for entry in entries if entry["kind"] == "register:names:purged"}
    assert {table for table, _ in told} == {named.table for named in NAMES}
    [announced] = [entry for entry in entries if entry["kind"] == "register:payload:purging"]
    done = [entry for entry in entries if entry["kind"] == "register:payload:purged"]
    assert announced["from"] == 0 and announced["to"] == sum(entry["rows"] for entry in done)
    assert all(entry["actor"] == "consigne" and name not in str(entry) for entry in entries)


@pytest.mark.promise("P7")
def test_the_sealers_role_forgets_no_name_before_its_time(world: World, sealer: Platform) -> None:
    write_everywhere(world, name := f"user-{os.urandom(6).hex()}")
    held = everywhere(world.engine, name)
    for before in (timedelta(), timedelta(days=179)):
        for place in sealer.catalog.places_of_names():
            with pytest.raises(IntegrityError, match="not_over"), sealer.catalog.begin() as tx:
                sealer.catalog.forget_in(tx, place, world.now() - before, 1000, [])
    assert everywhere(world.engine, name) == held


@pytest.mark.promise("P1")
def test_an_acknowledgement_that_a_policy_asks_for_stays(world: World, sealer: Platform) -> None:
    """Though the agent acknowledged another notice since, announced or of another house."""
    assert world.policy.agents is not None
    asked, now = world.policy.agents.notice, world.now()
    for notice, at in ((asked, now), ("another", now + timedelta(days=1))):
        row = {
            "agent": "x.y",
            "notice": notice,
            "acknowledged_at": at,
            "recorded_by": "dpo",
            "channel": "desk",
        }
        with world.engine.begin() as tx:
            tx.execute(insert(tp.acknowledgements).values(row))
    world.pass_time(YEAR + timedelta(days=2))
    forget_names(sealer)
    with world.platform.catalog.begin() as tx:
        assert world.platform.catalog.acknowledged_at(tx, "x.y", asked) == now


@pytest.mark.promise("P7")
def test_what_somebody_altered_is_not_forgotten(world: World, sealer: Platform) -> None:
    world.deliver("a")
    world.ingest()
    seal(sealer)
    world.pass_time(YEAR)
    with world.engine.begin() as tx:
        tx.execute(text("UPDATE register SET payload = payload || ' ' WHERE leaf_index = 3"))
    with pytest.raises(Tampered, match="register entry 3"):
        forget_names(sealer)
    assert not world.rows(select(t.register).where(t.register.c.payload.is_(None)))


@pytest.mark.promise("P8")
@pytest.mark.parametrize("step", ["forget_in", "forget_payloads", "append"])
def test_killed_at_any_moment_the_next_goes_on(
    world: World, sealer: Platform, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    name = f"user-{os.urandom(6).hex()}"
    write_everywhere(world, name)
    seal(sealer)
    world.pass_time(YEAR)
    real = getattr(Catalog, step)
    for allowed in itertools.count():
        left = iter(range(allowed))

        def die(*args: Any, left: Any = left) -> Any:
            if next(left, None) is None:
                raise KeyboardInterrupt
            return real(*args)

        monkeypatch.setattr(Catalog, step, die)
        try:
            forget_names(sealer)
            break
        except KeyboardInterrupt:
            continue
        finally:
            monkeypatch.setattr(Catalog, step, real)
            publish(sealer, asked=True)
    assert allowed > 0
    assert everywhere(world.engine, name) == {"acknowledgements"}
    seal(sealer)
    assert check_register(sealer).verified


@pytest.mark.promise("P7")
def test_no_byte_of_a_forgotten_name_is_in_the_databases_folder(
    world: World, sealer: Platform, server: Settings
) -> None:
    """After the tables' files were written anew and the write-ahead log was recycled."""
    name = f"user-{os.urandom(6).hex()}"
    write_everywhere(world, name)
    with world.engine.begin() as tx:  # the gate's: not part of what is forgotten
        tx.execute(text("UPDATE acknowledgements SET agent = 'somebody' WHERE agent = :name"), {"name": name})
    seal(sealer)
    with psycopg.connect(
        world.engine.url.render_as_string(hide_password=False).replace("+psycopg", "", 1), autocommit=True
    ) as admin:
        admin.execute("ANALYZE")
        admin.execute("CHECKPOINT")
        assert bytes_of(server, name)
        world.pass_time(YEAR)
        forget_names(sealer)
        assert rewrite_files(sealer) and not rewrite_files(sealer)
        for _ in range(2):
            admin.execute("SELECT pg_switch_wal()")
            admin.execute("CHECKPOINT")
        left = [file.rpartition("/")[2] for file in bytes_of(server, name)]
        named = admin.execute(
            "SELECT relname FROM pg_class WHERE pg_relation_filenode(oid)::text = ANY(%s)", (left,)
        )
        assert (left, named.fetchall()) == ([], [])
    kinds = [entry["kind"] for entry in world_entries(world)]
    assert kinds.count("register:files:rewritten") == 1


def announce(world: World, sealer: Platform, before: timedelta) -> int:
    """As any role could that may add entries: that all of them are over which are older than this."""
    with world.engine.begin() as tx:
        top: int = tx.execute(text("SELECT max(leaf_index) + 1 FROM register")).scalar_one()
    with world.platform.catalog.begin() as tx:
        said = {"from": 0, "to": top, "before": iso(world.now() - before)}
        world.platform.catalog.append(tx, "consigne", PURGING, [said])
        world.platform.catalog.append(
            tx, "consigne", "register:payload:purged", [{"from": 0, "to": top, "rows": top}]
        )
    seal(sealer)
    publish(sealer, asked=True)
    return top


@pytest.mark.promise("P7")
@pytest.mark.parametrize("before", [-YEAR, timedelta(), timedelta(days=179), YEAR], ids=str)
def test_nobody_has_it_forget_what_is_not_over(world: World, sealer: Platform, before: timedelta) -> None:
    world.deliver("a")
    world.ingest()
    seal(sealer)
    top = announce(world, sealer, before)
    with pytest.raises(IntegrityError, match="not_over"), sealer.catalog.begin() as tx:
        sealer.catalog.forget_payloads(tx, 0, top)
    assert forget_names(sealer) == 0  # the sealer does not believe it either
    assert not world.rows(select(t.register).where(t.register.c.payload.is_(None)))
    # Nor does it hinder what is over.
    world.pass_time(YEAR)
    assert forget_names(sealer) >= top
    seal(sealer)
    assert len(world.rows(select(t.register).where(t.register.c.payload.is_(None)))) >= top


@pytest.mark.promise("P7")
def test_what_a_superuser_forgets_under_a_false_announcement_is_noticed(
    world: World, sealer: Platform
) -> None:
    world.deliver("a")
    world.ingest()
    seal(sealer)
    top = announce(world, sealer, timedelta())
    assert check_register(sealer).verified
    with world.engine.begin() as tx:
        tx.execute(text(f"UPDATE register SET salt = NULL, payload = NULL WHERE leaf_index < {top}"))
    failed = [each.sentence for each in check_register(sealer).findings if each.level == "failed"]
    assert any("announces a purge of what is not over" in sentence for sentence in failed)
    assert any(f"Entries 0 to {top - 1}: what was said there is gone" in sentence for sentence in failed)


@pytest.mark.promise("P7")
def test_nor_may_the_announcement_make_them_older_than_the_store_says(world: World, sealer: Platform) -> None:
    world.deliver("a")
    world.ingest()
    seal(sealer)
    size = publish(sealer, asked=True)
    assert size is not None
    world.deliver("b", seed=1)
    world.ingest()
    seal(sealer)
    for _, version, _ in world.store.evidence:
        world.store.modified[version] = world.now()
    top = announce(world, sealer, YEAR)
    assert check_register(sealer).verified
    with world.engine.begin() as tx:
        tx.execute(text(f"UPDATE register SET salt = NULL, payload = NULL WHERE leaf_index < {top}"))
    [failed] = [each.sentence for each in check_register(sealer).findings if each.level == "failed"]
    assert failed.startswith(f"Entries {size} to {top - 1} were purged as older than")


def world_entries(world: World) -> list[dict[str, Any]]:
    rows = world.rows(select(t.register.c.payload).where(t.register.c.payload.is_not(None)))
    return [json.loads(row.payload) for row in rows]


def bytes_of(server: Settings, name: str) -> list[str]:
    """Files below the database's folder that hold the name as it is, or as SQL would show bytes."""
    found = []
    for file in postgres.data_folder(server).rglob("*"):
        try:
            data = file.read_bytes() if file.is_file() else b""
        except FileNotFoundError:
            continue
        if name.encode() in data:
            found.append(str(file.relative_to(postgres.data_folder(server))))
    return found


@pytest.mark.promise("P7")
def test_trying_every_user_against_the_leaves_finds_nothing(world: World, sealer: Platform) -> None:
    """All that the entry said is known but who acted: with the salt each user could be tried; without, none fits."""
    users = [f"user-{number}" for number in range(500)]
    with world.platform.catalog.begin() as tx:
        world.platform.catalog.append(tx, users[321], "look:recordings:denied", [{"code": "role_missing"}])
    seal(sealer)
    [row] = [row for row in world.rows(select(t.register)) if b"look:recordings:denied" in row.payload]
    template = row.payload.replace(users[321].encode(), b"%s")

    def fitting(salts: list[bytes]) -> set[str]:
        tried = itertools.product(users, salts)
        return {
            user
            for user, salt in tried
            if hashlib.sha256(salt + template.replace(b"%s", user.encode())).digest() == row.leaf
        }

    assert fitting([row.salt]) == {users[321]}
    world.pass_time(YEAR)
    forget_names(sealer)
    purged = world.rows(select(t.register).where(t.register.c.id == row.id))[0]
    assert (purged.salt, purged.payload, purged.subjects, purged.leaf) == (None, None, [], row.leaf)
    # The salts that are still there are of other entries, and guesses are as good as none.
    others = [one.salt for one in world.rows(select(t.register).where(t.register.c.salt.is_not(None)))]
    assert fitting([b"", bytes(32), row.leaf, *others]) == set()
