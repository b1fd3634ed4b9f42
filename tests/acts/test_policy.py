"""The policy is changed by an act: impact, visa, and what is kept brought under the new version (issue 5, Shown by 4)."""

from __future__ import annotations

import os
import re
import threading
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select, update

from consigne.acts.configure import (
    Checked,
    assess_draft,
    close_draft,
    decide_draft,
    draft_policy,
    lapse_drafts,
    load_draft,
    record_visa,
)
from consigne.acts.decide import file_request
from consigne.acts.held import keep_up
from consigne.acts.ingest import admit_recordings, discover_intake, validate_metadata
from consigne.acts.listen import Offered, export
from consigne.acts.protect import protect_recordings
from consigne.acts.reclock import SETTLING, reclock
from consigne.adapters.catalog import tables as t
from consigne.adapters.catalog.open import Catalog
from consigne.adapters.catalog.tables_decided import policy_drafts as drafts
from consigne.rules.access import Denied
from consigne.rules.clock import local_date
from consigne.rules.errors import BadInput
from consigne.rules.policy.draft import Draft, DraftAnswer, DraftState, run_of_draft
from consigne.rules.policy.impact import FATES
from consigne.rules.policy.load import load
from consigne.rules.request import ExceptionRequest
from consigne.rules.retention import epoch_name, falls_due
from consigne.rules.values import Actor, ArtifactName, Part

from .test_hold import lift, placed
from .world import TEXT, World

OPS, DPO = Actor("ops", frozenset({"ops"})), Actor("dpo", frozenset({"dpo"}))
TRAINER = Actor("trainer", frozenset({"trainer"}))
WHY = "Six months are more than coaching needs."
DAY = timedelta(days=1)
REAL = (Path(__file__).parents[2] / "config" / "policy.yaml").read_text()
FEW = "retention: P3D, cap: P10D"
SIX, ONE, NINE = "retention: P6M, cap: P12M", "retention: P1M, cap: P2M", "retention: P9M, cap: P12M"


def version(*changes: tuple[str, str], name: str = "2026-02") -> str:
    """demo.yaml as another version; changes are regular expressions, each of which must fit."""
    text = TEXT
    for old, new in (('version: "2026-01-demo"', f'version: "{name}"'), *changes):
        text, found = re.subn(old, new, text)
        assert found, old
    return text


def cut(text: str = ONE) -> str:
    """Six months become another period, for every purpose that has six."""
    return version((SIX, text))


def without(purpose: str, name: str = "2026-02") -> str:
    """A version that has lost a purpose: its rules, its queues, what notices say of it."""
    head, _, rules = version(name=name).partition("\npurposes:\n")
    head = re.sub(rf"(?m)^      {purpose}: \S+\n", "", head)
    head = head.replace(f"[{purpose}, ", "[")
    head = head.replace(f"{{{purpose}: P6M}}", "{training: P6M}")
    rules = re.sub(rf"(?ms)^  {purpose}:\n.*?(?=^  \w|\Z)", "", rules)
    return f"{head}\npurposes:\n{rules}"


