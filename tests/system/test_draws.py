"""Draws on the running platform: a telephone system asks, an auditor does it again (issue 5, deliver 8)."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from consigne.doors.settings import DRAW_SECRET
from consigne.rules.draw import commitment
from system.conftest import Up
from system.inside import settings_of

CALL = {"source": "folder", "id": "draws-1", "queue": "support", "agent": "a.martin"}


def _ask(up: Up, secret: str, body: Any = CALL, query: str = "") -> httpx.Response:
    url = f"{settings_of(up).airflow_url}/consigne/draw{query}"
    return httpx.post(
        url, json=body, headers={"Authorization": f"Bearer {secret}"}, timeout=60, trust_env=False
    )


@pytest.mark.promise("P1")
def test_a_telephone_system_asks_and_the_command_says_the_same(platform_up: Up) -> None:
    secret = (platform_up.state_dir / "secrets" / DRAW_SECRET).read_text()  # there since `up`
    told = _ask(platform_up, secret).json()
    assert told["record"] and set(told["outcomes"]) == {
        "training",
        "quality",
    }  # the demonstration draws every call
    assert _ask(platform_up, secret, query="?format=text").text == "1"
    asked = ("draw", "--id", CALL["id"], "--queue", CALL["queue"])
    assert platform_up.json(*asked) == told
    assert platform_up.consigne(*asked).stdout == "yes\n"
    done = platform_up.consigne("draw", "--id", "draws-2", "--queue", "nobody's")
    assert (done.returncode, done.stdout) == (0, "no\n")
    assert platform_up.consigne("draw", "--id", "4970100000000006", "--queue", "support").returncode == 2


@pytest.mark.parametrize("secret", ["x", "Bearer", "0" * 64])
def test_a_stranger_is_told_nothing(platform_up: Up, secret: str) -> None:
    assert _ask(platform_up, secret).status_code == 403


@pytest.mark.promise("P1")
def test_every_draw_of_the_samples_fits(platform_up: Up) -> None:
    told = platform_up.json("draws")
    assert len(told["months"]) >= 2 and any(one["kept"] for one in told["draws"])
    assert {one["month"] for one in told["draws"]} <= {one["month"] for one in told["months"]}
    for month in told["months"]:
        secret = month["secret"]
        assert secret is None or commitment(bytes.fromhex(secret)).hex() == month["commitment"]
    done = platform_up.consigne("draws", "--verify", "--json")
    assert done.returncode == 0, done.stdout[-2000:]
    found = json.loads(done.stdout)
    assert found["verified"] and found["again"] + found["not_yet"] >= len(told["draws"])
