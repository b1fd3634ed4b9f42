"""What a telephone system may say of a call: its form, and no number in it (P2)."""

from __future__ import annotations

from typing import Any

import pytest

from consigne.rules.clock import iso
from consigne.rules.errors import BadInput
from consigne.rules.set_up import read

CALL = {"source": "folder", "id": "1763800000.42", "queue": "support"}


def test_a_call_is_read() -> None:
    asked = read(
        CALL | {"agent": "a.martin", "started_at": "2026-11-20T09:14:03+01:00", "purposes": ["training"]}
    )
    assert (asked.id, asked.agent, asked.purposes) == ("1763800000.42", "a.martin", ["training"])
    assert asked.started_at is not None and iso(asked.started_at) == "2026-11-20T08:14:03.000Z"
    assert read(CALL).purposes is None


@pytest.mark.promise("P2")
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"id": "4970100000000006"}, "id"),
        ({"agent": "4970 1000 0000 0006"}, "agent"),
        ({"queue": "4970-1000-0000-0006"}, "queue"),
        ({"id": ""}, "id"),
        ({"id": 17}, "id"),
        ({"id": "a b"}, "id"),
        ({"queue": None}, "queue"),
        ({"queue": "x" * 65}, "queue"),
        ({"agent": "a\0"}, "agent"),
        ({"started_at": "now"}, "started_at"),
        ({"started_at": "2026-11-20T09:14:03"}, "started_at"),
        ({"purposes": []}, "purposes"),
        ({"purposes": ["a"] * 51}, "purposes"),
        ({"purposes": "training"}, "purposes"),
        ({"+33612345678": "x"}, "body"),
    ],
)
def test_what_is_wrong_is_named_and_not_quoted(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(BadInput) as fault:
        read(CALL | changes)
    assert (fault.value.code, fault.value.where) == ("bad_field", field)


def test_a_call_needs_its_name_and_queue() -> None:
    for name in CALL:
        with pytest.raises(BadInput, match=name):
            read({key: value for key, value in CALL.items() if key != name})
