"""*Retention calendar*: what goes when, by purpose and week, with what extensions and holds moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from consigne.adapters.catalog import views_calendar
from consigne.adapters.catalog.views_calendar import Falling
from consigne.doors.desk.pages.calendar_picture import LEGEND, picture
from consigne.doors.desk.pages.filters import read_day
from consigne.doors.desk.pages.looking import Look, allows, check, looking
from consigne.doors.desk.pages.shown import page, wording
from consigne.doors.desk.pages.told import Told, purpose_title
from consigne.doors.desk.session import PageReader, Reader
from consigne.doors.desk.words import Wording
from consigne.rules.access import Verb, seen_purposes
from consigne.rules.clock import local_date, midnight_of

router = APIRouter()
WEEKS = 30
CHOICES = (13, 30, 52, 104, 260)
_WEEK = timedelta(days=7)
Counts = Mapping[tuple[str, date], Mapping[str, int]]
"""(purpose, first day) → how (views_calendar.Falling) → count."""


@router.get("/calendar")
def calendar(
    request: Request,
    reader: PageReader,
    weeks: Annotated[int, Query(ge=1, le=520)] = WEEKS,
    week: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """The weeks to come as a picture and a table; with `week` (any day of it) that week by day."""
    with looking(request) as look:
        check(look, reader.actor, Verb.SEE_CALENDAR)
        words = wording(request, look.policy.zone)
        first = _monday(read_day(week, "week") if week else local_date(look.now, look.policy.zone))
        return (_week if week else _weeks)(request, reader, look, words, first, weeks)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _weeks(request: Request, reader: Reader, look: Look, words: Wording, first: date, weeks: int) -> Response:
    zone, seen = look.policy.zone, seen_purposes(look.policy, reader.actor, Verb.SEE_CALENDAR)
    begins = [first + _WEEK * number for number in range(weeks)]
    end = midnight_of(begins[-1] + _WEEK, zone)
    # What was due before is overdue, and told apart.
    found = views_calendar.falling(look.tx, "week", zone, look.now, end, seen)
    overdue = views_calendar.overdue(look.tx, look.now, seen)
    later = views_calendar.later(look.tx, end, seen)
    counts, names = _counts(found), _names(look, found, [*overdue, *later])
    titles = {name: purpose_title(words, look.policy, name) for name in names}
    rows = [
        _row(words, counts, titles, day, words.dated(day), f"/calendar?week={day}", "")
        for day in begins
        if any((name, day) in counts for name in names)
    ]
    totals = {(name, begins[-1] + _WEEK): {"plain": later.get(name, 0)} for name in names}
    rows.append(_row(words, totals, titles, begins[-1] + _WEEK, words.say("calendar.later"), "", ""))
    bands, chart = picture(words, titles, begins, counts)
    return page(
        request, "calendar.html", words, week=None, rows=rows, titles=list(titles.values()), bands=bands, chart=chart, legend=LEGEND,
        choices=sorted({*CHOICES, weeks}), weeks=weeks, opens=_opens(look, reader),
        overdue=[{"name": name, "purpose": titles[name], "count": overdue[name]} for name in overdue],
    )  # fmt: skip


def _week(request: Request, reader: Reader, look: Look, words: Wording, first: date, _: int) -> Response:
    zone, seen = look.policy.zone, seen_purposes(look.policy, reader.actor, Verb.SEE_CALENDAR)
    since, until = midnight_of(first, zone), midnight_of(first + _WEEK, zone)
    found = views_calendar.falling(look.tx, "day", zone, since, until, seen)
    names = _names(look, found, [])
    titles = {name: purpose_title(words, look.policy, name) for name in names}
    to = "/recordings" if _opens(look, reader) else ""
    days = [first + timedelta(days=number) for number in range(7)]
    rows = [_row(words, _counts(found), titles, day, words.dated(day), "", to) for day in days]
    told = {
        "title": words.say("calendar.of_week", at=words.dated(first)),
        "before": first - _WEEK,
        "after": first + _WEEK,
    }
    return page(request, "calendar.html", words, week=told, rows=rows, titles=list(titles.values()))


def _opens(look: Look, reader: Reader) -> bool:
    """Whether *Recordings* is open to the reader."""
    return allows(look, reader.actor, Verb.SEE_RECORDINGS)


def _counts(found: Sequence[Falling]) -> Counts:
    counts: dict[tuple[str, date], dict[str, int]] = {}
    for one in found:
        counts.setdefault((one.purpose, one.begins), {})[one.how] = one.count
    return counts


def _names(look: Look, found: Sequence[Falling], more: Sequence[str]) -> list[str]:
    """Purposes that anything is kept for: in the policy's order, then those that it has lost."""
    there = {one.purpose for one in found} | set(more)
    known = [name for name in look.policy.purposes if name in there]
    return [*known, *sorted(there - set(known))]


def _row(
    words: Wording, counts: Counts, titles: Mapping[str, str], begins: date, name: str, href: str, to: str
) -> Told:
    cells = [_cell(words, counts.get((purpose, begins), {}), purpose, begins, to) for purpose in titles]
    return {"name": name, "href": href, "cells": cells, "total": sum(cell["count"] for cell in cells)}


def _cell(words: Wording, how: Mapping[str, int], purpose: str, begins: date, to: str) -> Told:
    count = sum(number for kind, number in how.items() if kind != "moved")
    notes = [
        f"{how[kind]} {words.say(f'calendar.{kind}')}"
        for kind in ("extended", "held", "moved")
        if how.get(kind)
    ]
    href = f"{to}?due_from={begins}&due_until={begins}&purpose={purpose}" if to and count else ""
    return {"count": count, "notes": notes, "href": href}
