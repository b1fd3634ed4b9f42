"""What is due goes, what is spared stays, and each step can be checked: on a real PostgreSQL (P5, P6)."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from consigne.acts import decide, extend, ingest, protect, repair
from consigne.acts import expire as acts
from consigne.acts.close import close_epochs
from consigne.acts.ports import ObjectVersion, Upload
from consigne.adapters.catalog import tables as t
from consigne.rules.clock import iso
from consigne.rules.errors import Conflict, Misconfigured, Unavailable
from consigne.rules.evidence.certificate import read_parts
from consigne.rules.evidence.signature import open_note
from consigne.rules.layout import part_prefix
from consigne.rules.request import Answer, Decision, ExceptionRequest
from consigne.rules.values import Actor
from contract.memory import MemoryKeyring

from .world import World, with_parts

AFTER = timedelta(minutes=6)  # trial calls end within five
LATER = timedelta(days=6)  # the response time is five days
TRAINER, DPO = Actor("trainer", frozenset({"trainer"})), Actor("dpo", frozenset({"dpo"}))
WHY = "The caller disputes what was agreed."


@pytest.fixture
def due(world: World) -> World:
    """Two trial calls that are due, and one under training that is not."""
    world.deliver_trial("a")
    world.deliver_trial("b", left=timedelta(minutes=3))
    world.deliver("c")
    world.ingest()
    world.pass_time(AFTER)
    return world


def ask(world: World, id: str) -> ExceptionRequest:
    """A request for all artifacts of a call."""
    ids = [row.id for row in world.artifacts(id)]
    until = world.base + timedelta(days=3)
    request = decide.file_request(world.platform, world.policy, TRAINER, ids, until, "dispute", WHY)
    assert isinstance(request, ExceptionRequest), request
    return request


def answer(world: World, request: ExceptionRequest, answer: Answer = Answer.EXTEND) -> None:
    decided = decide.answer_request(
        world.platform, world.policy, DPO, request.id, request.digest, answer, None, WHY
    )
    assert isinstance(decided, Decision), decided


def chunks_of(world: World, run: str) -> list[str]:
    acts.freeze_manifest(world.platform, run, False)
    return acts.measure_volume(world.platform, run)


@pytest.mark.promise("P5", "P6")
def test_what_is_due_is_destroyed_and_nothing_else(due: World) -> None:
    gone, kept = due.artifacts("a") + due.artifacts("b"), due.artifacts("c")
    assert due.expire() == {"left": 0}
    assert {(row.source_id, row.state) for row in due.artifacts()} == {
        ("a", "erased"),
        ("b", "erased"),
        ("c", "kept"),
    }
    assert [due.under(row) for row in gone] == [[]] * 4
    assert set(due.keys()) == {row.id for row in kept}
    assert all(due.content(row) for row in kept)
    ended = {row.epoch for row in gone}
    assert {name: state for name, state in due.epochs().items() if name in ended} == dict.fromkeys(
        ended, "destroyed"
    )
    assert set(due.keyring.epochs()) == {row.epoch for row in kept}
    for name in ended:
        with pytest.raises(Conflict, match="epoch_destroyed"):
            due.keyring.open_epoch(name)


@pytest.mark.promise("P6")
def test_certificates_verify_and_reach_the_evidence_bucket(due: World) -> None:
    gone = due.artifacts("a") + due.artifacts("b")
    due.expire()
    report = due.verified()
    assert report.verified
    assert len(due.certificates("artifact")) == 4
    assert {row.epoch for row in due.certificates("epoch")} == {row.epoch for row in gone}
    assert {each["proof"] for each in report.certificates} == {"cryptographic"}
    published = b"".join(
        body or b"" for name, _, body in due.store.evidence if name.startswith("certificates/")
    )
    assert all(bytes(row.file) in published and row.published_at for row in due.certificates())
    body = read_parts(bytes(due.certificates("artifact")[0].file))["body"]
    assert body["steps"]["versions_deleted"] == 1
    assert body["clock"] == {"test": True, "offset_s": int(AFTER.total_seconds())}
    assert body["irrecoverable_after"] > body["issued_at"]
    with due.engine.begin() as tx:
        leaves = {row.leaf.hex() for row in tx.execute(select(t.register.c.leaf))}
    assert {read_parts(bytes(row.file))["body"]["entry"] for row in due.certificates()} <= leaves


@pytest.mark.promise("P6")
def test_of_an_erased_recording_the_catalog_keeps_neither_caller_nor_agent(due: World) -> None:
    due.expire()
    rows = {row.source_id: row for row in due.rows(select(t.recordings))}
    assert (bytes(rows["a"].caller_index), rows["a"].agent) == (b"", "")
    assert len(rows["c"].caller_index) == 32 and rows["c"].agent == "a.martin"


@pytest.mark.promise("P6")
def test_the_order_is_tombstone_key_object_certificate(due: World) -> None:
    """At each step what must be gone before it is gone, and what must stand before it stands."""
    seen: list[str] = []

    class Watched:
        def __getattr__(self, name: str) -> Any:
            return getattr(due.store, name)

        def publish(self, name: str, data: bytes, retain_until: datetime) -> str:
            kind = name.partition("/")[0]
            if kind == "tombstones":
                assert len(due.keys()) == 6  # the tombstone is there before a key goes
                assert {row.state for row in due.artifacts("a")} == {"erasing"}
                assert json.loads(data.split(b"\n")[0])[0]["ground"] == "period_ended"
            seen.append(kind)
            return due.store.publish(name, data, retain_until)

        def delete_versions(self, versions: list[ObjectVersion]) -> None:
            assert len(due.keys()) == 2  # the keys are gone before an object
            seen.append("objects")
            due.store.delete_versions(versions)

    class WatchedKeyring:
        def __getattr__(self, name: str) -> Any:
            return getattr(due.keyring, name)

        def destroy_epoch(self, name: str) -> None:
            assert due.epochs()[name] == "closing"
            assert {row.state for row in due.artifacts("a") + due.artifacts("b")} == {"erased"}
            seen.append("epoch")
            due.keyring.destroy_epoch(name)

    with_parts(due, store=Watched(), keyring=WatchedKeyring()).expire()
    assert seen == ["tombstones", "objects", "certificates", "epoch", "epoch", *["certificates"] * 2]
    assert all(until > due.base + timedelta(days=3650) for until in due.store.retained.values())


@pytest.mark.promise("P6")
@pytest.mark.parametrize("restarted", [False, True])
def test_whatever_lies_under_the_prefix_goes(due: World, restarted: bool) -> None:
    audio, text = due.artifacts("a")
    foreign = part_prefix(audio.object) + "somebody-s"
    due.store.versions += [
        (audio.object, "older", b"x"),
        (audio.object, "marker", None),
        (foreign, "v", b"y"),
    ]

    class Forgetful:
        """As MinIO after a start: it tells an upload only to who asks for its exact name."""

        def __getattr__(self, name: str) -> Any:
            return getattr(due.store, name)

        def list_uploads(self, prefix: str) -> list[Upload]:
            return [] if restarted else due.store.list_uploads(prefix)

    due.store.uploads = [Upload(audio.object, "1"), Upload(foreign, "2"), Upload(text.object + "x", "3")]
    other = with_parts(due, store=Forgetful())
    [chunk] = chunks_of(due, "first")
    for name in ("recheck", "destroy_keys", "delete_objects"):
        getattr(acts, name)(other.platform, chunk)
    if restarted:
        with pytest.raises(Unavailable, match="still_listed"):
            acts.verify_absent(other.platform, chunk)
    acts.verify_absent(other.platform, chunk)
    assert due.store.list_versions(part_prefix(audio.object)) == []
    assert [upload.upload for upload in due.store.uploads] == (["3"] if restarted else [])
    steps = {row.artifact: row for row in due.rows(select(t.tombstones))}[audio.id]
    assert (steps.versions_deleted, steps.uploads_aborted) == (4, 2)


@pytest.mark.promise("P6")
@pytest.mark.parametrize("what", ["version", "upload"])
def test_no_certificate_while_anything_is_listed(due: World, what: str) -> None:
    """Somebody writes under the prefix after the deletion: it is seen, and goes; the next look certifies."""
    audio = due.artifacts("a")[0]
    [chunk] = chunks_of(due, "first")
    acts.recheck(due.platform, chunk)
    acts.destroy_keys(due.platform, chunk)
    acts.delete_objects(due.platform, chunk)
    if what == "version":
        due.store.versions.append((audio.object, "late", b"z"))
    else:
        due.store.uploads.append(Upload(audio.object, "late"))
    with pytest.raises(Unavailable, match="still_listed"):
        acts.verify_absent(due.platform, chunk)
    assert due.under(audio) == []
    assert {row.artifact for row in due.certificates()} == {
        row.id for row in due.artifacts() if row.purpose == "trial" and row.id != audio.id
    }
    assert audio.epoch not in close_epochs(due.platform, False)
    with pytest.raises(Conflict, match="overdue"):
        acts.report_expiry(due.platform, "first")
    assert due.expire() == {"left": 0}
    steps = {row.artifact: row for row in due.rows(select(t.tombstones))}[audio.id]
    assert (steps.versions_deleted, steps.uploads_aborted) == ((2, 0) if what == "version" else (1, 1))
    assert len(due.certificates("artifact")) == 4 and due.verified().verified


@pytest.mark.promise("P5")
def test_the_oldest_goes_first(due: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acts, "LIMIT", 2)
    with pytest.raises(Conflict, match="2 left"):
        due.expire()
    assert {(row.source_id, row.state) for row in due.artifacts() if row.purpose == "trial"} == {
        ("b", "erased"), ("a", "kept"),
    }  # fmt: skip
    due.expire()
    assert {row.state for row in due.artifacts("a")} == {"erased"}


def test_a_dry_run_destroys_nothing(due: World) -> None:
    before = (due.artifacts(), due.epochs(), list(due.store.versions))
    assert due.expire("dry", dry_run=True) == {"left": 0}
    assert (due.artifacts(), due.epochs(), due.store.versions) == before
    [manifest] = due.rows(select(t.manifests))
    assert manifest.dry_run and due.store.evidence == []
    [entry] = due.register("expire:manifest:frozen")
    assert (entry["count"], entry["dry_run"]) == (4, True)
    with due.engine.begin() as tx:  # not even where somebody writes the authorisation
        tx.execute(
            t.authorisations.insert().values(
                manifest=manifest.id, digest=manifest.digest, authorised_at=due.base
            )
        )
    for chunk in due.rows(select(t.manifest_chunks.c.id)):
        with pytest.raises(Conflict, match="not_authorised"):
            acts.recheck(due.platform, str(chunk.id))


@pytest.mark.parametrize(
    "task", ["recheck", "destroy_keys", "delete_objects", "verify_absent", "sign_certificate"]
)
def test_no_task_acts_without_the_authorisation(due: World, task: str) -> None:
    acts.freeze_manifest(due.platform, "first", False)
    [chunk] = due.rows(select(t.manifest_chunks.c.id))
    with pytest.raises(Conflict, match="not_authorised"):
        getattr(acts, task)(due.platform, str(chunk.id))
    acts.measure_volume(due.platform, "first")
    with due.engine.begin() as tx:  # an authorisation of something else
        tx.execute(update(t.manifests).values(digest="0" * 64))
    with pytest.raises(Conflict, match="not_authorised"):
        getattr(acts, task)(due.platform, str(chunk.id))
    assert len(due.keys()) == 6 and len(due.store.versions) == 6


@pytest.mark.promise("P8")
def test_a_task_that_runs_again_finds_the_same_manifest(due: World) -> None:
    first = acts.freeze_manifest(due.platform, "first", False)
    assert acts.freeze_manifest(due.platform, "first", False) == first
    assert acts.measure_volume(due.platform, "first") == acts.measure_volume(due.platform, "first")
    assert len(due.register("expire:manifest:frozen", "expire:manifest:authorised")) == 2


@pytest.mark.promise("P8")
def test_every_task_may_run_twice(due: World) -> None:
    for name in ("recheck", "destroy_keys", "delete_objects", "verify_absent", "sign_certificate"):
        for chunk in chunks_of(due, "first"):
            getattr(acts, name)(due.platform, chunk)
            getattr(acts, name)(due.platform, chunk)
    for _ in range(2):
        close_epochs(due.platform, False)
    assert len(due.certificates("artifact")) == 4 and len(due.certificates("epoch")) == 2
    for kind in ("erasing", "key-deleted", "erased"):
        assert len(due.register(f"expire:artifact:{kind}")) == 4
    assert len(due.register("expire:epoch:destroyed")) == 2


@pytest.mark.promise("P5")
def test_a_request_filed_in_time_keeps_it_for_the_response_time(world: World) -> None:
    for id in ("a", "b"):
        world.deliver_trial(id)
    world.ingest()
    ask(world, "a")
    world.pass_time(AFTER)
    assert world.expire() == {"left": 0}
    assert {(row.source_id, row.state) for row in world.artifacts()} == {("a", "kept"), ("b", "erased")}
    epoch = world.artifacts("a")[0].epoch
    assert world.epochs()[epoch] == "open"  # the fence: it still wraps a key
    world.pass_time(LATER)  # nobody answered
    assert world.expire() == {"left": 0}
    assert {row.state for row in world.artifacts("a")} == {"erased"}
    assert world.epochs()[epoch] == "destroyed"


@pytest.mark.promise("P5")
def test_a_refusal_ends_the_wait_at_once(world: World) -> None:
    world.deliver_trial("a")
    world.ingest()
    request = ask(world, "a")
    world.pass_time(AFTER)
    answer(world, request, Answer.REFUSE)
    world.expire()
    assert {row.state for row in world.artifacts("a")} == {"erased"}


@pytest.mark.promise("P5")
def test_a_request_that_came_late_keeps_nothing(due: World) -> None:
    """The desk refuses it; a row that says otherwise changes nothing either."""
    ids = [row.id for row in due.artifacts("a")]
    denied = decide.file_request(due.platform, due.policy, TRAINER, ids, due.base + LATER, "dispute", WHY)
    assert not isinstance(denied, ExceptionRequest)
    due.pass_time(timedelta(0))
    ask(due, "a")
    due.pass_time(AFTER)
    with due.engine.begin() as tx:
        tx.execute(
            update(t.requests).values(filed_at=due.artifacts("a")[0].due_at)
        )  # that very second is late
    due.expire()
    assert {row.state for row in due.artifacts("a")} == {"erased"}


@pytest.mark.promise("P5")
def test_a_decision_that_is_not_applied_yet_is_honoured_until_its_date(world: World) -> None:
    world.deliver_trial("a")
    world.ingest()
    answer(world, ask(world, "a"))
    world.pass_time(AFTER)
    world.expire()
    assert {row.state for row in world.artifacts("a")} == {"kept"}
    world.pass_time(timedelta(days=3, minutes=1))  # whoever should have applied it was lost
    world.expire()
    assert {row.state for row in world.artifacts("a")} == {"erased"}


@pytest.mark.promise("P5")
def test_what_was_extended_since_the_manifest_stays(due: World) -> None:
    chunks = chunks_of(due, "first")
    with due.engine.begin() as tx:
        later = due.base + timedelta(days=3)
        tx.execute(
            update(t.artifacts).where(t.artifacts.c.id == due.artifacts("a")[0].id).values(due_at=later)
        )
    assert [acts.recheck(due.platform, chunk) for chunk in chunks] == [3]
    assert [row.state for row in due.artifacts("a")] == ["kept", "erasing"]


@pytest.mark.promise("P5", "P6")
def test_an_extended_artifact_opens_after_its_old_epoch_is_destroyed(world: World) -> None:
    for id in ("a", "b"):
        world.deliver_trial(id)
    world.ingest()
    old = world.artifacts("a")
    request = ask(world, "a")
    answer(world, request)
    applied = extend.apply_decision(world.platform, world.policy, request.id)
    assert isinstance(applied, extend.Applied)
    world.pass_time(AFTER)
    world.expire()
    assert world.epochs()[old[0].epoch] == "destroyed"
    assert all(row.state == "kept" and world.content(row) for row in world.artifacts("a"))
    assert {row.state for row in world.artifacts("b")} == {"erased"}
    world.pass_time(timedelta(days=3, hours=1))
    world.expire()
    assert {row.state for row in world.artifacts("a")} == {"erased"}
    bodies = [read_parts(bytes(row.file))["body"] for row in world.certificates("artifact")]
    earlier = {body["artifact"]: body["earlier_epochs"] for body in bodies}
    assert all(earlier[str(row.id)] == [row.epoch] for row in old)
    report = world.verified()
    assert report.verified and {each["proof"] for each in report.certificates} == {"cryptographic"}


@pytest.mark.promise("P6")
def test_an_epoch_closes_only_when_it_wraps_nothing(due: World) -> None:
    """An epoch that is due stays open while one key is left under it, whatever the artifact's row says."""
    names = {row.epoch for row in due.artifacts() if row.purpose == "trial"}
    assert close_epochs(due.platform, False) == []
    with due.engine.begin() as tx:
        tx.execute(update(t.artifacts).values(state="erased"))
    assert close_epochs(due.platform, False) == []
    with due.platform.catalog.begin() as tx:
        assert not due.platform.catalog.start_closing(tx, sorted(names)[0])
    with due.engine.begin() as tx:
        tx.execute(update(t.artifacts).values(state="erasing"))
        tx.execute(t.data_keys.delete().where(t.data_keys.c.epoch.in_(names)))
    assert close_epochs(due.platform, False) == []
    assert names <= set(due.keyring.epochs())
    assert close_epochs(due.platform, True) == []


