"""Whether this installation is ready: true statements on its parts, by their names alone.

| part | away where |
| --- | --- |
| `catalog` | it does not answer |
| `schema` | its tables are older than this code (newer ones serve: an upgrade migrates first) |
| `replay` | a backup that came back is not brought to the truth |
| `sealer` | an entry of the register has waited longer than BEHIND for its seal |
| `store` | it does not answer |
| `keyring` | it does not answer |
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from functools import lru_cache
from typing import Final

from consigne.acts.journey import Platform
from consigne.adapters.catalog.migrate import newest_version, version
from consigne.adapters.catalog.views_metrics import unsealed_since
from consigne.doors.desk.probes import Probe

FRESH_S: Final = 5.0
"""So long one look answers everybody: nobody needs a credential to ask."""
BEHIND: Final = timedelta(minutes=10)


class Health:
    """`platform` opens the parts as role `read`. Threads may ask at once: one looks, the others wait for it."""

    def __init__(self, platform: Callable[[], Platform]) -> None:
        self._lock = threading.Lock()
        self._known: tuple[float, list[str]] | None = None
        self._catalog = Probe(lambda: _wanting(platform()))
        self._parts = {
            "store": Probe(lambda: platform().store.server_time()),
            "keyring": Probe(lambda: platform().keyring.public_keys()),
        }

    def away(self) -> list[str]:
        """The parts that are not as they should be; none: ready."""
        with self._lock:
            if self._known is None or time.monotonic() - self._known[0] > FRESH_S:
                self._known = (time.monotonic(), self._look())
            return self._known[1]

    def _look(self) -> list[str]:
        seen = self._catalog.answered()
        wanting = ["catalog"] if seen is None else seen[1]
        return [*wanting, *(part for part, probe in self._parts.items() if probe.answered() is None)]


def _wanting(platform: Platform) -> list[str]:
    with platform.catalog.begin() as tx:
        if version(tx) < _newest_version():
            return ["schema"]  # the rest cannot be asked of older tables
        since, now = unsealed_since(tx), platform.catalog.now(tx)
        is_behind = since is not None and now - since > BEHIND
        is_shut = platform.catalog.open_restoration(tx) is not None
    return [part for part, is_away in (("replay", is_shut), ("sealer", is_behind)) if is_away]


@lru_cache(maxsize=1)
def _newest_version() -> str:
    return newest_version()