def keep(world: World, count: int, seed: int = 0, days: int = 170, extended: int = 7) -> list[uuid.UUID]:
    """So many kept artifacts of many dates, by the policy in force; one in `extended` is extended."""
    made, now = [], world.now()
    purposes = (
        ("training", "audio"),
        ("training", "transcript"),
        ("quality", "audio"),
        ("complaint", "audio"),
    )
    rows: dict[str, list[dict[str, Any]]] = {"calls": [], "epochs": [], "artifacts": [], "keys": []}
    epochs: set[str] = set()
    for number in range(count):
        purpose, part = purposes[number % len(purposes)]
        start = now - timedelta(days=(number * 7 + seed) % days, minutes=number)
        due = falls_due(world.policy, world.policy, "2026-01", purpose, Part(part), start, start)
        due_at, recording, artifact, attempt = due.due_at, uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
        extension = uuid.uuid4() if number % extended == 0 else None
        if extension:
            due_at = min(due_at + timedelta(days=60), due.cap_at)
        epoch = epoch_name(purpose, due_at, world.policy.zone, world.policy.purposes[purpose].epoch_length)
        if epoch not in epochs:
            epochs.add(epoch)
            world.keyring.open_epoch(epoch)
            rows["epochs"].append(
                {"name": epoch, "purpose": purpose, "due_at": due_at, "state": "open", "opened_at": now}
            )
        name = ArtifactName(artifact, attempt, purpose)
        wrapped = world.keyring.wrap(epoch, artifact.bytes * 2, name.context())
        rows["calls"].append({
            "id": recording, "source": "folder", "source_id": f"c{number}", "identity_digest": recording.bytes,
            "content_digest": b"c", "audio_digest": b"a", "started_at": start, "received_at": start, "duration_ms": 1,
            "direction": "inbound", "queue": "support", "agent": "a", "language": "fr", "caller_index": b"i",
            "caller_index_version": 1, "policy": world.policy.digest, "notice": "2026-01",
        })  # fmt: skip
        rows["artifacts"].append({
            "id": artifact, "recording": recording, "purpose": purpose, "part": part, "state": "kept",
            "clock_start": start, "due_at": due_at, "cap_at": due.cap_at, "policy": world.policy.digest,
            "epoch": epoch, "attempt": attempt, "object": f"o{number}", "version": "v", "digest": b"d", "bytes": 1,
            "masked": [], "masked_signature": b"s", "masked_key": "k", "stored_at": now, "extension": extension,
        })  # fmt: skip
        rows["keys"].append({"artifact": artifact, "attempt": attempt, "epoch": epoch, "wrapped": wrapped})
        made.append(artifact)
    with world.engine.begin() as tx:
        tables = {"calls": t.recordings, "epochs": t.epochs, "artifacts": t.artifacts, "keys": t.data_keys}
        for kind, table in tables.items():
            tx.execute(insert(table), rows[kind])
    return made


def drafted(world: World, text: str, actor: Actor = OPS) -> Draft:
    made = draft_policy(world.platform, actor, text, WHY)
    assert isinstance(made, Draft), made
    return made


def visa(
    world: World, draft: Draft, answer: DraftAnswer = DraftAnswer.VISA, **changes: Any
) -> Draft | Denied:
    said: dict[str, Any] = {"actor": DPO, "digest": draft.digest, "against": in_force(world)} | changes
    return decide_draft(world.platform, said["actor"], draft.id, said["digest"], answer, WHY, said["against"])


def in_force(world: World) -> str:
    with world.platform.catalog.begin() as tx:
        found = world.platform.catalog.policy_at(tx, world.platform.catalog.now(tx))
        assert found is not None
        return found.digest


def put_in_force(world: World, text: str) -> Draft:
    """Drafted, visaed, and a little later."""
    done = visa(world, drafted(world, text))
    assert isinstance(done, Draft), done
    return done


def settle(world: World, after: timedelta = SETTLING + timedelta(seconds=5)) -> None:
    """So much later than now, by the catalog's clock."""
    with world.engine.begin() as tx:
        tx.exec_driver_sql(f"UPDATE clock SET offset_s = offset_s + {int(after.total_seconds()):d}")


def clocks(world: World) -> dict[uuid.UUID, tuple[datetime, datetime, str]]:
    query = select(t.artifacts.c.id, t.artifacts.c.due_at, t.artifacts.c.cap_at, t.artifacts.c.epoch)
    return {row.id: (row.due_at, row.cap_at, row.epoch) for row in world.rows(query)}


def key_opens(world: World, artifact: uuid.UUID) -> bool:
    [row] = world.rows(select(t.artifacts).where(t.artifacts.c.id == artifact))
    [key] = world.rows(select(t.data_keys).where(t.data_keys.c.artifact == artifact))
    assert key.epoch == row.epoch
    name = ArtifactName(artifact, row.attempt, row.purpose)
    return bool(world.keyring.unwrap(key.epoch, key.wrapped, name.context()) == artifact.bytes * 2)


def code(outcome: object) -> str:
    assert isinstance(outcome, Denied), outcome
    return outcome.code


