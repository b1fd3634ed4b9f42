"""Reconciliation: nothing wrong finds nothing; each planted thing is found once, dealt with, and registered."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, text, update

from consigne.acts import accesses, compare, compare_dates, listen, reconcile
from consigne.acts.answer_finding import answer_finding
from consigne.acts.journey import Platform
from consigne.acts.ports import Upload
from consigne.acts.replay import bring_to_truth
from consigne.adapters.catalog import tables as t
from consigne.adapters.catalog import tables_gone as gone
from consigne.adapters.catalog.open import Catalog
from consigne.rules.access import Denied
from consigne.rules.errors import BadInput, Unavailable
from consigne.rules.layout import part_prefix
from consigne.rules.store_audit import Access
from consigne.rules.values import Actor

from .test_replay import Backup
from .world import World

OLD = datetime(2026, 1, 1, tzinfo=UTC)
DPO, TRAINER = Actor("dpo", frozenset({"dpo"})), Actor("trainer", frozenset({"trainer"}))
WHY = "Looked into it: a drill of ours."


@dataclass
class Run:
    """A world with kept calls, and the Dag's tasks as the role that runs them."""

    world: World
    platform: Platform
    requests: int = field(default=0)

    def reconcile(self) -> dict[str, int]:
        """What a run finds that is new."""
        found: dict[str, int] = {}
        for act in (compare.compare_store, compare.compare_keys, compare_dates.compare_dates):
            found |= act(self.platform)
        accesses.explain_accesses(self.platform)
        reconcile.sweep_findings(self.platform)
        reconcile.report_findings(self.platform)
        return found

    def findings(self) -> list[Any]:
        return self.world.rows(select(gone.findings).order_by(gone.findings.c.kind, gone.findings.c.version))

    def states(self) -> list[tuple[str, str, str, str | None]]:
        return [(row.kind, row.act, row.state, row.closed_by) for row in self.findings()]

    def told(self) -> list[str]:
        """What the register tells of findings, in order."""
        found = self.world.register()
        return [
            one["kind"].partition("reconcile:")[2]
            for one in found
            if one["kind"].startswith("reconcile:finding")
        ]

    def plant(self, object: str, body: bytes | None = b"x", at: datetime | None = OLD) -> str:
        """Somebody else's version in the bucket, or a delete marker."""
        version = str(uuid.uuid4())
        self.world.store.versions.append((object, version, body))
        if at:
            self.world.store.modified[version] = at
        return version

    def change(self, table: Any, where: Any, **values: Any) -> None:
        """As a superuser of the database."""
        with self.world.engine.begin() as tx:
            tx.execute(update(table).where(where).values(**values))

    def access(self, object: str, identity: str, api: str = "GetObject", **changes: Any) -> None:
        self.requests += 1
        one = Access(f"r{self.requests}", datetime.now(UTC), identity, api, "recordings", object, None, 200)
        accesses.keep_accesses(self.platform, [replace(one, **changes)])


@pytest.fixture
def run(world: World, engines: Callable[[str], Engine]) -> Run:
    for number in range(3):
        world.deliver(f"call-{number}")
    world.ingest()
    platform = replace(world.platform, catalog=Catalog(engines("reconcile"), os.urandom))
    return Run(world, platform)


def under(run: Run, number: int = 0) -> Any:
    """A kept artifact."""
    return run.world.artifacts(f"call-{number}")[0]


def sibling(artifact: Any) -> str:
    """A name that another attempt at it would have."""
    return part_prefix(artifact.object) + str(uuid.uuid4())


def test_where_nothing_is_wrong_nothing_is_found(run: Run) -> None:
    run.world.deliver_trial("short")
    run.world.ingest()
    run.world.pass_time(timedelta(minutes=5))
    run.world.expire()
    assert run.reconcile() == {}
    assert run.findings() == []
    assert run.told() == []
    assert [one["open"] for one in run.world.register("reconcile:run:reported")] == [{}]