@pytest.mark.promise("P8")
def test_a_keyring_that_is_away_leaves_the_epoch_closing_and_the_next_run_ends_it(due: World) -> None:
    class Away:
        def __getattr__(self, name: str) -> Any:
            return getattr(due.keyring, name)

        def destroy_epoch(self, name: str) -> None:
            raise Unavailable("keyring")

    with pytest.raises(Unavailable):
        with_parts(due, keyring=Away()).expire()
    assert "closing" in due.epochs().values() and due.certificates("epoch") == []
    due.pass_time(timedelta(days=1))
    with pytest.raises(Conflict, match="overdue"):
        acts.report_expiry(due.platform, "later")
    name = next(name for name, state in due.epochs().items() if state == "closing")
    with due.platform.catalog.begin() as tx:
        assert not due.platform.catalog.hold_epoch_open(tx, name)
    due.expire()
    assert len(due.certificates("epoch")) == 2 and due.verified().verified


def test_a_keyring_that_does_not_destroy_gets_no_certificate(due: World) -> None:
    class Lying:
        def __getattr__(self, name: str) -> Any:
            return getattr(due.keyring, name)

        def destroy_epoch(self, name: str) -> None:
            pass

    with pytest.raises(Unavailable, match="epoch_lives"):
        with_parts(due, keyring=Lying()).expire()
    assert due.certificates("epoch") == []


