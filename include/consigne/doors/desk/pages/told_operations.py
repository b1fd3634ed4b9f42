"""What is stuck, in the reader's words. A row: `tag` with its `kind` (bad, warn, quiet), `said`, `aside`, and where it
leads (`href`, within the desk; `airflow`, within Airflow)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import quote

from consigne.adapters.catalog.views_destruction import OnItsWay, OpenEpoch, Waiting
from consigne.adapters.catalog.views_operations import Quarantined, Unfinished, Unsent
from consigne.doors.desk.pages.told import Told
from consigne.doors.desk.words import Wording
from consigne.doors.orchestration.last_runs import Ended
from consigne.rules.reasons import sentence, told

SOON = timedelta(days=1)
RUNS = {"overdue": "expire", "epochs": "expire", "findings": "reconcile", "deliveries": "ingest"}
"""Section → what its button starts."""


def done_told(words: Wording, retried: int | None, started: str | None) -> str:
    """What the reader's last button did; empty where there was none."""
    if retried is not None:
        return words.say("operations.retried" if retried else "operations.retried_none", count=retried)
    return words.say(f"operations.started.{started}") if started is not None else ""


def parts_told(words: Wording, away: Sequence[str]) -> list[Told]:
    """What is away."""
    return [_row(part, "bad", words.say(f"operations.part.{part}")) for part in away]


def overdue_told(
    words: Wording, before: datetime, waiting: Sequence[Waiting], steps: Sequence[OnItsWay]
) -> list[Told]:
    """What two runs left, and the step that each waits for; and then what waits with a ground."""
    left = [
        _row(
            one.count,
            "bad",
            words.say("destruction.stuck.not_begun"),
            _since(words, one.oldest),
            "/destruction",
        )
        for one in waiting
        if one.why == "nothing" and one.oldest <= before
    ]
    left += [
        _row(
            one.count,
            "bad",
            words.say(f"destruction.stuck.{one.step}"),
            _since(words, one.since),
            "/destruction",
        )
        for one in steps
        if one.since <= before
    ]
    grounds = [
        _row(
            one.count,
            "quiet",
            words.say(f"destruction.waits.{one.why}"),
            _since(words, one.oldest),
            "/destruction",
        )
        for one in waiting
        if one.why != "nothing"
    ]
    return left + grounds if left else []


def epochs_told(words: Wording, epochs: Sequence[OpenEpoch]) -> list[Told]:
    """What holds each open."""
    return [
        _row(
            one.name,
            "warn" if one.count else "bad",
            words.say(f"destruction.epoch.{_why_open(one)}"),
            words.say("operations.epoch_count", count=one.count) if one.count else "",
            "/destruction",
        )
        for one in epochs
    ]


def _why_open(one: OpenEpoch) -> str:
    return "closing" if one.state == "closing" else "held" if one.count else "empty"


def register_told(gap: str) -> list[Told]:
    """The gap, where there is one."""
    return [_row("", "bad", gap)] if gap else []


def findings_told(words: Wording, count: int) -> list[Told]:
    """How many wait."""
    key = "operations.findings_count" + ("_one" if count == 1 else "")
    return [_row(count, "bad", words.say(key, count=count), href="/findings")] if count else []


def backups_told(words: Wording, paths: Sequence[str]) -> list[Told]:
    """Where each lies."""
    return [_row("", "bad", path) for path in paths]


def unapplied_told(words: Wording, count: int) -> list[Told]:
    """How many wait."""
    return [_row(count, "warn", words.say("operations.unapplied_count", count=count))] if count else []


def quarantine_told(
    words: Wording, now: datetime, codes: Sequence[tuple[str, int]], nearest: Sequence[Quarantined]
) -> list[Told]:
    """A row a code with what to do; in the first, the deliveries whose deadline is nearest (`deliveries`)."""
    rows = [
        _row(count, "warn", sentence(code, words.language) if code else "", code)
        | {
            "code": code if count > 1 else "",
            "retry": words.say("operations.retry_code", count=count, code=code),
        }
        for code, count in codes
    ]
    if rows:
        rows[0]["deliveries"] = [_delivery(words, now, one) for one in nearest]
        rows[0]["left_out"] = sum(count for _, count in codes) > len(nearest)
    return rows


def _delivery(words: Wording, now: datetime, one: Quarantined) -> Told:
    left = one.deadline - now if one.deadline else None
    return {
        "id": str(one.id),
        "name": one.source_id,
        "why": told(one.code, one.detail, one.findings, words.language),
        "deadline": words.moment(one.deadline) if one.deadline else "",
        "left": words.say("operations.left", span=words.span(left)) if left else "",
        "soon": left is not None and left < SOON,
        "label": words.say("operations.retry_one", id=one.source_id),
    }


def unfinished_told(words: Wording, found: Sequence[Unfinished]) -> list[Told]:
    """By state."""
    return [
        _row(
            one.count,
            "warn",
            words.say(f"operations.state.{one.state}"),
            words.say("operations.oldest", at=words.moment(one.oldest)),
        )
        for one in found
    ]


def runs_told(words: Wording, newest: Sequence[Ended]) -> list[Told]:
    """Those that failed, each with its page in Airflow."""
    return [
        _row(
            "",
            "bad",
            one.dag,
            words.say("operations.run_failed", at=words.moment(one.ended_at)),
            airflow=f"dags/{one.dag}/runs/{quote(one.run)}",
        )
        for one in newest
        if one.failed
    ]


def mail_told(words: Wording, found: Sequence[Unsent]) -> list[Told]:
    """By what went wrong."""
    return [
        _row(
            "",
            "bad" if one.given_up else "warn",
            words.say(
                "operations.mail_given_up" if one.given_up else "operations.mail_waiting",
                count=one.count,
                trouble=one.trouble or "-",
            ),
        )
        for one in found
    ]


def _since(words: Wording, at: datetime) -> str:
    return words.say("operations.since", at=words.moment(at))


def _row(tag: object, kind: str, said: str, aside: str = "", href: str = "", airflow: str = "") -> Told:
    shown = {"tag": str(tag), "kind": kind, "said": said, "aside": aside, "href": href, "airflow": airflow}
    return {**shown, "code": "", "retry": "", "deliveries": [], "left_out": False}
