"""What the tests see behind the platform's doors: the catalog, the bucket as root, and its processes."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
from minio import Minio
from sqlalchemy import Connection

from consigne.adapters.catalog import views
from consigne.adapters.catalog.session import Session, open_engine
from consigne.adapters.store.minio import connect, open_pool
from consigne.doors.apply import read_policy
from consigne.doors.samples.delivery import Delivery
from consigne.doors.samples.generate import calls, write
from consigne.doors.samples.manifest import Foretold
from consigne.doors.settings import Settings
from system.conftest import Up

# Who hands in calls of which seed, and how many there are of it: no two share one, and the sweep looks for all.
SEEDS = {
    "up": (1, 40),
    "life": (3, 40),
    "verify": (5, 12),
    "broken": (7, 120),
    "kill": (9, 230),
    "minio": (10, 20),
    "postgres": (11, 20),
    "keyring": (12, 20),
    "leaks": (13, 40),
    "leave": (17, 20),
    "people": (19, 4),
    "celery": (21, 460),
}


def settings_of(up: Up) -> Settings:
    return Settings.open(up.state_dir)


def reading(up: Up, role: str = "read") -> AbstractContextManager[Connection]:
    """A transaction in the catalog."""
    return Session(open_engine(settings_of(up).database_url(role)), os.urandom).begin()


def store_as(up: Up, identity: str = "root") -> Minio:
    store = up.status["store"]
    keys = store["root"] if identity == "root" else store["identities"][identity]
    pair = keys["access_key"], keys["secret_key"]
    return connect(store["endpoint"], store["region"], False, pair, open_pool())


def hand_in(up: Up, calls: list[tuple[Delivery, Foretold]]) -> None:
    for delivery, told in calls:
        write(up.intake_dir, told.stem, delivery)


def sample_calls(up: Up, test: str, *kinds: str) -> list[tuple[Delivery, Foretold]]:
    """The calls of a test's own seed, as of the catalog's clock; of these kinds only where any is named."""
    seed, count = SEEDS[test]
    settings = settings_of(up)
    session = Session(open_engine(settings.database_url("read")), os.urandom)
    with session.begin() as tx:
        now = session.now(tx)
    made = calls(count, seed, now, read_policy(settings)[0].policy)
    return [(delivery, told) for delivery, told in made if not kinds or told.kind in kinds]


def in_intake(up: Up) -> list[str]:
    """Names of the files that wait, sorted."""
    return sorted(file.name for file in up.intake_dir.iterdir())


def deliveries(up: Up, prefix: str) -> list[dict[str, Any]]:
    """As `deliveries --json` gives them, of sources' identifiers that begin so."""
    with reading(up) as tx:
        return [one for one in views.deliveries(tx) if one["id"].startswith(prefix)]


def recordings(up: Up, prefix: str) -> list[dict[str, Any]]:
    with reading(up) as tx:
        return [one for one in views.recordings(tx) if one["source_id"].startswith(prefix)]


def entries_about(up: Up, subject: str) -> list[dict[str, Any]]:
    with reading(up) as tx:
        return [dict(entry) for entry in views.history(tx, [UUID(subject)])]


def processes(up: Up) -> Iterator[psutil.Process]:
    """All that runs of this platform: what works in its state folder, and the supervisor above it."""
    inside = up.state_dir.resolve()
    for process in psutil.process_iter():
        try:
            folder = Path(f"/proc/{process.pid}/cwd").readlink()
            arguments = process.cmdline()
        except (psutil.Error, OSError):
            continue
        if folder.is_relative_to(inside) or _supervises(process, arguments, inside):
            yield process


def _supervises(process: psutil.Process, arguments: list[str], state_dir: Path) -> bool:
    if "consigne.doors.local.supervisor" not in arguments:
        return False
    try:
        return Path(process.environ().get("CONSIGNE_STATE", "")).resolve() == state_dir
    except (psutil.Error, OSError):
        return False


def component(up: Up, name: str) -> list[psutil.Process]:
    """The processes of one component, its leader first."""
    folder = up.state_dir.resolve() / ("postgres" if name == "postgres" else f"run/{name}")
    found = []
    for process in processes(up):
        try:
            if Path(f"/proc/{process.pid}/cwd").readlink().is_relative_to(folder):
                found.append(process)
        except OSError:
            continue
    return sorted(found, key=lambda process: process.create_time())


@contextmanager
def stopped(up: Up, name: str) -> Iterator[None]:
    """It neither works nor answers, and its connections stay open: worse than gone."""
    held = component(up, name)
    assert held
    for process in held:
        process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in held:
            process.send_signal(signal.SIGCONT)


def wait_until(true: Callable[[], bool], what: str, patience_s: float = 120) -> None:
    end = time.monotonic() + patience_s
    while not true():
        assert time.monotonic() < end, f"not within {patience_s:.0f} s: {what}"
        time.sleep(0.2)