@pytest.mark.promise("P8")
@pytest.mark.parametrize("task", ["destroy_keys", "delete_objects", "verify_absent", "sign_certificate"])
def test_a_store_that_is_away_is_waited_for(due: World, task: str) -> None:
    with pytest.raises(Unavailable):
        for chunk in chunks_of(due, "first"):
            for name in ("recheck", "destroy_keys", "delete_objects", "verify_absent", "sign_certificate"):
                due.store.away = name == task
                getattr(acts, name)(due.platform, chunk)
    due.store.away = False
    due.expire()
    assert len(due.certificates("artifact")) == 4 and due.verified().verified
    assert all(row.published_at for row in due.certificates())


@pytest.mark.parametrize("ahead", [timedelta(minutes=6), timedelta(minutes=-6)])
def test_clocks_that_differ_stop_the_destruction(due: World, ahead: timedelta) -> None:
    class Ahead:
        def __getattr__(self, name: str) -> Any:
            return getattr(due.store, name)

        def server_time(self) -> datetime:
            return due.store.server_time() + ahead

    apart = with_parts(due, store=Ahead())
    with pytest.raises(Misconfigured, match="clocks_apart"):
        acts.freeze_manifest(apart.platform, "first", False)
    with pytest.raises(Misconfigured, match="clocks_apart"):
        close_epochs(apart.platform, False)
    assert due.rows(select(t.manifests)) == []


