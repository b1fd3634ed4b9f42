"""*Destruction*: what is due, under way, done, stuck and why; and what a run would destroy now."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Literal

from fastapi import APIRouter, Request, Response

from consigne.acts.ports import Keyring
from consigne.acts.preview import FIELDS, Preview, preview
from consigne.adapters.catalog import views_destruction as views
from consigne.doors.desk.pages.looking import Look, allows, check, looking, platform
from consigne.doors.desk.pages.shown import page, wording
from consigne.doors.desk.pages.told import Told, purpose_title
from consigne.doors.desk.session import PageReader
from consigne.doors.desk.words import Wording
from consigne.rules.access import Verb
from consigne.rules.clock import iso, local_date
from consigne.rules.errors import ConsigneError

router = APIRouter()
TWO_RUNS = timedelta(hours=2)
"""What two hourly runs did not take, or did not end, is stuck."""
RUNS_SHOWN = 12
EPOCHS_SHOWN = 20


@router.get("/destruction")
def destruction(request: Request, reader: PageReader) -> Response:
    """Counts and dates alone; identifiers are in the preview."""
    with looking(request) as look:
        check(look, reader.actor, Verb.SEE_DESTRUCTION)
        words = wording(request, look.policy.zone)
        waiting = views.waiting(look.tx, look.now)
        steps = views.on_their_way(look.tx)
        epochs = views.open_epochs(look.tx, look.now - TWO_RUNS, EPOCHS_SHOWN)
        unpublished = views.unpublished(look.tx)
        volumes = views.volumes_open(look.tx, look.now)
        runs = views.runs(look.tx, RUNS_SHOWN)
        opens = allows(look, reader.actor, Verb.SEE_RECORDINGS)
    parts = platform(request, "read")
    seen = preview(parts)
    is_away = bool(steps or epochs) and _is_away(parts.keyring)
    return page(
        request, "destruction.html", words, due=_due(look, words, seen), total=len(seen.destroyed),
        begun=len(seen.begun), keyring_away=is_away, aside=len(seen.set_aside), now=words.moment(look.now), opens=opens, unpublished=unpublished,
        waiting=[_waiting(words, one) for one in waiting if one.why != "nothing"],
        steps=[_step(words, look, one) for one in steps], stuck=_stuck(words, look, waiting, steps),
        epochs=[_epoch(words, one) for one in epochs], runs=[_run(words, one) for one in runs],
        volumes=[{**one, "short": str(one["id"])[:8], "until": words.moment(one["until"] or one["lapses_at"])} for one in volumes],
    )  # fmt: skip


@router.get("/destruction/preview.{kind}")
def preview_file(request: Request, reader: PageReader, kind: Literal["csv", "json"]) -> Response:
    """What a run that began now would destroy, artifact by artifact."""
    with looking(request) as look:
        check(look, reader.actor, Verb.SEE_DESTRUCTION)
    seen = preview(platform(request, "read"))
    name = f'attachment; filename="destruction-{iso(seen.at).replace(":", "")[:17]}.{kind}"'
    if kind == "json":
        return Response(
            json.dumps(seen.to_json(), indent=1),
            media_type="application/json",
            headers={"Content-Disposition": name},
        )
    out = io.StringIO()
    table = csv.DictWriter(out, FIELDS)
    table.writeheader()
    table.writerows(seen.rows())
    return Response(
        out.getvalue(), media_type="text/csv; charset=utf-8", headers={"Content-Disposition": name}
    )


def _is_away(keyring: Keyring) -> bool:
    try:
        return not keyring.public_keys()
    except ConsigneError:
        return True


def _due(look: Look, words: Wording, seen: Preview) -> list[Told]:
    """By purpose and local day, oldest first."""
    days: Counter[tuple[date, str]] = Counter(
        (local_date(row.due_at, look.policy.zone), row.purpose) for row in seen.destroyed
    )
    return [
        {"purpose": purpose_title(words, look.policy, purpose), "day": words.dated(day), "count": count}
        for (day, purpose), count in sorted(days.items())
    ]


def _waiting(words: Wording, one: views.Waiting) -> Told:
    return {
        "why": words.say(f"destruction.waits.{one.why}"),
        "count": one.count,
        "oldest": words.moment(one.oldest),
    }


def _step(words: Wording, look: Look, one: views.OnItsWay) -> Told:
    return {
        "name": words.say(f"destruction.step.{one.step}"),
        "count": one.count,
        "since": words.moment(one.since),
        "late": one.since <= look.now - TWO_RUNS,
    }


def _stuck(
    words: Wording, look: Look, waiting: Sequence[views.Waiting], steps: Sequence[views.OnItsWay]
) -> list[Told]:
    """What two runs left, and what that most often means."""
    before = look.now - TWO_RUNS
    left = [
        {
            "why": words.say("destruction.stuck.not_begun"),
            "count": one.count,
            "since": words.moment(one.oldest),
        }
        for one in waiting
        if one.why == "nothing" and one.oldest <= before
    ]
    begun = [
        {
            "why": words.say(f"destruction.stuck.{one.step}"),
            "count": one.count,
            "since": words.moment(one.since),
        }
        for one in steps
        if one.since <= before
    ]
    return left + begun


def _epoch(words: Wording, one: views.OpenEpoch) -> Told:
    why = "closing" if one.state == "closing" else "held" if one.count else "empty"
    return {
        "name": one.name,
        "due": words.moment(one.due_at),
        "count": one.count,
        "examples": [str(id) for id in one.examples],
        "why": words.say(f"destruction.epoch.{why}"),
    }


def _run(words: Wording, one: views.Run) -> Told:
    how = "dry" if one.dry_run else "authorised" if one.authorised else "not_authorised"
    return {
        "at": words.moment(one.frozen_at),
        "how": words.say(f"destruction.run.{how}"),
        "count": one.count,
        "certified": one.certified,
        "cryptographic": one.cryptographic,
        "logical": one.certified - one.cryptographic,
    }
