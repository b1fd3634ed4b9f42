"""Great Expectations says of a batch what the table says of each row, and nothing of a row gets out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consigne.adapters import expectations
from consigne.adapters.expectations import Expectations
from consigne.rules.checks import Value, failed, of_stage
from consigne.rules.errors import Misconfigured

CHECKS = of_stage("metadata")
RIGHT: dict[str, Value] = {
    **{check.column: True for check in CHECKS},
    "direction": "inbound",
    "duration_ms": 278_000,
    "channel_count": 2,
    "ahead_ms": -60_000,
    "fault_field": None,
}
VALUES: dict[str, st.SearchStrategy[Value]] = {
    "is_true": st.sampled_from([True, False, None]),
    "one_of": st.sampled_from(["inbound", "outbound", "internal", "", "INBOUND", None]),
    "between": st.integers(-3, 1 << 40) | st.none(),
}
ROWS = st.fixed_dictionaries({**{c.column: VALUES[c.kind] for c in CHECKS}, "fault_field": st.none()})


def wrong(column: str) -> Value:
    numbers = {"duration_ms": -1, "channel_count": 0, "ahead_ms": 3_600_000}
    return "sideways" if column == "direction" else numbers.get(column, False)


@settings(max_examples=15, deadline=None)
@given(st.lists(ROWS, min_size=1, max_size=12))
def test_a_batch_is_judged_as_its_rows_are(rows: list[dict[str, Value]]) -> None:
    assert Expectations().check(rows) == [failed(row) for row in rows]


def test_each_check_alone_is_found_in_its_row() -> None:
    rows = [RIGHT] + [RIGHT | {check.column: wrong(check.column)} for check in CHECKS] + [RIGHT]
    assert Expectations().check(rows) == [[], *([check.id] for check in CHECKS), []]


def test_no_row_is_no_work() -> None:
    assert Expectations().check([]) == []


def test_a_column_that_is_not_what_it_says_is_a_fault() -> None:
    with pytest.raises(Misconfigured, match=r"^checks_failed: call_has_length$") as caught:
        Expectations().check([RIGHT, RIGHT | {"duration_ms": "Zanzibar"}])
    assert "Zanzibar" not in repr(caught.value.args)


PROBE = """
import json, logging, socket, sys
logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
def refuse(*args, **kwargs): raise RuntimeError("network")
socket.socket.connect = refuse
socket.getaddrinfo = refuse
assert "great_expectations" not in sys.modules
from consigne.adapters.expectations import Expectations
assert "great_expectations" not in sys.modules and "pandas" not in sys.modules
rows = json.load(sys.stdin)
for _ in range(2):
    try:
        print(json.dumps(Expectations().check(rows[:-1])))
        Expectations().check(rows)
    except Exception as error:
        print("fault", error)
"""


@pytest.mark.promise("P2")
def test_no_value_reaches_the_disk_the_log_or_the_network(tmp_path: Path) -> None:
    """In a process of its own, with every log line shown: the planted values, also where the run fails."""
    planted = ["Zanzibar", "731920577"]
    rows = [
        RIGHT,
        RIGHT | {"direction": planted[0], "fault_field": planted[0]},
        RIGHT | {"channel_count": int(planted[1])},
        RIGHT | {"duration_ms": planted[0]},  # not a number: this run fails
    ]
    home = tmp_path / "home"
    home.mkdir()
    package = Path(expectations.__file__).parents[2]
    names = {
        "PYTHONPATH": package,
        "HOME": home,
        "TMPDIR": home,
        "XDG_CONFIG_HOME": home,
        "XDG_CACHE_HOME": home,
    }
    done = subprocess.run(
        [sys.executable, "-c", PROBE],
        input=json.dumps(rows),
        cwd=home,
        env={**os.environ, **{name: str(path) for name, path in names.items()}},
        capture_output=True,
        text=True,
        check=True,
    )
    verdict = json.dumps([[], ["direction_is_known"], ["channels_are_few"]])
    assert done.stdout.splitlines() == [verdict, "fault checks_failed: call_has_length"] * 2
    written = [path.read_bytes() for path in home.rglob("*") if path.is_file()]
    for value in planted:
        assert value not in done.stderr
        assert not any(value.encode() in content for content in written)
    assert "RuntimeError" not in done.stderr
