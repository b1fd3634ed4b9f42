"""Asking, answering, lapsing, extending: on a real PostgreSQL, with every race that matters (P5)."""

from __future__ import annotations

import threading
import uuid
from datetime import UTC, date, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from consigne.acts import extend
from consigne.acts.decide import lapse_requests
from consigne.adapters.catalog import tables as t
from consigne.rules.access import Denied
from consigne.rules.errors import BadInput
from consigne.rules.request import Answer, Decision, ExceptionRequest, run_of
from consigne.rules.values import Actor

from .conftest import shift_clock
from .stage import DPO, LONGER, Stage


def code(outcome: object) -> str:
    assert isinstance(outcome, Denied), outcome
    return outcome.code


@pytest.mark.promise("P5")
def test_a_refusal_moves_nothing(stage: Stage) -> None:
    artifact = stage.keep()
    before = stage.row(artifact)
    request = stage.asked(artifact)
    assert isinstance(stage.answer(request, answer=Answer.REFUSE), Decision)
    assert code(extend.apply_decision(stage.platform, stage.policy, request.id)) == "refused"
    assert stage.row(artifact) == before


@pytest.mark.promise("P5")
def test_silence_is_a_refusal(stage: Stage) -> None:
    artifact = stage.keep()
    before = stage.row(artifact)
    request = stage.asked(artifact)
    assert lapse_requests(stage.platform) == []
    shift_clock(stage.engine, 5 * 86_400 + 1)
    assert code(stage.answer(request)) == "lapsed"  # late, though nobody lapsed it yet
    assert lapse_requests(stage.platform) == [request.id]
    assert lapse_requests(stage.platform) == []
    assert code(stage.answer(request)) == "lapsed"
    assert code(extend.apply_decision(stage.platform, stage.policy, request.id)) == "no_decision"
    assert extend.record_decision(stage.platform, str(request.id), run_of(request.id)) == "close_refused"
    assert extend.close_refused(stage.platform, str(request.id), run_of(request.id)) == "lapsed"
    assert stage.row(artifact) == before
    assert [entry["subject"] for entry in stage.register("decide:request:lapsed")] == [str(request.id)]


@pytest.mark.promise("P5")
@pytest.mark.parametrize(
    ("actor", "expected"),
    [
        (Actor("ops", frozenset({"ops"})), "role_missing"),
        (Actor("dpo", frozenset()), "role_missing"),  # designated, but the role was taken away
        (Actor("root", frozenset({"Admin"})), "role_missing"),
        (Actor("root", frozenset({"Admin", "dpo"})), "not_designated"),  # gave himself the role
        (Actor("dpo2", frozenset({"dpo"})), "not_designated"),  # a deputy, not today
        (Actor("trainer", frozenset({"trainer", "dpo"})), "not_designated"),
    ],
)
def test_only_a_designated_dpo_decides(stage: Stage, actor: Actor, expected: str) -> None:
    artifact = stage.keep()
    request = stage.asked(artifact)
    assert code(stage.answer(request, actor=actor)) == expected
    [entry] = stage.register("decide:request:answer_denied")
    assert (entry["actor"], entry["code"], entry["subject"]) == (actor.user, expected, str(request.id))
    assert extend.record_decision(stage.platform, str(request.id), run_of(request.id)) == "close_refused"
    assert isinstance(stage.answer(request), Decision)  # and the request still waits for the DPO


def test_nobody_decides_on_what_they_asked_for(stage: Stage) -> None:
    both = Actor("dpo", frozenset({"dpo", "trainer"}))
    request = stage.asked(stage.keep(), actor=both)
    assert code(stage.answer(request, actor=both)) == "is_requester"


def test_a_decision_is_bound_to_what_was_shown(stage: Stage) -> None:
    request = stage.asked(stage.keep())
    other = stage.asked(stage.keep())
    assert code(stage.answer(request, digest=other.digest)) == "digest_differs"
    with stage.engine.begin() as tx:  # whoever alters the row invalidates it
        tx.execute(update(t.requests).where(t.requests.c.id == request.id).values(ground="teaching_case"))
    assert code(stage.answer(request)) == "digest_differs"


def test_sent_twice_counts_once_and_nobody_overrules(stage: Stage) -> None:
    request = stage.asked(stage.keep())
    first = stage.answer(request)
    assert stage.answer(request) == first
    assert code(stage.answer(request, answer=Answer.REFUSE)) == "already_decided"
    assert len(stage.register("decide:request:decided")) == 1


