"""Shares, months and sources in the reader's words, and the picture of proportions with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from consigne.adapters.catalog.views_draws import COMMITTED
from consigne.doors.desk.pages.told import Told
from consigne.doors.desk.words import Wording
from consigne.rules.clock import parse_instant
from consigne.rules.draw import DrawMonth, begins_at
from consigne.rules.moderation import Share

TAGS = {"inside": "good", "above": "bad", "below": "warn"}
ROWS_DRAWN = 40
LEFT, RIGHT, HEIGHT = 260, 765, 24
"""Where the axis begins and ends, and a row's height, in the picture's own units."""
TICKS = 4


def percent(words: Wording, share: float) -> str:
    """`9,8 %`, `9.8 %`."""
    number = f"{share * 100:.1f}"
    return (number.replace(".", ",") if words.language == "fr" else number) + "\u00a0%"


def share_told(words: Wording, label: str, share: Share, purpose: str = "") -> Told:
    """A share for the table and the picture."""
    low, high = share.interval
    return {
        "label": label,
        "purpose": purpose,
        "calls": share.calls,
        "drawn": share.drawn,
        "kept": share.kept,
        "rate": percent(words, float(share.rate)),
        "proportion": percent(words, share.proportion),
        "interval": words.say("draws.interval", low=percent(words, low), high=percent(words, high)),
        "place": share.place,
        "tag": TAGS[share.place],
        "said": words.say(f"draws.{share.place}"),
        "share": share,
    }


def figure(words: Wording, told: Sequence[Told]) -> Told | None:
    """The picture of the first rows: for each its interval, its proportion and the rate, as coordinates."""
    shown = told[:ROWS_DRAWN]
    if not shown:
        return None
    top = min(1.0, 1.1 * max(max(one["share"].interval[1], float(one["share"].rate)) for one in shown))

    def x(share: float) -> int:
        return LEFT + round((RIGHT - LEFT) * share / top)

    rows = []
    for number, one in enumerate(shown):
        share: Share = one["share"]
        low, high = share.interval
        rows.append(
            {
                "label": f"{one['label']} · {one['purpose']}" if one["purpose"] else one["label"],
                "y": HEIGHT * number + HEIGHT // 2,
                "low": x(low),
                "high": x(high),
                "point": x(share.proportion),
                "rate": x(float(share.rate)),
                "place": one["place"],
            }
        )
    ticks = [
        {"x": x(top * tick / TICKS), "label": percent(words, top * tick / TICKS)} for tick in range(TICKS + 1)
    ]
    return {"rows": rows, "ticks": ticks, "bottom": HEIGHT * len(rows), "height": HEIGHT * len(rows) + 24}


def recorder_told(words: Wording, one: Mapping[str, Any]) -> Told:
    """A source, and whether it records what no draw chose."""
    records = one["undrawn"] > 0
    key = (
        "draws.recorder_against"
        if one["against"]
        else "draws.recorder_undrawn"
        if records
        else "draws.recorder_none"
    )
    return {**one, "said": words.say(key), "tag": "bad" if one["against"] else "warn" if records else "good"}


def month_told(words: Wording, month: DrawMonth, entries: Sequence[Mapping[str, Any]]) -> Told:
    """A month with its commitment, its secret once it is revealed, and the register's entries about it."""
    return {
        "month": month_name(words, month.month),
        "commitment": month.commitment.hex(),
        "committed": words.moment(month.committed_at),
        "late": month.committed_at >= begins_at(month.month, words.zone),
        "secret": month.secret.hex() if month.secret else "",
        "revealed": words.moment(month.revealed_at) if month.revealed_at else "",
        "entries": [
            {
                "said": words.say(
                    "draws.entry_committed" if entry["kind"] == COMMITTED else "draws.entry_revealed"
                ),
                "at": words.moment(parse_instant(entry["at"])),
                "number": words.say("draws.unsealed") if entry["number"] is None else f"n° {entry['number']}",
                "leaf": entry["leaf"],
            }
            for entry in entries
        ],
    }


def month_name(words: Wording, month: str) -> str:
    """`novembre 2026`."""
    return f"{words.say('months').split()[int(month[5:]) - 1]} {month[:4]}"
