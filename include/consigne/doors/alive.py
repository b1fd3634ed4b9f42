"""Whether a service without a network door lives: `python -m consigne.doors.alive SERVICE`, exit code 0 or 1.

The service touches `run/alive-<service>` in its state folder each time round its loop. What is asked is how long ago:
a process that hangs is not alive. A file's own time, not the catalog's: nothing else need answer.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any, Final

from consigne.doors.settings import Settings

LIMIT_S: Final = 120
EVERY_S: Final = 5.0
LIMITS_S: Final = {"sealer": 900}
"""For those whose round may take longer: once a day the sealer writes the files of tables anew."""


def beat(settings: Settings, service: str) -> None:
    """This service lives. A disk that is full must not end it: then the file just ages."""
    try:
        _file(settings.state_dir, service).touch(mode=0o600)
    except OSError:
        return


def is_alive(state_dir: Path, service: str) -> bool:
    """Whether it said so not longer ago than it may."""
    try:
        beaten_at = _file(state_dir, service).stat().st_mtime
    except OSError:
        return False
    return time.time() - beaten_at <= LIMITS_S.get(service, LIMIT_S)


def beat_with_celery(settings: Settings, service: str) -> None:
    """A Celery worker beats from its own loop, which stands still while the broker is away or a hand-over hangs; what
    its children do is no matter. Called before the worker starts; it needs no right at the broker."""
    from celery import bootsteps
    from celery.signals import worker_init

    class Beating(bootsteps.StartStopStep):  # type: ignore[misc]
        """Begun anew with each connection to the broker: a lost one takes the loop's timers with it."""

        requires = ("celery.worker.consumer.tasks:Tasks",)

        def start(self, consumer: Any) -> None:
            beat(settings, service)
            self._entry = consumer.timer.call_repeatedly(EVERY_S, beat, (settings, service))

        def stop(self, consumer: Any) -> None:
            consumer.timer.cancel(self._entry)

    def join(sender: Any, **_: Any) -> None:
        sender.app.steps["consumer"].add(Beating)

    worker_init.connect(join, weak=False)


def _file(state_dir: Path, service: str) -> Path:
    return state_dir / "run" / f"alive-{service}"


if __name__ == "__main__":
    sys.exit(0 if is_alive(Path(os.environ["CONSIGNE_STATE"]), sys.argv[1]) else 1)
