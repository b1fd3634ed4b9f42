"""Findings in the reader's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from consigne.doors.desk.pages.told import Told, purpose_title
from consigne.doors.desk.words import Wording
from consigne.rules.clock import parse_instant
from consigne.rules.findings import FindingKind, answers
from consigne.rules.policy.model import Policy
from consigne.rules.store_audit import DELETIONS, READS, WRITES

_MOVED = FindingKind.MOVED_DUE_DATE
_UNSHOWN = (FindingKind.UNEXPLAINED_ACCESS, FindingKind.DOUBTED_TOMBSTONE, _MOVED)
_DID = {"read": READS, "wrote": WRITES, "deleted": DELETIONS}
_TAGS = {"decide": "bad", "alarm": "bad", "sweep": "quiet"}


def finding_told(words: Wording, policy: Policy, row: Mapping[str, Any]) -> Told:
    """A finding: what it is and means, what became of it or is to be done, and the recording where there is one."""
    is_open = row["state"] == "open"
    recording = row["recording"] and f"/recordings/{row['recording']}"
    return {
        "id": str(row["id"]),
        "path": f"/findings/{row['id']}",
        "title": words.say(f"findings.kind.{row['kind']}"),
        "means": words.say(f"findings.what.{row['kind']}.{row['act']}"),
        "about": row["subject"],
        "did": _did(words, row["subject"]) if row["kind"] == FindingKind.UNEXPLAINED_ACCESS else "",
        "version": row["version"] if row["kind"] not in _UNSHOWN else "",
        "moved_to": words.moment(parse_instant(row["version"])) if row["kind"] == _MOVED else "",
        "act": words.say(f"findings.act.{row['act']}"),
        "tag": _TAGS[row["act"]] if is_open else "quiet",
        "found": words.moment(row["found_at"]),
        "seen": words.moment(row["seen_at"]),
        "swept": words.moment(row["swept_at"]) if row["swept_at"] else "",
        "open": is_open,
        "waits": is_open and row["act"] != "sweep",
        "closed": "" if is_open else _closed(words, row),
        "reason": row["reason"] or "",
        "recording": recording or "",
        "call": _call(words, policy, row) if recording else "",
        "answers": [(str(one), words.say(f"findings.answer.{one}")) for one in answers(FindingKind(row["kind"]))],
    }  # fmt: skip


def _did(words: Wording, subject: str) -> str:
    """Who did what: `root GetObject`."""
    identity, _, api = subject.partition(" ")
    group = next((name for name, apis in _DID.items() if api in apis), "too_large")
    return words.say(f"findings.did.{group}", who=words.label("findings.identity", identity), api=api)


def _closed(words: Wording, row: Mapping[str, Any]) -> str:
    at = words.moment(row["closed_at"])
    if row["answer"]:
        answer = words.say(f"findings.answered.{row['answer']}")
        return words.say("findings.closed_by", at=at, user=row["closed_by"], answer=answer)
    return words.say("findings.closed_swept" if row["swept_at"] else "findings.closed_gone", at=at)


def _call(words: Wording, policy: Policy, row: Mapping[str, Any]) -> str:
    part = words.label("part", row["part"])
    return f"{row['source_id']} · {purpose_title(words, policy, row['purpose'])} · {part}"


def access_told(words: Wording, row: Mapping[str, Any]) -> Told:
    """A request to the store."""
    return {
        "at": words.moment(row["at"]),
        "object": f"{row['bucket']}/{row['object']}",
        "request": row["request"],
        "recording": f"/recordings/{row['recording']}" if row["recording"] else "",
    }
