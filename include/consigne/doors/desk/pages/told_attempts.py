"""Tries to get round the desk in the reader's words: who, when, what, on which request; none has an effect."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from consigne.doors.desk.pages.told import Told
from consigne.doors.desk.text import TEXTS
from consigne.doors.desk.words import Wording
from consigne.rules.attempts import is_shown
from consigne.rules.clock import parse_instant

# What an entry is about, by its Dag or its kind's first words: the desk's page, and its name.
_PAGES = {
    "change_policy": ("/policy/drafts/", "attempt.draft"),
    "configure:policy": ("/policy/drafts/", "attempt.draft"),
    "confirm_expiry_volume": ("/volumes/", "volume.short"),
    "expire:volume": ("/volumes/", "volume.short"),
}
_REQUEST = ("/decide/", "request")


def attempts_listed(words: Wording, entries: Iterable[Mapping[str, Any]]) -> list[Told]:
    """Entries of the kinds in rules.attempts, in their order: `at`, `who`, `what`, and in `on` the requests and
    drafts that each one names, with the desk's path for each."""
    return [
        {
            "at": words.moment(parse_instant(entry["at"])),
            "who": entry["actor"],
            "what": _what(words, entry),
            "on": [
                _named(words, entry, id)
                for id in dict.fromkeys((entry.get("subject"), *entry.get("subjects", ())))
                if id
            ],
        }
        for entry in entries
    ]


def attempts_told(words: Wording, entries: Iterable[Mapping[str, Any]]) -> list[str]:
    """The same of one request's register entries, a line each; the slips of who may decide left out."""
    found = attempts_listed(words, [entry for entry in entries if is_shown(entry["kind"], entry.get("code"))])
    return [f"{one['at']} · {one['who']} · {one['what']}" for one in found]


def _what(words: Wording, entry: Mapping[str, Any]) -> str:
    key = f"attempt.{entry['kind']}"
    if key not in TEXTS:
        return str(entry["kind"])
    why = words.label("denied", entry["code"]) if entry.get("code") else ""
    did = words.label("attempt.what", entry["what"]) if entry.get("what") else ""
    return " ".join(part for part in (words.say(key, did=did), f"({why})" if why else "") if part)


def _named(words: Wording, entry: Mapping[str, Any], id: str) -> Told:
    about = entry.get("dag") or entry["kind"].rpartition(":")[0]
    path, name = _PAGES.get(about, _REQUEST)
    return {"path": path + id, "name": words.say(name, short=id[:8])}
