"""A catalog of a hundred thousand artifacts and one of ten million (CONSIGNE_BENCH_ROWS), in life-like proportion, on one
PostgreSQL as `up` starts it, beside a MinIO: what the desk, the sweep, the claim and the expiry take on each, by turns,
the quickest of some. Wanted: at most 2 × for a hundred times the rows. What people decide (requests, holds, findings) and
what is due at the moment is equal in both: it does not grow with the calls.

CONSIGNE_BENCH_STATE names a folder that keeps the filled catalogs for the next run; without it they go."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Row, text

from consigne.acts import expire
from consigne.acts.configure import lapse_drafts
from consigne.acts.decide import lapse_requests
from consigne.acts.draw import keep_months
from consigne.acts.extend import unapplied
from consigne.acts.held import keep_up
from consigne.acts.inform import forget_uninformed
from consigne.acts.journey import Platform
from consigne.acts.object import end_objected
from consigne.acts.reclock import reclock
from consigne.acts.remind import remind
from consigne.acts.roll_up import roll_up
from consigne.acts.seal import _sign, seal
from consigne.acts.turn import turn_over
from consigne.acts.volume import lapse_volumes
from consigne.adapters.catalog import (
    views,
    views_calendar,
    views_certificates,
    views_destruction,
    views_findings,
    views_holds,
    views_losses,
    views_metrics,
    views_policy,
    views_recordings,
    views_register,
    views_volumes,
)
from consigne.adapters.catalog.migrate import migrate
from consigne.adapters.catalog.open import Catalog
from consigne.adapters.catalog.register import read_sealing
from consigne.adapters.catalog.session import open_engine
from consigne.adapters.catalog.views_attempts import attempts
from consigne.adapters.catalog.views_recordings import Search
from consigne.doors.local.scratch import scratch_parts
from consigne.doors.settings import Settings
from consigne.doors.wiring import open_platform
from consigne.rules.evidence.merkle import Frontier, hash_leaf
from consigne.rules.forecast import HORIZON, Forecast
from consigne.rules.sought import Sought

ROWS = int(os.environ.get("CONSIGNE_BENCH_ROWS", "10000000"))
FEW = 100_000
ROUNDS = 15
PATIENCE_S = 10.0
NOTHING_MS = 1.0
"""Less than this is one page more of an index."""
WANTED = 2.0
SMALL = "consigne_small"
DAYS = 540
"""From the first call on; what is kept is of the last third of them."""
DUE = 500
NOTHING = (None,) * 7
FILLED = (
    "recordings", "artifacts", "data_keys", "deliveries", "verdicts", "chunks", "tombstones", "certificates", "register",
    "manifest_chunks",
)  # fmt: skip

_DUE = "date_trunc('day', timezone('Europe/Paris', at + interval '180 days'))"
_AGE = f"CAST({DAYS} * (1 - n / CAST(:calls AS double precision)) * 86400 AS bigint) * interval '1 second'"
_CALL = (
    f"SELECT n, now() - {_AGE} AS at, md5('r' || n)::uuid AS recording, "
    "CASE WHEN n % 10 < 6 THEN 'training' WHEN n % 10 < 9 THEN 'quality' ELSE 'investment_orders' END AS purpose "
    "FROM generate_series(1, CAST(:calls AS integer)) AS n"
)
_PARTED = (
    "SELECT *, md5(part || n)::uuid AS id, purpose || '/' || CAST(due AS date) || '/0' AS epoch, "
    "purpose || '/' || to_char(at, 'YYYY/MM/DD/') || recording || '/' || part || '/' || md5('t' || part || n)::uuid AS object, "
    "timezone('Europe/Paris', due) AS due_at, timezone('Europe/Paris', due) <= now() AS is_gone "
    f"FROM (SELECT *, {_DUE} AS due FROM ({_CALL}) AS calls) AS dated, "
    "unnest(ARRAY['audio', 'transcript']) AS part"
)
_POLICY = "(SELECT digest FROM policies LIMIT 1)"


def _bytes(of: str) -> str:
    """32 bytes of their own for each value of an expression."""
    return f"decode(md5({of}) || md5('x' || {of}), 'hex')"


_IDENTITY = _bytes("'i' || n")
_CONTENT = _bytes("'c' || n")
_AUDIO = _bytes("'a' || n")
_CALLER = _bytes("'n' || n % (CAST(:calls AS integer) / 5)")
_DIGEST = _bytes("'d' || part || n")
_SIGNATURE = _bytes("'s' || n")
_STEM = _bytes("'l' || n || again")
FILLING = (
    "INSERT INTO epochs (name, purpose, due_at, generation, state, opened_at, destroyed_at) "
    f"SELECT DISTINCT epoch, purpose, due_at, 0, CASE WHEN is_gone THEN 'destroyed' ELSE 'open' END, now(), "
    f"CASE WHEN is_gone THEN due_at END FROM ({_PARTED}) AS parts",
    "INSERT INTO recordings (id, source, source_id, identity_digest, content_digest, audio_digest, started_at, received_at, "
    "duration_ms, direction, queue, agent, language, caller_index, caller_index_version, notice, policy) "
    f"SELECT recording, 'folder', 'pbx1-2026-' || n, {_IDENTITY}, {_CONTENT}, "
    f"{_AUDIO}, at, at + interval '5 minutes', 60000 + n % 600000, 'inbound', "
    "(ARRAY['support', 'sales', 'orders', 'complaints'])[1 + n % 4], "
    f"CASE WHEN at < now() - interval '181 days' THEN '' ELSE 'agent.' || n % 400 END, 'fr', "
    f"CASE WHEN at < now() - interval '181 days' THEN '' ELSE {_CALLER} END, "
    f"1, '2026-01', {_POLICY} FROM ({_CALL}) AS calls",
    "INSERT INTO artifacts (id, recording, purpose, part, state, clock_start, due_at, cap_at, policy, epoch, attempt, object, "
    "version, digest, bytes, masked, masked_signature, masked_key, stored_at, erased_at) "
    "SELECT id, recording, purpose, part, CASE WHEN is_gone THEN 'erased' ELSE 'kept' END, at, due_at, "
    f"due_at + interval '180 days', {_POLICY}, epoch, md5('t' || part || n)::uuid, object, md5('v' || part || n)::uuid::text, "
    f"{_DIGEST}, 40000 + n % 2000000, '[]', {_SIGNATURE}, 'signing-1', at, "
    f"CASE WHEN is_gone THEN due_at END FROM ({_PARTED}) AS parts",
    "INSERT INTO data_keys (artifact, attempt, epoch, wrapped) "
    f"SELECT id, md5('t' || part || n)::uuid, epoch, decode(repeat('00', 60), 'hex') FROM ({_PARTED}) AS parts WHERE NOT is_gone",
    "INSERT INTO tombstones (artifact, recording, identity_digest, audio_digest, key_version, purpose, part, epoch, attempt, "
    "object, ground, erasing_at, published_at, signed_at, key_deleted_at, versions_deleted, uploads_aborted, absent_at) "
    f"SELECT id, recording, {_IDENTITY}, {_AUDIO}, 1, purpose, part, epoch, "
    "md5('t' || part || n)::uuid, object, 'period_ended', due_at, due_at, due_at, due_at, 1, 0, due_at "
    f"FROM ({_PARTED}) AS parts WHERE is_gone",
    "INSERT INTO certificates (id, scope, artifact, epoch, file, chunk, issued_at, irrecoverable_after, published_at) "
    f"SELECT md5('z' || part || n)::uuid, 'artifact', id, epoch, decode(repeat('20', 200), 'hex'), md5('k' || n / 500)::uuid, "
    f"due_at, due_at, due_at FROM ({_PARTED}) AS parts WHERE is_gone",
    "INSERT INTO deliveries (id, source, source_id, stem_digest, fingerprint, state, code, received_at, identity_digest, "
    "content_digest, audio_digest, recording, token) "
    f"SELECT md5('q' || n || again)::uuid, 'folder', 'pbx1-2026-' || n, {_STEM}, md5('f' || n), "
    "'cleared', CASE WHEN again = 1 THEN 'delivered_before' END, at + interval '5 minutes', "
    f"{_IDENTITY}, {_CONTENT}, {_AUDIO}, "
    f"CASE WHEN again = 0 THEN recording END, md5('o' || n)::uuid FROM ({_CALL}) AS calls, generate_series(0, 1) AS again "
    "WHERE again = 0 OR n % 10 = 0",
    "INSERT INTO verdicts (delivery, purpose, verdict, code) "
    f"SELECT md5('q' || n || 0)::uuid, purpose, 'admitted', NULL FROM ({_CALL}) AS calls",
    "INSERT INTO chunks (id, run, deliveries, made_at) "
    "SELECT md5('b' || n / 200)::uuid, 'scheduled__' || n / 2000, array_agg(md5('q' || n || 0)::uuid), min(at) "
    f"FROM ({_CALL}) AS calls GROUP BY n / 200, n / 2000",
    "INSERT INTO manifests (id, run, dry_run, digest, frozen_at) "
    "SELECT md5('m' || day)::uuid, 'scheduled__' || day, false, md5('m' || day), day "
    f"FROM (SELECT DISTINCT due_at AS day FROM ({_PARTED}) AS parts WHERE is_gone) AS days",
    "INSERT INTO authorisations (manifest, digest, authorised_at) SELECT id, digest, frozen_at FROM manifests",
    "INSERT INTO manifest_chunks (id, manifest, artifacts) SELECT md5('y' || due_at || chunk)::uuid, md5('m' || due_at)::uuid, "
    "array_agg(id) FROM (SELECT id, due_at, (row_number() OVER (PARTITION BY due_at)) / 1000 AS chunk "
    f"FROM ({_PARTED}) AS parts WHERE is_gone) AS gone GROUP BY due_at, chunk",
    "INSERT INTO register (salt, payload, leaf, leaf_index, subjects) "
    """SELECT decode(repeat('00', 32), 'hex'), convert_to('{"actor":"consigne","at":"' || """
    """to_char(at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') || '","kind":"ingest:artifact:stored","outcome":"stored","subject":"' """
    """|| id || '"}', 'UTF8'), decode(repeat('00', 32), 'hex'), row_number() OVER () - 1, """
    f"""ARRAY[CAST(id AS text), 'actor:consigne', 'ingest:artifact:stored'] FROM ({_PARTED}) AS parts""",
)  # fmt: skip
DECIDED = (
    # Due now; and others that a request, an extension or a hold moves: as many in each catalog.
    "UPDATE artifacts SET due_at = now() - interval '1 hour' WHERE id IN "
    f"(SELECT id FROM artifacts WHERE state = 'kept' AND purpose = 'training' ORDER BY due_at, id LIMIT {DUE})",
    "INSERT INTO requests (id, requester, ground, reason, until, filed_at, lapses_at, digest, policy, state) "
    "SELECT md5('e' || n)::uuid, 'trainer', 'dispute', 'r', now() + interval '300 days', now() - interval '1 day', "
    f"now() + interval '4 days', '', {_POLICY}, CASE WHEN n <= 5 THEN 'pending' ELSE 'decided' END FROM generate_series(1, 200) AS n",
    "INSERT INTO request_items (request, artifact, due_at) SELECT md5('e' || n)::uuid, id, due_at FROM "
    "(SELECT id, due_at, row_number() OVER (ORDER BY id) AS n FROM artifacts WHERE state = 'kept' AND purpose = 'quality' "
    "ORDER BY id LIMIT 200) AS few",
    "INSERT INTO decisions (id, request, request_digest, answer, until, decided_by, reason, decided_at, policy, applied_at) "
    "SELECT id, id, '', 'extend', until, 'dpo', 'r', now(), policy, now() FROM requests WHERE state = 'decided'",
    "UPDATE artifacts SET extension = request, due_at = artifacts.due_at + interval '60 days' FROM request_items JOIN requests "
    "ON requests.id = request WHERE artifact = artifacts.id AND requests.state = 'decided'",
    "INSERT INTO holds (id, mandate, authority, reason, scope, recording, restrict, placed_by, placed_at, review_at, policy, "
    "state) SELECT md5('h' || id)::uuid, 'm', 'a', 'r', 'recording', id, false, 'dpo', now(), now() + interval '90 days', "
    f"{_POLICY}, 'open' FROM (SELECT id FROM recordings WHERE queue = 'support' ORDER BY started_at DESC LIMIT 50) AS few",
    "UPDATE artifacts SET hold = holds.id, unheld_due_at = due_at, due_at = greatest(due_at, review_at) FROM holds "
    "WHERE holds.recording = artifacts.recording",
    "INSERT INTO held (hold, artifact, caught_at) SELECT hold, id, now() FROM artifacts WHERE hold IS NOT NULL AND state = 'kept'",
    "UPDATE deliveries SET state = 'valid' WHERE id IN "
    "(SELECT id FROM deliveries WHERE recording IS NULL ORDER BY received_at DESC LIMIT 300)",
    "UPDATE deliveries SET state = 'quarantined', code = 'bad_json', deadline = now() + interval '5 days' WHERE id IN "
    "(SELECT id FROM deliveries WHERE state = 'valid' ORDER BY received_at LIMIT 50)",
)


@contextmanager
def catalogs() -> Iterator[tuple[Settings, dict[int, str]]]:
    """The parts, and by how many artifacts the database that holds them."""
    folder = os.environ.get("CONSIGNE_BENCH_STATE")
    with scratch_parts(Path(folder) if folder else None) as settings:
        databases = {FEW: SMALL, ROWS: "consigne"}
        platform = open_platform(settings, "owner")
        with alone(settings) as connection:
            known = connection.execute(
                text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": SMALL}
            )
            if not known.scalar():
                connection.execute(  # what `apply` left open
                    text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'consigne'")
                )
                connection.execute(text(f"CREATE DATABASE {SMALL} TEMPLATE consigne"))
                connection.execute(text(f"GRANT CONNECT ON DATABASE {SMALL} TO PUBLIC"))
        for rows, name in databases.items():
            engine = open_engine(settings.database_admin_url(name))
            migrate(engine)
            with engine.begin() as tx:
                there = tx.execute(text("SELECT 1 FROM recordings LIMIT 1")).scalar()
            if not there:
                fill(settings, engine, rows)
                seal_all(replace(platform, catalog=Catalog(engine, os.urandom)), rows)
            # As it was when it was filled: what falls due with each midnight since is another hundred times as much.
            filled = "SELECT min(opened_at) FROM epochs WHERE opened_at > now() - interval '30 days'"
            with engine.begin() as tx:
                tx.execute(
                    text(f"UPDATE clock SET test = true, offset_s = extract(epoch FROM ({filled}) - now())")
                )
        yield settings, databases


@contextmanager
def alone(settings: Settings, database: str = "postgres") -> Iterator[Connection]:
    """As the superuser, each statement by itself."""
    engine = open_engine(settings.database_admin_url(database)).execution_options(
        isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def fill(settings: Settings, engine: Engine, rows: int) -> None:
    """Without indexes, constraints and a safe log, which come back afterwards."""
    with alone(settings) as connection:
        for setting in ("fsync = off", "full_page_writes = off", "max_wal_size = '4GB'"):
            connection.execute(text(f"ALTER SYSTEM SET {setting}"))
        connection.execute(text("SELECT pg_reload_conf()"))
    with engine.begin() as tx:
        tx.execute(text("SET LOCAL session_replication_role = replica"))
        tx.execute(text("SET LOCAL maintenance_work_mem = '512MB'"))
        tx.execute(text("SET LOCAL work_mem = '256MB'"))
        stripped = _strip(tx)
        for statement in FILLING:
            _timed_step(tx, statement, rows)
        for statement in stripped:
            _timed_step(tx, statement, rows)
        tx.execute(text("ANALYZE"))
        for statement in DECIDED:
            _timed_step(tx, statement, rows)
        tx.execute(text("SELECT consigne_recount()"))
    with alone(settings, engine.url.database or "") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    with alone(settings) as connection:
        connection.execute(text("ALTER SYSTEM RESET ALL"))
        connection.execute(text("SELECT pg_reload_conf()"))
        connection.execute(text("CHECKPOINT"))


def _timed_step(tx: Connection, statement: str, rows: int) -> None:
    began = time.perf_counter()
    tx.execute(text(statement), {"calls": rows // 2} if ":calls" in statement else {})
    print(f"  {rows:>10} {time.perf_counter() - began:6.1f} s  {statement[:60]}", flush=True)


def _strip(tx: Connection) -> list[str]:
    """Drop what slows filling; the statements that bring it back."""
    constraints = tx.execute(
        text(
            r"SELECT conrelid\:\:regclass\:\:text AS name, conname, contype, pg_get_constraintdef(oid) AS body FROM pg_constraint "
            r"WHERE contype IN ('f', 'p', 'u') AND connamespace = 'public'\:\:regnamespace AND (conrelid\:\:regclass\:\:text = "
            r"ANY(:tables) OR confrelid\:\:regclass\:\:text = ANY(:tables)) ORDER BY contype = 'f' DESC"
        ),
        {"tables": list(FILLED)},
    ).all()
    back = []
    for one in constraints:
        tx.execute(text(f"ALTER TABLE {one.name} DROP CONSTRAINT {one.conname}"))
        unchecked = " NOT VALID" if one.contype == "f" else ""
        back.append(f"ALTER TABLE {one.name} ADD CONSTRAINT {one.conname} {one.body}{unchecked}")
    indexes = tx.execute(
        text(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename = ANY(:tables)"
        ),
        {"tables": list(FILLED)},
    ).all()
    for index in indexes:
        tx.execute(text(f"DROP INDEX {index.indexname}"))
    return [index.indexdef for index in indexes] + back[::-1]


def seal_all(platform: Platform, entries: int) -> None:
    """One checkpoint over all entries, whose leaves are alike."""
    began = time.perf_counter()
    alike = hash_leaf(bytes(32))
    with platform.catalog.begin() as tx:
        _sign(platform, tx, Frontier().extend(alike for _ in range(entries)))
    print(f"  {entries:>10} {time.perf_counter() - began:6.1f} s  sealed", flush=True)


Look = Callable[[Platform], object]


def _reading(look: Callable[[Connection, Platform], object]) -> Look:
    def work(platform: Platform) -> object:
        with platform.catalog.begin() as tx:
            return look(tx, platform)

    return work


def _known(tx: Connection) -> tuple[datetime, Row[Any], Row[Any]]:
    """The clock; a recording that is kept, and an artifact of it."""
    now = tx.execute(text("SELECT consigne_now()")).scalar_one()
    newest = tx.execute(text("SELECT * FROM recordings ORDER BY started_at DESC OFFSET 200 LIMIT 1")).one()
    mine = tx.execute(text("SELECT * FROM artifacts WHERE recording = :id"), {"id": newest.id}).first()
    assert mine is not None
    return now, newest, mine


def looks(tx: Connection) -> dict[str, Look]:
    """What is measured, by name."""
    now, call, artifact = _known(tx)
    zone, month, year = "Europe/Paris", timedelta(days=31), timedelta(days=365)
    search = views_recordings.search
    asked = views_metrics.Asked(now, ("training", "quality"), False, timedelta(days=3))
    pages: dict[str, Callable[[Connection, Platform], object]] = {
        "recordings by number": lambda tx, _: search(tx, Search(callers=[call.caller_index]), now, 500),
        "recordings, newest": lambda tx, _: search(tx, Search(), now),
        "recordings of a queue and a purpose": lambda tx, _: search(tx, Search(["quality"], queue="orders"), now),
        "recordings of an agent": lambda tx, _: search(tx, Search(agent=call.agent), now),
        "recordings, erased": lambda tx, _: search(tx, Search(state="erased"), now),
        "recordings, past due": lambda tx, _: search(tx, Search(state="past_due"), now),
        "recordings, held": lambda tx, _: search(tx, Search(state="held"), now),
        "queues": lambda tx, _: views_recordings.queues(tx),
        "one recording": lambda tx, _: views_recordings.recording(tx, call.id, None),
        "its history": lambda tx, _: views.history(tx, [artifact.id]),
        "show, by the source's id": lambda tx, _: views.recording(tx, call.source_id),
        "deliveries of that id": lambda tx, _: views.deliveries_named(tx, call.source_id),
        "deliveries of an artifact": lambda tx, _: views.deliveries_named(tx, str(artifact.id)),
        "calendar, half a year": lambda tx, _: views_calendar.falling(tx, "week", zone, now, now + year / 2, None),
        "calendar, a week": lambda tx, _: views_calendar.falling(tx, "day", zone, now, now + month / 4, ["quality"]),
        "calendar, overdue and later": lambda tx, _: (
            views_calendar.overdue(tx, now, None),
            views_calendar.later(tx, now + year / 2, None),
        ),
        "waiting for me": lambda tx, _: (
            views.waiting(tx, now), views.asked_by(tx, "trainer", 20), views_holds.to_review(tx, now),
            views_policy.waiting_drafts(tx, now), views_volumes.waiting_volumes(tx, now), views_findings.waiting(tx),
            views_losses.lost_last(tx), attempts(tx, now - month, 10),
        ),
        "destruction": lambda tx, _: (
            views_destruction.waiting(tx, now), views_destruction.on_their_way(tx), views_destruction.open_epochs(tx, now, 20),
            views_destruction.unpublished(tx), views_destruction.volumes_open(tx, now),
        ),
        "runs of the ingest": lambda tx, _: views.batches(tx, 20),
        "certificates, newest": lambda tx, _: views_certificates.search(tx, views_certificates.Search()),
        "certificates of an epoch": lambda tx, _: views_certificates.search(tx, views_certificates.Search(artifact.epoch)),
        "certificates of a call": lambda tx, _: views_certificates.search(tx, views_certificates.Search(call.source_id)),
        "certificates of an identifier": lambda tx, _: views_certificates.search(tx, views_certificates.Search(str(artifact.id))),
        "register, newest": lambda tx, _: views_register.found(tx, Sought(*NOTHING), 50),
        "register by identifier": lambda tx, _: views_register.found(tx, Sought(None, None, artifact.id, None, None, None, None), 50),
        "status: how far sealing is": lambda tx, _: read_sealing(tx),
        **{f"metrics: {view}": lambda tx, _, view=view: views_metrics.read(tx, view, asked) for view in views_metrics.VIEWS},
    }  # fmt: skip
    due: dict[str, Callable[[Connection, Platform], object]] = {
        f"the claim, {DUE} due": lambda tx, platform: platform.catalog.due_artifacts(tx, now, expire.LIMIT),
        "the claim, nothing due": lambda tx, platform: platform.catalog.due_artifacts(tx, now - month / 62, expire.LIMIT),
        "the claim: overdue": lambda tx, platform: platform.catalog.overdue(tx, now),
        "measure: gone since the forecast": lambda tx, platform: platform.catalog.gone_since(
            tx, Forecast("2026-01-01", now - timedelta(hours=20), {})
        ),
        "measure: what a chunk holds": lambda tx, platform: platform.catalog.due_among(
            tx, platform.catalog.due_artifacts(tx, now, expire.LIMIT)
        ),
        "the day's forecast": lambda tx, platform: platform.catalog.ends_ahead(tx, now + HORIZON),
        "epochs to close, and late": lambda tx, platform: (
            platform.catalog.epochs_to_close(tx, now), platform.catalog.epochs_late(tx, now),
        ),
        "certificates to publish, tombstones to sign": lambda tx, platform: (
            platform.catalog.unpublished_certificates(tx), platform.catalog.unsigned_erasures(tx, 1000),
        ),
        "the clock behind the register": lambda tx, platform: platform.catalog.newest_entry_at(tx),
    }  # fmt: skip
    taken: dict[str, Callable[[Connection, Platform], object]] = {
        "open deliveries": lambda tx, platform: platform.catalog.open_deliveries(tx, "folder"),
        "is a call known": lambda tx, platform: platform.catalog.known(
            tx, [call.identity_digest], [call.audio_digest]
        ),
        "known identities": lambda tx, platform: platform.catalog.known_identities(
            tx, [call.identity_digest]
        ),
    }
    minute: dict[str, Look] = {
        f"minute: {act.__name__}": act
        for act in (
            lapse_drafts, lapse_volumes, reclock, keep_up, turn_over, keep_months, end_objected, forget_uninformed, remind,
            lapse_requests, lambda platform: unapplied(platform, 60),
        )
    }  # fmt: skip
    asked_in_one = (
        pages | due | taken | {"purposes kept": lambda tx, platform: platform.catalog.purposes_kept(tx)}
    )
    told = {name: _reading(look) for name, look in asked_in_one.items()}
    return told | minute | {"minute: seal 200 entries": seal_some, "minute: roll up": roll_up}


def seal_some(platform: Platform) -> object:
    """As many new entries as a quiet minute brings."""
    with platform.catalog.begin() as tx:
        entries = [{"subject": str(platform.new_id())} for _ in range(200)]
        platform.catalog.append(tx, "consigne", "bench:entry:made", entries)
    return seal(platform)


def measure(settings: Settings, databases: dict[int, str]) -> Iterator[tuple[str, list[float]]]:
    """Milliseconds by database, the quickest of some, by turns: what else the machine does falls on both."""
    platform = open_platform(settings, "owner")
    seen = []
    for name in databases.values():
        engine = open_engine(settings.database_admin_url(name))
        with engine.begin() as tx:
            seen.append((replace(platform, catalog=Catalog(engine, os.urandom)), looks(tx)))
    for name in seen[0][1]:
        times = [float("inf")] * len(databases)
        began = time.perf_counter()
        for number in range(ROUNDS):
            for place, (mine, acts) in enumerate(seen):
                times[place] = min(times[place], timed(acts[name], mine))
            if number > 2 and time.perf_counter() - began > PATIENCE_S:
                break
        yield name, times


def timed(act: Look, platform: Platform) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    act(platform)
    return (time.perf_counter() - began) * 1000


def main() -> None:
    worst = 0.0
    with catalogs() as (settings, databases):
        few, many = databases
        print(f"| | {few:,} artifacts, ms | {many:,}, ms | × |\n| --- | --- | --- | --- |".replace(",", " "))
        for name, (small, large) in measure(settings, databases):
            counts = large - small > NOTHING_MS
            worst = max(worst, large / small if counts else 0.0)
            mark = " **" if counts and large > WANTED * small else ""
            print(f"| {name} | {small:.2f} | {large:.2f} | {large / small:.2f}{mark} |", flush=True)
    print(f"\nthe worst: {worst:.2f} ×; wanted: at most {WANTED} ×")


if __name__ == "__main__":
    main()