@pytest.mark.parametrize("name", ["sibling", "stray", "training/odd name", "other/2026/01/01/x/audio/y"])
def test_an_orphan_is_swept_and_registered(run: Run, name: str) -> None:
    artifact = under(run)
    object = {"sibling": sibling(artifact), "stray": artifact.object.replace("/audio/", "/other/")}.get(
        name, name
    )
    version = run.plant(object)
    assert run.reconcile() == {"orphan": 1}
    assert run.states() == [("orphan", "sweep", "closed", "consigne")]
    assert version not in {held[1] for held in run.world.store.versions}
    assert run.told() == ["finding:found", "finding:sweeping", "finding:swept"]
    assert run.reconcile() == {}
    assert run.told() == ["finding:found", "finding:sweeping", "finding:swept"]
    assert {run.world.content(one) for one in run.world.artifacts()}  # what is recorded still opens


@pytest.mark.promise("P8")
def test_an_orphan_whose_row_a_restore_lost_waits_for_the_dpo(run: Run) -> None:
    artifact = under(run)
    backup = Backup(run.world)
    run.world.deliver("later")
    run.world.ingest()
    backup.put_back("database")
    bring_to_truth(run.world.platform, ["database"])
    objects = {row.object for row in run.world.rows(select(gone.losses))}
    assert objects and {row.reason for row in run.world.rows(select(gone.losses))} == {"row_missing"}
    attempt = part_prefix(min(objects)) + str(uuid.uuid4())  # another try at the same
    for held in list(run.world.store.versions):
        if held[0] in objects:
            run.world.store.modified[held[1]] = OLD
    run.plant(attempt)
    run.plant(other := sibling(artifact))
    assert run.reconcile() == {"orphan": len(objects) + 2}
    left = {held[0] for held in run.world.store.versions}
    assert objects | {attempt} <= left and other not in left
    waiting = [row for row in run.findings() if row.state == "open"]
    assert {row.act for row in waiting} == {"decide"}
    for row in waiting:
        answer_finding(run.world.platform, run.world.policy, DPO, row.id, "acknowledged", WHY)
    run.reconcile()
    assert not (objects | {attempt}) & {held[0] for held in run.world.store.versions}
    assert all(row.swept_at for row in run.findings()) and run.reconcile() == {}


def test_what_an_ingest_may_be_about_to_record_is_left_for_an_hour(run: Run) -> None:
    young = run.plant(sibling(under(run)), at=datetime.now(UTC) - timedelta(minutes=50))
    forged = run.plant(sibling(under(run)), at=datetime.now(UTC) + timedelta(days=400))
    assert run.reconcile() == {"orphan": 1}
    held = {held[1] for held in run.world.store.versions}
    assert young in held and forged not in held


def test_an_object_recorded_between_listing_and_rows_is_no_orphan(run: Run) -> None:
    """The rows are read before the object was recorded: it is looked up again before anything is said of it."""

    class Late(type(run.platform.catalog)):  # type: ignore[misc]
        def walk_recorded(self, tx: Any) -> Any:
            return iter(())

    late = Late(run.platform.catalog._engine, os.urandom)  # type: ignore[attr-defined]
    for number in range(3):
        for artifact in run.world.artifacts(f"call-{number}"):
            run.world.store.modified[artifact.version] = OLD
    assert compare.compare_store(replace(run.platform, catalog=late)) == {}


def test_a_finding_that_is_recorded_by_now_is_never_swept(run: Run) -> None:
    artifact = under(run)
    with run.world.engine.begin() as tx:
        row = {
            "id": uuid.uuid4(), "kind": "orphan", "subject": artifact.object, "version": artifact.version,
            "act": "sweep", "state": "open", "found_at": OLD, "seen_at": OLD,
        }  # fmt: skip
        tx.execute(gone.findings.insert().values(row))
    assert reconcile.sweep_findings(run.platform) == 0
    assert run.world.content(artifact)
    assert run.states() == [("orphan", "sweep", "closed", "consigne")]


