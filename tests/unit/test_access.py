"""Who may do what, at which moment, and by which code not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consigne.rules.access import Allowed, Denied, Target, Verb, is_designated, may, prefixes
from consigne.rules.clock import parse_instant
from consigne.rules.policy.model import Policy
from consigne.rules.values import Actor, ArtifactState, Part

NOW = parse_instant("2026-11-20T12:00:00+01:00")
KEPT = Target("training", Part.AUDIO, False, NOW + timedelta(days=1), ArtifactState.KEPT)
ACCOUNTS = {
    name: Actor(name, frozenset({name}))
    for name in ("ops", "dpo", "analyst", "trainer", "adviser", "auditor")
}
ACCOUNTS["dpo2"] = Actor("dpo2", frozenset({"dpo"}))
ACCOUNTS["admin"] = Actor("admin", frozenset({"Admin", "dpo"}))


def answer(
    policy: Policy, user: str, verb: Verb, target: Target = KEPT, reason: str | None = None, now: Any = NOW
) -> str | None:
    found = may(policy, ACCOUNTS[user], verb, target, reason, now)
    return found.code if isinstance(found, Denied) else None


@pytest.mark.promise("P4")
@pytest.mark.parametrize("verb", [Verb.LISTEN, Verb.EXPORT])
@pytest.mark.parametrize(
    ("user", "reason", "changes", "code"),
    [
        ("trainer", "coaching", {}, None),
        ("trainer", "appraisal", {}, None),
        ("trainer", "curiosity", {}, "reason_not_allowed"),
        ("trainer", "", {}, "reason_not_allowed"),
        ("trainer", None, {}, "reason_not_allowed"),
        ("trainer", "evaluation", {}, "reason_not_allowed"),
        ("trainer", "coaching", {"purpose": "quality"}, "not_a_listener"),
        ("analyst", "coaching", {}, "not_a_listener"),
        ("analyst", "evaluation", {"purpose": "quality"}, None),
        ("ops", "coaching", {}, "not_a_listener"),
        ("dpo", "coaching", {}, "not_a_listener"),
        ("admin", "coaching", {}, "not_a_listener"),
        ("auditor", "coaching", {}, "not_a_listener"),
        ("adviser", "coaching", {}, "not_a_listener"),
        ("trainer", "coaching", {"purpose": "marketing"}, "unknown_purpose"),
        ("trainer", "coaching", {"purpose": None}, "unknown_purpose"),
        ("trainer", "coaching", {"restricted": True}, "restricted"),
        ("trainer", "coaching", {"state": ArtifactState.STORING}, "not_kept"),
        ("trainer", "coaching", {"state": ArtifactState.ERASING}, "not_kept"),
        ("trainer", "coaching", {"state": ArtifactState.ERASED}, "not_kept"),
        ("trainer", "coaching", {"state": None}, "not_kept"),
        ("ops", "coaching", {"state": ArtifactState.ERASED}, "not_a_listener"),  # outsiders learn nothing
    ],
)
def test_listening_asks_for_a_role_a_reason_and_something_to_hear(
    demo: Policy, verb: Verb, user: str, reason: str | None, changes: dict[str, Any], code: str | None
) -> None:
    assert answer(demo, user, verb, replace(KEPT, **changes), reason) == code


@pytest.mark.promise("P5")
@given(st.integers(-1000, 1000))
def test_what_is_due_is_inaudible_that_second(demo: Policy, offset_ms: int) -> None:
    now = NOW + timedelta(milliseconds=offset_ms)
    expected = "past_due" if offset_ms >= 0 else None
    assert answer(demo, "trainer", Verb.LISTEN, replace(KEPT, due_at=NOW), "coaching", now) == expected


@pytest.mark.promise("P5")
def test_without_a_due_date_nobody_listens(demo: Policy) -> None:
    assert answer(demo, "trainer", Verb.LISTEN, replace(KEPT, due_at=None), "coaching") == "past_due"


@pytest.mark.parametrize(
    ("user", "changes", "code"),
    [
        ("trainer", {}, None),
        ("trainer", {"restricted": True}, None),
        ("trainer", {"due_at": NOW}, "past_due"),
        ("trainer", {"state": ArtifactState.ERASED}, "not_kept"),
        ("analyst", {}, "not_a_listener"),
        ("analyst", {"purpose": "quality"}, None),
        ("ops", {}, "not_a_listener"),
        ("dpo", {}, "not_a_listener"),
        ("trainer", {"purpose": "marketing"}, "unknown_purpose"),
    ],
)
def test_listeners_ask_for_exceptions(
    demo: Policy, user: str, changes: dict[str, Any], code: str | None
) -> None:
    assert answer(demo, user, Verb.ASK, replace(KEPT, **changes)) == code


def test_the_owner_asks_without_listening(demo: Policy, changed: Callable[..., Policy]) -> None:
    owned = changed(demo, "training", owner="adviser")
    assert answer(owned, "adviser", Verb.ASK) is None
    assert answer(owned, "adviser", Verb.LISTEN, reason="coaching") == "not_a_listener"


AWAY = parse_instant("2026-12-20T00:00:00+01:00"), parse_instant("2027-01-06T00:00:00+01:00")
SECOND = timedelta(seconds=1)


@pytest.mark.promise("P5")
@pytest.mark.parametrize(
    ("user", "now", "changes", "code"),
    [
        ("dpo", NOW, {}, None),
        ("dpo", NOW, {"requester": "trainer"}, None),
        ("dpo", NOW, {"requester": "dpo"}, "is_requester"),
        ("admin", NOW, {}, "not_designated"),  # the role alone is not enough
        ("ops", NOW, {}, "role_missing"),
        ("trainer", NOW, {}, "role_missing"),
        ("auditor", NOW, {}, "role_missing"),
        ("dpo", parse_instant("2025-12-31T23:59:59+01:00"), {}, "not_designated"),
        ("dpo2", AWAY[0] - SECOND, {}, "not_designated"),
        ("dpo2", AWAY[0], {}, None),
        ("dpo2", AWAY[1] - SECOND, {}, None),
        ("dpo2", AWAY[1], {}, "not_designated"),  # not a second longer
        ("dpo2", AWAY[0], {"requester": "dpo2"}, "is_requester"),
        ("dpo", NOW, {"purpose": "gone", "owner": "dpo"}, "is_owner"),
    ],
)
def test_the_designated_decide_on_what_others_ask(
    demo: Policy, user: str, now: Any, changes: dict[str, Any], code: str | None
) -> None:
    assert answer(demo, user, Verb.DECIDE, replace(KEPT, **changes), now=now) == code


@pytest.mark.promise("P5")
def test_designation_without_the_role_decides_nothing(demo: Policy) -> None:
    found = may(demo, Actor("dpo", frozenset({"ops"})), Verb.DECIDE, KEPT, None, NOW)
    assert found == Denied("role_missing")


@pytest.mark.promise("P5")
def test_an_owner_does_not_decide(demo: Policy, changed: Callable[..., Policy]) -> None:
    assert answer(changed(demo, "training", owner="dpo"), "dpo", Verb.DECIDE) == "is_owner"


@pytest.mark.parametrize(
    ("verb", "allowed"),
    [
        (Verb.SEE_REQUESTS, {"dpo", "dpo2", "auditor", "admin"}),
        (Verb.SEE_REGISTER, {"dpo", "dpo2", "auditor", "admin"}),
        (Verb.RUN, {"ops"}),
    ],
)
def test_roles_see_and_run(demo: Policy, verb: Verb, allowed: set[str]) -> None:
    assert {user for user in ACCOUNTS if answer(demo, user, verb, Target()) is None} == allowed


def test_whoever_asked_sees_that_request(demo: Policy) -> None:
    assert answer(demo, "trainer", Verb.SEE_REQUESTS, Target(requester="trainer")) is None
    assert answer(demo, "trainer", Verb.SEE_REQUESTS, Target(requester="analyst")) == "role_missing"
    assert answer(demo, "trainer", Verb.SEE_REGISTER, Target(requester="trainer")) == "role_missing"


@pytest.mark.parametrize("verb", list(Verb))
def test_an_actor_without_roles_may_nothing(demo: Policy, verb: Verb) -> None:
    assert may(demo, Actor("nobody"), verb, KEPT, "coaching", NOW) != Allowed()


def test_designation_follows_the_policys_zone(demo: Policy) -> None:
    still_the_19th_in_utc = parse_instant("2026-12-19T23:30:00Z")
    assert is_designated(demo, "dpo2", still_the_19th_in_utc)
    assert not is_designated(replace(demo, zone="UTC"), "dpo2", still_the_19th_in_utc)


@pytest.mark.promise("P3")
def test_a_stores_identity_sees_one_purpose(shipped: Policy) -> None:
    found = prefixes(shipped)
    assert found["listen-training"] == "training/"
    assert len(found) == len(set(found.values())) == len(shipped.purposes)
    assert not any(a != b and a.startswith(b) for a in found.values() for b in found.values())
