"""What a call leaves behind: rows and bytes in PostgreSQL, write-ahead log, objects and bytes in the store; while it is
kept, and once it is gone. Real acts on a real PostgreSQL and MinIO, without Airflow, one process. Short calls are enough
for rows, and five minutes of people's voices (Debian's Asterisk prompts) give the bytes of a minute. Nothing is wanted
of these figures: docs/operating.md, *Sizes and costs*, multiplies them."""

from __future__ import annotations

import io
import json
import os
import random
import time
import wave
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text

from consigne.acts import close, expire, ingest, protect
from consigne.acts.roll_up import roll_up
from consigne.acts.seal import publish, seal
from consigne.adapters.catalog.session import open_engine
from consigne.doors.cli.test import PROMPTS
from consigne.doors.local.scratch import scratch_parts
from consigne.doors.settings import Settings
from consigne.doors.wiring import open_platform

CALLS = int(os.environ.get("CONSIGNE_BENCH_NUMBER", "1000"))
LONG_CALLS, LONG_S, SHORT_S, RATE, STILL_S = 8, 300, 4, 8000, 5
WORDS_A_MINUTE = 130
_SIZES = (
    "SELECT relname, n_live_tup, pg_total_relation_size(relid) FROM pg_stat_user_tables "
    "WHERE schemaname = 'public' ORDER BY 3 DESC"
)
_OBJECTS = (
    "SELECT part, count(*), avg(bytes)::bigint FROM artifacts JOIN recordings ON recordings.id = recording "
    "WHERE duration_ms {} 60000 GROUP BY part ORDER BY part"
)
_PASSED = "interval '200 days'"


def run() -> None:
    """Print the tables."""
    with scratch_parts() as settings:
        empty = sizes(settings)
        log = written(settings)
        short_s, long_s = (
            taken(settings, "short", CALLS, SHORT_S),
            taken(settings, "long", LONG_CALLS, LONG_S),
        )
        log = written(settings) - log
        found: dict[str, int] = dict(
            rows(settings, "SELECT coalesce(code, state), count(*) FROM deliveries GROUP BY 1")
        )
        told("kept", empty, sizes(settings), log, sum(found.values()))
        print(f"\ndeliveries: {found}")
        print(
            f"ingest, of one core: {short_s * 1000:.0f} ms a call of {SHORT_S} s, {long_s * 1000:.0f} ms one of {LONG_S} s"
        )
        for sign, what in (("<", f"{SHORT_S} s"), (">", f"{LONG_S} s of speech, one channel, {RATE} Hz")):
            for part, count, size in rows(settings, _OBJECTS.format(sign)):
                print(f"object {part} of {what}: {size} bytes ({count} of them)")
        make_due(settings)
        log, began = written(settings), time.process_time()
        artifacts = let_go(settings)
        gone_s, log = time.process_time() - began, written(settings) - log
        told("gone", empty, sizes(settings), log, sum(found.values()))
        print(f"\nexpiry: {gone_s / artifacts * 1000:.1f} ms of one core an artifact")
        print(f"evidence bucket: {evidence(settings)} objects for all of them, checkpoints among them")


def taken(settings: Settings, kind: str, calls: int, length_s: int) -> float:
    """Seconds of one core to take in a call of that length."""
    for number in range(calls):
        deliver(settings.intake_dir, f"{kind}-{number}", length_s, number)
    time.sleep(STILL_S)  # what is new may still grow
    began = time.process_time()
    take_in(settings, kind)
    return (time.process_time() - began) / calls


def told(
    what: str, before: dict[str, tuple[int, int]], after: dict[str, tuple[int, int]], log: int, calls: int
) -> None:
    """What was added, a call."""
    print(f"\n| {what}: table | rows a call | bytes a call, indexes with it |\n| --- | --- | --- |")
    grown = {
        name: (count - before.get(name, (0, 0))[0], size - before.get(name, (0, 0))[1])
        for name, (count, size) in after.items()
    }
    for name, (count, size) in grown.items():
        if size > 50 * calls or count > calls // 2:
            print(f"| {name} | {count / calls:.2f} | {size / calls:.0f} |")
    print(
        f"| all | {sum(n for n, _ in grown.values()) / calls:.1f} | {sum(s for _, s in grown.values()) / calls:.0f} |"
    )
    print(f"\nwrite-ahead log: {log / calls:.0f} bytes a call")