@pytest.mark.promise("P5")
def test_six_months_cut_to_one(world: World) -> None:
    """The impact is what then happens, artifact by artifact; and nothing goes before the visa."""
    kept = keep(world, 500)
    before = clocks(world)
    draft = drafted(world, cut())
    impact = assess_draft(world.platform, load(draft.text).policy)
    assert reclock(world.platform) == 0
    settle(world)
    assert reclock(world.platform) == 0
    assert clocks(world) == before

    done = visa(world, draft)
    assert isinstance(done, Draft) and done.state is DraftState.DECIDED
    settle(world)
    now, moved, after = world.now(), reclock(world.platform), clocks(world)
    changed = {id for id in kept if after[id][0] != before[id][0]}
    at_once = {id for id in changed if after[id][0] <= now}
    assert len(changed) == impact.count("at_once") + impact.count("earlier") > 300
    assert len(at_once) == impact.count("at_once") > 100
    assert moved >= len(changed)
    assert sum(impact.count(fate) for fate in FATES) == 500 and impact.count("longer_stays") == 0
    assert len(impact.examples) == 20
    for example in impact.examples:
        assert before[example.artifact][0] == example.old
        assert after[example.artifact][0] == example.new or example.new <= impact.as_of
    assert all(after[id][0] <= before[id][0] and after[id][1] <= before[id][1] for id in kept)
    assert all(key_opens(world, id) for id in kept[::25])
    # Each lies under the epoch of its own day, but what is due at once: it goes from where it is.
    for id in sorted(changed - at_once)[:50]:
        [row] = world.rows(select(t.epochs.c.due_at).where(t.epochs.c.name == after[id][2]))
        assert row.due_at == after[id][0]
    assert reclock(world.platform) == 0  # once
    assert clocks(world) == after
    told = world.register("configure:artifact:reclocked")
    assert {entry["subject"] for entry in told} >= {str(id) for id in changed}
    assert {entry["policy"] for entry in told} == {draft.digest}


@pytest.mark.promise("P5")
def test_the_impact_of_each_line_is_what_happens_to_its_artifacts(world: World) -> None:
    """By purpose and part; those with an extension apart."""
    kept = keep(world, 200)
    draft = load(cut("retention: P2M, cap: P3M")).policy
    impact = assess_draft(world.platform, draft)
    before = clocks(world)
    put_in_force(world, cut("retention: P2M, cap: P3M"))
    settle(world)
    now, _ = world.now(), reclock(world.platform)
    after = clocks(world)
    rows = {row.id: row for row in world.rows(select(t.artifacts))}
    found: Counter[tuple[str, str, str, str]] = Counter()
    for id in kept:
        moved = after[id][0] < before[id][0]
        fate = "unchanged" if not moved else "at_once" if after[id][0] <= now else "earlier"
        found[rows[id].purpose, rows[id].part, "extended" if rows[id].extension else "", fate] += 1
    told = {
        (line.purpose, str(line.part), line.apart, fate): getattr(line, fate)
        for line in impact.lines
        for fate in FATES
        if getattr(line, fate)
    }
    assert told == dict(found)


@pytest.mark.promise("P5")
def test_six_months_become_nine_and_no_date_moves(world: World) -> None:
    keep(world, 60)
    before = clocks(world)
    draft = drafted(world, cut(NINE))
    impact = assess_draft(world.platform, load(draft.text).policy)
    assert impact.count("at_once") == impact.count("earlier") == 0
    assert impact.count("longer_stays") > 40
    assert isinstance(visa(world, draft), Draft)
    settle(world)
    assert reclock(world.platform) == 0
    assert clocks(world) == before
    assert in_force(world) == draft.digest


@pytest.mark.promise("P5")
def test_an_unanswered_draft_lapses(world: World) -> None:
    keep(world, 20)
    before = clocks(world)
    draft = drafted(world, cut())
    assert lapse_drafts(world.platform) == 0
    settle(world, timedelta(days=5, seconds=1))
    assert code(visa(world, draft)) == "lapsed"  # late, though nobody lapsed it yet
    assert lapse_drafts(world.platform) == 1
    assert lapse_drafts(world.platform) == 0
    assert code(visa(world, draft)) == "lapsed"
    assert (record_visa(world.platform, str(draft.id), run_of_draft(draft.id))) == "close_draft"
    assert close_draft(world.platform, str(draft.id), run_of_draft(draft.id)) == "lapsed"
    assert reclock(world.platform) == 0
    assert clocks(world) == before and in_force(world) == world.policy.digest
    [told] = world.register("configure:policy:lapsed")
    assert told["subject"] == str(draft.id)
    drafted(world, cut())  # what lapsed may be drafted again


