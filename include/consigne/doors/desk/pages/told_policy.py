"""The policy, its drafts and their impact in the reader's words: values in, texts out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from difflib import unified_diff
from typing import Any

from consigne.doors.desk.pages.told import Told, purpose_title
from consigne.doors.desk.text import TEXTS
from consigne.doors.desk.words import Wording
from consigne.rules.access import is_designated
from consigne.rules.clock import Duration, parse_instant
from consigne.rules.errors import BadInput
from consigne.rules.notice_words import chosen_in_words, day_in_words, length_in_words, period_in_words, say
from consigne.rules.policy.changes import Change, Path
from consigne.rules.policy.findings import Finding
from consigne.rules.policy.impact import FATES
from consigne.rules.policy.model import Designation, Policy, Purpose
from consigne.rules.values import Part

_CONTEXT_LINES = 2
_QUOTED = re.compile(r"'([^']+)'")


def policy_told(words: Wording, policy: Policy, now: datetime) -> Told:
    """A version in plain words."""
    return {
        "version": policy.version,
        "digest": policy.digest,
        "since": words.moment(policy.in_force_from),
        "is_demo": policy.demo,
        "controller": f"{policy.controller.name}, {policy.controller.contact}",
        "dpo": [_person(words, each) for each in policy.designated],
        "deputies": [_person(words, each) for each in policy.deputies],
        "acts_today": sorted(
            {
                each.user
                for each in policy.designated + policy.deputies
                if is_designated(policy, each.user, now)
            }
        ),
        "response_time": length_in_words(policy.response_time, words.language),
        "names_kept": length_in_words(policy.names_kept, words.language),
        "backups": [
            words.say(f"policy.backups.{name}", length=length_in_words(kept, words.language))
            for name, kept in (("database", policy.backups.database), ("keyring", policy.backups.keyring))
            if kept.approximate_s()
        ],
        "purposes": [_purpose(words, policy, name) for name in policy.purposes],
        "notices": [_notice(words, policy, version) for version in policy.notices],
    }


def _person(words: Wording, named: Designation) -> str:
    since = day_in_words(named.since, words.language)
    if named.until is None:
        return words.say("policy.named_since", user=named.user, since=since)
    until = day_in_words(named.until, words.language)
    return words.say("policy.named_between", user=named.user, since=since, until=until)


def _purpose(words: Wording, policy: Policy, name: str) -> Told:
    purpose, language = policy.purposes[name], words.language
    return {
        "name": name,
        "title": purpose_title(words, policy, name),
        "basis": say(f"basis.{purpose.legal_basis}", language),
        "legal_text": purpose.legal_text or "",
        "owner": purpose.owner,
        "parts": [
            {
                "part": words.label("part", part),
                "retention": length_in_words(rule.retention, language),
                "cap": length_in_words(rule.cap, language),
            }
            for part, rule in purpose.parts.items()
        ],
        "listeners": _listeners(words, purpose),
        "chosen": chosen_in_words(purpose, language),
        "periods": [period_in_words(period, language) for period in purpose.periods],
        "approval": [words.label("stage", stage) for stage in purpose.approval],
        "grounds": [words.label("ground", ground) for ground in purpose.grounds],
        "longest_step": length_in_words(purpose.longest_step, language),
    }


def _listeners(words: Wording, purpose: Purpose) -> list[Told]:
    return [
        {"role": words.label("role", role), "reasons": [words.label("reason", each) for each in reasons]}
        for role, reasons in purpose.listeners.items()
    ]


def _notice(words: Wording, policy: Policy, version: str) -> Told:
    notice = policy.notices[version]
    covers = [
        f"{purpose_title(words, policy, name)} ({length_in_words(length, words.language)})"
        for name, length in notice.covers.items()
    ]
    return {
        "version": version,
        "covers": covers,
        "within": length_in_words(notice.announced_within, words.language),
        "wording": dict(notice.wording),
    }


def version_told(words: Wording, one: Mapping[str, Any], in_force: Policy, now: datetime) -> Told:
    """A row of views_policy.versions."""
    if one["digest"] == in_force.digest:
        state = "in_force"
    else:
        state = "announced" if one["in_force_from"] > now else "past"
    return {
        "version": one["version"],
        "digest": one["digest"],
        "since": words.moment(one["in_force_from"]),
        "state": state,
        "decided": words.moment(one["applied_at"]),
        "visa": one["decided_by"] or words.say("policy.first"),
        "author": one["author"] or "",
        "draft": one["draft"] and str(one["draft"]),
        "reason": one["decided_reason"] or "",
        "reclocked": reclocked_told(words, one, now),
    }


def reclocked_told(words: Wording, one: Mapping[str, Any], now: datetime) -> str:
    """Whether what is kept was brought under a version (a row of views_policy.versions); nothing before its date."""
    if one["reclocked_at"]:
        return words.say("policy.reclocked", at=words.moment(one["reclocked_at"]))
    return words.say("policy.reclocking") if one["in_force_from"] <= now else ""


def draft_told(words: Wording, now: datetime, one: Mapping[str, Any]) -> Told:
    """A row of views_policy's drafts."""
    state = "lapsed" if one["state"] == "pending" and one["lapses_at"] <= now else one["state"]
    left = one["lapses_at"] - now
    return {
        "id": str(one["id"]),
        "short": words.say("draft.short", short=str(one["id"])[:8]),
        "version": one["version"],
        "author": one["author"],
        "reason": one["reason"],
        "since": words.moment(one["in_force_from"]),
        "filed": words.moment(one["filed_at"]),
        "lapses": words.moment(one["lapses_at"]),
        "open": state == "pending",
        "left": words.say("left", time=words.span(left)) if state == "pending" else "",
        "state": one["answer"] or state,
        "digest": one["digest"],
        "decided_by": one["decided_by"] or "",
        "decided_reason": one["decided_reason"] or "",
        "decided": words.moment(one["decided_at"]) if one["decided_at"] else "",
    }


