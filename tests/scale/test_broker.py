"""Redis with its users, and a Celery worker with the options of its share: it works, and learns nothing of others."""

from __future__ import annotations

import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from redis.exceptions import NoPermissionError

from consigne.doors.arrangement import SERVICES
from consigne.doors.local import broker, ports, processes
from consigne.doors.orchestration.queues import QUEUES
from consigne.doors.settings import CHECKOUT, Settings
from consigne.doors.shares import Places, write_share
from system.inside import wait_until

pytestmark = pytest.mark.celery
LONGEST_S = 60.0
# As `airflow celery worker` and the executor make theirs, with a task that needs no platform.
APP = """
import sys
from celery import Celery
from airflow.providers.celery.executors.default_celery import DEFAULT_CELERY_CONFIG
app = Celery("airflow.providers.celery.executors.celery_executor", config_source=DEFAULT_CELERY_CONFIG)
@app.task(name="double")
def double(number):
    return 2 * number
"""
WORKER = (
    APP
    + """
app.Worker(queues=[sys.argv[1]], concurrency=1, loglevel="WARNING", without_mingle=True, without_gossip=True).start()
"""
)
SCHEDULER = (
    APP
    + """
sent = [double.apply_async((number,), queue=sys.argv[1]) for number in range(5)]
print([one.get(timeout=60) for one in sent])
"""
)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    made = Settings.make(tmp_path_factory.mktemp("broker") / "state")
    port, claim = ports.hold(16480)
    claim.close()
    for identity in {name for service in SERVICES for name in service.store}:
        made.store_credentials(identity)
    made = made.remember(executor="celery", broker_port=port, broker_program=str(broker.find()))
    process = processes.start(broker.command(made), signal.SIGTERM)
    try:
        wait_until(lambda: broker.answers(made), "Redis to answer", 20)
        yield made
    finally:
        process.terminate()
        process.wait()


def _client(settings: Settings, user: str) -> redis.Redis:
    password = settings.secret(f"broker-{user}")
    return redis.Redis(port=settings.broker_port, username=user, password=password)


@pytest.mark.promise("P5")
@pytest.mark.parametrize("queue", QUEUES)
def test_no_worker_hears_of_another_s_results(settings: Settings, queue: str) -> None:
    with _client(settings, queue) as worker, worker.pubsub() as hearing:
        for word in ("SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE"):
            for channel in ("celery-task-meta-*", f"celery-task-meta-{uuid.uuid4()}", "*"):
                with pytest.raises(NoPermissionError):
                    worker.execute_command(word, channel)
        hearing.psubscribe("celery-task-meta-*")
        with pytest.raises(NoPermissionError):
            hearing.get_message(timeout=LONGEST_S)
        for words in (
            "PUBSUB CHANNELS",
            "SCAN 0",
            "MONITOR",
            "CLIENT LIST",
            "MEMORY USAGE x",
            "OBJECT FREQ x",
        ):
            with pytest.raises(NoPermissionError):
                worker.execute_command(*words.split())


@pytest.fixture
def worker(settings: Settings, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        _run(settings, "worker-ingest", WORKER), env=_environment(settings, "worker-ingest")
    )
    yield process
    process.kill()
    process.wait()


@pytest.mark.promise("P8")
def test_a_worker_needs_no_more_and_its_results_are_heard(
    settings: Settings, worker: subprocess.Popen[bytes]
) -> None:
    asked = _run(settings, "scheduler", SCHEDULER)
    done = subprocess.run(
        asked,
        env=_environment(settings, "scheduler"),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    assert done.stdout.splitlines()[-1] == "[0, 2, 4, 6, 8]"
    assert worker.poll() is None


def _run(settings: Settings, name: str, code: str) -> list[str]:
    service = next(one for one in SERVICES if one.name == name)
    folder = settings.state_dir / "shares" / name
    write_share(settings, service, folder, _places(settings))
    return [sys.executable, "-c", code, "ingest"]


def _environment(settings: Settings, name: str) -> dict[str, str]:
    share = settings.state_dir / "shares" / name
    return processes.clean_environment(
        HOME=str(share), AIRFLOW_HOME=str(share / "airflow"), CONSIGNE_STATE=str(share),
        PYTHONPATH=str(CHECKOUT / "include"),
    )  # fmt: skip


def _places(settings: Settings) -> Places:
    state = settings.state_dir
    return Places(
        store="http://127.0.0.1:9", database="127.0.0.1:9", broker=broker.address(settings),
        airflow="http://127.0.0.1:9", keyring=str(state / "socket"), intake=state / "intake",
        witness=state / "witness", keys=state / "keyring", logs=state / "logs",
    )  # fmt: skip
