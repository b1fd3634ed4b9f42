"""Somebody objects: what comes later is refused, what is kept ends, and nobody's number rests (P1, P5)."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from consigne.acts.held import keep_up
from consigne.acts.hold import Mandate, lift_hold, place_hold
from consigne.acts.object import AT_ONCE, Spoken, end_objected, object_to, withdraw, withdraw_of_caller
from consigne.adapters.catalog import tables_people as p
from consigne.rules.access import Denied
from consigne.rules.clock import local_date
from consigne.rules.errors import BadInput
from consigne.rules.evidence.certificate import read_parts
from consigne.rules.hold import Hold
from consigne.rules.objections import Objection
from consigne.rules.values import Actor, Private

from .world import World

pytestmark = pytest.mark.promise("P1")
ADVISER = Actor("adviser", frozenset({"adviser"}))
DPO = Actor("dpo", frozenset({"dpo"}))
NUMBER, OTHER = "+33612345678", "+33687654321"
TRAINING_ONLY = {"at_s": 0.5, "purposes": ["training"], "alternative": "not_recorded"}
HOUR = timedelta(hours=1)


def spoken(call: str = "", caller: str = "", purposes: tuple[str, ...] = (), **changes: Any) -> Spoken:
    said = {"source": "memory", "alternative": "not_recorded"} | changes
    return Spoken(call, said["source"], Private(caller), purposes, said["alternative"])


def says(world: World, said: Spoken, actor: Actor = ADVISER) -> Objection:
    made = object_to(world.platform, world.policy, actor, said)
    assert isinstance(made, Objection), made
    return made


def kept(world: World, id: str) -> set[str]:
    """The purposes for which a call can be heard."""
    now = world.now()
    return {row.purpose for row in world.artifacts(id) if not row.restricted and row.due_at > now}


def later(world: World, by: timedelta = HOUR) -> None:
    world.pass_time(by)


def test_an_objection_to_training_on_an_order_call_leaves_the_order_alone(world: World) -> None:
    world.deliver("a", purposes=["investment_orders", "training"], objection=TRAINING_ONLY)
    world.ingest()
    assert world.verdicts("a") == {"investment_orders": "admitted", "training": "objected"}
    assert {row.purpose for row in world.artifacts()} == {"investment_orders"}


@pytest.mark.parametrize("purposes", [(), ("training",)])
def test_the_button_takes_effect_on_the_calls_delivery_whenever_it_comes(
    world: World, purposes: tuple[str, ...]
) -> None:
    says(world, spoken("a", purposes=purposes))
    later(world, timedelta(days=3))
    world.deliver("a", purposes=["investment_orders", "training"])
    world.deliver("b", purposes=["training"])  # the same caller: only that call was spoken of
    world.ingest()
    assert world.verdicts("a") == {"investment_orders": "admitted", "training": "objected"}
    assert world.verdicts("b") == {"training": "admitted"}


def test_of_a_call_that_is_kept_what_it_binds_is_silent_at_once_and_goes_with_the_next_run(
    world: World,
) -> None:
    world.deliver("a", purposes=["investment_orders", "training", "quality"])
    world.ingest()
    made = says(world, spoken("a", purposes=("training",)))
    assert kept(world, "a") == {"investment_orders", "quality"}
    entries = world.register("inform:artifact:ended")
    assert {entry["subject"] for entry in entries} == {
        str(row.id) for row in world.artifacts("a") if row.purpose == "training"
    }
    assert {(entry["objection"], entry["outcome"]) for entry in entries} == {(str(made.id), "ended")}
    world.expire()
    states = world.states("a")
    assert states.pop(("training", "audio")) == states.pop(("training", "transcript")) == "erased"
    assert set(states.values()) == {"kept"}
    proofs = {row.scope for row in world.certificates()}
    assert proofs == {"artifact"}  # `logical` until the epoch closes on its day
    assert {read_parts(row.file)["body"]["ground"] for row in world.certificates()} == {"objected"}
    assert world.verified().verified
    assert end_objected(world.platform) == 0


def test_a_number_holds_for_later_calls_until_it_is_taken_back(world: World) -> None:
    world.deliver("before", purposes=["training"], ago=HOUR)
    world.ingest()
    says(world, spoken(caller="06 12 34 56 78"))  # as an adviser types it
    later(world)
    world.deliver("during", purposes=["training", "investment_orders"], ago=-HOUR / 2)
    world.deliver("another", purposes=["training"], ago=-HOUR / 2, caller=OTHER, callee=NUMBER)
    world.ingest()
    assert world.verdicts("during") == {"training": "objected", "investment_orders": "admitted"}
    assert world.verdicts("another") == {"training": "admitted"}
    assert kept(world, "before") == {"training"}
    ended = withdraw_of_caller(world.platform, world.policy, ADVISER, Private(NUMBER))
    assert isinstance(ended, list) and len(ended) == 1
    later(world, 3 * HOUR)
    world.deliver("late", purposes=["training"], ago=-HOUR / 2)  # it began while the objection stood
    world.deliver("after", purposes=["training"], ago=-2 * HOUR)
    world.ingest()
    assert world.verdicts("late") == {"training": "objected"}
    assert world.verdicts("after") == {"training": "admitted"}
    assert kept(world, "during") == {"investment_orders"}


def test_in_a_call_of_ours_whoever_is_called_objects(world: World) -> None:
    world.deliver(
        "a", direction="outbound", caller=OTHER, callee=NUMBER, ago=2 * HOUR, objection=TRAINING_ONLY
    )
    world.deliver("b", direction="outbound", caller=OTHER, callee="+33611111111", ago=HOUR)
    world.deliver("c", ago=HOUR)
    world.ingest()
    assert [world.verdicts(id)["training"] for id in "abc"] == ["objected", "admitted", "objected"]


def test_a_withheld_number_is_nobodys(world: World) -> None:
    world.deliver("a", caller="anonymous", ago=2 * HOUR, objection={"at_s": 0.5})
    world.deliver("b", caller="anonymous", ago=HOUR)
    world.ingest()
    assert (world.verdicts("a"), world.verdicts("b")) == ({"training": "objected"}, {"training": "admitted"})
    later(world, HOUR)
    assert end_objected(world.platform) == 0


CALLS = 4
_EXAMPLES = itertools.count()


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    order=st.permutations(range(CALLS)),
    objectors=st.sets(st.integers(0, CALLS - 1), max_size=2),
    cuts=st.sets(st.integers(1, CALLS - 1)),
)
def test_the_order_of_delivery_does_not_matter(
    world: World, order: list[int], objectors: set[int], cuts: set[int]
) -> None:
    """One caller's calls, each an hour after the other, some with an objection, handed in in any order and in any
    batches: what can be heard in the end is what began before the first objection."""
    example = next(_EXAMPLES)
    for place, number in enumerate(order):
        said = {"ago": (CALLS - number) * HOUR, "caller": f"+3361{example:07d}"}
        objection = {"at_s": 1.0} if number in objectors else None
        world.deliver(f"{example}-{number}", purposes=["training"], objection=objection, **said)
        if place + 1 in cuts:
            world.ingest()
    world.ingest()
    end_objected(world.platform)
    heard = {number for number in range(CALLS) if kept(world, f"{example}-{number}")}
    assert heard == set(range(min(objectors, default=CALLS)))


def test_what_was_on_its_way_when_the_objection_came_is_ended(world: World) -> None:
    world.deliver("a", purposes=["training"])
    world.deliver("b", purposes=["training"], ago=2 * HOUR)
    world.ingest()
    with world.platform.catalog.begin() as tx:  # as if it had been recorded while both were judged
        one = Objection(world.platform.new_id(), None, (_index(world),), (), None, world.base - 3 * HOUR)
        assert world.platform.catalog.add_objection(tx, one, "consigne", world.now())
    assert end_objected(world.platform) == 2
    assert (kept(world, "a"), kept(world, "b")) == ({"training"}, set())
    assert AT_ONCE > 2


def _index(world: World) -> bytes:
    digest: bytes = world.platform.keyring.mac("blind-index", NUMBER.encode()).digest
    return digest


def test_what_a_decision_keeps_is_silent_and_stays_until_its_date(world: World) -> None:
    world.deliver("a", purposes=["training"])
    world.ingest()
    with world.engine.begin() as tx:
        tx.execute(text("UPDATE artifacts SET extension = gen_random_uuid()"))
    dues = {row.id: row.due_at for row in world.artifacts("a")}
    says(world, spoken("a"))
    assert all(row.restricted and row.due_at == dues[row.id] for row in world.artifacts("a"))
    assert {entry["outcome"] for entry in world.register("inform:artifact:ended")} == {"restricted"}
    assert end_objected(world.platform) == 0


@pytest.mark.promise("P7")
def test_digests_alone_rest(world: World) -> None:
    made = says(world, spoken("pbx1-2026-77", "+33 6 87 65 43 21"))
    rows = world.rows(select(p.objections))
    assert len(rows) == 1 and rows[0].callers and rows[0].identity_digest
    told = repr(rows) + repr(world.register())
    for value in ("87654321", "87 65", "pbx1-2026-77"):
        assert value not in told
    entry = world.register("inform:objection:recorded")[0]
    assert (entry["subject"], entry["actor"]) == (str(made.id), "adviser")
    assert entry["call"] == rows[0].identity_digest.hex()


@pytest.mark.parametrize(
    ("said", "field"),
    [
        (spoken(), "call"),
        (spoken("a b"), "call"),
        (spoken("é"), "call"),
        (spoken("a", source=""), "source"),
        (spoken(caller="none"), "caller"),
        (spoken(caller="anonymous"), "caller"),
        (spoken(caller="4970 1000 0000 0006"), "caller"),
        (spoken("a", purposes=("marketing",)), "purposes"),
        (spoken("a", purposes=("investment_orders",)), "purposes"),
        (spoken("a", alternative="nothing"), "alternative"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_recorded(world: World, said: Spoken, field: str) -> None:
    with pytest.raises(BadInput) as fault:
        object_to(world.platform, world.policy, ADVISER, said)
    assert fault.value.where == field
    assert "4970" not in str(fault.value)
    assert world.rows(select(p.objections)) == world.register("inform:objection:recorded") == []


@pytest.mark.parametrize("user", ["ops", "trainer", "analyst", "auditor"])
def test_others_may_not_and_their_attempt_is_in_the_register(world: World, user: str) -> None:
    actor = Actor(user, frozenset({user}))
    made = says(world, spoken(caller=NUMBER))
    assert object_to(world.platform, world.policy, actor, spoken("a")) == Denied("role_missing")
    assert withdraw(world.platform, world.policy, actor, made.id) == Denied("role_missing")
    assert withdraw_of_caller(world.platform, world.policy, actor, Private(NUMBER)) == Denied("role_missing")
    assert [entry["actor"] for entry in world.register("inform:objection:denied")] == [user] * 3


def test_only_what_stands_of_a_caller_is_taken_back_and_by_the_dpo_by_its_id(world: World) -> None:
    call, caller = says(world, spoken("a")), says(world, spoken("b", NUMBER))
    assert withdraw(world.platform, world.policy, ADVISER, caller.id) == Denied("role_missing")
    assert withdraw(world.platform, world.policy, DPO, call.id) == []
    assert withdraw(world.platform, world.policy, DPO, caller.id) == [caller.id]
    assert withdraw(world.platform, world.policy, DPO, caller.id) == []
    assert [entry["subject"] for entry in world.register("inform:objection:withdrawn")] == [str(caller.id)]
    world.deliver("a", purposes=["training"])
    world.deliver("b", purposes=["training"])
    world.ingest()  # both calls stay out: they were spoken of while the objection stood
    assert world.artifacts() == []


def test_the_same_delivery_says_it_once(world: World) -> None:
    world.deliver("a", objection=TRAINING_ONLY)
    world.ingest()
    world.deliver("a", stem="again", objection=TRAINING_ONLY)
    world.ingest()
    rows = world.rows(select(p.objections))
    assert [tuple(row.purposes) for row in rows] == [("training",)]
    assert len(world.register("inform:objection:recorded")) == 1


def test_an_objection_is_heard_also_in_a_delivery_that_cannot_be_judged(world: World) -> None:
    world.deliver("a", ago=2 * HOUR, channels=["x", "x"], objection=TRAINING_ONLY)  # quarantined
    world.deliver("b", ago=HOUR)
    world.ingest()
    assert world.delivery("a").state == "quarantined"
    assert world.verdicts("b") == {"training": "objected"}


@pytest.mark.promise("P5")
def test_what_a_mandate_holds_is_silent_and_goes_when_it_is_lifted(world: World) -> None:
    world.deliver("a", purposes=["training"])
    world.ingest()
    day = local_date(world.now() + timedelta(days=30), world.policy.zone)
    wanted = Mandate(
        "26/117", "Parquet de Paris", "An inquiry.", day, recording=world.artifacts("a")[0].recording
    )
    hold = place_hold(world.platform, world.policy, DPO, wanted)
    assert isinstance(hold, Hold)
    keep_up(world.platform)
    says(world, spoken("a"))
    assert all(row.restricted and row.due_at > world.now() for row in world.artifacts("a"))
    assert end_objected(world.platform) == 0
    world.expire()
    assert set(world.states("a").values()) == {"kept"}
    lift_hold(world.platform, world.policy, DPO, hold.id, "It is closed.")
    keep_up(world.platform)
    world.expire()
    assert set(world.states("a").values()) == {"erased"}
