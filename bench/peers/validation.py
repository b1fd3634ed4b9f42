"""A batch of rows checked by polars and by duckdb, run by a Python of its own that has either: `validation.py`
starts it. Reads {"checks", "rows", "rounds"} as JSON from standard input; writes for each the seconds of every
round and, for each row, the ids of the checks that it fails."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

Found = list[list[str]]


def by_polars(checks: list[dict[str, Any]], rows: list[dict[str, Any]]) -> Found:
    """Each check an expression, all in one query."""
    import polars as pl

    def broken(check: dict[str, Any]) -> pl.Expr:
        column = pl.col(check["column"])
        if check["kind"] == "is_true":
            holds = column
        elif check["kind"] == "one_of":
            holds = column.is_in(check["values"])
        else:
            ends = [column >= check["least"]] if check["least"] is not None else []
            ends += [column <= check["most"]] if check["most"] is not None else []
            holds = pl.all_horizontal(ends)
        return (~holds).fill_null(False).alias(check["id"])

    answer = pl.DataFrame(rows, infer_schema_length=None).select(broken(check) for check in checks)
    return _found(checks, len(rows), {name: answer[name].arg_true().to_list() for name in answer.columns})


def by_duckdb(checks: list[dict[str, Any]], rows: list[dict[str, Any]]) -> Found:
    """Each check a column of one SELECT, over an Arrow table."""
    import duckdb
    import pyarrow as pa

    def broken(check: dict[str, Any]) -> str:
        column = check["column"]
        if check["kind"] == "is_true":
            holds = column
        elif check["kind"] == "one_of":
            holds = f"{column} IN ({', '.join(repr(value) for value in check['values'])})"
        else:
            ends = [f"{column} >= {check['least']}"] if check["least"] is not None else []
            ends += [f"{column} <= {check['most']}"] if check["most"] is not None else []
            holds = " AND ".join(ends)
        return f"coalesce(NOT ({holds}), false) AS {check['id']}"

    batch = pa.Table.from_pylist(rows)  # noqa: F841
    query = duckdb.sql(f"SELECT {', '.join(broken(check) for check in checks)} FROM batch")
    found = query.fetchnumpy()
    return _found(checks, len(rows), {name: column.nonzero()[0].tolist() for name, column in found.items()})


def _found(checks: list[dict[str, Any]], count: int, broken: dict[str, list[int]]) -> Found:
    found: Found = [[] for _ in range(count)]
    for check in checks:
        for place in broken[check["id"]]:
            found[place].append(check["id"])
    return found


def main() -> None:
    """Time what is installed."""
    asked = json.load(sys.stdin)
    checks, rows = asked["checks"], asked["rows"]
    ways: dict[str, Callable[..., Found]] = {"polars": by_polars, "duckdb": by_duckdb}
    told = {}
    for name, way in ways.items():
        if find_spec(name) is None:
            continue
        found, seconds = way(checks, rows), []
        for _ in range(asked["rounds"]):
            started = time.perf_counter()
            way(checks, rows)
            seconds.append(time.perf_counter() - started)
        told[name] = {"seconds": seconds, "found": found}
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main()
