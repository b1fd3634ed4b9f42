"""Ten thousand artifacts that fell due in one night, on a real MinIO and a real PostgreSQL without Airflow, one
worker: manifest, tombstones, keys, objects, absence, certificates, as `expire_recordings` does it. Beside it, in
the same run and on as many objects of the same size, what a plain script would do: delete by version a thousand at a
time, then list each prefix. Wanted: at most twice as long, and memory flat. Small objects are the hardest case, since
all that we do more costs the same whatever the size."""

from __future__ import annotations

import hashlib
import os
import resource
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from multiprocessing import get_context
from uuid import UUID, uuid4

from minio.deleteobjects import DeleteObject
from sqlalchemy import insert, select

from consigne.acts import close, expire
from consigne.acts.ports import Stored
from consigne.adapters.catalog import tables as t
from consigne.adapters.store.minio import RECORDINGS, connect, open_pool
from consigne.doors.local.scratch import scratch_parts
from consigne.doors.settings import Settings
from consigne.doors.wiring import open_platform
from consigne.rules.layout import object_name, part_prefix
from consigne.rules.values import Part

NUMBER = int(os.environ.get("CONSIGNE_BENCH_NUMBER", "10000"))
BYTES = 4_096
DAYS = 30
"""So many days of calls whose periods end in the same night."""
WANTED = 2.0
STEPS = ("recheck", "destroy_keys", "delete_objects", "verify_absent", "sign_certificate")


def run() -> None:
    """Print the tables."""
    with scratch_parts() as settings:
        ours, theirs = fill(settings), fill(settings, rows=False)
        with get_context("fork").Pool(1) as process:  # of its own, so that its memory is the run's alone
            taken, grown = process.apply(erase, (settings, ours))
        plain = delete_plainly(settings, theirs)
    total, whole = sum(taken.values()), sum(plain.values())
    print(f"| {NUMBER} objects of {BYTES} bytes | s |\n| --- | --- |")
    for name, seconds in (plain | {"plain, together": whole} | taken | {"ours, together": total}).items():
        print(f"| {name} | {seconds:.1f} |")
    print(f"\nours is {total / whole:.2f} × plain; wanted: at most {WANTED:.0f} ×")
    print(f"memory: at its peak {grown} MB more than before the run")


def fill(settings: Settings, rows: bool = True) -> list[Stored]:
    """Objects under as many prefixes; with `rows`, the catalog keeps them and they are due."""
    store = open_platform(settings, "ingest").store
    data = os.urandom(BYTES)
    digest = hashlib.sha256(data).digest()
    start = datetime.now().astimezone() - timedelta(days=200)
    made = [(uuid4(), uuid4(), uuid4(), start.date() + timedelta(days=each % DAYS)) for each in range(NUMBER)]

    def put(one: tuple[UUID, UUID, UUID, object]) -> Stored:
        recording, _, attempt, day = one
        return store.put(
            object_name("training" if rows else "quality", day, recording, Part.AUDIO, attempt), data, digest
        )  # type: ignore[arg-type]

    with ThreadPoolExecutor(8) as pool:
        stored = list(pool.map(put, made))
    if rows:
        _keep(settings, made, stored, digest)
    return stored


def _keep(settings: Settings, made: Sequence[tuple], stored: Sequence[Stored], digest: bytes) -> None:
    platform = open_platform(settings, "owner")
    epoch = "training/2026-01-01/0"
    platform.keyring.open_epoch(epoch)
    with platform.catalog.begin() as tx:
        now = platform.catalog.now(tx)
        policy = tx.execute(select(t.policies.c.digest)).scalar_one()
        due_at = now - timedelta(hours=1)
        tx.execute(
            insert(t.epochs).values(
                name=epoch, purpose="training", due_at=due_at, state="open", opened_at=now
            )
        )
        tx.execute(
            insert(t.recordings),
            [
                {
                    "id": recording, "source": "folder", "source_id": str(recording), "identity_digest": hashlib.sha256(recording.bytes).digest(),
                    "content_digest": digest, "audio_digest": digest, "started_at": now, "received_at": now, "duration_ms": 1,
                    "direction": "inbound", "queue": "support", "agent": "a", "language": "fr", "caller_index": b"i",
                    "caller_index_version": 1, "policy": policy,
                }
                for recording, *_ in made
            ],
        )  # fmt: skip
        tx.execute(
            insert(t.artifacts),
            [
                {
                    "id": artifact, "recording": recording, "purpose": "training", "part": "audio", "state": "kept",
                    "clock_start": now, "due_at": due_at, "cap_at": now, "policy": policy, "epoch": epoch,
                    "attempt": attempt, "object": at.object, "version": at.version, "digest": digest, "bytes": at.bytes,
                    "masked": [], "masked_signature": b"s", "masked_key": "k", "stored_at": now,
                }
                for (recording, artifact, attempt, _), at in zip(made, stored, strict=True)
            ],
        )  # fmt: skip
        keys = [{"artifact": one[1], "attempt": one[2], "epoch": epoch, "wrapped": bytes(60)} for one in made]
        tx.execute(insert(t.data_keys), keys)


def erase(settings: Settings, stored: Sequence[Stored]) -> tuple[dict[str, float], int]:
    """Seconds by step of a whole run, and by how many MB the process grew."""
    platform = open_platform(settings, "expire")
    with platform.catalog.begin():
        before = _peak_mb()
    taken: dict[str, float] = {}

    def timed(name: str, act: Callable[..., object], *args: object) -> object:
        began = time.perf_counter()
        result = act(platform, *args)
        taken[name] = taken.get(name, 0.0) + time.perf_counter() - began
        return result

    timed("freeze_manifest", expire.freeze_manifest, "bench", False)
    chunks = timed("measure_volume", expire.measure_volume, "bench")
    assert isinstance(chunks, list)
    for chunk in chunks:
        for step in STEPS:
            timed(step, getattr(expire, step), chunk)
    timed("close_epochs", close.close_epochs, False)
    timed("report_expiry", expire.report_expiry, "bench")
    with platform.catalog.begin() as tx:
        done = tx.execute(
            select(t.certificates.c.published_at).where(t.certificates.c.scope == "artifact")
        ).all()
    assert len(done) == len(stored) and all(row.published_at for row in done)
    return taken, _peak_mb() - before


def _peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def delete_plainly(settings: Settings, stored: Sequence[Stored]) -> dict[str, float]:
    """The same by minio-py's own means."""
    client = connect(
        settings.store_endpoint,
        settings.store_region,
        False,
        settings.store_credentials("expire"),
        open_pool(),
    )
    began = time.perf_counter()
    assert not list(client.remove_objects(RECORDINGS, [DeleteObject(at.object, at.version) for at in stored]))
    deleted = time.perf_counter()
    for at in stored:
        found = client.list_objects(RECORDINGS, part_prefix(at.object), recursive=True, include_version=True)
        assert not list(found)
    return {
        "plain: deleted by version": deleted - began,
        "plain: each prefix listed": time.perf_counter() - deleted,
    }


if __name__ == "__main__":
    run()
