"""*Deliveries*: the report of each run of the ingest, in place of Great Expectations' Data Docs. It is made of the
catalog's codes, fields and ids of checks: no value that was delivered is there to be shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request, Response

from consigne.adapters.catalog import views
from consigne.doors.desk.pages.looking import check, looking
from consigne.doors.desk.pages.shown import page, wording
from consigne.doors.desk.pages.told import Told
from consigne.doors.desk.session import PageReader
from consigne.doors.desk.text import TEXTS
from consigne.doors.desk.words import Wording
from consigne.rules.access import Verb
from consigne.rules.checks import CHECKS
from consigne.rules.reasons import sentence, told

router = APIRouter()
RUNS_SHOWN = 50
DELIVERIES_SHOWN = 200


@router.get("/batches")
def batches(request: Request, reader: PageReader) -> Response:
    """The newest runs that found anything, with their deliveries by state."""
    with looking(request) as look:
        check(look, reader.actor, Verb.SEE_DELIVERIES)
        found = views.batches(look.tx, RUNS_SHOWN)
    words = wording(request, look.policy.zone)
    runs = [
        {"run": one["run"], "began": words.moment(one["began_at"]), "states": _states(words, one["states"])}
        for one in found
    ]
    return page(request, "batches.html", words, runs=runs)


@router.get("/batches/{run}")
def batch(request: Request, reader: PageReader, run: str) -> Response:
    """One run: its deliveries by state and code, every check with how many failed it, and why each stands where
    it stands. A run that found nothing says so, as one that never was: most runs find nothing."""
    with looking(request) as look:
        check(look, reader.actor, Verb.SEE_DELIVERIES)
        found = views.batch(look.tx, run)
    words = wording(request, look.policy.zone)
    notable = [one for one in found if one["code"] or one["findings"]]
    return page(
        request,
        "batch.html",
        words,
        run=run,
        states=_states(words, Counter(one["state"] for one in found)),
        codes=_codes(words, found),
        checks=_checks(words, found),
        deliveries=[_delivery_told(words, one) for one in notable[:DELIVERIES_SHOWN]],
        left_out=len(notable) > DELIVERIES_SHOWN,
    )


def _states(words: Wording, counts: Mapping[str, int]) -> list[str]:
    return [_count(words, state, counts[state]) for state in sorted(counts)]


def _count(words: Wording, state: str, count: int) -> str:
    many = count > 1 and f"deliveries.{state}" in TEXTS
    return f"{count} {words.label('deliveries' if many else 'delivery', state)}"


def _codes(words: Wording, found: Sequence[Mapping[str, Any]]) -> list[Told]:
    counted = Counter(one["code"] for one in found if one["code"]).most_common()
    return [{"code": code, "count": count, "why": sentence(code, words.language)} for code, count in counted]


def _checks(words: Wording, found: Sequence[Mapping[str, Any]]) -> list[Told]:
    """The whole table, those that failed most often first."""
    failed = Counter(id for one in found for id in one["findings"])
    rows = [
        {
            "id": check.id,
            "field": check.field,
            "becomes": check.code or words.say("batch.remark"),
            "failed": failed[check.id],
        }
        for check in CHECKS
    ]
    return sorted(rows, key=lambda row: -failed[row["id"]])


def _delivery_told(words: Wording, one: Mapping[str, Any]) -> Told:
    return {
        "id": one["id"],
        "state": words.label("delivery", one["state"]),
        "code": one["code"] or "",
        "why": told(one["code"], one["detail"], one["findings"], words.language),
    }
