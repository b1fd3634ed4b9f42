"""Which purposes of a call an objection binds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consigne.rules.clock import parse_instant
from consigne.rules.objections import Objection, demanded_by_law, objected, other_party, purposes_said
from consigne.rules.policy.model import Policy
from consigne.rules.recording import IncomingRecording
from consigne.rules.recording import Objection as Said
from consigne.rules.values import Private

pytestmark = pytest.mark.promise("P1")
Call = Callable[..., IncomingRecording]
START = parse_instant("2026-11-20T09:14:03+01:00")
MINE, ANOTHER = b"mine", b"another call's"
BOTH = ("training", "quality")


def objection(after_s: int, withdrawn_after_s: int | None = None, call: bytes | None = None,
              purposes: tuple[str, ...] = (), callers: tuple[bytes, ...] = (b"c",)) -> Objection:  # fmt: skip
    withdrawn_at = None if withdrawn_after_s is None else START + timedelta(seconds=withdrawn_after_s)
    at = START + timedelta(seconds=after_s)
    return Objection(UUID(int=1), call, callers, purposes, None, at, withdrawn_at)


LENGTH_S = 240
CASES = [
    (objection(-1), True),
    (objection(LENGTH_S), True),  # said during the call
    (objection(LENGTH_S + 1), False),  # said after it, and not of it
    (objection(-60, withdrawn_after_s=-1), False),
    (objection(-60, withdrawn_after_s=0), False),
    (objection(-60, withdrawn_after_s=1), True),
    (objection(9_999, call=MINE), True),
    (objection(9_999, call=MINE, callers=()), True),
    (objection(9_999, call=MINE, withdrawn_after_s=-1), True),  # what was said of a call stays
    (objection(9_999, call=ANOTHER), False),
    (objection(-1, call=ANOTHER), True),
]


@pytest.mark.parametrize(("one", "binds"), CASES)
def test_an_objection_binds_its_call_and_the_callers_later_ones(
    call: Call, one: Objection, binds: bool
) -> None:
    incoming = call(started_at=START, ended_at=START + timedelta(seconds=LENGTH_S))
    assert objected([one], MINE, incoming, BOTH) == (frozenset(BOTH) if binds else frozenset())
    some = replace(one, purposes=("training", "marketing"))
    assert objected([some], MINE, incoming, BOTH) == (frozenset({"training"}) if binds else frozenset())


@given(
    st.lists(
        st.builds(objection, st.integers(-500, 500), st.none() | st.integers(-500, 500),
                  st.sampled_from([None, MINE, ANOTHER]), st.sampled_from([(), ("training",), BOTH])),
        max_size=5,
    ),
    st.randoms(),
)  # fmt: skip
def test_their_order_does_not_matter_and_none_undoes_another(found: list[Objection], chance: object) -> None:
    incoming = _call()
    whole = objected(found, MINE, incoming, BOTH)
    shuffled = list(found)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert objected(shuffled, MINE, incoming, BOTH) == whole
    assert frozenset().union(*(objected([one], MINE, incoming, BOTH) for one in found)) == whole


def _call() -> IncomingRecording:
    number = Private("+33612345678")
    return IncomingRecording(
        "folder", "a", START, START + timedelta(seconds=LENGTH_S), "inbound", number, number, "a", "support",
        "fr", None, None, None, ("mixed",), None, None, None, None, None,
    )  # fmt: skip


def test_a_wrong_name_does_not_make_an_objection_void(demo: Policy) -> None:
    assert purposes_said(Said(0, ("training",), None), demo) == ("training",)
    assert purposes_said(Said(0, ("training", "formation"), None), demo) == ()
    assert purposes_said(Said(0, ("training",), None), None) == ()


def test_what_the_law_demands_stands_in_the_policy(demo: Policy) -> None:
    assert set(demanded_by_law(demo)) == {"investment_orders", "emergency"}


@pytest.mark.parametrize(
    ("direction", "caller", "number"),
    [("inbound", "+331", "+331"), ("internal", "+331", "+331"), ("outbound", "+331", "+332"), ("inbound", "anonymous", "")],
)  # fmt: skip
def test_the_one_who_objects_is_the_other_party(call: Call, direction: str, caller: str, number: str) -> None:
    incoming = call(direction=direction, caller=Private(caller), callee=Private("+332"))
    assert other_party(incoming) == number
