"""One reader's words: the language chosen, texts filled in, dates, lengths and counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from consigne.doors.desk.text import LANGUAGES, TEXTS

_SIZES = ((1440, "day"), (60, "hour"), (1, "minute"))


def choose(asked: str | None, accept_language: str) -> str:
    """`fr` or `en`: the reader's own choice, else the first of Accept-Language that we speak, else French."""
    if asked in LANGUAGES:
        return asked
    ranked = []
    for place, item in enumerate(accept_language[:500].split(",")):
        tag, _, quality = item.strip().partition(";q=")
        language, weight = tag.split("-")[0].strip().lower(), _quality(quality)
        if language in LANGUAGES and weight > 0:
            ranked.append((-weight, place, language))
    return min(ranked)[2] if ranked else LANGUAGES[0]


def _quality(text: str) -> float:
    try:
        return float(text) if text else 1.0
    except ValueError:
        return 0.0


@dataclass(frozen=True, slots=True)
class Wording:
    """Words for one reader: `language` is one of LANGUAGES, `zone` the policy's (IANA)."""

    language: str
    zone: str

    def say(self, key: str, **names: object) -> str:
        """The text of a key with its names filled in."""
        return TEXTS[key][LANGUAGES.index(self.language)].format(**names)

    def label(self, family: str, name: str) -> str:
        """The word for a code of the policy or catalog; a code without one is shown as it is."""
        key = f"{family}.{name}"
        return self.say(key) if key in TEXTS else name.replace("_", " ")

    def day(self, instant: datetime) -> str:
        """`20 novembre 2026`, `20 November 2026`, in the policy's zone."""
        return self.dated(instant.astimezone(ZoneInfo(self.zone)).date())

    def dated(self, day: date) -> str:
        """A local day, as `day` shows it."""
        months = self.say("months").split()
        number = "1er" if self.language == "fr" and day.day == 1 else str(day.day)
        return f"{number} {months[day.month - 1]} {day.year}"

    def moment(self, instant: datetime) -> str:
        """Day, hour and minute; a midnight is shown as the day alone."""
        local = instant.astimezone(ZoneInfo(self.zone))
        if (local.hour, local.minute, local.second) == (0, 0, 0):
            return self.day(instant)
        clock = f"à {local:%H:%M}" if self.language == "fr" else f"{local:%H:%M}"
        return f"{self.day(instant)}{' ' if self.language == 'fr' else ', '}{clock}"

    def span(self, length: timedelta) -> str:
        """A length of time in its largest unit, rounded down: `4 jours`, `3 hours`, `1 minute`."""
        minutes = max(0, int(length.total_seconds()) // 60)
        size, unit = next(((size, unit) for size, unit in _SIZES if minutes >= size), _SIZES[-1])
        count = minutes // size
        single = count == 1 or (count == 0 and self.language == "fr")
        return f"{count} {self.say(unit if single else f'{unit}s')}"

    def length(self, duration_ms: int) -> str:
        """A recording's length or a place in it: `4:38`, `1:02:09`."""
        hours, rest = divmod(duration_ms // 1000, 3600)
        minutes, seconds = divmod(rest, 60)
        return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
