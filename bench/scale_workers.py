"""How many calls a second are taken in, and artifacts a second destroyed, by 1, 2 and 4 workers on this machine, and which
step takes how long: the acts that the Dags' tasks call, each worker a process that takes chunk after chunk, on a real
PostgreSQL and MinIO. Airflow is aside (a task of it costs about two seconds of one core, whatever it carries; see
`scale_flood`). Beside it the limit: the same bytes PUT and one row INSERTed for each, plainly, by as many processes.

CONSIGNE_BENCH_NUMBER calls for each count of workers (600 unless said) of CONSIGNE_BENCH_LENGTH seconds (60)."""

from __future__ import annotations

import io
import json
import os
import random
import time
import wave
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from sqlalchemy import text

from consigne.acts import close, expire, ingest, protect, report
from consigne.acts.draw import keep_months
from consigne.acts.journey import Platform
from consigne.adapters.catalog.session import open_engine
from consigne.adapters.store.minio import RECORDINGS, connect, open_pool
from consigne.doors.local.scratch import scratch_parts
from consigne.doors.settings import Settings
from consigne.doors.wiring import open_platform

NUMBER = int(os.environ.get("CONSIGNE_BENCH_NUMBER", "600"))
LENGTH_S = int(os.environ.get("CONSIGNE_BENCH_LENGTH", "60"))
WORKERS = (1, 2, 4)
CHUNK = 25
"""Smaller than a run's, so that few calls can be shared."""
TAKING = ("admit_recordings", "protect_recordings", "confirm_stored", "clear_source")
DESTROYING = ("recheck", "destroy_keys", "delete_objects", "verify_absent", "sign_certificate")
Times = Counter[str]


def run() -> None:
    """Print the tables."""
    ingest.CHUNK, expire.CHUNK = CHUNK, 2 * CHUNK
    with scratch_parts() as settings:
        platform = open_platform(settings, "owner")
        keep_months(platform)
        rows = {workers: measure(settings, platform, workers) for workers in WORKERS}
    print(f"{NUMBER} calls of {LENGTH_S} s (WAV, 8 kHz), two artifacts each\n")
    names = list(dict.fromkeys(name for times in rows.values() for name in times))
    print(f"| | {' | '.join(f'{workers} worker' + 's' * (workers > 1) for workers in WORKERS)} |")
    print(f"| --- {'| --- ' * len(WORKERS)}|")
    for name in names:
        print(f"| {name} | {' | '.join(f'{rows[workers][name]:.1f}' for workers in WORKERS)} |")


def measure(settings: Settings, platform: Platform, workers: int) -> dict[str, float]:
    """What a number of workers does: a second, and milliseconds of a worker by step and call (or artifact)."""
    bytes_each = deliver(settings.intake_dir, f"by-{workers}", NUMBER)
    time.sleep(2.5)  # until intake takes the files for complete
    told: dict[str, float] = {}
    began = time.perf_counter()
    chunks = ingest.validate_metadata(platform, ingest.discover_intake(platform, f"ingest {workers}"))
    told["discover, validate: ms a call"] = (time.perf_counter() - began) * 1000 / NUMBER
    took_s, times = share(settings, "owner", TAKING, chunks, workers)
    found = report.report_batch(platform, f"ingest {workers}")["states"]
    assert found == {"cleared": NUMBER}, found
    told["calls a second"] = NUMBER / took_s
    told |= {f"{name}: ms a call": seconds * 1000 / NUMBER for name, seconds in times.items()}
    told["plain PUT and INSERT of as many bytes, a second"] = (
        2 * NUMBER / plainly(settings, bytes_each, workers)
    )
    with open_engine(settings.database_admin_url()).begin() as tx:
        tx.execute(text("UPDATE artifacts SET due_at = now() - interval '1 hour' WHERE state = 'kept'"))
    expire.freeze_manifest(platform, f"expire {workers}", False)
    due = expire.measure_volume(platform, f"expire {workers}")
    took_s, times = share(settings, "owner", DESTROYING, due, workers)
    close.close_epochs(platform, False)
    told["artifacts destroyed a second"] = 2 * NUMBER / took_s
    return told | {f"{name}: ms an artifact": seconds * 1000 / NUMBER / 2 for name, seconds in times.items()}


