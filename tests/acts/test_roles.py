"""Each act under its own database role, and nothing more: the table in grants.py is enough, and is a wall."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import ProgrammingError

from consigne.acts import decide, extend
from consigne.acts.close import close_epochs
from consigne.acts.compare import compare_keys
from consigne.acts.journey import Platform
from consigne.acts.listen import Offered, export
from consigne.acts.ports import Keyring
from consigne.acts.preview import preview
from consigne.acts.reconcile import sweep_findings
from consigne.acts.seal import seal
from consigne.acts.turn import turn_over
from consigne.adapters.catalog import tables as t
from consigne.adapters.catalog.grants import GRANTS
from consigne.adapters.catalog.open import Catalog
from consigne.adapters.keyring.rights import may
from consigne.doors.cli.operate import list_due
from consigne.rules.clock import iso
from consigne.rules.request import Answer, Decision, ExceptionRequest

from .test_expire import AFTER, DPO, TRAINER, WHY, ask
from .world import World, expire, ingest

As = Callable[[str], Platform]


IDENTITIES = {"listen": "desk", "reconcile": "prove"}
"""At the key server, where it is not called as the role is."""


class Held:
    """A keyring within an identity's rights at the key server."""

    def __init__(self, keyring: Keyring, identity: str) -> None:
        self._keyring, self._identity = keyring, identity

    def __getattr__(self, verb: str) -> Any:
        found = getattr(self._keyring, verb)

        def ask(*values: Any) -> Any:
            name, message = (
                values[0] if verb == one else empty for one, empty in (("mac", ""), ("sign", b""))
            )
            assert may(self._identity, verb, name, message), (self._identity, verb)
            return found(*values)

        return ask if callable(found) else found


@pytest.fixture
def acting(world: World, engines: Callable[[str], Engine]) -> As:
    def act(role: str) -> Platform:
        keyring: Any = Held(world.platform.keyring, IDENTITIES.get(role, role))
        return replace(world.platform, catalog=Catalog(engines(role), os.urandom), keyring=keyring)

    return act


@pytest.mark.promise("P3", "P7")
def test_a_whole_life_under_the_roles(world: World, acting: As) -> None:
    world.deliver_trial("a")
    world.deliver_trial("b")
    world.deliver("a", stem="z")
    world.intake.deliver("broken", b"RIFF", b"{")
    ingest(acting("ingest"), "first", prover=acting("prove"))
    world.intake.deliver("broken", b"RIFF", b"{}")  # judged anew
    ingest(acting("ingest"), "second", prover=acting("prove"))
    world.store.versions += [(world.artifacts("b")[0].object, "older", b"x")]
    heard = export(acting("listen"), TRAINER, world.artifacts("a")[0].id, "coaching")
    assert isinstance(heard, Offered)
    ids = [row.id for row in world.artifacts("a")]
    decider = acting("decide")
    until = world.base + timedelta(days=3)
    request = decide.file_request(decider, world.policy, TRAINER, ids, until, "dispute", WHY)
    assert isinstance(request, ExceptionRequest)
    said = decide.answer_request(
        decider, world.policy, DPO, request.id, request.digest, Answer.EXTEND, None, WHY
    )
    assert isinstance(said, Decision)
    extend.apply_decision(decider, world.policy, request.id)
    world.pass_time(AFTER)
    expire(acting("expire"), "first")
    with world.engine.begin() as tx:  # something was erased early
        tx.execute(text("UPDATE epochs SET turning_at = opened_at WHERE state = 'open'"))
    assert turn_over(decider) == len(ids)
    close_epochs(acting("expire"), False)
    assert compare_keys(acting("reconcile")) == {}
    assert sweep_findings(acting("expire")) == 0
    seal(acting("seal"))
    assert {(row.source_id, row.state) for row in world.artifacts()} == {("a", "kept"), ("b", "erased")}
    assert world.verified().verified