def deliver(folder: Path, id: str, length_s: int, seed: int) -> None:
    """A call as a telephone system hands it in."""
    start = datetime.now(UTC) - timedelta(hours=2)
    words = [
        {"text": "bonjour", "start_s": 0.3 + at * 60 / WORDS_A_MINUTE, "end_s": 0.6 + at * 60 / WORDS_A_MINUTE, "speaker": "agent"}
        for at in range(length_s * WORDS_A_MINUTE // 60 - 1)
    ]  # fmt: skip
    told = {
        "id": id, "started_at": start.isoformat(), "ended_at": (start + timedelta(seconds=length_s)).isoformat(),
        "direction": "inbound", "caller": f"+336{seed:08}", "callee": "+33123456789", "agent": "a.martin",
        "queue": "support", "language": "fr", "purposes": ["training"],
        "notice": {"version": "2026-01", "played_at_s": 0.1}, "channels": ["mixed"], "transcript": {"words": words},
    }  # fmt: skip
    (folder / f"{id}.wav").write_bytes(sound(length_s, seed))
    (folder / f"{id}.json").write_text(json.dumps(told))


def sound(length_s: int, seed: int) -> bytes:
    """People's voices, each call from another prompt on; faint noise where there are none, or it is short."""
    draw, frames = random.Random(seed), bytearray()
    prompts = sorted(PROMPTS.rglob("*.wav")) if length_s > 60 else []
    draw.shuffle(prompts)
    for prompt in prompts:
        if len(frames) >= length_s * RATE * 2:
            break
        with wave.open(str(prompt)) as one:
            frames += one.readframes(one.getnframes())
    missing = length_s * RATE - len(frames) // 2
    frames += b"".join(
        draw.randint(-90, 90).to_bytes(2, "little", signed=True) for _ in range(max(0, missing))
    )
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", "not compressed"))
        file.writeframes(bytes(frames[: length_s * RATE * 2]))
    return out.getvalue()


def take_in(settings: Settings, run: str) -> None:
    """The tasks of `ingest_recordings`, in order, and the sealer's."""
    parts, prover = open_platform(settings, "ingest"), open_platform(settings, "prove")
    for chunk in ingest.validate_metadata(parts, ingest.discover_intake(parts, run)):
        ingest.admit_recordings(parts, chunk)
        protect.protect_recordings(parts, chunk)
        protect.confirm_stored(prover, chunk)
        ingest.clear_source(parts, chunk)
    settle(settings)


def make_due(settings: Settings) -> None:
    """Their time passes."""
    with open_engine(settings.database_url("owner")).begin() as tx:
        moved = (
            f"clock_start = clock_start - {_PASSED}, due_at = due_at - {_PASSED}, cap_at = cap_at - {_PASSED}"
        )
        tx.execute(text(f"UPDATE artifacts SET {moved}"))
        tx.execute(text(f"UPDATE epochs SET due_at = due_at - {_PASSED}"))


def let_go(settings: Settings) -> int:
    """The tasks of `expire_recordings`; how many artifacts went."""
    parts = open_platform(settings, "expire")
    expire.freeze_manifest(parts, "bench", False)
    for chunk in expire.measure_volume(parts, "bench"):
        for step in ("recheck", "destroy_keys", "delete_objects", "verify_absent", "sign_certificate"):
            getattr(expire, step)(parts, chunk)
    close.close_epochs(parts, False)
    settle(settings)
    [(erased,)] = rows(settings, "SELECT count(*) FROM artifacts WHERE state = 'erased'")
    return int(erased)


def settle(settings: Settings) -> None:
    """The register sealed and published, and what is counted summed up, as the sealer does it."""
    sealer = open_platform(settings, "seal")
    seal(sealer)
    publish(sealer, asked=True)
    roll_up(sealer)


def sizes(settings: Settings) -> dict[str, tuple[int, int]]:
    """Rows and bytes of each table, its indexes with it, without dead rows."""
    with open_engine(settings.database_url("owner")).connect() as connection:
        apart = connection.execution_options(isolation_level="AUTOCOMMIT")
        apart.execute(text("VACUUM FULL ANALYZE"))
        return {name: (count, size) for name, count, size in apart.execute(text(_SIZES))}


def rows(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    """As the owner."""
    with open_engine(settings.database_url("owner")).connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def written(settings: Settings) -> int:
    """Bytes of write-ahead log so far."""
    [(size,)] = rows(settings, "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint")
    return int(size)


def evidence(settings: Settings) -> int:
    """How many objects lie in the evidence bucket."""
    return len(open_platform(settings, "reconcile").store.list_evidence(""))


if __name__ == "__main__":
    run()