@pytest.mark.promise("P5")
def test_a_removed_purpose_falls_due_but_for_what_is_extended(world: World) -> None:
    keep(world, 80)
    before = clocks(world)
    impact = assess_draft(world.platform, load(without("complaint")).policy)
    assert impact.removed == ["complaint"]
    put_in_force(world, without("complaint"))
    settle(world)
    now, _ = world.now(), reclock(world.platform)
    after = clocks(world)
    for row in world.rows(select(t.artifacts)):
        if row.purpose != "complaint" or row.extension:
            assert after[row.id] == before[row.id]
        else:
            assert after[row.id][0] <= now
            assert after[row.id][2] == before[row.id][2]
    gone = sum(row.purpose == "complaint" and not row.extension for row in world.rows(select(t.artifacts)))
    told = sum(line.at_once for line in impact.lines if line.purpose == "complaint")
    passed = sum(
        before[row.id][0] <= impact.as_of for row in world.rows(select(t.artifacts)) if not row.extension
    )
    assert told + passed >= gone >= told > 0


@pytest.mark.promise("P5")
def test_an_extension_stays_within_the_new_cap(world: World) -> None:
    keep(world, 40, days=20, extended=2)
    put_in_force(world, cut("retention: P1M, cap: P2M"))
    settle(world)
    reclock(world.platform)
    for row in world.rows(select(t.artifacts)):
        cap = row.clock_start + timedelta(days=62)
        assert row.due_at <= row.cap_at <= cap
        if row.extension:
            assert row.due_at > row.clock_start + timedelta(days=55)


@pytest.mark.promise("P4", "P5")
def test_what_the_new_version_ends_is_inaudible_before_anything_moved(world: World) -> None:
    world.deliver("a", ago=5 * DAY)
    world.deliver("b", ago=DAY, seed=1)
    world.ingest()
    old, young = (world.artifacts(id)[0].id for id in ("a", "b"))
    assert isinstance(export(world.platform, TRAINER, old, "coaching"), Offered)
    put_in_force(world, cut(FEW))
    assert code(export(world.platform, TRAINER, old, "coaching")) == "past_due"
    assert isinstance(export(world.platform, TRAINER, young, "coaching"), Offered)
    settle(world)
    reclock(world.platform)
    assert code(export(world.platform, TRAINER, old, "coaching")) == "past_due"
    world.expire()
    assert set(world.states("a").values()) == {"erased"} and set(world.states("b").values()) == {"kept"}


def test_a_version_takes_force_at_its_date(world: World) -> None:
    begins = (world.now() + timedelta(days=10)).replace(microsecond=0)
    later = (r"in_force_from: \S+", f"in_force_from: {begins.isoformat()}")
    soon = (r"in_force_from: \S+", f"in_force_from: {(begins - 5 * DAY).isoformat()}")
    keep(world, 40)
    before = clocks(world)
    far = put_in_force(world, version(later, (SIX, ONE), name="far"))
    near = put_in_force(world, version(soon, name="near"))
    assert in_force(world) == world.policy.digest
    settle(world)
    assert reclock(world.platform) == 0 and clocks(world) == before
    settle(world, 6 * DAY)
    assert in_force(world) == near.digest  # of two that are announced, the newest date that has come
    assert reclock(world.platform) == 0
    settle(world, 5 * DAY)
    assert in_force(world) == far.digest
    assert reclock(world.platform) > 0
    with world.platform.catalog.begin() as tx:
        assert world.platform.catalog.policy_at(tx, begins - DAY).digest == near.digest