def share(
    settings: Settings, role: str, steps: Sequence[str], chunks: Sequence[str], workers: int
) -> tuple[float, Times]:
    """Seconds until every chunk went through every step, and what each step took of all workers together."""
    jobs = [(settings, role, steps, chunk) for chunk in chunks]
    with get_context("spawn").Pool(workers, initializer=_warm, initargs=(settings, role)) as pool:
        pool.map(_idle, range(workers * 4), chunksize=1)
        began = time.perf_counter()
        done = pool.map(carry, jobs, chunksize=1)
        took_s = time.perf_counter() - began
    return took_s, sum(done, Times())


_open: dict[str, Platform] = {}


def _warm(settings: Settings, role: str) -> None:
    _open[role] = open_platform(settings, role)
    with _open[role].catalog.begin():
        pass


def _idle(_: int) -> None:
    time.sleep(0.1)


def carry(job: tuple[Settings, str, Sequence[str], str]) -> Times:
    """One chunk, step by step; seconds by step."""
    _, role, steps, chunk = job
    times = Times()
    for step in steps:
        act: Callable[[Platform, str], object] = next(
            getattr(module, step) for module in (ingest, protect, expire) if hasattr(module, step)
        )
        began = time.perf_counter()
        act(_open[role], chunk)
        times[step] += time.perf_counter() - began  # type: ignore[assignment]
    return times


def deliver(folder: Path, name: str, number: int) -> int:
    """So many calls; the bytes of one's sound."""
    noise, now = random.Random(name), datetime.now(UTC)
    sound = b""
    for each in range(number):
        id, started_at = f"{name}-{each:06d}", now - timedelta(hours=20, seconds=each % 3600)
        fields: dict[str, Any] = {
            "id": id, "started_at": started_at.isoformat(), "ended_at": (started_at + timedelta(seconds=LENGTH_S)).isoformat(),
            "direction": "inbound", "caller": f"+336{each:08d}", "callee": "+33123456789", "agent": "a.martin",
            "queue": "support", "language": "fr", "purposes": ["training"],
            "notice": {"version": "2026-01", "played_at_s": 0.1}, "channels": ["mixed"],
            "transcript": {"words": [
                {"text": "bonjour", "start_s": at, "end_s": at + 0.3, "speaker": "agent"} for at in range(LENGTH_S)
            ]},
        }  # fmt: skip
        sound = _sound(noise)
        (folder / f"{id}.wav").write_bytes(sound)
        (folder / f"{id}.json").write_text(json.dumps(fields))
    return len(sound)


def _sound(noise: random.Random) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        second = bytes(
            byte & 0x3F if place % 2 == 0 else 0 for place, byte in enumerate(noise.randbytes(16000))
        )
        out.writeframes(second * LENGTH_S)
    return file.getvalue()


def plainly(settings: Settings, bytes_each: int, workers: int) -> float:
    """Seconds for as many objects and rows, without anything that we do more."""
    with open_engine(settings.database_admin_url()).begin() as tx:
        tx.execute(
            text(
                "CREATE TABLE IF NOT EXISTS plain (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, object text)"
            )
        )
    jobs = [(settings, place, 2 * NUMBER // workers, bytes_each) for place in range(workers)]
    with get_context("spawn").Pool(workers) as pool:
        pool.map(_idle, range(workers * 4), chunksize=1)
        began = time.perf_counter()
        pool.map(_put_plainly, jobs, chunksize=1)
        return time.perf_counter() - began


def _put_plainly(job: tuple[Settings, int, int, int]) -> None:
    settings, place, number, bytes_each = job
    login = settings.store_credentials("root")
    client = connect(settings.store_endpoint, settings.store_region, False, login, open_pool())
    engine = open_engine(settings.database_admin_url())
    data = os.urandom(bytes_each // 2)  # about what is stored
    for each in range(number):
        object = f"plain/{place}/{time.time_ns()}/{each}"
        client.put_object(RECORDINGS, object, io.BytesIO(data), len(data))
        with engine.begin() as tx:
            tx.execute(text("INSERT INTO plain (object) VALUES (:object)"), {"object": object})


if __name__ == "__main__":
    run()
