"""Parts without Airflow in a folder that goes afterwards, for the benchmarks."""

from __future__ import annotations

import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from consigne.doors.apply import apply
from consigne.doors.local import minio, ports, postgres, processes
from consigne.doors.settings import Settings
from consigne.rules.errors import Unavailable

PATIENCE_S = 60.0


@contextmanager
def scratch_parts(kept_in: Path | None = None) -> Iterator[Settings]:
    """PostgreSQL and MinIO as `up` starts them, `apply` done; the demonstration's policy is in force. What they hold
    stays where a folder is given."""
    with tempfile.TemporaryDirectory(prefix="consigne-bench-") as folder, ExitStack() as stack:
        is_new = kept_in is None or not kept_in.exists()
        settings = Settings.make(kept_in or Path(folder) / "state")
        port, held = ports.hold(9100)
        stack.callback(held.close)
        settings = replace(
            settings,
            socket_dir=postgres.choose_socket_folder(settings),
            store_port=port,
            store_program=str(minio.find(print)),
        )
        stack.enter_context(_running(postgres.command(settings), lambda: postgres.answers(settings)))
        stack.enter_context(_running(minio.command(settings), lambda: minio.answers(settings)))
        if is_new:  # what a benchmark filled without objects would pass for a backup that came back
            postgres.make_databases(settings)
            apply(settings)
        yield settings


@contextmanager
def _running(command: processes.Command, answers: Callable[[], bool]) -> Iterator[None]:
    process = processes.start(command, signal.SIGINT)
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not answers():
            if process.poll() is not None or time.monotonic() > deadline:
                raise Unavailable("not_up", command.argv[0], f"read {command.log}")
            time.sleep(0.05)
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)
