"""Asking, answering, lapsing, extending: on a real PostgreSQL, with every race that matters (P5)."""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import Engine, update

from consigne.acts import extend
from consigne.acts.decide import lapse_requests
from consigne.acts.journey import Platform
from consigne.acts.safe import rewrap
from consigne.adapters.catalog import tables as t
from consigne.adapters.catalog.open import Catalog
from consigne.adapters.keyring.open import open_keyring
from consigne.rules.access import Denied
from consigne.rules.errors import BadInput, Unavailable
from consigne.rules.policy.load import load
from consigne.rules.request import Answer, Decision, ExceptionRequest, run_of
from consigne.rules.values import Actor

from .conftest import shift_clock
from .stage import DPO, LONGER, TEXT, WHY, Stage


@pytest.fixture
def stage(engine: Engine, catalog: Catalog, tmp_path: Path) -> Stage:
    nothing = cast(Any, None)
    keyring = open_keyring(f"file:{tmp_path / 'keyring'}")
    keyring.prepare(first=True)
    platform = Platform(
        catalog,
        nothing,
        keyring,
        nothing,
        nothing,
        nothing,
        nothing,
        os.urandom,
        uuid.uuid4,
        nothing,
        timedelta(0),
    )
    policy = load(TEXT).policy
    policy = replace(policy, deputies=())
    with catalog.begin() as tx:
        catalog.add_policy(tx, policy, TEXT, datetime(2026, 1, 1, tzinfo=UTC))
    return Stage(platform, policy, engine)


def code(outcome: object) -> str:
    assert isinstance(outcome, Denied), outcome
    return outcome.code


@pytest.mark.promise("P5")
def test_a_granted_extension_moves_the_date_and_the_key(stage: Stage) -> None:
    artifact = stage.keep()
    before = stage.row(artifact)
    request = stage.asked(artifact)
    assert isinstance(stage.answer(request), Decision)
    assert stage.row(artifact).due_at == before.due_at  # decided is not applied
    outcome = extend.apply_decision(stage.platform, stage.policy, request.id)
    assert outcome == extend.Applied({artifact: "extended"})
    after = stage.row(artifact)
    assert before.due_at < after.due_at <= request.until
    assert after.epoch == after.key_epoch != before.epoch
    assert not after.restricted
    assert stage.key_of(artifact) == b"k" * 32
    stage.platform.keyring.destroy_epoch(before.epoch)  # what its day does: the recording still opens
    assert stage.key_of(artifact) == b"k" * 32
    kinds = ("decide:request:filed", "decide:request:decided", "decide:artifact:applied")
    assert [len(stage.register(kind)) for kind in kinds] == [1, 1, 1]
    assert stage.register("decide:request:decided")[0]["reason"] == WHY


@pytest.mark.promise("P8")
def test_applying_again_changes_nothing(stage: Stage) -> None:
    artifact = stage.keep()
    request = stage.asked(artifact)
    stage.answer(request)
    extend.apply_decision(stage.platform, stage.policy, request.id)
    once = stage.row(artifact)
    assert extend.apply_decision(stage.platform, stage.policy, request.id) == extend.Applied({})
    assert stage.row(artifact) == once
    assert len(stage.register("decide:artifact:applied")) == 1


def test_two_who_apply_at_once_do_it_once(stage: Stage) -> None:
    artifacts = [stage.keep() for _ in range(5)]
    request = stage.asked(*artifacts)
    stage.answer(request)
    outcomes: list[object] = []

    def work() -> None:
        outcomes.append(extend.apply_decision(stage.platform, stage.policy, request.id))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(len(outcome.outcomes) for outcome in cast(list[extend.Applied], outcomes)) == [0, 0, 0, 5]
    assert {stage.key_of(artifact) for artifact in artifacts} == {b"k" * 32}


def test_extend_and_restrict_makes_it_inaudible(stage: Stage) -> None:
    artifact = stage.keep()
    request = stage.asked(artifact)
    stage.answer(request, answer=Answer.EXTEND_AND_RESTRICT)
    extend.apply_decision(stage.platform, stage.policy, request.id)
    assert stage.row(artifact).restricted


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


@pytest.mark.promise("P5")
def test_what_is_being_erased_is_not_brought_back(stage: Stage) -> None:
    going, kept = stage.keep(), stage.keep()
    request = stage.asked(going, kept)
    stage.answer(request)
    with stage.engine.begin() as tx:
        tx.execute(update(t.artifacts).where(t.artifacts.c.id == going).values(state="erasing"))
    before = stage.row(going)
    outcome = extend.apply_decision(stage.platform, stage.policy, request.id)
    assert outcome == extend.Applied({going: "gone", kept: "extended"})
    assert stage.row(going) == before


