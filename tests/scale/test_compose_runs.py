"""What docker-compose.yaml promises of each service, looked at in the processes that `up --executor celery` runs: all of
them run, as users of their own, without a capability, and told what the file tells them. (The commands and shares of
all are compared in tests/unit/test_compose_drift.py.)"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from consigne.doors import compose
from consigne.doors.arrangement import SERVICES
from consigne.doors.local import report, services
from consigne.doors.local.apart import is_possible
from consigne.doors.local.processes import INHERITED
from consigne.doors.settings import CHECKOUT
from system.conftest import Up
from system.inside import settings_of

pytestmark = pytest.mark.celery

FILE: dict[str, Any] = yaml.safe_load(compose.text())["services"]
HERE = {"minio": "store"}  # under which name a part of one machine stands in the file
OURS = [service.name for service in SERVICES if not service.is_step]
UNTITLED = ("keyring", "applier", "sealer")  # Airflow's processes write their title over what they were told


def living(up: Up) -> dict[str, list[int]]:
    """Name in the file -> process ids."""
    found = report.read(settings_of(up))
    assert found
    pids: dict[str, list[int]] = {}
    for name, part in found.parts.items():
        if found.lives(name):
            plain = re.sub(r"-\d+$", "", name)
            pids.setdefault(HERE.get(plain, plain), []).append(part.pid)
    return pids


def status_of(pid: int) -> dict[str, str]:
    lines = (line.partition(":") for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return {name: value.strip() for name, _, value in lines}


def test_all_of_the_file_runs(celery_up: Up) -> None:
    assert set(living(celery_up)) == set(FILE) - {"prepare"}


@pytest.mark.skipif(not is_possible(), reason="only root that may make mount namespaces sets a process apart")
def test_nobody_has_a_right_that_the_file_takes(celery_up: Up) -> None:
    pids = living(celery_up)
    users = {name: {status_of(pid)["Uid"].split()[1] for pid in pids[name]} for name in OURS}
    assert all(len(found) == 1 for found in users.values())
    assert len(set.union(*users.values())) == len(OURS), "a user of its own each"
    for name in OURS:
        for pid in pids[name]:
            found = status_of(pid)
            rights = {one: int(found[one], 16) for one in ("CapEff", "CapPrm", "CapAmb")}
            assert rights == {"CapEff": 0, "CapPrm": 0, "CapAmb": 0}, name
            assert found["NoNewPrivs"] == "1", name
            assert Path(f"/proc/{pid}/limits").read_text().split("Max core file size")[1].split()[0] == "0"


@pytest.mark.parametrize("name", UNTITLED)
def test_what_runs_is_what_the_file_says(celery_up: Up, name: str) -> None:
    settings = settings_of(celery_up)
    (pid,) = living(celery_up)[name]
    there = services.share_of(settings, name)
    pairs = {
        str(there): str(compose.SHARE),
        str(services.key_socket(settings)): compose.PLACES.keyring,
        str(CHECKOUT): str(compose.CHECKOUT),
        sys.executable: compose.PYTHON,
    }

    def seen_there(value: str) -> str:
        for one in sorted(pairs, key=len, reverse=True):
            value = value.replace(one, pairs[one])
        return value

    argv, told = (
        Path(f"/proc/{pid}/{part}").read_bytes().decode().split("\0")[:-1] for part in ("cmdline", "environ")
    )
    assert [seen_there(part) for part in argv] == FILE[name]["command"]
    variables = dict(one.split("=", 1) for one in told)
    kept = {key: seen_there(value) for key, value in variables.items() if key not in {*INHERITED, "TMPDIR"}}
    by_minute = {"CONSIGNE_EXPIRY_BY_MINUTE": str(int(settings.expiry_by_minute))}
    assert kept == FILE[name]["environment"] | by_minute
