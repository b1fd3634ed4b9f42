"""What people are told, have read and object to, on the running platform: in Chromium and by the command line."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from playwright.sync_api import Page

from system.browsing import Desk
from system.conftest import Up
from system.inside import hand_in, sample_calls
from system.screens import shot


@pytest.mark.browser
@pytest.mark.promise("P1")
def test_the_caller_objects_to_training_and_only_the_order_is_kept(
    platform_up: Up, desk: Desk, sign_in: Callable[..., Page]
) -> None:
    """The adviser's button, before the call is delivered."""
    made, told = sample_calls(platform_up, "people", "plain")[0]
    call = json.loads(made.json) | {"queue": "orders", "purposes": ["investment_orders", "training"]}
    page = sign_in("adviser", "/consigne/rules/support")
    assert page.inner_text("h1") == "File « support »"
    page.fill("#call", told.id)
    page.fill("#caller", call["caller"])
    page.get_by_role("checkbox", name="Formation").check()
    page.get_by_role("radio", name="vous rappelez").check()
    shot(page, "rules")
    page.get_by_role("button", name="L’appelant s’oppose").click()
    assert "Opposition enregistrée" in page.inner_text("#done")
    hand_in(platform_up, [(replace(made, json=json.dumps(call).encode()), told)])
    assert platform_up.consigne("ingest", "--wait").returncode == 0
    [delivered] = [one for one in platform_up.json("deliveries") if one["id"] == told.id]
    codes = {one["purpose"]: one["code"] for one in delivered["verdicts"]}
    assert codes == {"investment_orders": None, "training": "objected"}
    [recording] = [one for one in platform_up.json("recordings") if one["source_id"] == told.id]
    assert {one["purpose"] for one in recording["artifacts"]} == {"investment_orders"}

    page = sign_in("dpo", "/consigne/objections")
    line = page.get_by_role("row").filter(has_text=told.id)
    assert "vaut pour les appels suivants" in line.inner_text()
    assert call["caller"][-8:] not in re.sub(r"\D", "", page.content())
    shot(page, "objections")
    line.get_by_role("button", name="Retirer").click()
    assert "Oppositions retirées : 1" in page.inner_text("#done")
    assert desk.run("auditor", "objections", "--caller", call["caller"]).returncode == 4


@pytest.mark.browser
def test_notices_are_printed_and_read(desk: Desk, sign_in: Callable[..., Page]) -> None:
    page = sign_in("adviser", "/consigne/notices")
    page.get_by_role("button", name="J’ai lu la note 2026-01").click()
    page.get_by_text("Note 2026-01 lue le").wait_for()
    page.emulate_media(media="print")
    assert not page.locator("header.top").is_visible()
    assert page.get_by_role("heading", name="Information des salariés").first.is_visible()
    shot(sign_in("dpo", "/consigne/notices"), "notices")
    told = desk.up.json("notices", "--queue", "support", "--for", "callers", "--language", "fr")
    assert {one["version"] for one in told} == {"2026-01", "2026-01-quality"}
    done = desk.run("adviser", "acknowledge", "--json")
    assert json.loads(done.stdout)["agent"] == "adviser", done.stderr
