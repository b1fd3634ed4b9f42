"""Two stages, two people: the owner states necessity, then the DPO decides."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import update

from consigne.acts import extend
from consigne.acts.necessity import state_necessity
from consigne.adapters.catalog import tables as t
from consigne.rules.access import Denied
from consigne.rules.errors import BadInput
from consigne.rules.policy.load import load
from consigne.rules.policy.model import Policy
from consigne.rules.request import Answer, Decision, ExceptionRequest, Opinion, run_of
from consigne.rules.values import Actor

from .conftest import shift_clock
from .stage import DPO, TEXT, WHY, Stage

OWNER = Actor("owner", frozenset({"trainer"}))
OTHER = Actor("second", frozenset({"analyst"}))


def staged(policy: Policy, **owners: str) -> Policy:
    """The policy whose named purposes ask their owner first."""
    changed = {
        name: replace(policy.purposes[name], owner=owner, approval=("owner", "dpo"))
        for name, owner in owners.items()
    }
    return replace(policy, purposes={**policy.purposes, **changed})


@pytest.fixture
def asked_in_stages(stage: Stage) -> Stage:
    return replace(stage, policy=staged(stage.policy, training="owner"))


def word(
    stage: Stage,
    request: ExceptionRequest,
    actor: Actor = OWNER,
    yes: bool = True,
    digest: str = "",
    reason: str = WHY,
) -> Opinion | Decision | Denied:
    seen = digest or request.digest
    return state_necessity(stage.platform, stage.policy, actor, request.id, seen, yes, reason)


@pytest.mark.promise("P5")
def test_the_dpo_decides_after_the_owner_and_not_before(asked_in_stages: Stage) -> None:
    stage = asked_in_stages
    artifact = stage.keep()
    request = stage.asked(artifact)
    for answer in (Answer.EXTEND, Answer.REFUSE):
        assert stage.answer(request, answer=answer) == Denied("owner_first")
    said = word(stage, request)
    assert isinstance(said, Opinion) and said.owner == "owner"
    assert extend.record_decision(stage.platform, str(request.id), run_of(request.id)) == "close_refused"
    assert isinstance(stage.answer(request), Decision)
    extend.apply_decision(stage.platform, stage.policy, request.id)
    assert stage.row(artifact).extension is not None
    kinds = ("decide:request:filed", "decide:request:necessity", "decide:request:decided")
    entries = [stage.register(kind)[0] for kind in kinds]
    assert [entry["actor"] for entry in entries] == ["trainer", "owner", "dpo"]
    assert {entry["digest"] for entry in entries} == {request.digest}
    assert [entry["code"] for entry in stage.register("decide:request:answer_denied")] == ["owner_first"] * 2


@pytest.mark.promise("P5")
def test_an_owner_who_sees_no_necessity_refuses(asked_in_stages: Stage) -> None:
    stage = asked_in_stages
    artifact = stage.keep()
    before = stage.row(artifact)
    request = stage.asked(artifact)
    refused = word(stage, request, yes=False)
    assert isinstance(refused, Decision)
    assert (refused.answer, refused.decided_by, refused.until) == (Answer.REFUSE, "owner", None)
    assert word(stage, request, yes=False) == refused
    assert word(stage, request) == Denied("already_decided")
    assert stage.answer(request) == Denied("already_decided")
    assert extend.record_decision(stage.platform, str(request.id), run_of(request.id)) == "close_refused"
    assert extend.apply_decision(stage.platform, stage.policy, request.id) == Denied("refused")
    assert stage.row(artifact) == before
    with stage.platform.catalog.begin() as tx:  # Airflow takes no answer from an owner, and is offered none
        assert stage.platform.catalog.unanswered(tx) == []


@pytest.mark.promise("P5")
@pytest.mark.parametrize(
    ("actor", "code"),
    [
        (Actor("trainer", frozenset({"trainer"})), "not_owner"),  # the requester
        (DPO, "not_owner"),
        (Actor("root", frozenset({"Admin"})), "not_owner"),
        (Actor("analyst", frozenset({"analyst"})), "not_owner"),  # of another purpose
    ],
)
def test_only_the_owner_states_necessity(asked_in_stages: Stage, actor: Actor, code: str) -> None:
    stage = asked_in_stages
    request = stage.asked(stage.keep())
    assert word(stage, request, actor) == Denied(code)
    [entry] = stage.register("decide:request:necessity_denied")
    assert (entry["actor"], entry["code"], entry["subject"]) == (actor.user, code, str(request.id))
    assert stage.answer(request) == Denied("owner_first")


def test_an_owner_is_not_asked_where_the_dpo_alone_decides(stage: Stage) -> None:
    request = stage.asked(stage.keep(), actor=Actor("someone", frozenset({"trainer"})))
    assert word(stage, request, Actor("trainer", frozenset())) == Denied("not_asked")
    assert isinstance(stage.answer(request), Decision)


@pytest.mark.promise("P5")
def test_an_owner_who_asks_has_stated_necessity_and_still_does_not_decide(asked_in_stages: Stage) -> None:
    stage = asked_in_stages
    both = Actor("owner", frozenset({"trainer", "dpo"}))
    request = stage.asked(stage.keep(), actor=both)
    [entry] = stage.register("decide:request:necessity")
    assert (entry["actor"], entry["reason"]) == ("owner", WHY)
    designated = replace(stage.policy.designated[0], user="owner")
    policy = replace(stage.policy, designated=(*stage.policy.designated, designated))
    assert replace(stage, policy=policy).answer(request, actor=both) == Denied("is_requester")
    assert isinstance(stage.answer(request), Decision)


@pytest.mark.promise("P5")
def test_who_stated_necessity_never_decides_though_the_owner_changed_meanwhile(
    asked_in_stages: Stage,
) -> None:
    stage = asked_in_stages
    request = stage.asked(stage.keep())
    assert isinstance(word(stage, request), Opinion)
    designated = replace(stage.policy.designated[0], user="owner")
    later = staged(stage.policy, training="second")
    later = replace(later, designated=(*later.designated, designated))
    after = replace(stage, policy=later)
    was_owner = Actor("owner", frozenset({"dpo"}))
    assert after.answer(request, actor=was_owner) == Denied("stated_necessity")
    assert after.answer(request) == Denied("owner_first")  # the new owner has said nothing yet
    assert isinstance(word(after, request, OTHER), Opinion)
    assert after.answer(request, actor=was_owner) == Denied("stated_necessity")
    assert isinstance(after.answer(request), Decision)


@pytest.mark.promise("P5")
def test_a_selection_needs_the_word_of_each_owner(stage: Stage) -> None:
    stage = replace(stage, policy=staged(stage.policy, training="owner", quality="second"))
    both = Actor("asks", frozenset({"trainer", "analyst"}))
    request = stage.asked(stage.keep(), stage.keep("quality"), actor=both)
    assert isinstance(word(stage, request), Opinion)
    assert stage.answer(request) == Denied("owner_first")
    assert isinstance(word(stage, request, OTHER), Opinion)
    assert isinstance(stage.answer(request), Decision)


@pytest.mark.promise("P5")
def test_a_word_is_bound_to_what_was_shown_and_counts_once(asked_in_stages: Stage) -> None:
    stage = asked_in_stages
    request, other = stage.asked(stage.keep()), stage.asked(stage.keep())
    assert word(stage, request, digest=other.digest) == Denied("digest_differs")
    first = word(stage, request)
    assert word(stage, request) == first
    assert word(stage, request, yes=False) == Denied("already_stated")
    assert len(stage.register("decide:request:necessity")) == 1
    with stage.engine.begin() as tx:  # whoever alters the row invalidates it
        tx.execute(update(t.requests).where(t.requests.c.id == other.id).values(why_not_less="more"))
    assert word(stage, other) == Denied("digest_differs")


def test_whom_it_waits_for_is_registered(stage: Stage) -> None:
    """By the policy in force in the catalog, which asks the owner first."""
    later = TEXT.replace("approval: [dpo]", "approval: [owner, dpo]", 1)
    later = later.replace("2026-01-01T00:00:00+01:00", "2026-01-02T00:00:00+01:00", 1)
    policy = load(later).policy
    with stage.platform.catalog.begin() as tx:
        assert stage.platform.catalog.add_policy(tx, policy, later, stage.now())
    request = replace(stage, policy=policy).asked(stage.keep(), actor=Actor("asks", frozenset({"trainer"})))
    assert extend.notify_dpo(stage.platform, str(request.id)) == 1
    assert stage.register("decide:request:announced")[0]["waits_for"] == ["trainer"]


@pytest.mark.promise("P5")
def test_late_words_are_none(asked_in_stages: Stage) -> None:
    stage = asked_in_stages
    request = stage.asked(stage.keep())
    shift_clock(stage.engine, 5 * 86_400 + 1)
    assert word(stage, request) == Denied("lapsed")
    assert word(stage, request, yes=False) == Denied("lapsed")


@pytest.mark.promise("P2")
def test_a_word_holds_no_card(asked_in_stages: Stage) -> None:
    request = asked_in_stages.asked(asked_in_stages.keep())
    for reason in ("", "card 4111 1111 1111 1111 was read out"):
        with pytest.raises(BadInput, match="reason"):
            word(asked_in_stages, request, reason=reason)


@pytest.mark.promise("P2", "P5")
def test_why_less_will_not_do_is_part_of_what_is_decided_on(stage: Stage) -> None:
    plain = stage.asked(stage.keep())
    told = stage.asked(stage.keep(), why_not_less="A summary loses the tone of voice.")
    for request in (plain, told):
        with stage.platform.catalog.begin() as tx:
            assert stage.platform.catalog.request(tx, request.id) == request
    assert told.digest != replace(told, why_not_less="").digest
    with pytest.raises(BadInput, match="why_not_less"):
        stage.ask(stage.keep(), why_not_less="card 4111 1111 1111 1111")
    assert [entry["why_not_less"] for entry in stage.register("decide:request:filed")] == [
        "",
        told.why_not_less,
    ]


def test_two_words_at_once_leave_one(asked_in_stages: Stage) -> None:
    stage = asked_in_stages
    request = stage.asked(stage.keep())
    outcomes: list[object] = []

    def say(yes: bool) -> Callable[[], None]:
        return lambda: outcomes.append(word(stage, request, yes=yes))

    threads = [threading.Thread(target=say(yes)) for yes in (True, False)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(outcome, Denied) for outcome in outcomes) == 1
