"""The metadata's checks on a whole batch, by Great Expectations.

Importing it takes seconds and hundreds of megabytes, so it happens inside the method. The context lives in
memory, analytics and progress bars are off, results come back as positions: no value is asked for, none is
rendered, none is written.

An expectation costs some milliseconds whatever the number of rows, so all yes-or-no checks are one: a column
with a cell for each delivery and check. Its position says whose and which.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from consigne.rules.checks import Check, Value, of_stage
from consigne.rules.errors import Misconfigured

_RESULT_FORMAT = {
    "result_format": "COMPLETE",
    "exclude_unexpected_values": True,
    "return_unexpected_index_query": False,
}
_CHECKS = of_stage("metadata")
_YES_NO = tuple(check for check in _CHECKS if check.kind == "is_true")
_OTHERS = tuple(check for check in _CHECKS if check.kind != "is_true")
_HOLDS = "holds"
"""The column of all yes-or-no checks, and the name of their expectation."""


class Expectations:
    """The checker of batches."""

    def check(self, rows: Sequence[Mapping[str, Value]]) -> list[list[str]]:
        """Ids of the checks that each row (`checks.row`) fails, in the table's order, as `checks.failed`
        gives them row by row. Misconfigured('checks_failed') where an expectation could not run."""
        if not rows:
            return []
        failed = _failed(rows)
        return [[check.id for check in _CHECKS if (check.id, row) in failed] for row in range(len(rows))]


def _failed(rows: Sequence[Mapping[str, Value]]) -> set[tuple[str, int]]:
    """(check, row) of what was not as expected."""
    import great_expectations as gx
    import pandas as pd
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.enable_analytics(enable=False)
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    # dtype object keeps booleans and integers what they are beside None.
    frame = pd.DataFrame(_columns(rows), dtype=object)
    asset = context.data_sources.add_pandas("deliveries").add_dataframe_asset("batch")
    batch = asset.add_batch_definition_whole_dataframe("whole").get_batch({"dataframe": frame})
    suite = gx.ExpectationSuite(name="checks", expectations=_expectations(gx.expectations))
    failed: set[tuple[str, int]] = set()
    for result in batch.validate(suite, result_format=_RESULT_FORMAT).results:
        check = result.expectation_config.meta["check"]
        if result.exception_info.get("raised_exception", True):
            raise Misconfigured("checks_failed", check)
        failed |= {_place(check, position) for position in result.result.get("unexpected_index_list", ())}
    return failed


def _columns(rows: Sequence[Mapping[str, Value]]) -> dict[str, list[Value]]:
    """`holds`, and a column for each other check, filled up with None, which every expectation passes over."""
    rest: list[Value] = [None] * (len(rows) * (len(_YES_NO) - 1))
    columns = {check.column: [row[check.column] for row in rows] + rest for check in _OTHERS}
    return {_HOLDS: [row[check.column] for row in rows for check in _YES_NO]} | columns


def _place(check: str, position: int) -> tuple[str, int]:
    """(check, row) of a cell."""
    if check != _HOLDS:
        return check, position
    row, index = divmod(position, len(_YES_NO))
    return _YES_NO[index].id, row


def _expectations(expect: Any) -> list[Any]:
    holds = expect.ExpectColumnValuesToBeInSet(column=_HOLDS, value_set=[True], meta={"check": _HOLDS})
    return [holds, *(_expectation(expect, check) for check in _OTHERS)]


def _expectation(expect: Any, check: Check) -> Any:
    named = {"column": check.column, "meta": {"check": check.id}}
    if check.kind == "between":
        return expect.ExpectColumnValuesToBeBetween(min_value=check.least, max_value=check.most, **named)
    return expect.ExpectColumnValuesToBeInSet(value_set=list(check.values), **named)
