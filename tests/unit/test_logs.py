"""A log line says what happened to what, by codes and identifiers, and nothing else, whatever it is given."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from typing import Any
from uuid import UUID

import pytest

from consigne.doors.logs import FIELDS, WITHHELD, Lines, about, said_of

PLANTED = "4970 1000 0000 0006"
ID = str(UUID(int=7))


def line(
    message: str = "left",
    name: str = "consigne",
    as_json: bool = True,
    fault: Exception | None = None,
    **extra: Any,
) -> str:
    record = logging.LogRecord(name, logging.WARNING, __file__, 1, message, (), None)
    if fault:
        record.exc_info = (type(fault), fault, fault.__traceback__)
    record.__dict__.update(extra)
    return Lines("sealer", as_json).format(record)


def test_a_record_is_one_object_of_known_keys() -> None:
    told = json.loads(
        line(**about(act="ingest:delivery:protect", delivery=ID, code="epoch_gone", run="scheduled__1"))
    )
    assert told.pop("time").endswith("Z")
    assert told == {
        "level": "warning", "service": "sealer", "event": "left", "act": "ingest:delivery:protect", "delivery": ID,
        "code": "epoch_gone", "run": "scheduled__1",
    }  # fmt: skip


def test_without_json_the_same_stands_in_a_plain_line() -> None:
    told = line(as_json=False, **about(delivery=ID, code="epoch_gone"))
    assert told.partition("Z ")[2] == f"WARNING left code=epoch_gone delivery={ID}"


@pytest.mark.promise("P2")
@pytest.mark.parametrize("as_json", [True, False])
def test_what_could_be_content_is_not_told(as_json: bool) -> None:
    try:
        raise ValueError(PLANTED)
    except ValueError as fault:
        told = line(
            as_json=as_json, fault=fault, consigne={"code": "Jean d'Ormesson, né", "caller": "+33612345678"}
        )
    assert PLANTED not in told and "Traceback" not in told and "\n" not in told
    assert "Ormesson" not in told and WITHHELD in told
    assert "caller" not in told and "612345678" not in told
    assert "ValueError" in told


@pytest.mark.promise("P2")
def test_of_a_library_only_its_name_and_level_are_told() -> None:
    told = json.loads(line(f"bad body: {PLANTED}", name="urllib3.connectionpool"))
    assert told["event"] == "library urllib3.connectionpool"
    assert PLANTED not in json.dumps(told)


def test_a_name_that_is_not_in_the_table_is_refused_where_it_is_written() -> None:
    assert "caller" not in FIELDS
    with pytest.raises(TypeError, match="caller"):
        about(caller="x")


@pytest.mark.parametrize(
    ("result", "told"),
    [
        (3, "3"),
        (["a", "b"], "2"),
        ({"done": 3, "left": ["epoch_gone"]}, "done:3 left:1"),
        ({"states": {"cleared": 3}, "codes": {"bad_field": 1}}, "states.cleared:3 codes.bad_field:1"),
        (None, "None"),
        ({}, "nothing"),
    ],
)
def test_what_an_act_returned_is_told_in_numbers(result: object, told: str) -> None:
    assert said_of(result) == told


IN_AIRFLOW = """
import io, logging, sys
from airflow._shared.logging.structlog import configure_logging
from consigne.doors.logs import about, join_airflow
configure_logging(json_output=True, log_level="INFO", output=sys.stdout.buffer)
join_airflow(); join_airflow()
log = logging.getLogger("consigne")
try:
    raise ValueError("4970 1000 0000 0006")
except ValueError:
    log.warning("left", extra=about(code="epoch_gone", delivery="d1"), exc_info=True)
log.info("after")
"""


@pytest.mark.promise("P2")
def test_airflows_own_logging_writes_the_fields_once_and_no_traceback() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IN_AIRFLOW], capture_output=True, text=True, timeout=120, check=True
    )
    lines = [
        json.loads(one) for one in done.stdout.splitlines() if '"logger":"consigne"' in one.replace(" ", "")
    ]
    assert [(one["event"], one.get("code"), one.get("delivery")) for one in lines] == [
        ("left", "epoch_gone", "d1"),
        ("after", None, None),
    ]
    assert lines[0]["fault"].startswith("ValueError") and PLANTED not in done.stdout
