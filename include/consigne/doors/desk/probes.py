"""Whether the parts answer, and how quickly: asked with a limit, never twice at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

LIMIT_S = 3.0


@dataclass(slots=True)
class Probe:
    """One part. `ask` is a call that changes nothing, and may take for ever: a thread of its own waits for it, and
    while that one waits the part counts as away and is not asked again."""

    ask: Callable[[], Any]
    _asking: threading.Thread | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answered(self, limit_s: float = LIMIT_S) -> tuple[float, Any] | None:
        """Seconds that it took, and the answer; None where there was none in time, or a fault."""
        found: list[tuple[float, Any]] = []
        with self._lock:
            if self._asking is not None and self._asking.is_alive():
                return None
            self._asking = threading.Thread(target=self._wait, args=(found,), daemon=True)
            self._asking.start()
            self._asking.join(limit_s)
        return found[0] if found else None

    def _wait(self, found: list[tuple[float, Any]]) -> None:
        began = time.perf_counter()
        try:
            answer = self.ask()
        except Exception:  # whatever it was: the part is away, and its message stays where it is
            return
        found.append((time.perf_counter() - began, answer))
