"""A request's digest, and whose word it waits for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consigne.rules.errors import BadInput
from consigne.rules.policy.model import Policy
from consigne.rules.redaction.typed import check_typed
from consigne.rules.request import (
    ExceptionRequest,
    RequestItem,
    RequestState,
    Stage,
    owners_asked,
    owners_awaited,
    stage_of,
)

FILED = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
REQUEST = ExceptionRequest(
    id=UUID(int=1),
    requester="trainer",
    ground="dispute",
    reason="Why.",
    until=FILED + timedelta(days=90),
    filed_at=FILED,
    lapses_at=FILED + timedelta(days=5),
    policy="0" * 64,
    items=(RequestItem(UUID(int=2), FILED + timedelta(days=30)),),
)


@pytest.mark.promise("P5")
def test_what_an_earlier_version_filed_keeps_its_digest() -> None:
    """The digest of a request without the newer field, as issue 2 wrote it."""
    assert REQUEST.digest == "abca26b5136ed18a02b926aa15718f5adb6da36ffd0e03e82fb7a6620c40a980"


@pytest.mark.promise("P5")
@pytest.mark.parametrize(
    "change",
    [
        {"reason": "Another."},
        {"why_not_less": "Less will not do."},
        {"ground": "teaching_case"},
        {"until": FILED},
        {"requester": "somebody"},
        {"items": ()},
        {"lapses_at": FILED},
        {"policy": "1" * 64},
    ],
)
def test_whatever_is_asked_is_in_the_digest(change: dict[str, object]) -> None:
    assert replace(REQUEST, **change).digest != REQUEST.digest  # type: ignore[arg-type]
    # How it fares is not.
    assert replace(REQUEST, state=RequestState.LAPSED, run="r").digest == REQUEST.digest


def in_stages(policy: Policy, owners: dict[str, str]) -> Policy:
    changed = {
        name: replace(policy.purposes[name], owner=owner, approval=("owner", "dpo"))
        for name, owner in owners.items()
    }
    return replace(policy, purposes={**policy.purposes, **changed})


PURPOSES = ("training", "quality", "complaint", "emergency")
OWNERS = st.dictionaries(st.sampled_from(PURPOSES), st.sampled_from(["o1", "o2", "o3"]))


@pytest.mark.promise("P5")
@given(
    OWNERS, st.sets(st.sampled_from((*PURPOSES, "lost"))), st.sets(st.sampled_from(["o1", "o2", "o3", "x"]))
)
def test_the_dpo_s_turn_comes_when_every_owner_asked_has_spoken(
    demo: Policy, owners: dict[str, str], touched: set[str], spoken: set[str]
) -> None:
    policy = in_stages(demo, owners)
    asked = {owner for purpose, owner in owners.items() if purpose in touched}
    assert owners_asked(policy, touched) == asked
    assert owners_awaited(policy, touched, spoken) == asked - spoken
    assert stage_of(policy, touched, spoken) is (Stage.DPO if asked <= spoken else Stage.OWNER)
    assert stage_of(demo, touched, ()) is Stage.DPO


@pytest.mark.promise("P2")
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("card 4111 1111 1111 1111", "bad_field"),
        ("a\0b", "unprintable"),
        ("a\ud800b", "unprintable"),
        ("a\u202eb", "unprintable"),
        ("x" * 2001, "too_long"),
    ],
)
def test_what_is_typed_names_its_field_and_not_its_value(text: str, code: str) -> None:
    for is_needed in (True, False):
        with pytest.raises(BadInput) as fault:
            check_typed(text, "mandate", is_needed=is_needed)
        assert (fault.value.code, fault.value.where) == (code, "mandate")
        assert text not in str(fault.value)


def test_what_need_not_be_typed_may_be_empty() -> None:
    check_typed("", "mandate", is_needed=False)
    check_typed("abc", "mandate", longest=3)
    for text, longest in ((" ", 9), ("abcd", 3)):
        with pytest.raises(BadInput):
            check_typed(text, "mandate", longest)
