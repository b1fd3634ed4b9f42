"""People are told before they are recorded: acknowledgements, and the notice under which a call began (P1)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from consigne.acts.inform import acknowledge, forget_uninformed, import_acknowledgements, informed_at
from consigne.adapters.catalog import tables_people as p
from consigne.rules.access import Denied
from consigne.rules.errors import BadInput
from consigne.rules.policy.load import load
from consigne.rules.policy.model import Policy
from consigne.rules.values import Actor

from .world import TEXT, UNINFORMED, World, with_parts

pytestmark = pytest.mark.promise("P1")
NEW = Actor(UNINFORMED, frozenset({"adviser"}))
OPS = Actor("ops", frozenset({"ops"}))
HOUR = timedelta(hours=1)


def test_an_agent_is_refused_until_they_have_read_it_and_then_only_later_calls_pass(world: World) -> None:
    world.deliver("before", agent=UNINFORMED, ago=HOUR)
    world.ingest()
    assert world.verdicts("before") == {"training": "agent_not_informed"}
    assert [(row.agent, row.notice) for row in world.rows(select(p.uninformed_agents))] == [
        (UNINFORMED, "2026-01")
    ]
    at = acknowledge(world.platform, world.policy, NEW, "2026-01", "desk")
    assert isinstance(at, datetime) and world.base <= at <= world.now()
    assert world.rows(select(p.uninformed_agents)) == []
    world.pass_time(HOUR)
    world.deliver("earlier", agent=UNINFORMED, ago=timedelta(seconds=1))
    world.deliver("later", agent=UNINFORMED, ago=-HOUR / 2)
    world.ingest()
    assert world.verdicts("earlier") == {"training": "agent_not_informed"}
    assert world.verdicts("later") == {"training": "admitted"}
    assert {row.source_id for row in world.artifacts()} == {"later"}


def test_the_first_acknowledgement_stands_whoever_recorded_it(world: World) -> None:
    first = acknowledge(world.platform, world.policy, NEW, "2026-01", "desk")
    world.pass_time(HOUR)
    assert acknowledge(world.platform, world.policy, NEW, "2026-01", "cli") == first
    assert len(world.register("inform:acknowledgement:recorded")) == 1
    text = f"agent,notice,acknowledged_at\n{UNINFORMED},2026-01,2026-03-02\na.martin,2026-01,2026-11-01\n"
    assert import_acknowledgements(world.platform, world.policy, OPS, text, "file") == 2
    assert import_acknowledgements(world.platform, world.policy, OPS, text, "file") == 0
    day = datetime.fromisoformat("2026-03-02T00:00:00+01:00")
    with world.platform.catalog.begin() as tx:
        assert informed_at(world.platform, tx, world.policy, UNINFORMED) == day
        # the file beside the policy is earlier than what was imported
        assert informed_at(world.platform, tx, world.policy, "a.martin") == world.policy.in_force_from
        assert informed_at(world.platform, tx, None, "a.martin") is None


@pytest.mark.parametrize(
    ("line", "where"),
    [
        ("a.martin,2026-01,2099-01-01", "acknowledged_at"),
        ("a.martin,2026-01", "line 2"),
        ("a.martin,2026-01,yesterday", "line 2"),
        ("=cmd|x,2026-01,2026-02-02", "agent"),
        ("a.martin,4970 1000 0000 0006,2026-02-02", "notice"),
        ("4970 1000 0000 0006,2026-01,2026-02-02", "agent"),
        (f"a.martin,{'x' * 65},2026-02-02", "notice"),
    ],
)
def test_a_file_is_taken_whole_or_not_at_all(world: World, line: str, where: str) -> None:
    text = f"agent,notice,acknowledged_at\n{line}\nb.durand,2026-01,2026-02-02\n"
    with pytest.raises(BadInput) as fault:
        import_acknowledgements(world.platform, world.policy, OPS, text, "file")
    assert fault.value.where == where
    assert "4970" not in str(fault.value)
    assert world.rows(select(p.acknowledgements)) == world.register("inform:acknowledgement:imported") == []


@pytest.mark.parametrize("user", ["dpo", "adviser", "auditor", "trainer"])
def test_only_ops_hand_in_a_file(world: World, user: str) -> None:
    actor = Actor(user, frozenset({user}))
    found = import_acknowledgements(
        world.platform, world.policy, actor, "agent,notice,acknowledged_at\n", "file"
    )
    assert found == Denied("role_missing")
    assert [entry["verb"] for entry in world.register("inform:acknowledgement:denied")] == [
        "import_acknowledgements"
    ]


def test_nobody_acknowledges_what_no_policy_asks_for(world: World) -> None:
    with pytest.raises(BadInput) as fault:
        acknowledge(world.platform, world.policy, NEW, "2031-01", "desk")
    assert fault.value.where == "notice"
    nobody = Actor("x", frozenset({"Admin"}))
    assert acknowledge(world.platform, world.policy, nobody, "2026-01", "desk") == Denied("role_missing")


def test_a_notice_to_come_is_acknowledged_ahead(world: World) -> None:
    announce(world, world.now() + HOUR, ('agents: {notice: "2026-01"', 'agents: {notice: "2026-01-quality"'))
    world = with_parts(world, acknowledged=lambda policy, agent: None)
    assert isinstance(acknowledge(world.platform, world.policy, NEW, "2026-01-quality", "desk"), datetime)
    world.pass_time(3 * HOUR)
    world.deliver("informed", agent=UNINFORMED, ago=-2 * HOUR)
    world.deliver("not", agent="a.martin", ago=-2 * HOUR)
    world.ingest()
    assert world.verdicts("informed") == {"training": "admitted"}
    assert world.verdicts("not") == {"training": "agent_not_informed"}


def test_who_owes_an_acknowledgement_is_forgotten_in_time(world: World) -> None:
    world.deliver("a", agent=UNINFORMED)
    world.ingest()
    assert forget_uninformed(world.platform) == 0
    world.pass_time(timedelta(days=91))
    assert forget_uninformed(world.platform) == 1
    assert world.rows(select(p.uninformed_agents)) == []


def announce(world: World, begins: datetime, *changes: tuple[str, str]) -> Policy:
    """A version of the policy that takes effect then."""
    text = re.sub(r'(?m)^version: ".*"', f'version: "test-{begins:%Y%m%d-%H%M%S}"', TEXT)
    text = re.sub(r"(?m)^in_force_from: \S+", f"in_force_from: {begins.isoformat(timespec='seconds')}", text)
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    policy = load(text).policy
    with world.platform.catalog.begin() as tx:
        assert world.platform.catalog.add_policy(tx, policy, text, world.now())
    return policy


COVERS = "      training: P6M\n      quality: P6M\n"


@pytest.mark.promise("P5")
def test_a_call_begun_under_one_notice_while_the_next_takes_effect_keeps_the_first_ones_purposes_and_durations(
    world: World,
) -> None:
    """The first says quality alone, for six months. The next, in force a second after the first call began and
    before it ended, says training too, and nine months."""
    world = with_parts(world, acknowledged=lambda policy, agent: world.base - 9 * HOUR)
    announce(world, world.base - 3 * HOUR, (COVERS, "      quality: P6M\n"))
    longer = ("audio: {retention: P6M, cap: P12M}", "audio: {retention: P9M, cap: P12M}")
    begins = world.base - HOUR + timedelta(seconds=1)
    announce(world, begins, (COVERS, "      training: P9M\n      quality: P9M\n"), longer)
    both = ["training", "quality"]
    world.deliver("first", ago=HOUR, purposes=both)  # two seconds long
    world.deliver("second", ago=HOUR - timedelta(seconds=1), purposes=both)
    world.ingest()
    assert world.verdicts("first") == {"training": "notice_does_not_cover", "quality": "admitted"}
    assert world.verdicts("second") == {"training": "admitted", "quality": "admitted"}
    ends = {
        (row.source_id, row.purpose): (row.due_at - row.clock_start).days
        for row in world.artifacts()
        if row.part == "audio"
    }
    assert ends.keys() == {("first", "quality"), ("second", "training"), ("second", "quality")}
    assert ends.pop(("first", "quality")) in range(178, 185)
    assert all(days in range(269, 277) for days in ends.values())


def test_an_agent_may_be_named_by_an_address_but_never_by_a_card(world: World) -> None:
    """As their deliveries name them: else each of their calls were refused for ever."""
    line = "agent,notice,acknowledged_at\n{},2026-01,2026-03-02\n".format
    taken = import_acknowledgements(world.platform, world.policy, OPS, line("a.martin@example.org"), "file")
    assert taken == 1
    with pytest.raises(BadInput):
        import_acknowledgements(world.platform, world.policy, OPS, line("4970 1000 0000 0006"), "file")