def test_a_date_that_has_passed_means_the_moment_of_the_visa(world: World) -> None:
    draft = drafted(world, version())
    asked = world.now()
    visa(world, draft)
    with world.platform.catalog.begin() as tx:
        found = world.platform.catalog.policy_at(tx, world.platform.catalog.now(tx))
        assert found.digest == draft.digest and asked <= found.in_force_from <= world.now()
        assert world.platform.catalog.policy_at(tx, asked).digest == world.policy.digest


@pytest.mark.promise("P5")
@pytest.mark.parametrize(
    ("actor", "expected"),
    [
        (Actor("ops", frozenset({"ops"})), "role_missing"),
        (Actor("dpo", frozenset()), "role_missing"),
        (Actor("root", frozenset({"Admin", "dpo"})), "not_designated"),
        (Actor("trainer", frozenset({"trainer", "dpo"})), "not_designated"),
    ],
)
def test_only_a_designated_dpo_gives_the_visa(world: World, actor: Actor, expected: str) -> None:
    draft = drafted(world, cut())
    assert code(visa(world, draft, actor=actor)) == expected
    [told] = world.register("configure:policy:visa_denied")
    assert (told["actor"], told["code"], told["subject"]) == (actor.user, expected, str(draft.id))
    assert in_force(world) == world.policy.digest
    assert isinstance(visa(world, draft), Draft)  # and it still waits for the DPO


def test_nobody_visas_their_own_draft(world: World) -> None:
    draft = drafted(world, cut(), actor=DPO)
    assert code(visa(world, draft)) == "is_requester"
    assert record_visa(world.platform, str(draft.id), run_of_draft(draft.id)) == "close_draft"


@pytest.mark.promise("P5")
def test_a_visa_is_bound_to_what_was_shown(world: World) -> None:
    draft, other = drafted(world, cut()), drafted(world, cut(NINE).replace('"2026-02"', '"2026-03"'))
    assert code(visa(world, draft, digest=other.digest)) == "digest_differs"
    assert code(visa(world, draft, against=other.digest)) == "base_changed"
    with world.engine.begin() as tx:  # whoever alters the row invalidates it
        changed = draft.text.replace("cap: P2M", "cap: P3M")
        tx.execute(update(drafts).where(drafts.c.id == draft.id).values(text=changed))
    assert code(visa(world, draft)) == "digest_differs"
    assert in_force(world) == world.policy.digest
    assert isinstance(visa(world, other), Draft)


@pytest.mark.promise("P5", "P8")
def test_sent_twice_counts_once_and_nobody_overrules(world: World) -> None:
    draft = drafted(world, cut())
    first = visa(world, draft)
    assert visa(world, draft) == first
    assert code(visa(world, draft, DraftAnswer.REFUSE)) == "already_decided"
    assert len(world.register("configure:policy:decided")) == 1
    refused = drafted(world, cut(NINE).replace('"2026-02"', '"2026-03"'))
    assert isinstance(visa(world, refused, DraftAnswer.REFUSE), Draft)
    assert code(visa(world, refused)) == "already_decided"
    assert in_force(world) == draft.digest


@pytest.mark.promise("P5")
def test_runs_that_fit_no_draft_do_nothing(world: World) -> None:
    draft = drafted(world, cut())
    id, run = str(draft.id), run_of_draft(draft.id)
    for asked in (
        (str(uuid.uuid4()), draft.digest, run),
        (id, "0" * 64, run),
        (id, draft.digest, "manual__2026-11-22"),
    ):
        assert load_draft(world.platform, *asked) == "close_draft"
    codes = [told["code"] for told in world.register("configure:policy:run_refused")]
    assert codes == ["unknown_draft", "digest_differs", "not_its_run"]
    assert load_draft(world.platform, id, draft.digest, run) == "announce_draft"
    assert record_visa(world.platform, id, run) == "close_draft"  # the task was marked; nobody gave a visa
    assert close_draft(world.platform, id, run) == "pending"
    visa(world, draft)
    assert record_visa(world.platform, id, "manual__2026-11-22") == "close_draft"
    assert close_draft(world.platform, id, "manual__2026-11-22") == "made_up"
    assert record_visa(world.platform, id, run) == "apply_policy"