def test_two_answers_at_once_leave_one_decision(stage: Stage) -> None:
    request = stage.asked(stage.keep())
    outcomes: list[object] = []

    def say(answer: Answer) -> None:
        outcomes.append(stage.answer(request, answer=answer))

    threads = [threading.Thread(target=say, args=(answer,)) for answer in (Answer.EXTEND, Answer.REFUSE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(type(outcome) is Decision for outcome in outcomes) == [False, True]
    assert len(stage.register("decide:request:decided")) == 1


@pytest.mark.promise("P5")
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"actor": Actor("ops", frozenset({"ops"}))}, "not_a_listener"),
        ({"actor": DPO}, "not_a_listener"),
        ({"ground": "because"}, "ground_not_listed"),
        ({"until": timedelta(days=1)}, "not_later"),
        ({"until": timedelta(days=29)}, "not_later"),
        ({"until": timedelta(days=300)}, "step_too_long"),
        ({"until": timedelta(days=5000)}, "past_cap"),
    ],
)
def test_what_may_not_be_asked_is_denied_and_registered(
    stage: Stage, changes: dict[str, Any], expected: str
) -> None:
    artifact = stage.keep()
    if "until" in changes:
        changes = changes | {"until": stage.now() + changes["until"]}
    assert code(stage.ask(artifact, **changes)) == expected
    [entry] = stage.register("decide:request:denied")
    assert (entry["code"], entry["subjects"]) == (expected, [str(artifact)])


@pytest.mark.promise("P5")
def test_what_is_due_cannot_be_asked_for(stage: Stage) -> None:
    artifact = stage.keep(left=timedelta(seconds=90))
    shift_clock(stage.engine, 91)
    assert code(stage.ask(artifact)) == "past_due"
    assert code(stage.ask(uuid.uuid4())) == "unknown_artifact"
    assert code(stage.ask(artifact, stage.keep())) == "past_due"  # a selection is asked for whole or not


@pytest.mark.promise("P5")
def test_a_second_request_cannot_lengthen_the_wait(stage: Stage) -> None:
    artifact, other = stage.keep(), stage.keep()
    request = stage.asked(artifact)
    assert code(stage.ask(other, artifact)) == "already_asked"
    stage.answer(request, answer=Answer.REFUSE)
    assert isinstance(stage.ask(artifact), ExceptionRequest)


@pytest.mark.promise("P2")
@pytest.mark.parametrize(
    "reason",
    [
        "",
        "  \n",
        "x" * 2001,
        "card 4111 1111 1111 1111 was read out",
        "call +33612345678",
        "a\0b",
        "a\ud800b",
    ],
)
def test_a_reason_is_asked_for_and_holds_no_card(stage: Stage, reason: str) -> None:
    artifact = stage.keep()
    with pytest.raises(BadInput, match="reason") as fault:
        stage.ask(artifact, reason=reason)
    assert "4111" not in str(fault.value)
    request = stage.asked(artifact)
    with pytest.raises(BadInput, match="reason"):
        stage.answer(request, reason=reason)


def test_shorter_than_asked_may_be_granted_and_longer_not(stage: Stage) -> None:
    artifact = stage.keep()
    request = stage.asked(artifact)
    assert code(stage.answer(request, until=request.until + timedelta(days=1))) == "beyond_request"
    decision = stage.answer(request, until=(request.until - timedelta(days=20)).date())
    assert isinstance(decision, Decision)
    extend.apply_decision(stage.platform, stage.policy, request.id)
    assert stage.row(artifact).due_at == decision.until


def test_a_day_begins_in_the_policy_s_zone(stage: Stage) -> None:
    day = (stage.now() + LONGER).date()
    request = stage.asked(stage.keep(), until=day)
    assert request.until.astimezone(UTC).hour in (22, 23)  # midnight in Paris
    assert isinstance(day, date)


def test_a_request_waits_past_the_due_second_and_is_then_applied(stage: Stage) -> None:
    artifact = stage.keep(left=timedelta(hours=1))
    request = stage.asked(artifact)
    shift_clock(stage.engine, 2 * 86_400)  # past due, inaudible, within the response time
    assert isinstance(stage.answer(request), Decision)
    outcome = extend.apply_decision(stage.platform, stage.policy, request.id)
    assert outcome == extend.Applied({artifact: "extended"})
