"""The table of checks on a batch of a thousand deliveries, in one run: by Great Expectations, as the ingest has it
done; by pandas written by hand; row by row in Python; and by polars and duckdb where CONSIGNE_BENCH_PEERS names a
Python that has them. All must find the same. Imports are not counted. Wanted: at most 150 ms."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from random import Random
from statistics import median

import pandas as pd

from consigne.adapters.expectations import Expectations
from consigne.doors.settings import CHECKOUT
from consigne.rules.checks import Check, Row, Value, failed, of_stage

ROWS = 1_000
FAULTY = 0.05
ROUNDS = 9
WANTED_MS = 150
CHECKS = of_stage("metadata")
RIGHT: Mapping[str, Value] = {
    **{check.column: True for check in CHECKS},
    "direction": "inbound",
    "duration_ms": 278_000,
    "channel_count": 2,
    "ahead_ms": -86_400_000,
}
WRONG: Mapping[str, Value] = {
    "direction": "sideways",
    "duration_ms": 0,
    "channel_count": 9,
    "ahead_ms": 3_600_000,
}

Found = list[list[str]]


def run() -> None:
    """Print the table."""
    head, *body = rows()
    for row in (head, ["---"] * len(head), *body):
        print(f"| {' | '.join(row)} |")


def rows() -> list[list[str]]:
    """The table, its head first: quickest and median of nine rounds, the ways taking turns."""
    batch = a_batch()
    ways: dict[str, Callable[[Sequence[Row]], Found]] = {
        "Great Expectations, as the ingest does": Expectations().check,
        "pandas by hand": by_pandas,
        "row by row in Python": lambda batch: [failed(row) for row in batch],
    }
    expected = ways["row by row in Python"](batch)
    times: dict[str, list[float]] = {name: [] for name in ways}
    for name, way in ways.items():
        assert way(batch) == expected, name  # and imports what it needs
    for _ in range(ROUNDS):
        for name, way in ways.items():
            started = time.perf_counter()
            way(batch)
            times[name].append(time.perf_counter() - started)
    for name, theirs in peers(batch).items():
        assert theirs["found"] == expected, name
        times[name] = theirs["seconds"]
    first = f"{ROWS} rows, {len(CHECKS)} checks"
    return [
        [first, "wanted, ms", "quickest, ms", "median, ms"],
        *(
            [
                name,
                f"at most {WANTED_MS}" if name.startswith("Great") else "–",
                f"{min(took) * 1000:.1f}",
                f"{median(took) * 1000:.1f}",
            ]
            for name, took in times.items()
        ),
    ]


def a_batch() -> list[Row]:
    """Rows as `checks.row` makes them; one in twenty breaks one check."""
    draw = Random(4)
    return [RIGHT | (a_fault(draw) if draw.random() < FAULTY else {}) for _ in range(ROWS)]


def a_fault(draw: Random) -> dict[str, Value]:
    column = draw.choice(CHECKS).column
    return {column: WRONG.get(column, False)}


def by_pandas(batch: Sequence[Row]) -> Found:
    """Each check as one expression over its column."""
    frame = pd.DataFrame(batch)
    found: Found = [[] for _ in batch]
    for check in CHECKS:
        for place in frame.index[~_holds(frame[check.column], check) & frame[check.column].notna()]:
            found[place].append(check.id)
    return found


def _holds(column: pd.Series, check: Check) -> pd.Series:
    if check.kind == "is_true":
        return column == True  # noqa: E712
    if check.kind == "one_of":
        return column.isin(check.values)
    least = -float("inf") if check.least is None else check.least
    return column.between(least, float("inf") if check.most is None else check.most)


def peers(batch: Sequence[Row]) -> dict[str, dict[str, list]]:
    """What the others need and find, in a process of their own."""
    python = os.environ.get("CONSIGNE_BENCH_PEERS")
    if not python:
        return {}
    asked = json.dumps({"checks": [asdict(check) for check in CHECKS], "rows": batch, "rounds": ROUNDS})
    program = str(CHECKOUT / "bench" / "peers" / "validation.py")
    done = subprocess.run(
        [python, program], input=asked, env=os.environ | {"PYTHONPATH": ""}, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


if __name__ == "__main__":
    run()