FORBIDDEN = {
    "ingest": (
        "UPDATE artifacts SET due_at = now()",
        "UPDATE artifacts SET state = 'erased'",
        "DELETE FROM artifacts",
        "DELETE FROM data_keys",
        "SELECT consigne_drop(id, token) FROM artifacts",
        "UPDATE epochs SET state = 'closing'",
        "SELECT payload FROM register",
        "DELETE FROM tombstones",
    ),
    "prove": (
        "SELECT wrapped FROM data_keys",
        "INSERT INTO artifacts SELECT * FROM artifacts",
        "UPDATE artifacts SET due_at = now()",
        "UPDATE artifacts SET state = 'erased'",
        "DELETE FROM artifacts",
        "DELETE FROM data_keys",
        "SELECT * FROM recordings",
        "SELECT payload FROM register",
    ),
    "listen": ("DELETE FROM data_keys", "UPDATE artifacts SET state = 'erased'"),
    "decide": (
        "DELETE FROM data_keys",
        "UPDATE artifacts SET state = 'erased'",
        "UPDATE decisions SET answer = 'extend'",
        "DELETE FROM volume_items",
        "UPDATE volumes SET lapses_at = now()",
    ),
    "expire": (
        "UPDATE artifacts SET due_at = now()",
        "UPDATE data_keys SET epoch = ''",
        "DELETE FROM tombstones",
        "INSERT INTO decisions SELECT * FROM decisions",
        "UPDATE volumes SET state = 'lapsed'",
        "UPDATE forecasts SET expected = '{}'",
    ),
    "seal": (
        "SELECT wrapped FROM data_keys",
        "UPDATE requests SET requester = ''",
        "UPDATE holds SET callers = '{}'",
        "UPDATE policy_drafts SET author = ''",
        "DELETE FROM acknowledgements",
        "DELETE FROM opinions",
        "DELETE FROM messages",
    ),
    "reconcile": (
        "SELECT wrapped FROM data_keys",
        "DELETE FROM artifacts",
        "UPDATE findings SET answer = ''",
    ),
    "apply": ("SELECT wrapped FROM data_keys", "SELECT * FROM artifacts", "SELECT * FROM recordings"),
    "read": ("SELECT wrapped FROM data_keys",),
}
FORBIDDEN_TO_ALL = (
    "UPDATE register SET payload = ''",
    "DELETE FROM register",
    "UPDATE policies SET text = ''",
    "UPDATE clock SET offset_s = 1",
    "DELETE FROM certificates",
    "UPDATE certificates SET file = ''",
)


@pytest.mark.promise("P3", "P5", "P7")
def test_no_role_does_what_is_another_s(engines: Callable[[str], Engine]) -> None:
    for role in GRANTS:
        seen = engines(role)
        for statement in FORBIDDEN[role] + FORBIDDEN_TO_ALL:
            with pytest.raises(ProgrammingError, match="InsufficientPrivilege"), seen.begin() as tx:
                tx.execute(text(statement))


@pytest.mark.promise("P5", "P6")
def test_who_confirms_moves_and_forgets_nothing_that_is_kept(
    world: World, engines: Callable[[str], Engine]
) -> None:
    world.deliver("a")
    world.ingest()
    before = world.artifacts(), world.keys()
    assert {row.state for row in world.artifacts()} == {"kept"}
    with engines("prove").begin() as tx:
        tx.execute(text("UPDATE artifacts SET token = gen_random_uuid()"))
        for verb in ("keep", "drop"):
            did = tx.execute(text(f"SELECT consigne_{verb}(id, token) FROM artifacts")).scalars()
            assert not any(did)
        tx.rollback()
    assert (world.artifacts(), world.keys()) == before


@pytest.mark.promise("P5", "P6")
@pytest.mark.parametrize("role", ["ingest", "decide"])
@pytest.mark.parametrize("forged", ["purpose", "recording", "part", "attempt"])
def test_nobody_names_an_object_of_another_artifact(
    world: World, engines: Callable[[str], Engine], role: str, forged: str
) -> None:
    """It would be erased with a row that is due."""
    other = "trial" if forged == "purpose" else "transcript" if forged == "part" else uuid.uuid4()
    own = stored_anew(world)
    assert own[forged] != other
    assert is_let_in(engines(role), own)
    assert not is_let_in(engines(role), own | {forged: other})