@pytest.mark.parametrize("body", [b"forged", None], ids=["version", "marker"])
def test_another_version_under_a_kept_object_is_swept_alone(run: Run, body: bytes | None) -> None:
    artifact = under(run)
    run.plant(artifact.object, body, at=None)
    assert run.reconcile() == {"foreign_version": 1}
    assert run.states() == [("foreign_version", "sweep", "closed", "consigne")]
    assert [held[1] for held in run.world.store.versions if held[0] == artifact.object] == [artifact.version]
    assert run.world.content(artifact)


@pytest.mark.promise("P6")
def test_what_lies_under_an_erased_name_is_swept_with_an_alarm(run: Run) -> None:
    run.world.deliver_trial("short")
    run.world.ingest()
    artifact = run.world.artifacts("short")[0]
    run.world.pass_time(timedelta(minutes=5))
    run.world.expire()
    run.plant(artifact.object, at=None)
    run.plant(sibling(artifact), at=None)
    run.world.store.uploads.append(Upload(artifact.object, "u1"))
    assert run.reconcile() == {"foreign_version": 2, "lingering_upload": 1}
    assert set(run.states()) == {
        ("foreign_version", "alarm", "open", None),
        ("lingering_upload", "alarm", "open", None),
    }
    assert run.world.under(artifact) == []
    assert run.reconcile() == {}  # the alarm stays until somebody answers
    assert {row.state for row in run.findings()} == {"open"}
    assert {row.artifact for row in run.findings()} == {artifact.id}


def test_an_upload_under_no_artifacts_name_is_swept(run: Run) -> None:
    run.world.store.uploads.append(Upload("training/odd", "u1"))
    assert run.reconcile() == {"lingering_upload": 1}
    assert run.states() == [("lingering_upload", "sweep", "closed", "consigne")]
    assert run.world.store.uploads == []


def test_a_missing_object_is_an_alarm_and_a_loss_until_it_is_back(run: Run) -> None:
    artifact = under(run)
    held = next(held for held in run.world.store.versions if held[1] == artifact.version)
    run.world.store.versions.remove(held)
    assert run.reconcile() == {"missing": 1}
    assert run.reconcile() == {}
    assert run.states() == [("missing", "alarm", "open", None)]
    losses = run.world.rows(select(gone.losses))
    assert [(row.object, row.reason) for row in losses] == [(artifact.object, "object_missing")]
    run.world.store.versions.append(held)
    run.reconcile()
    assert run.states() == [("missing", "alarm", "closed", "consigne")]
    assert run.world.rows(select(gone.losses)) == []
    assert isinstance(listen.export(run.world.platform, TRAINER, artifact.id, "coaching"), listen.Offered)
    run.world.store.versions.remove(held)
    assert run.reconcile() == {"missing": 1}  # and open again


def test_a_listing_that_lags_makes_nothing_missing(run: Run) -> None:
    class Lagging(type(run.world.store)):  # type: ignore[misc]
        def walk_versions(self) -> Any:
            return iter(())

    store = Lagging(lambda: datetime.now(UTC))
    store.versions = run.world.store.versions
    assert compare.compare_store(replace(run.platform, store=store)) == {}


def test_what_was_listed_a_moment_before_its_erasure_is_no_alarm(run: Run) -> None:
    run.world.deliver_trial("short")
    run.world.ingest()
    walked = list(run.world.store.walk_versions())
    run.world.pass_time(timedelta(minutes=5))
    run.world.expire()

    class Early(type(run.world.store)):  # type: ignore[misc]
        def walk_versions(self) -> Any:
            return iter(walked)

    store = Early(lambda: datetime.now(UTC))
    store.versions = run.world.store.versions
    assert compare.compare_store(replace(run.platform, store=store)) == {}


