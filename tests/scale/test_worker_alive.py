"""A Celery worker says that it lives for as long as its loop goes round and its broker is there."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from consigne.doors.settings import Settings

WORKER = """
import sys
from celery import Celery
from consigne.doors import alive
from consigne.doors.settings import Settings
alive.EVERY_S = 0.2
alive.beat_with_celery(Settings.open(sys.argv[1]), "worker-ingest")
app = Celery(broker=sys.argv[2], set_as_current=True)
app.conf.update(worker_enable_remote_control=False, broker_connection_retry_on_startup=True, broker_connection_timeout=1)
app.Worker(concurrency=1, loglevel="WARNING", without_mingle=True, without_gossip=True, without_heartbeat=True).start()
"""
LONGEST_S = 60.0


def until(seen: Callable[[], bool], why: str) -> None:
    over = time.monotonic() + LONGEST_S
    while not seen():
        assert time.monotonic() < over, why
        time.sleep(0.1)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[tuple[str, Callable[[], subprocess.Popen[bytes]]]]:
    """The address of a Redis, and what starts it."""
    program = shutil.which("redis-server")
    assert program, "install redis-server, or leave this out with --without celery"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        options = ("--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path))
        started.append(subprocess.Popen((program, *options), stdout=subprocess.DEVNULL))
        return started[-1]

    yield f"redis://127.0.0.1:{port}/0", start
    for process in started:
        process.kill()
        process.wait()


def test_it_beats_while_it_works_and_not_without_its_broker(
    tmp_path: Path, broker: tuple[str, Callable[[], subprocess.Popen[bytes]]]
) -> None:
    url, start = broker
    settings = Settings.make(tmp_path / "state")
    file = settings.state_dir / "run" / "alive-worker-ingest"

    def beaten_since(at: float) -> bool:
        return file.exists() and file.stat().st_mtime > at

    redis = start()
    worker = subprocess.Popen((sys.executable, "-c", WORKER, str(settings.state_dir), url))
    try:
        until(lambda: beaten_since(0), "it never said so")
        until(lambda: beaten_since(time.time() - 0.5), "once is not enough")
        redis.kill()
        redis.wait()
        until(lambda: not beaten_since(time.time() - 2), "its loop goes on without a broker")
        start()
        again = time.time()
        until(lambda: beaten_since(again), "it came back and is not believed")
        worker.send_signal(signal.SIGSTOP)
        until(lambda: not beaten_since(time.time() - 2), "a process that stands still is not alive")
    finally:
        worker.kill()
        worker.wait()
