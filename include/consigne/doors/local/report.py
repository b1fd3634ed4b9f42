"""What the supervisor says of itself: `run/supervisor.json`, and a lock that it holds while it lives."""

from __future__ import annotations

import fcntl
import json
import os
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

from consigne.doors.local.processes import birth
from consigne.doors.settings import Settings, write_private


@dataclass(slots=True)
class Part:
    """A component as the supervisor sees it: `state` is starting, healthy, done, unhealthy or stopped."""

    state: str
    pid: int = 0
    birth: int = 0
    since: str = ""


@dataclass(slots=True)
class Report:
    """`phase` is starting, up, stopping, stopped or failed; `fault` names the component that did not come up."""

    pid: int
    birth: int
    phase: str = "starting"
    fault: str = ""
    parts: dict[str, Part] = field(default_factory=dict)

    def write(self, settings: Settings) -> None:
        """Whole or not at all."""
        write_private(_file(settings), json.dumps(asdict(self)))

    def lives(self, name: str) -> bool:
        """Whether the component's process is still the one that was started."""
        part = self.parts.get(name)
        return part is not None and part.pid > 0 and birth(part.pid) == part.birth


def read(settings: Settings) -> Report | None:
    """The last report; None where there is none that can be read."""
    try:
        found = json.loads(_file(settings).read_text())
        parts = {name: Part(**part) for name, part in found.pop("parts").items()}
        return Report(**found, parts=parts)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def take_lock(settings: Settings, patience_s: float = 0.0) -> IO[str] | None:
    """The lock, held until the file is closed or we end; None where another supervisor holds it. Whoever only
    looks (`runs`) holds it for a moment: that is what patience is for."""
    file = (settings.state_dir / "run" / "lock").open("a")
    deadline = time.monotonic() + patience_s
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                file.close()
                return None
            time.sleep(0.05)
        else:
            return file


def runs(settings: Settings) -> bool:
    """Whether a supervisor lives."""
    lock = take_lock(settings)
    if lock is None:
        return True
    lock.close()
    return False


def ours(settings: Settings) -> Report | None:
    """The report of the supervisor that lives now."""
    found = read(settings)
    if found and birth(found.pid) == found.birth and runs(settings):
        return found
    return None


def new(settings: Settings) -> Report:
    """The report of this process."""
    return Report(os.getpid(), birth(os.getpid()) or 0)


def _file(settings: Settings) -> Path:
    return settings.state_dir / "run" / "supervisor.json"
