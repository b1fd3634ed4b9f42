"""Exporting: who may, what the register says, and that it says so before a byte is read (P4)."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from sqlalchemy import Engine, select, update

from consigne.acts.journey import Platform
from consigne.acts.listen import Offered, export
from consigne.acts.safe import put_in
from consigne.adapters.catalog import tables as t
from consigne.adapters.catalog.open import Catalog
from consigne.adapters.witness import NoWitness
from consigne.rules.access import Denied
from consigne.rules.errors import Conflict
from consigne.rules.policy.load import load
from consigne.rules.values import Actor, ArtifactName, Private
from contract.memory import MemoryKeyring, MemoryStore

from .conftest import shift_clock
from .stage import TEXT, TRAINER, Stage

CONTENT = b"fLaC what was said"
NOTHING = cast(Any, None)


class WatchedStore(MemoryStore):
    """Calls `before_get` when bytes are about to be read."""

    before_get: Callable[[], None] = staticmethod(lambda: None)

    def get(self, purpose: str, object: str, version: str) -> bytes:
        self.before_get()
        return super().get(purpose, object, version)


@dataclass
class Kept:
    stage: Stage
    store: WatchedStore
    artifact: uuid.UUID

    def export(self, actor: Actor = TRAINER, reason: str = "coaching") -> Offered | Denied:
        return export(self.stage.platform, actor, self.artifact, reason)

    def change(self, **values: object) -> None:
        with self.stage.engine.begin() as tx:
            tx.execute(update(t.artifacts).where(t.artifacts.c.id == self.artifact).values(**values))

    def entries(self) -> list[dict[str, Any]]:
        """What another connection sees."""
        with self.stage.engine.connect() as tx:
            rows = tx.execute(select(t.register.c.payload).order_by(t.register.c.id)).scalars()
            return [entry for row in rows if (entry := json.loads(row))["kind"].startswith("listen:")]


@pytest.fixture
def kept(engine: Engine, catalog: Catalog) -> Kept:
    """The audio of a training call, in a store and under keys that live in memory."""
    store, keyring = WatchedStore(), MemoryKeyring()
    platform = Platform(
        catalog,
        store,
        keyring,
        NOTHING,
        NOTHING,
        NOTHING,
        NOTHING,
        os.urandom,
        uuid.uuid4,
        NOTHING,
        NoWitness(),
    )
    policy = load(TEXT).policy
    with catalog.begin() as tx:
        catalog.add_policy(tx, policy, TEXT, datetime(2026, 1, 1, tzinfo=UTC))
    stage = Stage(platform, policy, engine)
    artifact = stage.keep()
    row = stage.row(artifact)
    name, place = ArtifactName(artifact, row.attempt, row.purpose), f"{row.purpose}/object"
    put = put_in(store, keyring, row.epoch, name, place, Private(CONTENT), os.urandom)
    found = Kept(stage, store, artifact)
    found.change(object=put.object, version=put.version, digest=put.digest, bytes=put.bytes)
    with engine.begin() as tx:
        tx.execute(update(t.data_keys).where(t.data_keys.c.artifact == artifact).values(wrapped=put.wrapped))
    return found


@pytest.mark.promise("P4")
def test_the_entry_is_committed_before_the_first_byte_is_read(kept: Kept) -> None:
    seen: list[list[dict[str, Any]]] = []
    kept.store.before_get = lambda: seen.append(kept.entries())
    offered = kept.export()
    assert isinstance(offered, Offered)
    assert offered.content.reveal() == CONTENT
    [[entry]] = seen
    assert (entry["kind"], entry["actor"], entry["reason"]) == (
        "listen:artifact:offered",
        "trainer",
        "coaching",
    )
    assert (entry["subject"], entry["recording"]) == (str(kept.artifact), str(offered.recording))


@pytest.mark.promise("P4")
@pytest.mark.parametrize(
    ("actor", "reason", "code"),
    [
        (Actor("ops", frozenset({"ops"})), "coaching", "not_a_listener"),
        (Actor("dpo", frozenset({"dpo"})), "coaching", "not_a_listener"),
        (Actor("analyst", frozenset({"analyst"})), "coaching", "not_a_listener"),
        (TRAINER, "", "reason_not_allowed"),
        (TRAINER, "his number is 4970 1000 0000 0006", "reason_not_allowed"),
    ],
)
def test_others_get_nothing_and_the_register_says_who_tried(
    kept: Kept, actor: Actor, reason: str, code: str
) -> None:
    kept.store.away = True  # nothing may be asked of it
    assert kept.export(actor, reason) == Denied(code)
    [entry] = kept.entries()
    assert (entry["kind"], entry["actor"], entry["code"]) == ("listen:artifact:denied", actor.user, code)
    assert "reason" not in entry


@pytest.mark.promise("P5")
@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"restricted": True}, "restricted"),
        ({"state": "storing"}, "not_kept"),
        ({"state": "erasing"}, "not_kept"),
    ],
)
def test_what_is_not_to_be_heard_is_not_heard(kept: Kept, values: dict[str, object], code: str) -> None:
    kept.change(**values)
    assert kept.export() == Denied(code)


@pytest.mark.promise("P5")
def test_what_is_due_is_inaudible_that_second(kept: Kept) -> None:
    due_at = kept.stage.row(kept.artifact).due_at
    shift_clock(kept.stage.engine, int((due_at - kept.stage.now()).total_seconds()) - 30)
    assert isinstance(kept.export(), Offered)
    shift_clock(kept.stage.engine, 31)
    assert kept.export() == Denied("past_due")


def test_an_unknown_artifact_is_an_attempt_too(kept: Kept) -> None:
    unknown = uuid.uuid4()
    assert export(kept.stage.platform, TRAINER, unknown, "coaching") == Denied("unknown_artifact")
    assert [entry["subject"] for entry in kept.entries()] == [str(unknown)]


def test_what_goes_in_this_very_moment_is_a_conflict(kept: Kept) -> None:
    kept.store.versions.clear()
    with pytest.raises(Conflict):
        kept.export()
    with kept.stage.engine.begin() as tx:
        tx.execute(t.data_keys.delete())
    with pytest.raises(Conflict):
        kept.export()
