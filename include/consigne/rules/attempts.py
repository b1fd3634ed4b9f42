"""Attempts to get round the desk: what Airflow is asked to do to a Dag whose decisions are people's.

| word | what was asked of Airflow |
| --- | --- |
| `answer` | to answer the human task |
| `mark` | to set a task's state |
| `clear` | to clear tasks or runs |
| `delete_task` · `delete_run` · `delete_dag` | to delete |
| `xcom` · `store` | to write what tasks hand on, or keep |
| `start` · `run_state` | to start a run, to set its state |
| `backfill` | to start runs for a period |
| `dag` | to pause or resume the Dag |
| `other` | anything else that can change something |
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

ATTEMPTS = (
    "decide:request:look_denied",
    "decide:request:answer_denied",
    "decide:task:denied",
    "decide:task:touched",
    "decide:run:refused",
    "decide:run:repeated",
    "decide:run:lost",
    "decide:request:necessity_denied",
    "configure:policy:visa_denied",
    "configure:policy:run_refused",
    "expire:volume:answer_denied",
    "expire:volume:run_refused",
)
"""Kinds of register entries that the DPO is shown as attempts."""

SLIPS = frozenset(
    (
        *("not_later", "past_cap", "step_too_long", "beyond_request", "owner_first", "not_kept"),
        *("unknown_purpose", "same_purpose", "part_not_kept", "needs_human_trigger", "other_proof_exists"),
        *("redaction_differs", "no_policy_at_start", "notice_does_not_cover", "outside_period", "objected"),
        *("already_kept_there", "held", "past_due"),
        *("known_version", "version_reused", "no_dpo", "becomes_a_demonstration"),
    )
)
"""Codes that only who may decide is told: a date, a purpose or a text that cannot be, and no attempt."""

MOST_NAMED = 20
_IDENTIFIER = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DAG = re.compile(r"(?s)/api/v2/dags/(?P<dag>[^/]+)(?P<rest>/.*)?")
_READS = {"GET", "HEAD", "OPTIONS"}

# (methods, what follows the Dag's id, word); the first that fits.
_WORDS: tuple[tuple[str, str, str], ...] = (
    ("PATCH", r".*/hitlDetails", "answer"),
    ("POST", r"/clearTaskInstances|/clearDagRuns|/clearPartitions|/dagRuns/[^/]+/clear", "clear"),
    ("POST PATCH DELETE", r".*/taskInstances/[^/]+/xcomEntries(/.*)?", "xcom"),
    ("PUT PATCH DELETE", r".*/taskInstances/[^/]+/state-store(/.*)?", "store"),
    ("PATCH", r".*/(taskInstances|taskGroupInstances)(/.*)?", "mark"),
    ("DELETE", r".*/taskInstances/.*", "delete_task"),
    ("POST", r"/dagRuns", "start"),
    ("PATCH", r"/dagRuns(/[^/]+)?", "run_state"),
    ("DELETE", r"/dagRuns/[^/]+", "delete_run"),
    ("PATCH", r"", "dag"),
    ("DELETE", r"", "delete_dag"),
)
# They change nothing, whatever their method says. What follows `xcomEntries/` is a key, of any form.
_HARMLESS: tuple[tuple[str, str], ...] = (
    ("PATCH", r"/dagRuns/[^/]+/task(Group)?Instances/[^/]+(/-?\d+)?/dry_run"),
    ("POST", r"/dagRuns/list|/dagRuns/[^/]+/taskInstances/list|/favorite|/unfavorite"),
)


def is_shown(kind: str, code: str | None) -> bool:
    """Whether a register entry of this kind and code is shown as an attempt: to decide without the right, or on
    something else than what stands there. A code that is not known is."""
    return kind in ATTEMPTS and code not in SLIPS


@dataclass(frozen=True, slots=True)
class Attempt:
    """What is asked, of which Dag (`~`: of several), and the identifiers that the request names."""

    what: str
    dag: str
    named: tuple[str, ...]


def is_near(method: str, path: str) -> bool:
    """Whether the request might be an attempt, so that its body is worth reading."""
    return method not in _READS and path.startswith(("/api/v2/dags", "/api/v2/backfills"))


def attempt(method: str, path: str, body: bytes, decided: Collection[str]) -> Attempt | None:
    """The attempt that a request to Airflow's API is, or None. `path` is decoded, without query; `decided` are
    the Dags whose decisions are people's. What cannot be told is taken for an attempt."""
    if not is_near(method, path):
        return None
    sent = _json(body)
    found = _DAG.fullmatch(path)
    if found is None:
        return _many(method, path, sent, decided)
    dag, rest = found["dag"], found["rest"] or ""
    if not (dag in decided or (dag == "~" and _may_mean(sent, decided))):
        return None
    if any(method == known and re.fullmatch(form, rest) for known, form in _HARMLESS):
        return None
    what = _word(method, rest)
    if what == "clear" and isinstance(sent, dict) and sent.get("dry_run", True) is True:
        return None  # Airflow's default: it only lists what it would clear
    return Attempt(what, dag, _named(path, *_texts(sent)))


def _many(method: str, path: str, sent: object, decided: Collection[str]) -> Attempt | None:
    """Requests whose path names no Dag: all that fit a pattern, or the one that the body names."""
    if path.rstrip("/") == "/api/v2/dags":
        return Attempt(_word(method, ""), "~", ())
    if path.endswith("/dry_run") or (method == "POST" and not _may_mean(sent, decided)):
        return None
    return Attempt("backfill", "~", ())


def _word(method: str, rest: str) -> str:
    fits = (
        word
        for methods, form, word in _WORDS
        if method in methods.split() and re.fullmatch(form, rest, re.DOTALL)
    )
    return next(fits, "other")


def _json(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _may_mean(sent: object, decided: Collection[str]) -> bool:
    return sent is None or any(text in decided or text == "~" for text in _texts(sent))


def _texts(sent: object) -> Iterator[str]:
    """Every text in a JSON document, names of fields left out."""
    left = [sent]
    while left:
        one = left.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            left.extend(one.values())
        elif isinstance(one, list):
            left.extend(one)


def _named(*texts: str) -> tuple[str, ...]:
    found = {id for text in texts for id in _IDENTIFIER.findall(text)}
    return tuple(sorted(found)[:MOST_NAMED])