def test_a_clock_behind_the_register_stops_the_destruction(due: World) -> None:
    due.pass_time(timedelta(days=2))
    with due.platform.catalog.begin() as tx:
        due.platform.catalog.append(tx, "consigne", "expire:manifest:reported", [{"subject": "later"}])
    due.pass_time(AFTER)  # turned back
    with pytest.raises(Misconfigured, match="clock_behind_register"):
        due.expire()
    assert {row.state for row in due.artifacts()} == {"kept"}


def test_what_is_left_over_fails_the_report_and_what_just_fell_due_does_not(due: World) -> None:
    assert acts.report_expiry(due.platform, "nothing was due when it began") == {"left": 0}
    acts.freeze_manifest(due.platform, "first", False)
    with pytest.raises(Conflict, match="4 left"):
        acts.report_expiry(due.platform, "first")
    [entry] = due.register("expire:manifest:reported")
    assert entry["left"] == 4
    due.pass_time(AFTER + acts.UNSEEN)
    with pytest.raises(Conflict, match="4 left"):
        acts.report_expiry(due.platform, "its freezing failed")


@pytest.mark.promise("P5")
def test_what_was_never_confirmed_is_destroyed_on_its_day_too(world: World) -> None:
    world.deliver_trial("a")
    [chunk] = ingest.validate_metadata(world.platform, ingest.discover_intake(world.platform, "first"))
    ingest.admit_recordings(world.platform, chunk)
    protect.protect_recordings(world.platform, chunk)
    world.pass_time(AFTER)
    world.expire()
    assert set(world.states("a").values()) == {"erased"}
    world.ingest()
    assert world.deliveries() == {"a": ("cleared", None)}
    assert set(world.states("a").values()) == {"erased"} and world.keys() == {}


def test_tombstones_say_what_they_must_and_no_more(due: World) -> None:
    due.expire()
    [published] = [body for name, _, body in due.store.evidence if name.startswith("tombstones/")]
    body = open_note(published or b"", due.keyring.public_keys()).body
    told = json.loads(body)
    assert {one["artifact"] for one in told} == {
        str(row.id) for row in due.artifacts() if row.purpose == "trial"
    }
    assert set(told[0]) == {
        "artifact", "recording", "purpose", "part", "epoch", "attempt", "object", "identity_digest", "audio_digest",
        "key_version", "ground", "erasing_at", "earlier_epochs",
    }  # fmt: skip
    assert told[0]["erasing_at"] <= iso(due.now())


@pytest.mark.promise("P6")
def test_an_epoch_that_comes_back_with_a_restored_keyring_is_destroyed_again(due: World) -> None:
    due.expire()
    destroyed = sorted(name for name, state in due.epochs().items() if state == "destroyed")
    restored = MemoryKeyring()
    for name in destroyed[:1]:
        restored.open_epoch(name)
    platform = with_parts(due, keyring=restored).platform
    assert repair.mend_epochs(platform).again == destroyed[:1]
    assert restored.epochs() == [] and repair.mend_epochs(platform).again == []