@pytest.mark.parametrize(
    "actor", [Actor("adviser", frozenset({"adviser"})), Actor("auditor", frozenset({"auditor"}))]
)
def test_who_may_not_draft_is_denied_and_registered(world: World, actor: Actor) -> None:
    assert code(draft_policy(world.platform, actor, cut(), WHY)) == "role_missing"
    [told] = world.register("configure:policy:draft_denied")
    assert (told["actor"], told["code"]) == (actor.user, "role_missing")


def test_a_draft_is_new_in_text_and_in_name(world: World) -> None:
    assert code(draft_policy(world.platform, OPS, TEXT, WHY)) == "known_version"
    assert code(draft_policy(world.platform, OPS, TEXT.replace("P5D", "P6D"), WHY)) == "version_reused"
    first, second = drafted(world, cut()), drafted(world, cut(NINE))
    assert code(draft_policy(world.platform, OPS, cut(), WHY)) == "already_drafted"
    assert isinstance(visa(world, first), Draft)
    assert code(visa(world, second)) == "version_reused"
    assert isinstance(visa(world, second, DraftAnswer.REFUSE), Draft)


@pytest.mark.promise("P2")
def test_a_draft_that_cannot_be_a_version_is_given_back_by_line(world: World) -> None:
    def errors(text: str) -> dict[str, int]:
        checked = draft_policy(world.platform, OPS, text, WHY)
        assert isinstance(checked, Checked) and checked.has_errors
        return {found.code: found.line for found in checked.findings if found.severity == "error"}

    assert errors("version: [") == {"bad_yaml": 1}
    assert errors(cut("retention: P7M, cap: P6M"))["retention_beyond_cap"] > 50
    line = version().count("\n") + 1
    assert errors(version() + "# card 4111 1111 1111 1111\n") == {"carries_number": line}
    assert "no_dpo" in errors(version((r"designated: \[.*\]", "designated: []")))
    assert world.rows(select(drafts.c.id)) == []
    with pytest.raises(BadInput, match="reason"):
        draft_policy(world.platform, OPS, cut(), " ")


@pytest.mark.promise("P5")
def test_a_request_filed_before_keeps_its_artifact_for_the_response_time(world: World) -> None:
    """Shortening ends a life when the version takes force, not before: who asked by then asked in time."""
    world.deliver("a", ago=5 * DAY)
    world.ingest()
    ids = [row.id for row in world.artifacts("a")]
    asked = file_request(world.platform, world.policy, TRAINER, ids, world.now() + 200 * DAY, "dispute", WHY)
    assert isinstance(asked, ExceptionRequest)
    put_in_force(world, cut(FEW))
    settle(world)
    reclock(world.platform)
    world.expire()
    assert set(world.states("a").values()) == {"kept"}
    settle(world, 5 * DAY)
    world.expire()
    assert set(world.states("a").values()) == {"erased"}


@pytest.mark.promise("P5")
def test_a_held_artifact_moves_once_its_hold_ends(world: World) -> None:
    world.deliver("a", ago=5 * DAY)
    world.ingest()
    hold = placed(world, caller="+33612345678")
    keep_up(world.platform)
    impact = assess_draft(world.platform, load(cut(FEW)).policy)
    assert {(line.apart, line.at_once) for line in impact.lines} == {("held", 1)}
    put_in_force(world, cut(FEW))
    settle(world)
    before = [row.epoch for row in world.artifacts("a")]
    assert reclock(world.platform) == 2
    world.expire()
    assert set(world.states("a").values()) == {"kept"}
    assert [row.epoch for row in world.artifacts("a")] == before
    world.policy = load(cut(FEW)).policy
    lift(world, hold)
    keep_up(world.platform)
    world.expire()
    assert set(world.states("a").values()) == {"erased"}