@pytest.mark.promise("P5", "P6")
@pytest.mark.parametrize("role", ["ingest", "decide"])
@pytest.mark.parametrize(
    "form",
    [
        "{0}////{4}/{5}/{6}",
        "{0}/{4}/{5}/{6}",
        "{0}/{1}/{2}/{4}/{5}/{6}",
        "{0}/{1}/13/{3}/{4}/{5}/{6}",
        "{0}/{1}/{2}/day/{4}/{5}/{6}",
        "{0}/{1}/{2}/{3}/{3}/{4}/{5}/{6}",
        "{0}/{1}/{2}/{3}/{4}/{5}/{6}/{6}",
        "{0}/{1}/{2}/{3}/{4}/{5}/{6}/",
        "/{0}/{1}/{2}/{3}/{4}/{5}/{6}",
    ],
)
def test_nobody_names_an_object_that_the_layout_does_not_know(
    world: World, engines: Callable[[str], Engine], role: str, form: str
) -> None:
    own = stored_anew(world)
    assert is_let_in(engines(role), own)
    assert not is_let_in(engines(role), own | {"object": form.format(*own["object"].split("/"))})


@pytest.mark.promise("P5", "P6")
@pytest.mark.parametrize(
    ("role", "allowed"), [("ingest", {"storing"}), ("decide", {"storing", "kept"})]
)  # `decide` looks itself at what it stores again
def test_nobody_stores_what_was_not_looked_at(
    world: World, engines: Callable[[str], Engine], role: str, allowed: set[str]
) -> None:
    own = stored_anew(world)
    states = ("storing", "kept", "erasing", "erased")
    assert {state for state in states if is_let_in(engines(role), own | {"state": state})} == allowed


def stored_anew(world: World) -> dict[str, Any]:
    """A row as the ingest would write it for an artifact that is there."""
    world.deliver("a")
    world.ingest()
    row = world.rows(select(t.artifacts).where(t.artifacts.c.part == "audio"))[0]
    return {**row._mapping, "id": uuid.uuid4(), "state": "storing"}


def is_let_in(engine: Engine, row: dict[str, Any]) -> bool:
    """By the trigger; one that is there already stays alone."""
    try:
        with engine.begin() as tx:
            tx.execute(upsert(t.artifacts).values(row).on_conflict_do_nothing())
    except ProgrammingError as fault:
        assert "not_its_own" in str(fault)
        return False
    return True


@pytest.mark.promise("P5", "P7")
def test_no_temporary_table_stands_before_ours(world: World, engines: Callable[[str], Engine]) -> None:
    """In what runs with the owner's rights."""
    with world.engine.begin() as tx:
        definers = tx.execute(
            text("SELECT proname, proconfig FROM pg_proc WHERE prosecdef AND proname LIKE 'consigne%'")
        ).all()
    assert {"consigne_keep", "consigne_forget", "consigne_forget_names"} <= {row.proname for row in definers}
    assert {tuple(row.proconfig) for row in definers} == {("search_path=public, pg_temp",)}


@pytest.mark.promise("P5")
def test_a_dry_run_lists_what_a_run_would_take(world: World, engines: Callable[[str], Engine]) -> None:
    world.deliver_trial("a")
    world.deliver_trial("b")
    world.deliver("c")
    world.ingest()
    ask(world, "b")  # it spares what it asks for
    world.pass_time(AFTER)
    platform = replace(world.platform, catalog=Catalog(engines("expire"), os.urandom))
    seen = preview(platform)
    told = [str(row.id) for row in seen.destroyed]
    assert sorted(told) == sorted(str(row.id) for row in world.artifacts("a"))
    assert [line.split()[-1] for line in list_due(seen)] == [*told, "1", "1"]
    assert seen.rows() == preview(replace(platform, catalog=Catalog(engines("read"), os.urandom))).rows()
    world.expire()
    assert {str(row.id) for row in world.artifacts() if row.state == "erased"} == set(told) != set()
    assert list_due(after := preview(platform)) == [f"nothing is due at {iso(after.at)}"]
