"""Entries of the register in the reader's words, for any kind of entry: what is not known is shown as it is."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from consigne.doors.desk.pages.told import Told, purpose_title
from consigne.doors.desk.text import TEXTS
from consigne.doors.desk.words import Wording
from consigne.rules.clock import parse_instant
from consigne.rules.errors import BadInput
from consigne.rules.policy.model import Policy
from consigne.rules.reasons import SENTENCES, sentence

_PARTS_OF_CONSIGNE = ("consigne", "airflow")
_LABELS = (("verb", "verb"), ("part", "part"), ("ground", "ground"))
_CODES = ("answer", "done", "denied")
_DATES = ("until", "due_at", "review_at")
_SAID_BY_KIND = ("intended", "stored", "confirmed", "key_deleted", "erased")
_WORDS = ("mandate", "authority")


def history_told(
    words: Wording,
    policy: Policy,
    entries: Iterable[Mapping[str, Any]],
    reasons: bool,
    parts: Mapping[str, str] | None = None,
) -> list[Told]:
    """Each entry: `at`, `who`, `what`, `details`; `reasons`: with what people wrote. `parts`: artifact → its
    part, for entries that name the artifact alone."""
    return [
        {
            "at": words.moment(parse_instant(entry["at"])),
            "who": words.label("actor", entry["actor"]) if entry["actor"] in _PARTS_OF_CONSIGNE else entry["actor"],
            "what": words.say(f"act.{entry['kind']}") if f"act.{entry['kind']}" in TEXTS else entry["kind"],
            "details": list(dict.fromkeys(_details(words, policy, _with_part(entry, parts or {})))),
            "said": _said(words, entry) if reasons else "",
        }
        for entry in entries
    ]  # fmt: skip


def _with_part(entry: Mapping[str, Any], parts: Mapping[str, str]) -> Mapping[str, Any]:
    part = parts.get(entry.get("subject", ""))
    return {**entry, "part": part} if part else entry


def only_of(
    entries: Iterable[Mapping[str, Any]], purposes: Collection[str], ids: Collection[str]
) -> list[Mapping[str, Any]]:
    """Those that say nothing of another purpose: of one of `purposes`, or naming none; where they name several
    subjects, one of `ids`."""
    return [
        entry
        for entry in entries
        if entry.get("purpose") in (None, *purposes) and not set(_subjects(entry)).isdisjoint(ids)
    ]


def _subjects(entry: Mapping[str, Any]) -> Sequence[str]:
    return [entry.get("subject", ""), *entry.get("subjects", ()), *entry.get("artifacts", ())]


def _details(words: Wording, policy: Policy, entry: Mapping[str, Any]) -> Iterable[str]:
    if entry.get("purpose"):
        yield purpose_title(words, policy, entry["purpose"])
    for field, family in _LABELS:
        if entry.get(field):
            yield words.label(family, str(entry[field]))
    if entry["kind"].startswith("listen:") and entry.get("reason"):
        yield words.label("reason", entry["reason"])
    for field in ("outcome", "code"):
        if entry.get(field) and entry[field] not in _SAID_BY_KIND:
            yield _code(words, str(entry[field]))
    for field in _DATES:
        if entry.get(field):
            yield words.say(f"history.{field}", at=_moment(words, str(entry[field])))


def _code(words: Wording, code: str) -> str:
    for family in _CODES:
        if f"{family}.{code}" in TEXTS:
            return words.say(f"{family}.{code}")
    return sentence(code, words.language) if code in SENTENCES else code.replace("_", " ")


def _moment(words: Wording, text: str) -> str:
    try:
        return words.moment(parse_instant(text))
    except BadInput:
        return text


def _said(words: Wording, entry: Mapping[str, Any]) -> str:
    if entry["kind"].startswith("listen:"):
        return ""
    named = [str(entry[field]) for field in (*_WORDS, "reason") if entry.get(field)]
    return " · ".join(named)