def findings_told(words: Wording, findings: Iterable[Finding]) -> list[Told]:
    """The check, line by line."""
    return [
        {
            "line": each.line,
            "field": each.field,
            "is_error": each.severity == "error",
            "why": _why(words, each),
        }
        for each in findings
    ]


def _why(words: Wording, found: Finding) -> str:
    key = f"finding.{found.code}"
    # What the form would take stands in its message between quotes.
    named = ", ".join(_QUOTED.findall(found.message))
    return words.say(key, named=named) if key in TEXTS else found.message


def impact_told(
    words: Wording, policy: Policy, draft: Policy, impact: Mapping[str, Any], seen: frozenset[str] | None
) -> Told:
    """An impact (`Impact.to_json`) for a page; a purpose that either has is shown by its title, and single calls
    only of the purposes `seen` (None: of all). What changes is in `lines`, the rest in `unchanged`."""
    lines = [
        {
            "purpose": _title(words, policy, draft, line["purpose"]),
            "part": words.label("part", line["part"]),
            "apart": words.say(f"impact.{line['apart']}") if line["apart"] else "",
        }
        | {fate: line[fate] for fate in FATES}
        for line in impact["lines"]
    ]
    return {
        "as_of": words.moment(parse_instant(impact["as_of"])),
        "lines": [line for line in lines if _changes(line)],
        "unchanged": [line for line in lines if not _changes(line)],
        "sums": {fate: sum(line[fate] for line in impact["lines"]) for fate in FATES},
        "examples": [
            _example(words, policy, draft, each)
            for each in impact["examples"]
            if seen is None or each["purpose"] in seen
        ],
        "added": [_title(words, policy, draft, name) for name in impact["added"]],
        "removed": [_title(words, policy, draft, name) for name in impact["removed"]],
        "listening": [_listening(words, policy, draft, each) for each in impact["listening"]],
    }


def _changes(line: Mapping[str, Any]) -> bool:
    return any(line[fate] for fate in FATES if fate != "unchanged")


def _title(words: Wording, policy: Policy, draft: Policy, name: str) -> str:
    return purpose_title(words, draft if name in draft.purposes else policy, name)


def _example(words: Wording, policy: Policy, draft: Policy, one: Mapping[str, Any]) -> Told:
    return {
        "call": one["call"],
        "purpose": _title(words, policy, draft, one["purpose"]),
        "part": words.label("part", one["part"]),
        "apart": words.say(f"impact.{one['apart']}") if one["apart"] else "",
        "old": words.moment(parse_instant(one["old"])),
        "new": words.moment(parse_instant(one["new"])),
    }


def _listening(words: Wording, policy: Policy, draft: Policy, one: Mapping[str, Any]) -> Told:
    return {
        "purpose": _title(words, policy, draft, one["purpose"]),
        "role": words.label("role", one["role"]),
        "gained": [words.label("reason", each) for each in one["gained"]],
        "lost": [words.label("reason", each) for each in one["lost"]],
    }


def changes_told(words: Wording, policy: Policy, draft: Policy, found: Sequence[Change]) -> list[Told]:
    """Field by field: where, what it was, what it becomes; periods in words."""
    return [
        {
            "field": _field(words, policy, draft, each.path),
            "path": ".".join(each.path),
            "old": _value(words, each.old),
            "new": _value(words, each.new),
        }
        for each in found
    ]


def _field(words: Wording, policy: Policy, draft: Policy, path: Path) -> str:
    named = []
    for place, key in enumerate(path):
        if place == 1 and path[0] == "purposes":
            named.append(_title(words, policy, draft, key))
        elif key in tuple(Part):
            named.append(words.label("part", key))
        else:
            named.append(words.label("policy.field", key))
    return " › ".join(named)


def _value(words: Wording, value: str | None) -> str:
    if value is None:
        return "–"
    try:
        return length_in_words(Duration.parse(value), words.language)
    except BadInput:
        return value


def text_diff(old: str, new: str) -> list[tuple[str, str]]:
    """(`del`, `ins`, `gap` or empty, line) of the two texts, changes with some lines around them."""
    kinds = {"-": "del", "+": "ins", "@": "gap", " ": ""}
    lines = list(unified_diff(old.splitlines(), new.splitlines(), n=_CONTEXT_LINES, lineterm=""))[2:]
    return [(kinds[line[:1] or " "], line[1:] if line[:1] != "@" else "…") for line in lines]
