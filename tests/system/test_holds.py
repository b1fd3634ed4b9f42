"""A hold by the command line and on the desk of the running platform (P5). It ends as it began."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page

from system.browsing import WHY, Desk
from system.screens import shot


def clock(desk: Desk, artifact: dict[str, Any]) -> tuple[Any, ...]:
    [found] = [
        one
        for recording in json.loads(desk.up.consigne("recordings", "--json").stdout)
        for one in recording["artifacts"]
        if one["id"] == artifact["id"]
    ]
    return found["due_at"], found["epoch"], found["hold"]


def held(desk: Desk, user: str, *args: str) -> Any:
    done = desk.run(user, "hold", *args, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.browser
@pytest.mark.promise("P5")
def test_a_hold_is_placed_reviewed_and_lifted(desk: Desk, sign_in: Callable[..., Page]) -> None:
    artifact = desk.artifacts("training")[3]
    with desk.catalog.begin() as tx:
        now = desk.catalog.now(tx)
    review = [(now + timedelta(days=days)).date().isoformat() for days in (200, 300)]
    before = clock(desk, artifact)
    recording = artifact["object"].split("/")[-3]
    page = sign_in("dpo", f"/consigne/holds/place?recording={recording}", locale="fr-FR")
    for name, typed in (("mandate", "PR 26/117"), ("authority", "Parquet de Paris"), ("reason", WHY)):
        page.fill(f"#{name}", typed)
    page.fill("#review", review[0])
    shot(page, "holds-place")
    page.get_by_role("button", name="Poser le gel").click()
    page.wait_for_url(re.compile("/holds/[0-9a-f-]{36}$"))
    id = page.url.rpartition("/")[2]
    try:
        due_at, epoch, hold = clock(desk, artifact)
        assert (epoch, hold) == (f"training/hold-{id.replace('-', '')}/0", id)
        assert due_at >= before[0] and due_at[:10] >= (now + timedelta(days=198)).date().isoformat()
        shot(page, "hold")
        desk.run("trainer", "hold", "lift", id, "--reason", WHY)
        confirmed = held(desk, "dpo", "confirm", id, "--review", review[1], "--reason", WHY)
        assert datetime.fromisoformat(confirmed["review_at"]) > datetime.now(UTC)
        [listed] = [one for one in held(desk, "auditor", "list") if one["id"] == id]
        assert (listed["state"], listed["keeps"], listed["review_at"]) == ("open", 1, confirmed["review_at"])
    finally:
        held(desk, "dpo", "lift", id, "--reason", WHY)
    assert clock(desk, artifact) == before
    page.goto(page.url)
    kinds = [entry["kind"] for entry in desk.history(id)]
    assert kinds == [f"hold:hold:{what}" for what in ("placed", "denied", "confirmed", "lifted")]
    assert "trainer" in page.inner_text("#history + ul")
    sign_in("auditor", "/consigne/holds", locale="fr-FR").get_by_text("PR 26/117").first.wait_for()
