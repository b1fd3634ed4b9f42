"""The table of checks on a whole batch, by Great Expectations.

Importing it takes seconds and hundreds of megabytes, so it happens inside the method. The context lives in
memory, analytics and progress bars are off, results come back as positions: no value is asked for, none is
rendered, none is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from consigne.rules.checks import CHECKS, Check, Value
from consigne.rules.errors import Misconfigured

_RESULT_FORMAT = {"result_format": "COMPLETE", "exclude_unexpected_values": True}


class Expectations:
    """The checker of batches."""

    def check(self, rows: Sequence[Mapping[str, Value]]) -> list[list[str]]:
        """Ids of the checks that each row (`checks.row`) fails, in the table's order, as `checks.failed`
        gives them row by row. Misconfigured('checks_failed') where an expectation could not run."""
        if not rows:
            return []
        failed: list[list[str]] = [[] for _ in rows]
        for position in _unexpected(rows):
            failed[position[1]].append(CHECKS[position[0]].id)
        return failed


def _unexpected(rows: Sequence[Mapping[str, Value]]) -> list[tuple[int, int]]:
    """(check, row) positions of what was not as expected, in order."""
    import great_expectations as gx
    import pandas as pd
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.enable_analytics(enable=False)
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    columns = sorted({check.column for check in CHECKS})
    # dtype object keeps booleans and integers what they are beside None.
    frame = pd.DataFrame([{name: row[name] for name in columns} for row in rows], dtype=object)
    asset = context.data_sources.add_pandas("deliveries").add_dataframe_asset("batch")
    batch = asset.add_batch_definition_whole_dataframe("whole").get_batch({"dataframe": frame})
    suite = gx.ExpectationSuite(
        name="checks", expectations=[_expectation(gx, index, check) for index, check in enumerate(CHECKS)]
    )
    found: list[tuple[int, int]] = []
    for result in batch.validate(suite, result_format=_RESULT_FORMAT).results:
        config: Any = result.expectation_config
        index = config.meta["check"]
        if result.exception_info.get("raised_exception", True):
            raise Misconfigured("checks_failed", CHECKS[index].id)
        found += [(index, position) for position in result.result.get("unexpected_index_list", ())]
    return sorted(found)


def _expectation(gx: Any, index: int, check: Check) -> Any:
    meta = {"check": index}
    if check.kind == "between":
        return gx.expectations.ExpectColumnValuesToBeBetween(
            column=check.column, min_value=check.least, max_value=check.most, meta=meta
        )
    values = [True] if check.kind == "is_true" else list(check.values)
    return gx.expectations.ExpectColumnValuesToBeInSet(column=check.column, value_set=values, meta=meta)
