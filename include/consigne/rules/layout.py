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


def recording_of(object: str) -> UUID | None:
    """The recording that an object's name names; None for a name that is none of ours."""
    parts = object.split("/")
    try:
        return UUID(parts[4]) if len(parts) == 7 else None
    except ValueError:
        return None


def day_prefix(object: str) -> str:
    """The prefix, slash included, that all parts of a purpose share whose calls started on the same day."""
    return object.rsplit("/", 3)[0] + "/"