@pytest.mark.promise("P1", "P5")
def test_what_is_on_its_way_is_brought_under_it_too(world: World) -> None:
    """Stored and not confirmed, or judged under the version before: neither lives longer."""
    world.deliver("a", ago=5 * DAY)
    [chunk] = validate_metadata(world.platform, discover_intake(world.platform, "one"))
    admit_recordings(world.platform, chunk)
    protect_recordings(world.platform, chunk)
    put_in_force(world, cut(FEW))
    settle(world)
    assert reclock(world.platform) == 2  # still `storing`
    assert all(row.due_at <= world.now() for row in world.artifacts("a"))
    world.deliver("b", seed=1)
    chunks = validate_metadata(world.platform, discover_intake(world.platform, "two"))
    for each in chunks:
        admit_recordings(world.platform, each)
    overtaken = replace(world.platform, store=Overtaken(world, version(name="2026-09")))
    for each in chunks:
        told = protect_recordings(overtaken, each)
    assert "version_changed" in str(told)
    assert world.deliveries()["b"][0] == "admitted" and world.artifacts("b") == []


class Overtaken:
    """A store during whose first `put` another version takes force."""

    def __init__(self, world: World, text: str) -> None:
        self._world, self._text = world, text

    def __getattr__(self, name: str) -> Any:
        if name == "put" and self._text:
            text, self._text = self._text, ""
            put_in_force(self._world, text)
        return getattr(self._world.store, name)


@pytest.mark.promise("P5", "P8")
def test_two_who_reclock_at_once_do_it_once(world: World) -> None:
    keep(world, 120)
    put_in_force(world, cut())
    settle(world)
    counts: list[int] = []
    threads = [threading.Thread(target=lambda: counts.append(reclock(world.platform))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told = [entry["subject"] for entry in world.register("configure:artifact:reclocked")]
    assert len(counts) == 3 and sum(counts) == len(told) == len(set(told)) > 60
    assert len(world.register("configure:policy:reclocked")) == 1


@pytest.mark.promise("P3", "P5")
def test_a_change_under_the_roles_of_the_database(world: World, engines: Callable[[str], Engine]) -> None:
    keep(world, 30)
    acting = replace(world, platform=replace(world.platform, catalog=Catalog(engines("decide"), os.urandom)))
    reading = replace(world.platform, catalog=Catalog(engines("read"), os.urandom))
    draft = drafted(acting, cut())
    assert assess_draft(reading, load(draft.text).policy).count("at_once") > 0
    assert isinstance(visa(acting, draft), Draft)
    settle(world)
    assert reclock(acting.platform) > 0
    hearing = replace(world.platform, catalog=Catalog(engines("listen"), os.urandom))
    assert isinstance(export(hearing, TRAINER, uuid.uuid4(), "coaching"), Denied)


def test_the_first_version_has_nothing_to_change(world: World) -> None:
    keep(world, 5)
    settle(world)
    assert reclock(world.platform) == 0
    assert world.register("configure:policy:reclocked") == []


@pytest.mark.promise("P5")
def test_a_visa_is_judged_by_what_is_in_force_when_it_is_given(world: World) -> None:
    """Both were filed beside a demonstration."""
    real, demo = drafted(world, REAL), drafted(world, version())
    assert isinstance(visa(world, real), Draft)
    assert code(visa(world, demo)) == "becomes_a_demonstration"
    assert isinstance(visa(world, demo, answer=DraftAnswer.REFUSE), Draft)
    assert in_force(world) == real.digest


@pytest.mark.promise("P5")
def test_a_visa_never_leaves_nobody_to_decide(world: World) -> None:
    alone = drafted(world, version((r"\{user: dpo, from: 2026-01-01\}", _until_today(world))))
    world.pass_time(DAY + timedelta(hours=1))
    assert code(visa(world, alone)) == "no_dpo"


def _until_today(world: World) -> str:
    return f"{{user: dpo, from: 2026-01-01, until: {local_date(world.now(), world.policy.zone)}}}"


@pytest.mark.promise("P5")
def test_what_a_lifted_hold_kept_is_due_by_the_version_in_force_at_once(world: World) -> None:
    world.deliver("a")
    world.ingest()
    row = world.artifacts("a")[0]
    world.pass_time(timedelta(days=40))
    hold = placed(world, 10, recording=row.recording)
    keep_up(world.platform)
    put_in_force(world, cut())
    assert isinstance(export(world.platform, TRAINER, row.id, "coaching"), Offered)
    lift(world, hold)  # neither reclocked nor released yet
    assert export(world.platform, TRAINER, row.id, "coaching") == Denied("past_due")
