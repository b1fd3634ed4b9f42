"""What somebody looks for in the register: who, what, when, why."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from consigne.rules.clock import midnight_of, parse_day
from consigne.rules.errors import BadInput

FIELDS = ("who", "kind", "subject", "why", "since", "until", "before")

_FORMS = {
    "who": re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,63}"),
    "kind": re.compile(r"[a-z][a-z0-9_-]*(:[a-z][a-z0-9_-]*){1,3}"),
    "why": re.compile(r"[a-z][a-z_]{0,47}"),
    "before": re.compile(r"[0-9]{1,15}"),
}
_MOST_DIGITS = 8  # in a name: more could be a number that must not be written


@dataclass(frozen=True, slots=True)
class Sought:
    """Whatever is not None must hold: who acted (account), the kind of entry, an identifier that it names, why (a
    code), made in [since, until); and only entries whose number is below `before`."""

    who: str | None
    kind: str | None
    subject: UUID | None
    why: str | None
    since: datetime | None
    until: datetime | None
    before: int | None

    @property
    def names(self) -> list[str]:
        """As an entry's `subjects` hold them."""
        found = [self.who and f"actor:{self.who}", self.kind, self.subject and str(self.subject)]
        return [str(name) for name in (*found, self.why and f"why:{self.why}") if name]


def read_sought(typed: Mapping[str, str], zone: str) -> Sought:
    """Of FIELDS what was typed; days are local, `until` is the last of them. BadInput('bad_field') names the field."""
    text = {name: typed.get(name, "").strip() or None for name in FIELDS}
    for name, form in _FORMS.items():
        if (value := text[name]) is not None and not form.fullmatch(value):
            raise BadInput("bad_field", name)
    if sum(letter.isdigit() for letter in text["who"] or "") > _MOST_DIGITS:
        raise BadInput("bad_field", "who")
    since, until = _day(text["since"], "since"), _day(text["until"], "until")
    if since and until and until < since:
        raise BadInput("bad_field", "until")
    return Sought(
        text["who"],
        text["kind"],
        _subject(text["subject"]),
        text["why"],
        midnight_of(since, zone) if since else None,
        midnight_of(date.fromordinal(until.toordinal() + 1), zone) if until else None,
        int(text["before"]) if text["before"] else None,
    )


def _day(text: str | None, name: str) -> date | None:
    try:
        return parse_day(text) if text else None
    except BadInput:
        raise BadInput("bad_field", name) from None


def _subject(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        raise BadInput("bad_field", "subject") from None
