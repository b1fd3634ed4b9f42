"""Durations (ISO 8601), instants and local days. Nothing here asks what time it is: `now` is an argument.

Instants are aware datetimes in UTC; zones are IANA names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from consigne.rules.errors import BadInput, Misconfigured

DAY_S = 86_400
# Beyond them a zone's wall clock, or the longest duration added, overflows Python's datetime.
FIRST_YEAR, LAST_YEAR = 1800, 9000
_LONGEST_S = 200 * 366 * DAY_S
_ORIGINS = tuple(
    datetime(2024 + month // 12, month % 12 + 1, 1, tzinfo=UTC) - timedelta(days=back)
    for month in range(48)
    for back in (0, 1)
)
_DURATION = re.compile(
    r"P(?=[0-9T])(?:([0-9]{1,9})W|(?:([0-9]{1,9})Y)?(?:([0-9]{1,9})M)?(?:([0-9]{1,9})D)?"
    r"(?:T(?=[0-9])(?:([0-9]{1,9})H)?(?:([0-9]{1,9})M)?(?:([0-9]{1,9})S)?)?)"
)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:[0-9]{2})"
)


@dataclass(frozen=True, slots=True)
class Duration:
    """An ISO 8601 duration without fractions or sign; weeks become days, hours and minutes seconds.

    BadInput('bad_duration') for a negative part, or more than about 200 years.
    """

    years: int = 0
    months: int = 0
    days: int = 0
    seconds: int = 0

    def __post_init__(self) -> None:
        if min(self.years, self.months, self.days, self.seconds) < 0 or self.approximate_s() > _LONGEST_S:
            raise BadInput("bad_duration")

    @classmethod
    def parse(cls, text: str) -> Duration:
        """`P6M`, `PT10M`, `P1Y2M3DT4H`, `P2W`. BadInput('bad_duration') for anything else."""
        match = _DURATION.fullmatch(text)
        if match is None:
            raise BadInput("bad_duration")
        weeks, years, months, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
        return cls(years, months, weeks * 7 + days, hours * 3600 + minutes * 60 + seconds)

    def __str__(self) -> str:
        hours, rest = divmod(self.seconds, 3600)
        minutes, seconds = divmod(rest, 60)
        day = _written((self.years, "Y"), (self.months, "M"), (self.days, "D"))
        clock = _written((hours, "H"), (minutes, "M"), (seconds, "S"))
        return f"P{day}T{clock}" if clock else f"P{day}" if day else "PT0S"

    @property
    def is_under_a_day(self) -> bool:
        """Whether it is made of time alone and is shorter than 24 hours."""
        return not (self.years or self.months or self.days) and self.seconds < DAY_S

    def approximate_s(self) -> int:
        """Seconds with a year of 365 and a month of 30 days: only for limits on size, see `never_longer`."""
        return (self.years * 365 + self.months * 30 + self.days) * DAY_S + self.seconds

    def seconds_exact(self) -> int:
        """Seconds of a duration made of time alone; else Misconfigured('duration_has_calendar_parts')."""
        if self.years or self.months or self.days:
            raise Misconfigured("duration_has_calendar_parts")
        return self.seconds


def _written(*parts: tuple[int, str]) -> str:
    return "".join(f"{number}{unit}" for number, unit in parts if number)


def zone_named(name: str) -> ZoneInfo:
    """The IANA zone; Misconfigured('unknown_zone') where there is none of that name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Misconfigured("unknown_zone") from None


def _aware(instant: datetime) -> datetime:
    # A naive datetime would silently be read in the machine's own zone.
    if instant.tzinfo is None:
        raise Misconfigured("naive_instant")
    return instant


def _from_wall(wall: datetime, zone: ZoneInfo) -> datetime:
    # fold=0: of a repeated hour the first; a missing hour takes the offset before it, thus moves forward.
    return wall.replace(tzinfo=zone, fold=0).astimezone(UTC)


def add(instant_utc: datetime, duration: Duration, zone: str) -> datetime:
    """The instant (UTC) a duration later: years, months and days on the zone's calendar, from the origin and
    clamped at month ends; hours, minutes and seconds as elapsed time after that."""
    origin = _aware(instant_utc)
    if duration.years or duration.months or duration.days:
        place = zone_named(zone)
        local = origin.astimezone(place).replace(tzinfo=None)
        year, month = divmod(local.year * 12 + local.month - 1 + duration.years * 12 + duration.months, 12)
        day = min(local.day, _days_in(year, month + 1))
        wall = local.replace(year=year, month=month + 1, day=day) + timedelta(days=duration.days)
        origin = _from_wall(wall, place)
    return origin.astimezone(UTC) + timedelta(seconds=duration.seconds)


def never_longer(one: Duration, other: Duration) -> bool:
    """Whether `one` ends no later than `other` from the first and the last day of any month of four years."""
    return all(add(origin, one, "UTC") <= add(origin, other, "UTC") for origin in _ORIGINS)


def _days_in(year: int, month: int) -> int:
    following = date(year + month // 12, month % 12 + 1, 1)
    return (following - timedelta(days=1)).day


def local_date(instant: datetime, zone: str) -> date:
    """The zone's calendar day at an instant."""
    return _aware(instant).astimezone(zone_named(zone)).date()


def midnight_of(day: date, zone: str) -> datetime:
    """The instant (UTC) at which a local day begins; where midnight is skipped, the first moment after it."""
    return _from_wall(datetime.combine(day, time()), zone_named(zone))


def local_midnight(instant: datetime, zone: str) -> datetime:
    """The beginning (UTC) of the local day that holds an instant."""
    return midnight_of(local_date(instant, zone), zone)


def parse_day(text: str) -> date:
    """`2026-11-20`; BadInput('bad_day') for anything else."""
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise BadInput("bad_day")


def parse_instant(text: str) -> datetime:
    """An ISO 8601 instant with its offset (`2026-11-20T09:14:03+01:00`, `…Z`), as UTC.

    BadInput('bad_instant') without an offset, outside FIRST_YEAR to LAST_YEAR, or for anything else.
    """
    if _INSTANT.fullmatch(text) is None:
        raise BadInput("bad_instant")
    try:
        instant = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadInput("bad_instant") from None
    if not FIRST_YEAR <= instant.year <= LAST_YEAR:
        raise BadInput("bad_instant")
    return instant


def iso(instant: datetime) -> str:
    """`2026-11-20T08:14:03.000Z`: how every JSON of Consigne writes an instant (cut to the millisecond)."""
    return _aware(instant).astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
