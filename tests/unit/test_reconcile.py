"""The merge of listing and catalog against one that holds all in memory; how late an artifact may go; audit lines."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consigne.rules.errors import Unavailable
from consigne.rules.explained import Dated, Explanation, is_moved
from consigne.rules.findings import FindingAnswer, FindingKind, answers
from consigne.rules.policy.model import Policy
from consigne.rules.reconcile import Listed, Recorded, Verdict, compare, is_old
from consigne.rules.retention import falls_due
from consigne.rules.store_audit import read_audit
from consigne.rules.values import Part

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
NAMES = st.sampled_from(["a", "a/b", "a-b", "b", "é", "z", "𝄞"])


def listed(name: str, version: str, is_marker: bool = False) -> Listed:
    return Listed(name, version, is_marker, NOW)


@given(
    st.lists(st.tuples(NAMES, st.sampled_from("123"), st.booleans()), unique_by=lambda one: one[:2]),
    st.dictionaries(NAMES, st.sampled_from("123")),
)
def test_every_version_and_row_is_judged_once(
    there: list[tuple[str, str, bool]], rows: dict[str, str]
) -> None:
    listing = [listed(*one) for one in sorted(there, key=lambda one: one[0])]
    recorded = [Recorded(name, rows[name], UUID(int=1), "kept") for name in sorted(rows)]
    wanted: Counter[Any] = Counter()
    for one in listing:
        if one.object not in rows:
            verdict = Verdict.UNRECORDED
        else:
            is_it = rows[one.object] == one.version and not one.is_marker
            verdict = Verdict.MATCHED if is_it else Verdict.FOREIGN
        wanted[verdict, one.object, one.version] += 1
    seen = {(one.object, one.version) for one in listing if not one.is_marker}
    wanted.update(
        (Verdict.MISSING, name, version) for name, version in rows.items() if (name, version) not in seen
    )
    found: Counter[Any] = Counter()
    for verdict, version, row in compare(listing, recorded):
        judged = row if verdict is Verdict.MISSING else version
        assert judged is not None
        found[verdict, judged.object, judged.version] += 1
    assert found == wanted


def test_a_listing_out_of_order_says_nothing() -> None:
    with pytest.raises(Unavailable, match="listing_unordered"):
        list(compare([listed("b", "1"), listed("a", "1")], []))


@pytest.mark.parametrize(
    ("ago", "old"), [(timedelta(minutes=59), False), (timedelta(hours=1), True), (-timedelta(minutes=5), False), (-timedelta(days=1), True)]
)  # fmt: skip
def test_an_hour_excuses_an_object_and_a_forged_date_does_not(ago: timedelta, old: bool) -> None:
    assert is_old(NOW - ago, NOW, timedelta(hours=1)) is old


def dated(policy: Policy, **changes: Any) -> Dated:
    due_at = falls_due(policy, policy, "2026-01", "training", Part.AUDIO, NOW, NOW).due_at
    one = Dated(
        UUID(int=1), "training", Part.AUDIO, NOW, NOW, "2026-01", policy.digest, due_at, due_at,
        due_at + timedelta(days=180), None, None, None,
    )  # fmt: skip
    return replace(one, **changes)


@pytest.mark.promise("P5")
def test_a_date_is_explained_by_policy_extension_and_hold_alone(demo: Policy) -> None:
    explained = Explanation([demo], {demo.digest})
    right = dated(demo)
    latest = explained.latest(right, None)
    assert latest == right.due_at and not is_moved(right, latest)
    second = timedelta(seconds=1)
    assert is_moved(replace(right, own_due_at=latest + second), latest)
    assert is_moved(replace(right, due_at=latest + second), latest)
    until = latest + timedelta(days=30)
    extended = replace(right, own_due_at=until, due_at=until)
    assert not is_moved(extended, explained.latest(extended, until))
    assert is_moved(extended, explained.latest(extended, until - second))
    held = replace(right, due_at=until, review_at=until)
    assert not is_moved(held, latest) and is_moved(replace(held, due_at=until + second), latest)


@pytest.mark.promise("P5")
def test_a_version_that_came_since_shortens_what_is_explained(demo: Policy) -> None:
    gone = {name: rule for name, rule in demo.purposes.items() if name != "training"}
    later = replace(demo, digest="later", in_force_from=NOW + timedelta(days=9), purposes=gone)
    one = dated(demo)
    assert Explanation([demo, later], {demo.digest, "later"}).latest(one, None) == later.in_force_from
    assert (
        Explanation([demo, later], {demo.digest}).latest(one, None) == one.due_at
    )  # not brought under it yet


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["api", "name", "bucket", "object", "statusCode", "requestID", "time", "x"]), inner), max_leaves=12))  # fmt: skip
def test_no_line_of_an_audit_log_stops_the_others(line: Any) -> None:
    good = {
        "time": "2026-11-22T15:53:43.2897588Z", "requestID": "R", "accessKey": "k",
        "api": {"name": "GetObject", "bucket": "recordings", "object": "a\0b\ud800", "statusCode": 200},
    }  # fmt: skip
    body = "\n".join([json.dumps(line), "{", json.dumps(good)]).encode()
    [found] = [one for one in read_audit(body, {"k": "root"}.get) if one.request == "R"]
    assert (found.identity, found.object, found.at.microsecond) == ("root", "a�b?", 289758)


def test_only_dates_can_be_put_back() -> None:
    assert {kind for kind in FindingKind if FindingAnswer.PUT_BACK in answers(kind)} == {
        FindingKind.MOVED_DUE_DATE
    }
