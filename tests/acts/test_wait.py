"""A request keeps what it names past the due second for one response time at most, however often people ask (P5)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from consigne.acts import decide, extend
from consigne.acts.listen import export
from consigne.adapters.catalog import tables as t
from consigne.rules.access import Denied
from consigne.rules.request import Answer, Decision, ExceptionRequest

from .test_expire import DPO, TRAINER, WHY, answer, ask
from .world import World

DUE = timedelta(minutes=4)  # trial calls end then, or up to a minute earlier
RESPONSE = timedelta(days=5)
SECOND = timedelta(seconds=1)


@pytest.fixture
def trial(world: World) -> World:
    world.deliver_trial("a", left=DUE)
    world.deliver("b", purposes=["trial"], ago=timedelta(minutes=2))
    world.ingest()
    return world


def denied(world: World, *ids: str) -> str | None:
    """The code by which a request for whole calls is denied; None where it was filed."""
    artifacts = [row.id for id in ids for row in world.artifacts(id)]
    until = world.base + timedelta(days=3)
    filed = decide.file_request(world.platform, world.policy, TRAINER, artifacts, until, "dispute", WHY)
    return filed.code if isinstance(filed, Denied) else None


def due_of(world: World, id: str) -> timedelta:
    return max(row.due_at for row in world.artifacts(id)) - world.base


@pytest.mark.promise("P5")
@pytest.mark.parametrize("refusals", [0, 1, 3])
def test_requests_in_a_row_wait_no_longer_than_one(trial: World, refusals: int) -> None:
    due = due_of(trial, "a")
    for _ in range(refusals):
        answer(trial, ask(trial, "a"), Answer.REFUSE)
    request = ask(trial, "a")
    trial.pass_time(due)
    assert denied(trial, "a") == "past_due"
    artifact = trial.artifacts("a")[0]
    assert export(trial.platform, TRAINER, artifact.id, "coaching") == Denied("past_due")
    trial.expire()
    assert set(trial.states("a").values()) == {"kept"}
    assert request.lapses_at - artifact.due_at < RESPONSE
    trial.pass_time(due + RESPONSE)
    trial.expire()
    assert set(trial.states("a").values()) == {"erased"}


@pytest.mark.promise("P5")
def test_what_was_refused_goes_in_its_second_and_none_may_ask_again(trial: World) -> None:
    request = ask(trial, "a")
    trial.pass_time(due_of(trial, "a") + SECOND)
    answer(trial, request, Answer.REFUSE)
    assert denied(trial, "a") == "past_due"
    trial.expire()
    assert set(trial.states("a").values()) == {"erased"}


@pytest.mark.promise("P5")
def test_a_lapse_before_the_due_second_leaves_one_more_and_no_longer_wait(world: World) -> None:
    """Lapsed and asked again: what counts is the due second, not how often was asked."""
    world.deliver("c")
    world.ingest()
    due = world.artifacts("c")[0].due_at - world.base
    until = world.base + due + timedelta(days=30)
    artifacts = [row.id for row in world.artifacts("c")]
    filed = []
    for before_due in (timedelta(days=12), timedelta(days=6), timedelta(hours=1)):
        world.pass_time(due - before_due)
        decide.lapse_requests(world.platform)
        said = decide.file_request(world.platform, world.policy, TRAINER, artifacts, until, "dispute", WHY)
        assert isinstance(said, ExceptionRequest), said
        filed.append(said)
    assert filed[-1].lapses_at - (world.base + due) < RESPONSE
    world.pass_time(due + RESPONSE - timedelta(hours=2))
    decide.lapse_requests(world.platform)
    world.expire()
    assert set(world.states("c").values()) == {"kept"}
    world.pass_time(due + RESPONSE)
    world.expire()  # whether or not anybody lapsed the last one
    assert set(world.states("c").values()) == {"erased"}


@pytest.mark.promise("P5")
def test_a_selection_keeps_each_of_its_own_due_second_on(trial: World) -> None:
    ids = [row.id for id in ("a", "b") for row in trial.artifacts(id)]
    until = trial.base + timedelta(days=3)
    said = decide.file_request(trial.platform, trial.policy, TRAINER, ids, until, "dispute", WHY)
    assert isinstance(said, ExceptionRequest)
    first, second = sorted((due_of(trial, "a"), due_of(trial, "b")))
    assert first < second
    trial.pass_time(first + SECOND)
    assert denied(trial, "a", "b") == "past_due"
    assert denied(trial, "b") == "already_asked"
    trial.pass_time(second + SECOND)
    trial.expire()
    assert {row.state for row in trial.artifacts()} == {"kept"}
    trial.pass_time(first + RESPONSE)  # both were asked for before the first fell due
    trial.expire()
    assert {row.state for row in trial.artifacts()} == {"erased"}


@pytest.mark.promise("P5")
@pytest.mark.parametrize(
    ("said", "afterwards"), [(Answer.EXTEND, "not_later"), (Answer.KEEP_UNDER_ANOTHER_PURPOSE, "past_due")]
)
def test_between_decision_and_effect_nobody_asks_again(trial: World, said: Answer, afterwards: str) -> None:
    """Else a request filed in between would wait past the end that the decision sets."""
    request, policy = ask(trial, "a"), trial.policy
    given = request.id, request.digest, said, None, WHY, "emergency"
    assert isinstance(decide.answer_request(trial.platform, policy, DPO, *given), Decision)
    assert denied(trial, "a") == "already_asked"
    extend.apply_decision(trial.platform, policy, request.id)
    ids, until = [item.artifact for item in request.items], trial.base + timedelta(days=3)
    again = decide.file_request(trial.platform, policy, TRAINER, ids, until, "dispute", WHY)
    assert again == Denied(afterwards)


@pytest.mark.promise("P5")
def test_an_earlier_end_is_not_waited_past_by_an_older_request(trial: World) -> None:
    """A due second that was brought forward before the request was filed leaves nothing to wait for."""
    request = ask(trial, "a")
    with trial.engine.begin() as tx:
        mine = t.artifacts.c.id.in_([item.artifact for item in request.items])
        tx.execute(update(t.artifacts).where(mine).values(due_at=request.filed_at))
    trial.expire()
    assert set(trial.states("a").values()) == {"erased"}
    assert trial.rows(select(t.requests.c.state))[0].state == "pending"