def test_a_request_waits_past_the_due_second_and_is_then_applied(stage: Stage) -> None:
    artifact = stage.keep(left=timedelta(hours=1))
    request = stage.asked(artifact)
    shift_clock(stage.engine, 2 * 86_400)  # past due, inaudible, within the response time
    assert isinstance(stage.answer(request), Decision)
    outcome = extend.apply_decision(stage.platform, stage.policy, request.id)
    assert outcome == extend.Applied({artifact: "extended"})


@pytest.mark.promise("P5")
def test_a_granted_date_that_has_passed_extends_nothing(stage: Stage) -> None:
    artifact = stage.keep()
    before = stage.row(artifact)
    request = stage.asked(artifact)
    stage.answer(request)
    shift_clock(stage.engine, 61 * 86_400)
    assert extend.apply_decision(stage.platform, stage.policy, request.id) == extend.Applied(
        {artifact: "over"}
    )
    assert stage.row(artifact) == before


@pytest.mark.promise("P8")
def test_a_keyring_that_fails_leaves_all_or_nothing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    artifacts = [stage.keep() for _ in range(3)]
    before = [stage.row(artifact) for artifact in artifacts]
    request = stage.asked(*artifacts)
    stage.answer(request)
    for calls in range(3):
        left = iter(range(calls))

        def failing(*args: Any, left: Iterator[int] = left) -> bytes:
            if next(left, None) is None:
                raise Unavailable("keyring")
            return rewrap(*args)

        monkeypatch.setattr(extend, "rewrap", failing)
        with pytest.raises(Unavailable):
            extend.apply_decision(stage.platform, stage.policy, request.id)
        assert [stage.row(artifact) for artifact in artifacts] == before
        assert extend.unapplied(stage.platform, 0) == [request.id]
    monkeypatch.undo()
    outcome = extend.apply_decision(stage.platform, stage.policy, request.id)
    assert outcome == extend.Applied(dict.fromkeys(sorted(artifacts), "extended"))
    assert extend.unapplied(stage.platform, 0) == []


@pytest.mark.promise("P5")
def test_runs_that_fit_no_request_do_nothing(stage: Stage) -> None:
    request = stage.asked(stage.keep())
    id, run = str(request.id), run_of(request.id)
    load = extend.load_request
    assert load(stage.platform, str(uuid.uuid4()), request.digest, run) == "close_refused"
    assert load(stage.platform, id, "0" * 64, run) == "close_refused"
    assert load(stage.platform, id, request.digest, "manual__2026-11-22") == "close_refused"
    codes = [entry["code"] for entry in stage.register("decide:run:refused")]
    assert codes == ["unknown_request", "digest_differs", "not_its_run"]
    assert extend.close_refused(stage.platform, id, "manual__2026-11-22") == "made_up"
    stage.answer(request)
    assert extend.record_decision(stage.platform, id, "manual__2026-11-22") == "close_refused"
    assert load(stage.platform, id, request.digest, run) == "notify_dpo"
    assert extend.record_decision(stage.platform, id, run) == "apply_extension"
    assert extend.apply_extension(stage.platform, id) == {"extended": 1}


@pytest.mark.promise("P5")
def test_a_task_marked_done_is_no_decision(stage: Stage) -> None:
    artifact = stage.keep()
    before = stage.row(artifact)
    request = stage.asked(artifact)
    id, run = str(request.id), run_of(request.id)
    assert extend.record_decision(stage.platform, id, run) == "close_refused"
    assert extend.apply_extension(stage.platform, id) == {"no_decision": 0}
    assert extend.close_refused(stage.platform, id, run) == "pending"
    assert stage.row(artifact) == before


def test_the_response_time_counts_from_filing(stage: Stage) -> None:
    request = stage.asked(stage.keep())
    shift_clock(stage.engine, 86_400)
    left = extend.seconds_left(stage.platform, str(request.id))
    assert 4 * 86_400 - 60 < left <= 4 * 86_400
    shift_clock(stage.engine, 5 * 86_400)
    assert extend.seconds_left(stage.platform, str(request.id)) == 1


def test_the_request_waits_for_the_designated(stage: Stage) -> None:
    request = stage.asked(stage.keep())
    assert extend.notify_dpo(stage.platform, str(request.id)) == 1
    assert stage.register("decide:request:announced")[0]["waits_for"] == ["dpo"]
