"""Where objects lie in `recordings`: `<purpose>/<yyyy>/<mm>/<dd>/<recording>/<part>/<attempt>`."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from consigne.rules.values import Part


def object_name(purpose: str, day: date, recording: UUID, part: Part, attempt: UUID) -> str:
    """`day` is the local day on which the call started."""
    return f"{purpose}/{day:%Y/%m/%d}/{recording}/{part}/{attempt}"


def part_prefix(object: str) -> str:
    """The prefix, slash included, that every attempt at the same artifact shares."""
    return object.rpartition("/")[0] + "/"