@pytest.mark.promise("P3")
def test_an_object_without_the_stores_own_encryption_is_an_alarm(run: Run) -> None:
    run.world.store.plain.add(under(run).version)
    assert run.reconcile() == {"not_encrypted": 1}
    assert run.states() == [("not_encrypted", "alarm", "open", None)]


def test_keys_and_rows_are_compared_both_ways(run: Run) -> None:
    kept, erased = under(run, 0), under(run, 1)
    with run.world.engine.begin() as tx:
        tx.execute(t.data_keys.delete().where(t.data_keys.c.artifact == kept.id))
    run.change(t.artifacts, t.artifacts.c.id == erased.id, state="erased")
    run.world.keyring.open_epoch("training/2020-01-01/0")
    epoch = under(run, 2).epoch
    run.world.keyring._epochs.pop(epoch)
    compare.compare_keys(run.platform)
    found = {(row.kind, row.subject) for row in run.findings()}
    assert found == {
        ("row_without_key", str(kept.id)), ("row_without_key", epoch), ("key_without_row", str(erased.id)),
        ("key_without_row", "training/2020-01-01/0"),
    }  # fmt: skip
    assert [row.reason for row in run.world.rows(select(gone.losses))] == ["key_missing"]
    run.world.keyring._epochs.pop("training/2020-01-01/0")
    compare.compare_keys(run.platform)
    assert {row.subject for row in run.findings() if row.state == "closed"} == {"training/2020-01-01/0"}


@pytest.mark.promise("P5")
def test_a_due_date_moved_by_hand_is_found_and_put_back(run: Run) -> None:
    artifact = under(run)
    run.change(t.artifacts, t.artifacts.c.id == artifact.id, due_at=artifact.due_at + timedelta(days=90))
    assert run.reconcile() == {"moved_due_date": 1}
    assert run.states() == [("moved_due_date", "decide", "open", None)]
    answered = answer_finding(
        run.world.platform, run.world.policy, DPO, run.findings()[0].id, "put_back", WHY
    )
    assert not isinstance(answered, Denied)
    assert under(run).due_at == artifact.due_at
    assert run.states() == [("moved_due_date", "decide", "closed", "dpo")]
    assert run.world.register("reconcile:finding:answered")[0]["due_at"]
    assert run.reconcile() == {}


@pytest.mark.promise("P5")
@pytest.mark.parametrize("how", ["extension", "hold", "earlier"])
def test_what_hides_a_moved_date_is_seen_through(run: Run, how: str) -> None:
    """A decision that the register does not hold, and a hold that is over, explain nothing; earlier is no breach."""
    artifact, later = under(run), timedelta(days=90)
    mine = t.artifacts.c.id == artifact.id
    if how == "earlier":
        run.change(t.artifacts, mine, due_at=artifact.due_at - timedelta(days=9))
        assert run.reconcile() == {}
        return
    values = (
        {"extension": uuid.uuid4()}
        if how == "extension"
        else {"unheld_due_at": artifact.due_at, "hold": uuid.uuid4()}
    )
    run.change(t.artifacts, mine, due_at=artifact.due_at + later, **values)
    assert run.reconcile() == {"moved_due_date": 1}


@pytest.mark.promise("P4")
def test_a_read_is_explained_by_what_was_offered_and_nothing_else_is(run: Run) -> None:
    artifact, other = under(run, 0), under(run, 1)
    run.access(artifact.object, "listen-training")
    run.access(other.object, "listen-training")
    listen.export(run.world.platform, TRAINER, artifact.id, "coaching")
    run.access(artifact.object, "root")
    run.access("training/x", "unknown", "DeleteObject")
    run.access(artifact.object, "listen-training", at=datetime.now(UTC) - timedelta(hours=1))
    accesses.explain_accesses(run.platform)
    assert run.world.rows(select(gone.accesses.c.id).where(gone.accesses.c.explained.is_(None))) == [
        (1,),
        (2,),
    ]
    run.world.pass_time(timedelta(minutes=11))
    run.reconcile()
    found = {row.subject: row for row in run.findings()}
    assert set(found) == {"listen-training GetObject", "root GetObject", "unknown DeleteObject"}
    assert {row.act for row in found.values()} == {"alarm"}
    rows = run.world.rows(select(gone.accesses).order_by(gone.accesses.c.id))
    assert [(row.explained, row.finding is None) for row in rows] == [
        (True, True), (False, False), (False, False), (False, False), (False, False),
    ]  # fmt: skip
    assert found["root GetObject"].artifact == artifact.id
    told = len(run.findings())
    run.reconcile()
    assert len(run.findings()) == told == 4  # the listener's two in two runs


