"""The DPO on leave: the dated deputy's answer counts on the desk, not a day longer, and silence ends on time (issue 5,
Shown by 5)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from consigne.acts.decide import lapse_requests
from consigne.acts.extend import apply_decision
from consigne.rules.clock import local_date
from consigne.rules.request import RequestState

from .desk_world import DeskWorld, Visitor

DAY = timedelta(days=1)
ZONE = "Europe/Paris"
WHY = "The caller disputes what was agreed."


@pytest.fixture
def leave(desk_world: DeskWorld) -> DeskWorld:
    """The DPO is away from tomorrow on; `dpo2` stands in tomorrow and the day after."""
    today = local_date(desk_world.world.now(), ZONE)
    dated = f"until: {today}", f"from: {today + DAY}, until: {today + 2 * DAY}"
    desk_world.put_in_force(
        (r"designated: \[.*\]", f"designated: [{{user: dpo, from: 2026-01-01, {dated[0]}}}]"),
        (r"deputies: \[.*\]", f"deputies: [{{user: dpo2, {dated[1]}}}]"),
    )
    return desk_world


def asked(desk: DeskWorld, id: str) -> str:
    [audio] = [row for row in desk.world.artifacts(id) if row.part == "audio"]
    until = local_date(audio.due_at + 6 * DAY, ZONE).isoformat()
    sent: dict[str, Any] = {"artifact": [str(audio.id)], "until": until, "ground": "dispute", "reason": WHY}
    answer = desk.visit("trainer").post("/exceptions/ask", why_not_less=WHY, **sent)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].rpartition("/")[2]


def answer(visitor: Visitor, request: str, digest: str) -> int:
    return visitor.post(
        f"/decide/{request}", digest=digest, answer="refuse", until="", reason=WHY
    ).status_code


def digest_of(desk: DeskWorld, request: str) -> str:
    with desk.world.platform.catalog.begin() as tx:
        digest = desk.world.platform.catalog.request_digest(tx, UUID(request))
    assert digest
    return digest


@pytest.mark.promise("P5")
def test_the_deputys_answer_counts_between_two_days_and_then_403(leave: DeskWorld) -> None:
    leave.world.deliver("a")
    leave.world.deliver("b", seed=1)
    leave.world.ingest()
    first, second = asked(leave, "a"), asked(leave, "b")
    deputy, dpo = leave.visit("dpo2"), leave.visit("dpo")
    assert dpo.get(f"/decide/{first}").status_code == 200
    assert deputy.get(f"/decide/{first}").status_code == 403
    assert answer(deputy, first, digest_of(leave, first)) == 403
    leave.world.pass_time(DAY)
    assert (dpo.get(f"/decide/{first}").status_code, deputy.get(f"/decide/{first}").status_code) == (403, 200)
    page = deputy.get(f"/decide/{first}").text
    [until] = re.findall(r'name="until"[^>]*value="([^"]+)"', page)
    sent = {"digest": digest_of(leave, first), "answer": "extend", "until": until, "reason": WHY}
    assert deputy.post(f"/decide/{first}", **sent).status_code == 303
    apply_decision(leave.world.platform, leave.world.policy, UUID(first))
    assert [row.part for row in leave.world.artifacts("a") if row.extension] == ["audio"]
    leave.world.pass_time(3 * DAY)
    assert deputy.get(f"/decide/{second}").status_code == 403
    assert answer(deputy, second, digest_of(leave, second)) == 403
    denied = leave.world.register("decide:request:answer_denied")
    assert {(entry["actor"], entry["code"]) for entry in denied} == {("dpo2", "not_designated")}
    assert not any(row.extension for row in leave.world.artifacts("b"))


@pytest.mark.promise("P5")
def test_nobody_answers_and_all_is_gone_on_its_day(leave: DeskWorld) -> None:
    leave.world.deliver_trial("a")
    leave.world.deliver_trial("b", seed=1)
    leave.world.ingest()
    request = asked(leave, "b")
    leave.world.pass_time(
        timedelta(minutes=6)
    )  # due; what was asked for waits for the response time, unheard
    leave.world.expire()
    left = {(row.source_id, row.part) for row in leave.world.artifacts() if row.state == "kept"}
    assert left == {("b", "audio")}
    leave.world.pass_time(5 * DAY + timedelta(minutes=1))
    assert [str(id) for id in lapse_requests(leave.world.platform)] == [request]
    leave.world.expire()
    assert {row.state for row in leave.world.artifacts()} == {"erased"}
    with leave.world.platform.catalog.begin() as tx:
        found = leave.world.platform.catalog.request(tx, UUID(request))
    assert found and found.state is RequestState.LAPSED
