"""The preview is what then goes, and *Destruction* says what is due, under way, done, and stuck, and why."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from consigne.acts import expire as acts
from consigne.acts.preview import FIELDS, preview
from consigne.adapters.catalog import tables as t
from consigne.adapters.catalog.tables_gone import forecasts
from consigne.rules.errors import Unavailable

from .desk_world import DeskWorld
from .test_expire import AFTER, ask, chunks_of
from .test_hold import placed
from .world import World

DAY = timedelta(days=1)


def gone(world: World) -> set[str]:
    return {str(row.id) for row in world.artifacts() if row.state == "erased"}


@pytest.mark.promise("P5")
def test_the_preview_is_exactly_what_then_goes(world: World) -> None:
    """Spared by a request and by a hold, ended early, begun before, set aside beyond the forecast: all of it."""
    for seed, id in enumerate(("asked", "held", "early", "begun", "d", "e")):
        world.deliver_trial(id, seed=seed)
    world.deliver("near", seed=7)
    world.deliver("far", seed=8, ago=2 * DAY)
    world.deliver("kept", seed=9)
    world.ingest()
    ask(world, "asked")
    placed(world, recording=world.artifacts("held")[0].recording)
    now = world.now()
    with world.engine.begin() as tx:
        due = [row.id for id in ("near", "far") for row in world.artifacts(id)]
        tx.execute(update(t.artifacts).where(t.artifacts.c.id.in_(due)).values(due_at=now - DAY))
        early = [row.id for row in world.artifacts("early")]
        tx.execute(update(t.artifacts).where(t.artifacts.c.id.in_(early)).values(ended_for="objection"))
        foretold = {"training": {"overdue": 1}}
        tx.execute(
            insert(forecasts).values(made_on="2026-01-01", made_at=now - 2 * DAY, expected=foretold, leaf=b"")
        )
    world.pass_time(AFTER)
    [first, *_] = world.artifacts("begun")
    with world.platform.catalog.begin() as tx:
        assert world.platform.catalog.start_erasing(tx, [first.id], world.now(), "period_ended")
    seen = preview(world.platform)
    told = {row["artifact"]: row for row in seen.rows()}
    assert seen.set_aside and all(row.purpose == "training" for row in seen.set_aside)
    assert [row.id for row in seen.begun] == [first.id] and told[str(first.id)]["outcome"] == "begun"
    assert told[str(early[0])]["why"] == "objection"
    world.expire()
    assert gone(world) == {str(row.id) for row in (*seen.destroyed, *seen.begun)}
    aside = {str(row.id) for row in seen.set_aside}
    assert aside and aside.isdisjoint(gone(world))
    after = preview(world.platform)
    assert not after.destroyed and not after.begun and not after.set_aside


def test_a_preview_writes_nothing(world: World) -> None:
    world.deliver_trial("a")
    world.ingest()
    world.pass_time(AFTER)
    before = (world.artifacts(), world.register(), world.rows(select(t.manifests)))
    assert preview(world.platform).to_json()["counts"] == [
        {"purpose": "trial", "part": part, "artifacts": 1} for part in ("audio", "transcript")
    ]
    assert (world.artifacts(), world.register(), world.rows(select(t.manifests))) == before


def text_of(desk: DeskWorld, user: str = "dpo", language: str = "en") -> str:
    answer = desk.visit(user, language=language).get("/destruction")
    assert answer.status_code == 200
    return answer.text


def test_the_page_follows_a_destruction_from_due_to_done(desk_world: DeskWorld) -> None:
    world = desk_world.world
    assert "There is nothing to destroy" in text_of(desk_world)
    world.deliver_trial("a")
    world.deliver_trial("b", seed=1)
    world.ingest()
    ask(world, "b")
    world.pass_time(AFTER)
    due = text_of(desk_world)
    assert ">2</span>" in due.partition("Stuck")[0]
    assert "A request to keep it longer waits" in due and "Nothing is stuck" in due
    assert "Part au prochain passage" in text_of(desk_world, language="fr")
    [chunk] = chunks_of(world, "first")
    for step, shown in (
        ("recheck", "Publish the tombstone"),
        ("destroy_keys", "Delete the object"),
        ("delete_objects", "See that it is absent"),
        ("verify_absent", "Sign the certificate"),
    ):
        getattr(acts, step)(world.platform, chunk)
        assert shown in text_of(desk_world)
    world.expire()
    done = text_of(desk_world)
    assert "No destruction is under way" in done and "authorised" in done
    assert [row.state for row in world.artifacts("a")] == ["erased"] * 2


def test_without_the_keyring_each_is_counted_once_and_the_page_says_why(desk_world: DeskWorld) -> None:
    world = desk_world.world
    world.deliver_trial("a")
    world.ingest()
    world.keyring.away = True
    world.pass_time(AFTER)
    assert "keyring does not answer" not in text_of(desk_world)  # nothing waits for it yet
    [chunk] = chunks_of(world, "away")
    for step in (acts.recheck, acts.destroy_keys, acts.delete_objects, acts.verify_absent):
        step(world.platform, chunk)
    waits = text_of(desk_world)
    assert ">0</span>" in waits.partition("Stuck")[0] and "2 already under way" in waits
    assert "The keyring does not answer" in waits
    assert "Le trousseau de clés ne répond pas" in text_of(desk_world, language="fr")
    told = desk_world.visit("dpo").get("/destruction/preview.json").json()
    assert told["counts"] == [] and {row["outcome"] for row in told["artifacts"]} == {"begun"}
    world.keyring.away = False
    assert "keyring does not answer" not in text_of(desk_world)
    world.expire()
    assert gone(world) == {row["artifact"] for row in told["artifacts"]}


@pytest.mark.parametrize(
    ("broken", "shown"),
    [
        ("recheck", "Due, and its destruction has not begun"),
        ("destroy_keys", "The tombstone is not published"),
        ("delete_objects", "The key is deleted; the object is left"),
        ("verify_absent", "Its absence is not seen"),
        ("sign_certificate", "The certificate is not signed"),
    ],
)
def test_what_two_runs_left_is_stuck_and_says_why(desk_world: DeskWorld, broken: str, shown: str) -> None:
    world = desk_world.world
    world.deliver_trial("a")
    world.ingest()
    world.pass_time(AFTER)
    [chunk] = chunks_of(world, "first")
    for step in ("recheck", "destroy_keys", "delete_objects", "verify_absent", "sign_certificate"):
        if step == broken:
            break
        getattr(acts, step)(world.platform, chunk)
    assert "Nothing is stuck" in text_of(desk_world)
    world.pass_time(AFTER + timedelta(hours=3))
    stuck = text_of(desk_world)
    assert shown in stuck and world.artifacts("a")[0].epoch in stuck
    assert str(world.artifacts("a")[0].id)[:8] in stuck


def test_the_preview_is_a_file(desk_world: DeskWorld) -> None:
    world = desk_world.world
    world.deliver_trial("a")
    world.ingest()
    world.pass_time(AFTER)
    visitor = desk_world.visit("ops")
    as_csv, as_json = (visitor.get(f"/destruction/preview.{kind}") for kind in ("csv", "json"))
    rows = list(csv.DictReader(io.StringIO(as_csv.text)))
    assert tuple(rows[0]) == FIELDS and rows == as_json.json()["artifacts"] == preview(world.platform).rows()
    assert visitor.get("/destruction/preview.exe").status_code in (400, 404, 422)


def test_what_cannot_be_read_is_unavailable_and_not_empty(
    desk_world: DeskWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any) -> Any:
        raise Unavailable("catalog", "OperationalError")

    for name in ("waiting", "on_their_way", "open_epochs", "unpublished", "volumes_open", "runs"):
        with monkeypatch.context() as patched:
            patched.setattr(f"consigne.adapters.catalog.views_destruction.{name}", away)
            answer = desk_world.visit("dpo").get("/destruction")
        assert answer.status_code == 503 and "destruction.due" not in answer.text, name
