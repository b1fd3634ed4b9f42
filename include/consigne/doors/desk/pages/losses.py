"""*Restorations*: what came back from a backup, and what was lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request, Response

from consigne.adapters.catalog import views_losses
from consigne.doors.desk.pages.looking import Look, check, looking
from consigne.doors.desk.pages.shown import page, wording
from consigne.doors.desk.pages.told import Told, purpose_title
from consigne.doors.desk.session import PageReader
from consigne.doors.desk.words import Wording
from consigne.rules.access import Verb

router = APIRouter()
RESTORATIONS_SHOWN = 20
LOSSES_SHOWN = 500
REASONS = ("doubted", "decision_missing", "key_missing", "object_missing", "row_missing")
_COUNTS = ("erased_again", "destroyed_again", "certificates", *REASONS)


@router.get("/losses")
def losses(request: Request, reader: PageReader) -> Response:
    """The newest restorations with what each did, and what is lost, by reason, with what to do about it."""
    with looking(request) as look:
        check(look, reader.actor, Verb.SEE_FINDINGS)
        restored = views_losses.latest_restorations(look.tx, RESTORATIONS_SHOWN)
        lost = views_losses.latest_losses(look.tx, LOSSES_SHOWN)
        counts = views_losses.losses_by_reason(look.tx)
    words = wording(request, look.policy.zone)
    return page(
        request,
        "losses.html",
        words,
        restorations=[_restoration_told(words, one) for one in restored],
        reasons=_reasons_told(words, look, lost, counts),
        left_out=sum(counts.values()) > len(lost),
        shown=len(lost),
    )


def _restoration_told(words: Wording, one: Mapping[str, Any]) -> Told:
    counts = [(name, one["counts"].get(name, 0)) for name in _COUNTS]
    is_database = "database" in one["parts"] and one["kept_until"] is not None
    gap = one["published_size"] - one["register_size"] if one["origin"] else 0
    is_declared = "database" in one["declared"]
    return {
        "id": str(one["id"]),
        "title": _parts_told(words, one["parts"]),
        "began": words.moment(one["began_at"]),
        "ended": words.moment(one["ended_at"]) if one["ended_at"] else "",
        "declared": _parts_told(words, one["declared"]),
        "noticed": _parts_told(words, [part for part in one["parts"] if part not in one["declared"]]),
        "undeclared": words.say("losses.undeclared", id=one["id"]) if gap and not is_declared else "",
        "counts": [words.say(f"losses.count.{name}", count=count) for name, count in counts if count],
        "again": words.say(
            "losses.decide_again", since=words.moment(one["kept_until"]), until=words.moment(one["began_at"])
        )
        if is_database
        else "",
        "gap": words.say("losses.gap", count=gap, origin=one["origin"]) if gap else "",
    }


def _parts_told(words: Wording, parts: Sequence[str]) -> str:
    return ", ".join(words.say(f"losses.part_of.{part}") for part in parts)


def _reasons_told(
    words: Wording, look: Look, lost: Sequence[Mapping[str, Any]], counts: Mapping[str, int]
) -> list[Told]:
    return [
        {
            "reason": reason,
            "title": words.say(f"losses.{reason}"),
            "about": words.say(f"losses.{reason}.about"),
            "count": counts[reason],
            "rows": [_loss_told(words, look, one) for one in lost if one["reason"] == reason],
        }
        for reason in REASONS
        if counts.get(reason)
    ]


def _loss_told(words: Wording, look: Look, one: Mapping[str, Any]) -> Told:
    return {
        "recording": str(one["recording"]),
        "source_id": one["source_id"],
        "purpose": purpose_title(words, look.policy, one["purpose"]),
        "part": words.label("part", one["part"]),
        "found": words.moment(one["found_at"]),
    }
