"""Scores over many calls: recall, precision, what was withheld, what was masked without need."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from corpus.build import call
from corpus.judge import Fate, Judged, judge

PROCESSES = 2


def judge_calls(seed: int, count: int, processes: int = PROCESSES) -> list[Judged]:
    """The calls 0 to `count` - 1 of a seed, made and judged; the work is shared between processes."""
    work = [(seed, index) for index in range(count)]
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        return pool.starmap(_judge, work, chunksize=8)


def _judge(seed: int, index: int) -> Judged:
    return judge(call(seed, index))


@dataclass(frozen=True, slots=True)
class Score:
    """Counts of one row. `right` and `wrong` are findings that meet a number, and that don't."""

    found: int
    leaked: int
    withheld: int
    right: int = 0
    wrong: int = 0

    @property
    def total(self) -> int:
        return self.found + self.leaked + self.withheld

    @property
    def recall(self) -> float:
        """Of the numbers in calls that were stored."""
        return _share(self.found, self.found + self.leaked)

    @property
    def kept(self) -> float:
        """Numbers found, of all: a call held back for nothing counts against it as a leak does."""
        return _share(self.found, self.total)

    @property
    def precision(self) -> float:
        return _share(self.right, self.right + self.wrong)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0


Facet = Callable[[Judged, Fate | None], str | None]
FACETS: dict[str, Facet] = {
    "language": lambda one, _: one.language,
    "container": lambda one, _: one.container,
    "transcript": lambda one, _: one.transcript,
    "form": lambda _, fate: fate.form if fate else None,
    "turn": lambda _, fate: fate.turn if fate else None,
}


def scores(judged: Iterable[Judged], facet: Facet = lambda _one, _fate: "") -> dict[tuple[str, str], Score]:
    """By kind and facet. A form or a turn is a number's own: findings have none, so no precision."""
    ends: Counter[tuple[str, str, str]] = Counter()
    for one in judged:
        ends.update((fate.kind, facet(one, fate), fate.end) for fate in one.fates)
        own = facet(one, None)
        ends.update(
            (kind, own, "right" if right else "wrong") for kind, right in one.findings if own is not None
        )
    rows = dict.fromkeys((kind, name) for kind, name, _ in sorted(ends))
    names = ("found", "leaked", "withheld", "right", "wrong")
    return {row: Score(*(ends[*row, name] for name in names)) for row in rows}


def decoys(judged: Iterable[Judged]) -> dict[str, tuple[int, int]]:
    """Decoys in stored calls, and how many of them were masked, by kind."""
    counts: Counter[tuple[str, str]] = Counter((fate.kind, fate.end) for one in judged for fate in one.decoys)
    kinds = sorted({kind for kind, _ in counts})
    return {kind: (counts[kind, "kept"] + counts[kind, "masked"], counts[kind, "masked"]) for kind in kinds}


def quarantined(judged: Iterable[Judged]) -> Counter[tuple[str, str]]:
    """Calls held back, by `clean` (no number in it) or `with numbers`, and by code and detail."""
    return Counter(
        ("clean" if one.is_clean else "with numbers", one.quarantined) for one in judged if one.quarantined
    )


def over_masking(judged: Sequence[Judged]) -> float:
    """Share of the speech that is no number's that was masked."""
    return _share(sum(one.lost_ms for one in judged), sum(one.other_ms for one in judged))


def tables(judged: Sequence[Judged]) -> str:
    """All scores in Markdown."""
    clean = [one for one in judged if one.is_clean]
    parts = [
        f"{len(judged)} calls, {len(clean)} of them without a number; over-masking {over_masking(judged):.3%}",
        _table("", scores(judged)),
        *(_table(name, scores(judged, facet)) for name, facet in FACETS.items()),
        _lines(
            "| decoy | calls' | masked |", (f"| {k} | {n} | {m} |" for k, (n, m) in decoys(judged).items())
        ),
        _lines(
            "| calls | quarantined for | count |",
            (f"| {calls} | {why} | {count} |" for (calls, why), count in sorted(quarantined(judged).items())),
        ),
    ]
    return "\n\n".join(parts)


def _table(name: str, rows: dict[tuple[str, str], Score]) -> str:
    head = f"| kind | {name} | numbers | recall | found of all | precision |"
    return _lines(head, (_row(kind, value or "all", score) for (kind, value), score in rows.items()))


def _row(kind: str, value: str, score: Score) -> str:
    precision = f"{score.precision:.1%}" if score.right + score.wrong else ""
    recall = f"{score.recall:.2%} | {score.kept:.2%}" if score.total else " | "
    return f"| {kind} | {value} | {score.total} | {recall} | {precision} |"


def _lines(head: str, rows: Iterable[str]) -> str:
    return "\n".join([head, "|" + " --- |" * (head.count("|") - 1), *rows])
