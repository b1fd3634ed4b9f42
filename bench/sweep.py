"""What an hourly run of `expire_recordings` costs where nothing is due, on a real PostgreSQL and MinIO without Airflow: on a
catalog of a tenth of the artifacts, and on all of them (CONSIGNE_BENCH_ROWS, ten million unless said). Two thirds are
erased, with their certificates; the rest is kept, under as many epochs as there are days. Wanted: at most 1.2 ×. The
first run of a local day also makes the day's forecast, which reads what falls due within 35 days: its time stands apart."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from sqlalchemy import Engine, text

from consigne.acts import close, expire
from consigne.acts.journey import Platform
from consigne.adapters.catalog.session import open_engine
from consigne.doors.local.scratch import scratch_parts
from consigne.doors.wiring import open_platform

ROWS = int(os.environ.get("CONSIGNE_BENCH_ROWS", "10000000"))
DAYS = 400
ROUNDS = 15
WANTED = 1.2
FILLED = ("artifacts", "data_keys", "certificates", "register")


def run() -> None:
    """Print the table."""
    with scratch_parts() as settings:
        engine, platform = open_engine(settings.database_admin_url()), open_platform(settings, "expire")
        open_epochs(engine, platform)
        measured = []
        for first, last in ((0, ROWS // 10), (ROWS // 10, ROWS)):
            fill(engine, first, last)
            measured.append((last, measure(platform)))
    print("| artifacts | a run with nothing due, ms | the day's forecast, ms |\n| --- | --- | --- |")
    for rows, (sweep_ms, forecast_ms) in measured:
        print(f"| {rows:,} | {sweep_ms:.1f} | {forecast_ms:.0f} |".replace(",", " "))
    ratio = measured[1][1][0] / measured[0][1][0]
    print(f"\n{ratio:.2f} × for ten times the rows; wanted: at most {WANTED} ×")


def open_epochs(engine: Engine, platform: Platform) -> None:
    """One a day from tomorrow on, its key in the keyring; as many are destroyed."""
    with engine.begin() as tx:
        tx.execute(
            text(
                "INSERT INTO epochs (name, purpose, due_at, generation, state, opened_at, destroyed_at) "
                "SELECT 'training/' || day || '/0', 'training', now() + day * interval '1 day', 0, "
                "CASE WHEN day > 0 THEN 'open' ELSE 'destroyed' END, now(), CASE WHEN day > 0 THEN NULL ELSE now() END "
                "FROM generate_series(-CAST(:days AS integer), CAST(:days AS integer)) AS day WHERE day <> 0"
            ),
            {"days": DAYS},
        )
    for day in range(1, DAYS + 1):
        platform.keyring.open_epoch(f"training/{day}/0")


def fill(engine: Engine, first: int, last: int) -> None:
    """Artifacts number `first` to `last`, and what belongs to them; indexes are built afterwards."""
    with engine.begin() as tx:
        tx.execute(text("SET LOCAL session_replication_role = replica"))  # without their recordings
        tx.execute(text("SET LOCAL maintenance_work_mem = '512MB'"))
        indexes = tx.execute(
            text(
                "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(:tables) AND indexname LIKE 'ix\\_%'"
            ),
            {"tables": list(FILLED)},
        ).all()
        for index in indexes:
            tx.execute(text(f"DROP INDEX {index.indexname}"))
        for statement in _FILLING:
            tx.execute(text(statement), {"first": first + 1, "last": last, "days": DAYS})
        for index in indexes:
            tx.execute(text(index.indexdef))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in FILLED:
            connection.execute(text(f"VACUUM ANALYZE {table}"))
        connection.execute(text("DELETE FROM forecasts"))
        connection.execute(text("CHECKPOINT"))


_NUMBERED = "FROM generate_series(CAST(:first AS integer), CAST(:last AS integer)) AS n"
_ID = "CAST(lpad(to_hex(n), 32, '0') AS uuid)"
_DAY = "(1 + n % CAST(:days AS integer))"
_FILLING = (
    "INSERT INTO artifacts (id, recording, purpose, part, state, clock_start, due_at, cap_at, policy, epoch, attempt, "
    "object, version, digest, bytes, masked, masked_signature, masked_key, stored_at, erased_at) "
    f"SELECT {_ID}, {_ID}, 'training', 'audio', CASE WHEN n % 3 = 0 THEN 'kept' ELSE 'erased' END, now(), "
    f"now() + (CASE WHEN n % 3 = 0 THEN {_DAY} ELSE -{_DAY} END) * interval '1 day', now() + interval '2 years', "
    f"(SELECT digest FROM policies LIMIT 1), 'training/' || (CASE WHEN n % 3 = 0 THEN {_DAY} ELSE -{_DAY} END) || '/0', "
    f"{_ID}, 'training/2026/01/01/' || n, 'v', '', 1, '[]', '', 'k', now(), "
    f"CASE WHEN n % 3 = 0 THEN NULL ELSE now() END {_NUMBERED}",
    "INSERT INTO data_keys (artifact, attempt, epoch, wrapped) "
    f"SELECT {_ID}, {_ID}, 'training/' || {_DAY} || '/0', decode(repeat('00', 60), 'hex') {_NUMBERED} WHERE n % 3 = 0",
    "INSERT INTO certificates (id, scope, artifact, epoch, file, chunk, issued_at, irrecoverable_after, published_at) "
    f"SELECT {_ID}, 'artifact', {_ID}, 'training/-' || {_DAY} || '/0', '', {_ID}, now(), now(), now() "
    f"{_NUMBERED} WHERE n % 3 <> 0",
    "INSERT INTO register (salt, payload, leaf, subjects) "
    """SELECT decode(repeat('00', 32), 'hex'), '{"at":"2026-01-01T00:00:00Z"}', '', '{}' """
    f"{_NUMBERED}",
)


def measure(platform: Platform) -> tuple[float, float]:
    """Milliseconds of a run, the quickest of some, and what the first of the day takes more."""
    first = timed(lambda: sweep(platform, "first"))
    times = [timed(lambda at=at: sweep(platform, f"run {at}")) for at in range(ROUNDS)]
    return min(times), max(0.0, first - min(times))


def sweep(platform: Platform, run: str) -> None:
    """Every task of a run that finds nothing."""
    assert expire.freeze_manifest(platform, run, False) is None
    assert expire.measure_volume(platform, run) == []
    assert close.close_epochs(platform, False) == []
    assert expire.report_expiry(platform, run) == {"left": 0}


def timed(act: Callable[[], object]) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    run()
