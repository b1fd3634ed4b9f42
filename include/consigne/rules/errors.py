"""Faults. Expected outcomes are values; what stands here is raised.

`BadInput` and `Tampered` speak of bad data, `Misconfigured` and `Conflict` of how we were set up or
called, `Unavailable` of a part that is away: only the last is worth a retry.
"""

from __future__ import annotations

import traceback


class ConsigneError(Exception):
    """A fault with a stable code, the field or part it concerns, and what to do; never a value."""

    def __init__(self, code: str, where: str = "", advice: str = "") -> None:
        self.code, self.where, self.advice = code, where, advice
        super().__init__(": ".join(part for part in (code, where, advice) if part))


class BadInput(ConsigneError):
    """What came from outside is wrong; `where` names the field or check."""


class Misconfigured(ConsigneError):
    """The installation is wrong; a person must change it."""


class Unavailable(ConsigneError):
    """A part does not answer now; the same call may succeed later."""


class Conflict(ConsigneError):
    """The state is not the one that the call starts from."""


class Tampered(ConsigneError):
    """Bytes are not what was written: wrong key, altered, truncated or substituted."""


def place_of(fault: BaseException) -> str:
    """Type and place of a fault in our own code, never its message, which could hold a value; of a
    database's fault also the SQLSTATE, which says what kind it was."""
    frames = [frame for frame in traceback.extract_tb(fault.__traceback__) if "consigne" in frame.filename]
    where = ", ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames[-4:])
    state = getattr(getattr(fault, "orig", None), "sqlstate", "")
    return f"{type(fault).__name__} {state} at {where}"
