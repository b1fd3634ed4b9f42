"""A granted extension made true, once, whoever asks for it and whatever fails (P5, P8)."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest
from sqlalchemy import update

from consigne.acts import extend
from consigne.acts.safe import rewrap
from consigne.adapters.catalog import tables as t
from consigne.rules.access import Denied
from consigne.rules.errors import Unavailable
from consigne.rules.request import Answer, Decision, run_of

from .conftest import shift_clock
from .stage import WHY, Stage


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


@pytest.mark.promise("P5", "P8")
def test_a_key_that_does_not_open_stops_no_neighbour(stage: Stage) -> None:
    broken, sound = stage.keep(), stage.keep()
    request = stage.asked(broken, sound)
    decision = stage.answer(request)
    assert isinstance(decision, Decision) and decision.until
    with stage.engine.begin() as tx:
        tx.execute(update(t.data_keys).where(t.data_keys.c.artifact == broken).values(wrapped=b"x" * 60))
    before = stage.row(broken).key_epoch
    extend.apply_decision(stage.platform, stage.policy, request.id)
    assert stage.row(broken).due_at == stage.row(sound).due_at > stage.now() + timedelta(days=40)
    assert stage.row(broken).key_epoch == before  # it keeps its epoch from closing
    assert stage.key_of(sound) == b"k" * 32


@pytest.mark.promise("P5")
def test_what_was_extended_before_its_purpose_was_removed_is_kept(stage: Stage) -> None:
    """Whether the extension was made true before or after."""
    artifact = stage.keep()
    request = stage.asked(artifact)
    assert isinstance(stage.answer(request), Decision)
    kept = {name: rule for name, rule in stage.policy.purposes.items() if name != "training"}
    applied = extend.apply_decision(stage.platform, replace(stage.policy, purposes=kept), request.id)
    assert isinstance(applied, extend.Applied) and applied.outcomes == {artifact: "extended"}
    assert stage.row(artifact).due_at > stage.now() + timedelta(days=40)
