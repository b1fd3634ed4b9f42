"""Keeping under another purpose: a new key, the new listeners alone, the old artifact gone, whatever fails on the way."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from consigne.acts import decide, extend, repurpose
from consigne.acts.listen import Offered, export
from consigne.acts.object import Spoken, object_to
from consigne.acts.protect import artifact_id
from consigne.adapters.catalog import tables as t
from consigne.adapters.catalog.tables_people import objections
from consigne.rules.access import Denied
from consigne.rules.errors import BadInput, Conflict, Misconfigured, Unavailable
from consigne.rules.evidence.certificate import read_parts
from consigne.rules.evidence.masked import is_signed
from consigne.rules.objections import Objection
from consigne.rules.policy.load import load
from consigne.rules.request import Answer, Decision, ExceptionRequest
from consigne.rules.values import Actor, Part, Private

from .test_expire import AFTER, DPO, TRAINER, WHY
from .world import TEXT, World, with_parts

ANALYST = Actor("analyst", frozenset({"analyst"}))
MOVE = Answer.KEEP_UNDER_ANOTHER_PURPOSE


def asked(world: World, id: str, until: timedelta = timedelta(days=220)) -> ExceptionRequest:
    ids = [row.id for row in world.artifacts(id) if row.state == "kept"]
    end = world.base + until
    request = decide.file_request(world.platform, world.policy, TRAINER, ids, end, "dispute", WHY)
    assert isinstance(request, ExceptionRequest), request
    return request


def answered(
    world: World, request: ExceptionRequest, purpose: str | None, actor: Actor = DPO
) -> Decision | Denied:
    said = (request.id, request.digest, MOVE, None, WHY, purpose)
    return decide.answer_request(world.platform, world.policy, actor, *said)


def moved(world: World, request: ExceptionRequest, purpose: str = "quality") -> dict[Any, str]:
    decision = answered(world, request, purpose)
    assert isinstance(decision, Decision), decision
    applied = extend.apply_decision(world.platform, world.policy, request.id)
    assert isinstance(applied, extend.Applied)
    return dict(applied.outcomes)


@pytest.fixture
def held(world: World) -> World:
    world.deliver("a")
    world.ingest()
    return world


@pytest.mark.promise("P3", "P4", "P5")
def test_it_is_kept_under_the_other_purpose_and_the_old_one_goes(held: World) -> None:
    before = {row.part: row for row in held.artifacts("a")}
    content = {part: held.content(row) for part, row in before.items()}
    wrapped = {key.wrapped for key in held.keys().values()}
    assert set(moved(held, asked(held, "a")).values()) == {"moved"}
    old, new = (
        {row.part: row for row in held.artifacts("a") if row.purpose == purpose}
        for purpose in ("training", "quality")
    )
    assert new.keys() == old.keys() == {"audio", "transcript"}
    for part, row in new.items():
        assert row.id == artifact_id(row.recording, "quality", Part(part))
        assert (row.state, row.restricted, row.extension) == ("kept", False, None)
        assert held.content(row) == content[part]
        assert row.object.startswith("quality/") and row.epoch.startswith("quality/")
        assert row.attempt != before[part].attempt
        assert row.clock_start == before[part].clock_start
        keys = held.keyring.public_keys()
        masked = (str(row.id), str(row.attempt), row.masked, row.masked_signature)
        assert is_signed(*masked, keys[row.masked_key])
    assert (
        not {key.wrapped for id, key in held.keys().items() if id in {row.id for row in new.values()}}
        & wrapped
    )
    # The old listeners have lost it at once, the new ones hear it.
    assert all(row.restricted and row.due_at <= held.now() for row in old.values())
    assert isinstance(export(held.platform, TRAINER, old["audio"].id, "coaching"), Denied)
    assert isinstance(export(held.platform, TRAINER, new["audio"].id, "coaching"), Denied)
    assert isinstance(export(held.platform, ANALYST, new["audio"].id, "evaluation"), Offered)
    with pytest.raises(Misconfigured, match="AccessDenied"):
        held.store.get("training", new["audio"].object, new["audio"].version)
    assert held.expire() == {"left": 0}
    assert held.states("a") == {
        ("quality", "audio"): "kept",
        ("quality", "transcript"): "kept",
        ("training", "audio"): "erased",
        ("training", "transcript"): "erased",
    }
    grounds = [read_parts(row.file)["body"]["ground"] for row in held.certificates("artifact")]
    assert grounds == ["kept_under_another_purpose"] * 2
    assert held.verified().verified
    assert all(held.content(row) for row in held.artifacts("a") if row.purpose == "quality")


@pytest.mark.promise("P5")
@pytest.mark.parametrize(("purpose", "years"), [("quality", 0.5), ("investment_orders", 5)])
def test_the_new_clock_decides_and_says_so(held: World, purpose: str, years: float) -> None:
    request = asked(held, "a")
    decision = answered(held, request, purpose)
    assert isinstance(decision, Decision)
    assert decision.until is not None
    extend.apply_decision(held.platform, held.policy, request.id)
    new = [row for row in held.artifacts("a") if row.purpose == purpose]
    assert {row.due_at for row in new} == {decision.until}
    for row in new:
        whole = timedelta(days=365.25 * years)
        assert abs(row.due_at - row.clock_start - whole) < timedelta(days=3)
        assert (
            row.due_at <= row.cap_at <= row.clock_start + max(whole, timedelta(days=366)) + timedelta(days=1)
        )
    [entry] = held.register("decide:request:decided")
    assert (entry["outcome"], entry["purpose"]) == (MOVE, purpose)
    applied = held.register("decide:artifact:applied")
    assert {entry["outcome"] for entry in applied} == {"moved"}
    assert {entry["new_artifact"] for entry in applied} == {str(row.id) for row in new}


@pytest.mark.promise("P8")
def test_applied_again_it_changes_nothing(held: World) -> None:
    request = asked(held, "a")
    moved(held, request)
    rows, versions = held.artifacts("a"), list(held.store.versions)
    again = extend.apply_decision(held.platform, held.policy, request.id)
    assert again == extend.Applied({})
    assert (held.artifacts("a"), held.store.versions) == (rows, versions)


@pytest.mark.promise("P1")
@pytest.mark.parametrize(
    ("purpose", "code"),
    [
        ("marketing", "unknown_purpose"),
        ("training", "same_purpose"),
        ("complaint", "needs_human_trigger"),
        ("contract_proof", "needs_human_trigger"),
        ("trial", "past_due"),
    ],
)
def test_what_may_not_take_it_is_denied_and_registered(held: World, purpose: str, code: str) -> None:
    request = asked(held, "a")
    assert answered(held, request, purpose) == Denied(code)
    assert held.register("decide:request:answer_denied")[-1]["code"] == code
    with pytest.raises(BadInput, match="purpose"):
        answered(held, request, None)


@pytest.mark.promise("P1")
def test_what_the_caller_objected_to_may_not_take_it(held: World) -> None:
    row = held.rows(select(t.recordings))[0]
    request = asked(held, "a")
    for values in (
        {"callers": [row.caller_index], "purposes": ["quality"]},
        {"callers": [b"other", row.caller_index], "purposes": []},
        {"identity_digest": row.identity_digest, "purposes": ["quality", "trial"]},
    ):
        with held.engine.begin() as tx:
            tx.execute(objections.delete())
            said = {"id": row.id, "objected_at": held.now(), "recorded_by": "x", "recorded_at": held.now()}
            tx.execute(insert(objections).values(said | values))
        assert answered(held, request, "quality") == Denied("objected")
    taken_back = {"withdrawn_at": held.now()}
    with held.engine.begin() as tx:  # of the call itself: no withdrawal frees it
        tx.execute(update(objections).values(taken_back))
    assert answered(held, request, "quality") == Denied("objected")
    theirs = taken_back | {"identity_digest": None, "callers": [row.caller_index]}
    with held.engine.begin() as tx:  # of the caller, before the call: what it bound stays bound
        tx.execute(update(objections).values(theirs | {"objected_at": row.started_at - timedelta(days=1)}))
    assert answered(held, request, "quality") == Denied("objected")
    with held.engine.begin() as tx:  # of the caller, after the call
        tx.execute(update(objections).values(objected_at=held.now()))
    assert isinstance(answered(held, request, "quality"), Decision)


@pytest.mark.promise("P1")
def test_a_purpose_that_the_notice_did_not_cover_may_not_take_it(world: World) -> None:
    world.deliver("q", purposes=["quality"], notice={"version": "2026-01-quality", "played_at_s": 0.1})
    world.ingest()
    ids = [row.id for row in world.artifacts("q")]
    end = world.base + timedelta(days=200)
    request = decide.file_request(world.platform, world.policy, ANALYST, ids, end, "dispute", WHY)
    assert isinstance(request, ExceptionRequest)
    assert answered(world, request, "training") == Denied("notice_does_not_cover")


@pytest.mark.promise("P3")
def test_what_was_masked_more_weakly_may_not_move_under_a_stronger_rule(world: World) -> None:
    world.deliver_trial("t")  # `trial` does without a transcript
    world.ingest()
    assert answered(world, asked(world, "t", timedelta(days=3)), "quality") == Denied("redaction_differs")


def test_where_it_is_kept_already_or_was_it_does_not_go(world: World) -> None:
    world.deliver("both", purposes=["training", "quality"])
    world.ingest()
    ids = [row.id for row in world.artifacts("both") if row.purpose == "training"]
    end = world.base + timedelta(days=200)
    request = decide.file_request(world.platform, world.policy, TRAINER, ids, end, "dispute", WHY)
    assert isinstance(request, ExceptionRequest)
    assert answered(world, request, "quality") == Denied("already_kept_there")


def test_nobody_moves_what_they_own_or_to_what_they_own(held: World) -> None:
    also = replace(held.policy.designated[0], user="analyst")  # who owns `quality`
    held.policy = replace(held.policy, designated=(*held.policy.designated, also))
    assert answered(held, asked(held, "a"), "quality", Actor("analyst", frozenset({"dpo"}))) == Denied(
        "is_owner"
    )


@pytest.mark.promise("P6")
def test_a_second_delivery_of_the_call_brings_nothing_back(held: World) -> None:
    moved(held, asked(held, "a"))
    held.expire()
    held.deliver("a", stem="again")
    held.deliver("a", stem="other", purposes=["quality"])
    held.ingest()
    assert held.states("a")[("training", "audio")] == "erased"
    came = held.rows(select(t.deliveries.c.state, t.deliveries.c.code).order_by(t.deliveries.c.received_at))
    # For the old purpose it was erased; for the new one it is there, and this is another text under its name.
    assert sorted(map(tuple, came[1:])) == [("cleared", "erased_before"), ("quarantined", "id_reused")]
    assert len(held.artifacts("a")) == 4


@pytest.mark.promise("P5", "P8")
def test_away_parts_leave_all_or_nothing(held: World) -> None:
    request = asked(held, "a")
    assert isinstance(answered(held, request, "quality"), Decision)
    rows = held.artifacts("a")

    class Failing:
        def __init__(self, at: str) -> None:
            self.at = at

        def __getattr__(self, name: str) -> Any:
            if name == self.at:
                raise Unavailable("store", name)
            return getattr(held.store, name)

    for at in ("get", "put", "inspect"):
        broken = with_parts(held, store=Failing(at))
        with pytest.raises(Unavailable):
            extend.apply_decision(broken.platform, held.policy, request.id)
        assert held.artifacts("a") == rows
        assert extend.unapplied(held.platform, 0) == [request.id]
    extend.apply_decision(held.platform, held.policy, request.id)
    assert extend.unapplied(held.platform, 0) == []
    held.expire()
    # What the failed tries stored is noise, and lies where the sweep of the new artifact's end will find it.
    opened = [held.content(row) for row in held.artifacts("a") if row.state == "kept"]
    assert len(opened) == 2


@pytest.mark.promise("P5")
def test_what_is_being_erased_is_not_brought_back(world: World) -> None:
    world.deliver("a")
    world.ingest()
    request = asked(world, "a")
    assert isinstance(answered(world, request, "quality"), Decision)
    gone = world.artifacts("a")[0]
    with world.engine.begin() as tx:
        tx.execute(update(t.artifacts).where(t.artifacts.c.id == gone.id).values(state="erasing"))
    applied = extend.apply_decision(world.platform, world.policy, request.id)
    assert isinstance(applied, extend.Applied)
    assert sorted(applied.outcomes.values()) == ["gone", "moved"]
    assert applied.outcomes[gone.id] == "gone"


@pytest.mark.promise("P5")
def test_asked_before_the_due_second_it_may_move_after(world: World) -> None:
    world.deliver_trial("t")
    world.ingest()
    request = asked(world, "t", timedelta(days=3))
    world.pass_time(AFTER)
    said = answered(world, request, "emergency")
    assert isinstance(said, Decision), said
    world.expire()  # a committed decision that is not applied is honoured
    assert set(world.states("t").values()) == {"kept"}
    applied = extend.apply_decision(world.platform, world.policy, request.id)
    assert isinstance(applied, extend.Applied) and set(applied.outcomes.values()) == {"moved"}
    world.expire()
    assert {purpose for (purpose, _), state in world.states("t").items() if state == "kept"} == {"emergency"}


@pytest.mark.promise("P5")
def test_what_a_hold_keeps_does_not_move(held: World) -> None:
    def hold(id: uuid.UUID | None) -> None:
        with held.engine.begin() as tx:
            tx.execute(update(t.artifacts).where(t.artifacts.c.part == "audio").values(hold=id))

    request = asked(held, "a")
    hold(uuid.uuid4())
    assert answered(held, request, "quality") == Denied("held")
    hold(None)
    assert isinstance(answered(held, request, "quality"), Decision)
    hold(uuid.uuid4())  # placed between decision and effect
    applied = extend.apply_decision(held.platform, held.policy, request.id)
    assert isinstance(applied, extend.Applied)
    assert sorted(applied.outcomes.values()) == ["held", "moved"]
    states = {(row.purpose, row.part): row.restricted for row in held.artifacts("a")}
    assert states == {
        ("training", "audio"): False,
        ("training", "transcript"): True,
        ("quality", "transcript"): False,
    }


@pytest.mark.promise("P3", "P8")
def test_a_hold_placed_while_it_is_stored_again_leaves_noise_and_no_key(held: World) -> None:
    request = asked(held, "a")
    assert isinstance(answered(held, request, "quality"), Decision)

    class Slow:
        def __getattr__(self, name: str) -> Any:
            if name == "inspect":
                with held.engine.begin() as tx:
                    tx.execute(update(t.artifacts).values(hold=uuid.uuid4()))
            return getattr(held.store, name)

    keys = set(held.keys())
    applied = extend.apply_decision(with_parts(held, store=Slow()).platform, held.policy, request.id)
    assert isinstance(applied, extend.Applied) and set(applied.outcomes.values()) == {"held"}
    assert set(held.keys()) == keys
    assert {row.purpose for row in held.artifacts("a")} == {"training"}
    assert all(not row.restricted and row.due_at > held.now() for row in held.artifacts("a"))


@pytest.mark.promise("P5")
def test_a_version_that_comes_into_force_meanwhile_gives_the_clock(held: World) -> None:
    request = asked(held, "a")
    assert isinstance(answered(held, request, "quality"), Decision)
    quality = TEXT.partition("\n  quality:")
    shorter = quality[2].replace("audio: {retention: P6M,", "audio: {retention: P1M,", 1)
    text = "".join((quality[0], quality[1], shorter)).replace("2026-01-demo", "shorter", 1)
    text = text.replace("2026-01-01T00:00:00+01:00", "2026-01-02T00:00:00+01:00", 1)
    later = load(text).policy

    class Slow:
        def __getattr__(self, name: str) -> Any:
            if name == "inspect":
                with held.platform.catalog.begin() as tx:
                    held.platform.catalog.add_policy(tx, later, text, held.now())
            return getattr(held.store, name)

    with pytest.raises(Conflict, match="version_changed"):
        extend.apply_decision(with_parts(held, store=Slow()).platform, held.policy, request.id)
    assert {row.purpose for row in held.artifacts("a")} == {"training"}
    extend.apply_decision(held.platform, later, request.id)
    [new] = [row for row in held.artifacts("a") if (row.purpose, row.part) == ("quality", "audio")]
    assert new.policy == later.digest and new.due_at - new.clock_start < timedelta(days=32)


@pytest.mark.promise("P1")
def test_an_objection_made_while_it_is_stored_again_still_counts(
    held: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    request, stored = asked(held, "a"), repurpose._shelve
    assert isinstance(answered(held, request, "quality"), Decision)
    source, adviser = held.platform.intake.source, Actor("adviser", frozenset({"adviser"}))
    said = Spoken("a", source, Private(""), (), "not_recorded")

    def while_somebody_objects(*given: Any) -> Any:
        if not held.register("inform:objection:recorded"):
            assert isinstance(object_to(held.platform, held.policy, adviser, said), Objection)
        return stored(*given)

    monkeypatch.setattr(repurpose, "_shelve", while_somebody_objects)
    applied = extend.apply_decision(held.platform, held.policy, request.id)
    assert isinstance(applied, extend.Applied) and set(applied.outcomes.values()) == {"objected"}
    assert {row.purpose for row in held.artifacts("a")} == {"training"}
