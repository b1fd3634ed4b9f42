"""`until` as people write it: a local day or an instant."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from consigne.rules.clock import parse_day, parse_instant
from consigne.rules.errors import BadInput


def read_until(text: str, zone: str) -> date | datetime:
    """`2027-05-20`, `2027-05-20T09:00:00+02:00`, or without an offset in the policy's zone.

    BadInput('bad_field', 'until') for anything else.
    """
    try:
        if len(text) == len("2027-05-20"):
            day = parse_day(text)
            parse_instant(f"{text}T00:00:00Z")  # within the years that any zone can show
            return day
        local = datetime.fromisoformat(text)
        return parse_instant(text if local.tzinfo else local.replace(tzinfo=ZoneInfo(zone)).isoformat())
    except (ValueError, BadInput):
        raise BadInput("bad_field", "until", "a date or an instant, ISO 8601") from None


def write_until(instant: datetime, zone: str) -> tuple[str, str]:
    """How a form shows an instant: (`date` or `datetime-local`, its text in the policy's zone)."""
    local = instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    if (local.hour, local.minute, local.second, local.microsecond) == (0, 0, 0, 0):
        return "date", local.date().isoformat()
    return "datetime-local", local.isoformat(timespec="seconds")