@pytest.mark.parametrize("api", ["DeleteObject", "PutObject", "PutObjectPart"])
def test_what_was_done_under_an_artifacts_name_names_it(run: Run, api: str) -> None:
    artifact, other = under(run, 0), under(run, 1)
    for name in (artifact.object, sibling(artifact)):  # its own, and one beside it
        run.access(name, "root", api)
    run.reconcile()
    assert [row.artifact for row in run.findings()] == [artifact.id]
    run.access(artifact.object, "root", api)
    run.access(other.object, "root", api)
    run.reconcile()
    # Of several, each access names its own.
    assert {row.artifact for row in run.findings()} == {artifact.id, None}


def test_the_dpo_answers_and_nobody_else(run: Run) -> None:
    run.access(under(run).object, "root")
    run.reconcile()
    id = run.findings()[0].id
    parts, policy = run.world.platform, run.world.policy
    assert answer_finding(parts, policy, TRAINER, id, "acknowledged", WHY) == Denied("role_missing")
    assert run.world.register("reconcile:finding:answer_denied")[0]["actor"] == "trainer"
    for answer, reason, field_ in (("put_back", WHY, "answer"), ("acknowledged", " ", "reason")):
        with pytest.raises(BadInput) as fault:
            answer_finding(parts, policy, DPO, id, answer, reason)
        assert fault.value.where == field_
    assert not isinstance(answer_finding(parts, policy, DPO, id, "acknowledged", WHY), Denied)
    assert answer_finding(parts, policy, DPO, id, "acknowledged", WHY) == Denied("finding_closed")
    assert answer_finding(parts, policy, DPO, uuid.uuid4(), "acknowledged", WHY) == Denied("unknown_finding")
    run.reconcile()
    assert run.states() == [("unexplained_access", "alarm", "closed", "dpo")]


@pytest.mark.promise("P8")
def test_a_sweep_that_is_cut_short_is_taken_up(run: Run) -> None:
    run.plant("training/odd")

    class Deaf(type(run.world.store)):  # type: ignore[misc]
        def delete_versions(self, versions: Any) -> None:
            return None

    store = Deaf(lambda: datetime.now(UTC))
    store.versions = run.world.store.versions
    compare.compare_store(run.platform)
    with pytest.raises(Unavailable, match="still_listed"):
        reconcile.sweep_findings(replace(run.platform, store=store))
    assert run.states() == [("orphan", "sweep", "open", None)]
    assert reconcile.sweep_findings(run.platform) == 1
    assert run.states() == [("orphan", "sweep", "closed", "consigne")]


@pytest.mark.promise("P4")
def test_an_orphan_is_never_offered(run: Run) -> None:
    """Nothing offers what no row records: by the finding's id as little as by any other."""
    run.plant(sibling(under(run)))
    compare.compare_store(run.platform)
    denied = listen.export(run.world.platform, TRAINER, run.findings()[0].id, "coaching")
    assert denied == Denied("unknown_artifact")


def test_old_accesses_are_forgotten(run: Run) -> None:
    run.access("training/x", "root")
    run.reconcile()
    with run.world.engine.begin() as tx:
        tx.execute(text("UPDATE accesses SET at = at - interval '400 days'"))
    run.reconcile()
    assert run.world.rows(select(gone.accesses)) == []
