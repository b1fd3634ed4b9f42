"""The calendar's picture: where each bar stands, in the units of the SVG's own box."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from consigne.doors.desk.words import Wording

WIDTH = 960
_BAND, _TITLE, _FOOT = 92, 18, 30
_KINDS = {"plain": "c-bar", "extended": "c-asked", "held": "c-held", "moved": "c-gone"}
LEGEND = tuple((css, f"calendar.{kind}") for kind, css in _KINDS.items())
Told = dict[str, Any]


def picture(
    words: Wording,
    titles: Mapping[str, str],
    begins: Sequence[date],
    counts: Mapping[tuple[str, date], Mapping[str, int]],
) -> tuple[list[Told], Told]:
    """A band for each purpose of which something goes, each to its own scale, and the frame around them."""
    step = WIDTH / len(begins)
    shown = {name: title for name, title in titles.items() if any((name, day) in counts for day in begins)}
    bands = [
        _band(words, title, number * _BAND, step, begins, [counts.get((name, day), {}) for day in begins])
        for number, (name, title) in enumerate(shown.items())
    ]
    foot = len(bands) * _BAND + _FOOT - 6
    text = words.say("calendar.picture_text", since=words.dated(begins[0]), until=words.dated(begins[-1]))
    months = _months(words, begins, step)
    return bands, {"width": WIDTH, "height": foot + 6, "foot": foot, "text": text, "months": months}


def _band(
    words: Wording, title: str, top: int, step: float, begins: Sequence[date], weeks: Sequence[Mapping[str, int]]
) -> Told:  # fmt: skip
    most = max((sum(week.values()) for week in weeks), default=0)
    foot, room = top + _BAND - 8, _BAND - _TITLE - 12
    bars = [
        _bar(words, begins[place], place * step, step, foot, room / most, week)
        for place, week in enumerate(weeks)
        if week
    ]
    return {"purpose": title, "most": most, "title_y": top + 14, "foot": foot, "bars": bars}


def _bar(
    words: Wording, day: date, x: float, step: float, foot: int, unit: float, week: Mapping[str, int]
) -> Told:
    pieces, y = [], float(foot)
    for kind, css in _KINDS.items():
        if number := week.get(kind):
            height = max(number * unit, 1.5)
            y -= height
            pieces.append({"kind": css, "y": round(y, 2), "height": round(height, 2)})
    said = ", ".join(f"{week[kind]} {words.say(f'calendar.{kind}')}" for kind in _KINDS if week.get(kind))
    gap = min(step * 0.2, 4)
    return {
        "week": day.isoformat(),
        "title": f"{words.say('calendar.of_week', at=words.dated(day))} · {said}",
        "x": round(x + gap / 2, 2),
        "width": round(step - gap, 2),
        "pieces": pieces,
    }


def _months(words: Wording, begins: Sequence[date], step: float) -> list[Told]:
    """A label where a month begins, as many as there is room for."""
    names, found = words.say("months").split(), list[Told]()
    for place, day in enumerate(begins):
        is_new = place == 0 or day.month != begins[place - 1].month
        x = round(place * step, 2)
        if is_new and x <= WIDTH - 60 and (not found or x - found[-1]["x"] >= 70):
            name = f"{names[day.month - 1][:4]} {day.year}" if len(begins) > 60 else names[day.month - 1]
            found.append({"x": x, "name": name})
    return found
