"""Nothing comes in without a ground (P1), and each refusal has its code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consigne.rules.clock import Duration, parse_instant
from consigne.rules.draw import draw_digest, is_drawn
from consigne.rules.gate import DEFAULT_HORIZON, RULES, Facts, judge, overall
from consigne.rules.policy.model import Policy
from consigne.rules.recording import IncomingRecording, NoticePlayed, Objection
from consigne.rules.values import Admitted, Part, Refused

pytestmark = pytest.mark.promise("P1")
Call = Callable[..., IncomingRecording]
START = parse_instant("2026-11-20T09:14:03+01:00")
RECEIVED = START + timedelta(minutes=5)
INFORMED = parse_instant("2026-01-02T00:00:00+01:00")
CONTRACT = {
    "unknown_purpose",
    "no_purpose",
    "no_policy_at_start",
    "outside_period",
    "not_drawn",
    "not_announced",
    "announced_late",
    "notice_does_not_cover",
    "objected",
    "agent_not_informed",
    "past_due",
    "delivered_before",
    "erased_before",
    "start_in_future",
    "start_before_horizon",
    "needs_human_trigger",
    "other_proof_exists",
}


def facts(policy: Policy, **changes: Any) -> Facts:
    return replace(Facts(policy, bytes(32), INFORMED), **changes)


def verdict(
    policy: Policy, call: IncomingRecording, known: Facts, received_at: datetime = RECEIVED
) -> str | None:
    """The code for the first purpose asked; None where it is admitted."""
    found = next(iter(judge(policy, call, received_at, received_at, known).values()))
    return found.code if isinstance(found, Refused) else None


def test_a_right_call_is_admitted_for_each_purpose_of_its_queue(demo: Policy, call: Call) -> None:
    found = judge(demo, call(), RECEIVED, RECEIVED, facts(demo))
    assert found == {"training": Admitted(), "quality": Admitted()}
    assert overall(found) == Admitted()


def test_named_purposes_replace_the_routing_and_count_once(demo: Policy, call: Call) -> None:
    named = call(purposes=("quality", "trial", "quality"))
    assert list(judge(demo, named, RECEIVED, RECEIVED, facts(demo))) == ["quality", "trial"]


@pytest.mark.parametrize("changes", [{"purposes": ()}, {"queue": "elsewhere"}])
def test_a_call_for_nothing_is_refused(demo: Policy, call: Call, changes: dict[str, Any]) -> None:
    found = judge(demo, call(**changes), RECEIVED, RECEIVED, facts(demo))
    assert found == {}
    assert overall(found) == Refused("no_purpose")


def shifted(by: timedelta) -> dict[str, Any]:
    return {"started_at": START + by, "ended_at": START + by + timedelta(minutes=4)}


PROOF = {"purposes": ("contract_proof",), "trigger": "agent", "other_proof": "none"}
SATURDAY = timedelta(days=-6)
CASES: list[tuple[str | None, dict[str, Any], dict[str, Any]]] = [
    (None, PROOF, {}),
    (None, {"purposes": ("complaint",), "trigger": "agent"}, {}),
    (None, {"purposes": ("investment_orders",)}, {}),
    (None, {"queue": "orders"}, {}),
    ("erased_before", {}, {"erased_before": frozenset({"training"}), "delivered_before": True}),
    (None, {}, {"erased_before": frozenset({"quality"})}),
    ("delivered_before", {}, {"delivered_before": True}),
    ("start_in_future", shifted(timedelta(minutes=15, seconds=1)), {}),
    (None, shifted(timedelta(minutes=15)), {}),
    ("start_before_horizon", shifted(timedelta(days=-31)), {}),
    (None, shifted(timedelta(days=-29)), {}),
    ("start_before_horizon", shifted(timedelta(hours=-3)), {"horizon": Duration(seconds=3600)}),
    ("unknown_purpose", {"purposes": ("marketing",)}, {}),
    ("no_policy_at_start", {}, {"policy_at_start": None}),
    ("outside_period", PROOF | shifted(SATURDAY), {}),
    ("outside_period", PROOF | shifted(timedelta(hours=-1, minutes=-14, seconds=-4)), {}),  # 07:59:59
    (None, PROOF | shifted(timedelta(hours=-1, minutes=-14, seconds=-3)), {}),  # 08:00:00
    (None, PROOF | shifted(timedelta(hours=-13, minutes=-14, seconds=-4)), {}),  # 19:59:59 the day before
    ("outside_period", PROOF | shifted(timedelta(hours=-13, minutes=-14, seconds=-3)), {}),
    ("not_announced", {"notice": None}, {}),
    ("notice_does_not_cover", {"notice": NoticePlayed("2026-01-quality", 0)}, {}),
    ("notice_does_not_cover", {"notice": NoticePlayed("2019-07", 0)}, {}),
    ("announced_late", {"notice": NoticePlayed("2026-01", 30_001)}, {}),
    (None, {"notice": NoticePlayed("2026-01", 30_000)}, {}),
    ("objected", {"objection": Objection(3000, (), None)}, {}),
    ("objected", {"objection": Objection(3000, ("training",), "not_recorded")}, {}),
    (None, {"objection": Objection(3000, ("quality",), None)}, {}),
    ("objected", {"objection": Objection(3000, ("formation",), None)}, {}),  # an unknown name voids nothing
    ("objected", {"queue": "orders", "objection": Objection(3000, (), None)}, {}),
    ("objected", {}, {"objected": frozenset({"training"})}),
    (None, {}, {"objected": frozenset({"quality"})}),
    (None, {"queue": "orders"}, {"objected": frozenset({"investment_orders"})}),  # the law demands it
    ("not_announced", {"queue": "orders", "notice": None}, {}),
    ("agent_not_informed", {}, {"acknowledged_at": None}),
    ("agent_not_informed", {}, {"acknowledged_at": START + timedelta(seconds=1)}),
    (None, {}, {"acknowledged_at": START}),
    ("needs_human_trigger", {**PROOF, "trigger": "system"}, {}),
    ("needs_human_trigger", {**PROOF, "trigger": None}, {}),
    ("needs_human_trigger", {"purposes": ("complaint",)}, {}),
    ("other_proof_exists", {**PROOF, "other_proof": "written"}, {}),
    ("other_proof_exists", {**PROOF, "other_proof": None}, {}),
    ("past_due", {"purposes": ("trial",), **shifted(timedelta(hours=-1))}, {}),
    (None, {"purposes": ("trial",)}, {}),
]


@pytest.mark.parametrize(("code", "changes", "known"), CASES)
def test_each_rule_says_no_by_its_code(
    demo: Policy, call: Call, code: str | None, changes: dict[str, Any], known: dict[str, Any]
) -> None:
    assert verdict(demo, call(**changes), facts(demo, **known)) == code


def test_what_falls_due_in_this_minute_is_past_due(demo: Policy, call: Call) -> None:
    period = timedelta(seconds=demo.purposes["trial"].parts[Part.AUDIO].retention.seconds_exact())
    ends = START.replace(second=0) + period
    trial, known = call(purposes=("trial",)), facts(demo)
    assert judge(demo, trial, START, ends, known) == {"trial": Refused("past_due")}
    assert judge(demo, trial, START, ends - timedelta(seconds=1), known) == {"trial": Admitted()}


def test_a_late_clock_cannot_be_met_by_a_late_receipt(demo: Policy, call: Call) -> None:
    tomorrow = START + timedelta(days=1)
    found = judge(demo, call(**shifted(timedelta(days=1))), tomorrow, RECEIVED, facts(demo))
    assert overall(found) == Refused("start_in_future")


def test_the_policy_at_the_start_says_what_was_allowed(
    demo: Policy, call: Call, changed: Callable[..., Policy]
) -> None:
    none_drawn = changed(demo, "training", sampling_rate=Decimal(0))
    assert verdict(none_drawn, call(), facts(demo)) is None
    assert verdict(demo, call(), facts(none_drawn)) == "not_drawn"
    renewed = replace(demo, notices={"2027-01": demo.notices["2026-01"]}, agents=None)
    assert verdict(renewed, call(), facts(demo)) is None
    assert verdict(demo, call(), facts(renewed)) == "notice_does_not_cover"
    assert verdict(demo, call(), facts(demo, acknowledged_at=None)) == "agent_not_informed"


def test_a_purpose_must_exist_then_and_now(demo: Policy, call: Call) -> None:
    without = replace(demo, purposes={"quality": demo.purposes["quality"]})
    assert verdict(without, call(), facts(demo)) == "unknown_purpose"
    assert verdict(demo, call(), facts(without)) == "no_policy_at_start"


def test_the_notice_and_the_policy_of_the_start_bind_the_length(
    demo: Policy, call: Call, changed: Callable[..., Policy]
) -> None:
    longer = changed(demo, "trial", parts=demo.purposes["training"].parts)
    late = START + timedelta(hours=1)
    assert judge(longer, call(purposes=("trial",)), START, late, facts(demo)) == {
        "trial": Refused("past_due")
    }


def test_systematic_recording_by_law_is_not_drawn_but_announced(
    shipped: Policy, call: Call, changed: Callable[..., Policy]
) -> None:
    none_drawn = changed(shipped, "investment_orders", sampling_rate=Decimal(0))
    assert verdict(none_drawn, call(queue="orders"), facts(none_drawn)) is None
    assert verdict(none_drawn, call(queue="orders", notice=None), facts(none_drawn)) == "not_announced"


@given(st.integers(0, 10**6), st.binary(min_size=32, max_size=32))
def test_the_gate_draws_as_the_draw_says(shipped: Policy, call: Call, number: int, secret: bytes) -> None:
    drawn = is_drawn(draw_digest(secret, "folder", f"c{number}", "training"), Decimal("0.05"))
    code = verdict(shipped, call(id=f"c{number}"), facts(shipped, month_secret=secret))
    assert code == (None if drawn else "not_drawn")


def test_some_purposes_refused_still_admit_the_call(demo: Policy, call: Call) -> None:
    found = judge(demo, call(purposes=("marketing", "quality")), RECEIVED, RECEIVED, facts(demo))
    assert found == {"marketing": Refused("unknown_purpose"), "quality": Admitted()}
    assert overall(found) == Admitted()


def test_the_first_refusal_is_the_deliverys(demo: Policy, call: Call) -> None:
    found = judge(demo, call(purposes=("marketing", "complaint")), RECEIVED, RECEIVED, facts(demo))
    assert overall(found) == Refused("unknown_purpose")


def test_every_refused_code_of_the_contract_has_a_rule_and_a_case() -> None:
    ruled = {code for code, _ in RULES}
    assert ruled | {"no_purpose"} == CONTRACT
    assert ruled - {"not_drawn"} <= {code for code, _, _ in CASES}
    assert Duration(days=30) == DEFAULT_HORIZON
