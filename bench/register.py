"""The register in one run: entries appended in batches, beside a bare COPY of the same rows into a table without
indexes; sealed; and verified, from memory and from PostgreSQL, beside SHA-256 of each payload in a bare loop.
Wanted: 100 000 entries a second appended in batches, 500 000 verified on 2 cores (PostgreSQL on the other).

`CONSIGNE_BENCH_ENTRIES` names another number of entries than 300 000."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg

from consigne.adapters.catalog.migrate import migrate
from consigne.adapters.catalog.open import Catalog
from consigne.adapters.catalog.session import open_engine
from consigne.doors.local import postgres, processes
from consigne.doors.settings import Settings
from consigne.rules.evidence.register import SealedRow, verify_register

ENTRIES = int(os.environ.get("CONSIGNE_BENCH_ENTRIES", "300000"))
BATCH = 50_000
ROUNDS = 3
APPENDED, VERIFIED = 100_000, 500_000


def run() -> None:
    """Print the table: the quickest of each."""
    with a_catalog() as (catalog, url):
        rows = [*appending(catalog, url), sealing(catalog), *verifying(catalog)]
    for row in (["what", "rows a second", "by this process's CPU time", "wanted"], ["---"] * 4, *rows):
        print(f"| {' | '.join(row)} |")


@contextmanager
def a_catalog() -> Iterator[tuple[Catalog, str]]:
    """On the embedded PostgreSQL, started as `up` starts it."""
    folder = Path(tempfile.mkdtemp())
    settings = Settings.make(folder / "state")
    settings = settings.remember(socket_dir=postgres.choose_socket_folder(settings))
    process = processes.start(postgres.command(settings), signal.SIGINT)
    try:
        while not postgres.answers(settings):
            time.sleep(0.05)
        postgres.make_databases(settings)
        engine = open_engine(settings.database_admin_url())
        migrate(engine)
        yield Catalog(engine, os.urandom), settings.database_admin_url().replace("+psycopg", "", 1)
        engine.dispose()
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
        shutil.rmtree(folder)


def entries(count: int) -> list[dict[str, object]]:
    """As a step of the ingest makes them: each names something of its own."""
    made: list[dict[str, object]] = []
    for _ in range(count):
        digits = os.urandom(16).hex()
        id = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
        made.append({"subject": id, "outcome": "stored", "purpose": "training", "part": "audio"})
    return made


def appending(catalog: Catalog, url: str) -> list[list[str]]:
    """Batch by batch, each then sorted into the search index as the sealer does; and the same bytes by COPY."""
    appended, sorted_in, bare = Rate(), Rate(), Rate()
    for _ in range(max(ENTRIES // BATCH, 2)):
        batch = entries(BATCH)

        def append(batch: Any = batch) -> None:
            with catalog.begin() as tx:
                catalog.append(tx, "consigne", "ingest:artifact:stored", batch)

        def tidy() -> None:
            with catalog.begin() as tx:
                catalog.tidy_register(tx)

        appended.time(append, BATCH)
        sorted_in.time(tidy, BATCH)
    with psycopg.connect(url, autocommit=True) as admin:
        saved = admin.execute(f"SELECT salt, payload, leaf FROM register LIMIT {BATCH}").fetchall()
        admin.execute("CREATE TABLE bare (salt bytea, payload bytea, leaf bytea)")

        def copy() -> None:
            with admin.cursor() as cursor, cursor.copy("COPY bare FROM STDIN (FORMAT BINARY)") as out:
                out.set_types(["bytea"] * 3)
                for row in saved:
                    out.write_row(row)

        for _ in range(ROUNDS):
            bare.time(copy, BATCH)
    return [
        appended.row(f"append, {BATCH} in a transaction", APPENDED),
        sorted_in.row("sort them into the search index (the sealer, each minute)"),
        bare.row("bare COPY, no hash, no index"),
    ]


def sealing(catalog: Catalog) -> list[str]:
    """Numbers given to all, a batch of the sealer's at a time; without the signature."""
    began, place = time.perf_counter(), 0
    while True:
        with catalog.begin() as tx:
            waiting = catalog.unsealed(tx, BATCH)
            catalog.number(tx, [id for id, _ in waiting], place)
        place += len(waiting)
        if not waiting:
            return ["number what was appended", told(place / (time.perf_counter() - began)), "", ""]


def verifying(catalog: Catalog) -> list[list[str]]:
    """From memory: the rule alone. From PostgreSQL: as `verify --register` does."""
    with catalog.begin() as tx:
        rows = list(catalog.sealed_rows(tx))

    def from_catalog() -> None:
        with catalog.begin() as tx:
            verify_register(catalog.sealed_rows(tx), [], {})

    ways: dict[str, tuple[Callable[[], object], int]] = {
        "verify, rows in memory, one process": (lambda: verify_register(iter(rows), [], {}), VERIFIED),
        "verify, rows from PostgreSQL, one process": (from_catalog, 0),
        "read the rows from PostgreSQL, nothing else": (lambda: _read(catalog), 0),
        "SHA-256 of salt and payload, bare loop": (lambda: _hash(rows), 0),
    }
    rates = {name: Rate() for name in ways}
    for _ in range(ROUNDS):
        for name, (way, _) in ways.items():
            rates[name].time(way, len(rows))
    return [rates[name].row(name, wanted) for name, (_, wanted) in ways.items()]


def _read(catalog: Catalog) -> None:
    with catalog.begin() as tx:
        for _ in catalog.sealed_rows(tx):
            pass


def _hash(rows: list[SealedRow]) -> None:
    for row in rows:
        sha256((row.salt or b"") + (row.payload or b"")).digest()


class Rate:
    """Rows a second, the quickest: by the clock, and by what this process alone computed (other load shows in the
    first only)."""

    def __init__(self) -> None:
        self.by_clock = self.by_cpu = 0.0

    def time(self, work: Callable[[], object], rows: int) -> None:
        """Once more."""
        began, computed = time.perf_counter(), time.process_time()
        work()
        self.by_cpu = max(self.by_cpu, rows / (time.process_time() - computed))
        self.by_clock = max(self.by_clock, rows / (time.perf_counter() - began))

    def row(self, what: str, wanted: int = 0) -> list[str]:
        """Of the table."""
        return [what, told(self.by_clock), told(self.by_cpu), told(wanted) if wanted else ""]


def told(rate: float) -> str:
    return f"{round(rate, -3):,.0f}".replace(",", " ")


if __name__ == "__main__":
    run()
