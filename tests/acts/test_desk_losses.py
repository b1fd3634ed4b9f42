"""*Restorations and losses* as it is read after a backup came back: over a real catalog."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from consigne.acts.declare import declare
from consigne.acts.replay import bring_to_truth
from consigne.acts.seal import publish, seal
from consigne.adapters.catalog import tables_gone as gone

from .desk_world import SWEEP_SECRET, DeskWorld
from .test_expire import AFTER
from .test_replay import Backup, forged


@pytest.fixture
def restored(desk_world: DeskWorld) -> DeskWorld:
    """A database and a bucket of different days: one call erased again, one without its object, one without its
    row."""
    world = desk_world.world
    world.deliver_trial("a")
    world.deliver("kept")
    world.deliver("mislaid", seed=5)
    world.ingest()
    backup = Backup(world)
    world.deliver("later", ago=AFTER * 10)
    world.ingest()
    world.pass_time(AFTER)
    world.expire()
    seal(world.platform)
    publish(world.platform, asked=True)
    [lost, *_] = [row.object for row in world.artifacts("mislaid")]
    backup.put_back("database")
    world.store.versions = [one for one in world.store.versions if one[0] != lost]
    assert bring_to_truth(world.platform) is not None
    return desk_world


@pytest.mark.promise("P6")
@pytest.mark.parametrize("user", ["dpo", "auditor", "ops"])
def test_who_watches_over_deletion_sees_what_came_back_and_what_is_lost(
    restored: DeskWorld, user: str
) -> None:
    page = restored.visit(user).get("/losses")
    assert page.status_code == 200
    reasons = {row.reason for row in restored.world.rows(select(gone.losses))}
    assert reasons == {"object_missing", "row_missing"}
    for words in (
        "Only noticed", "restore --declare", "parts destroyed again: 2", "objects missing: 1", "objects that the database no longer knows: 2",
        "must be made again", "goes on under the name consigne.test/register/restored-1", "Object missing",
        "Unknown to the database",
    ):  # fmt: skip
        assert words in page.text, words
    assert "Key missing" not in page.text
    assert "The restoration of" in restored.visit(user).get("/").text
    assert "Declared by the operator" not in page.text
    french = restored.visit(user, language="fr").get("/losses").text
    assert "Constatée seulement" in french and "restore --declare" in french
    [row] = restored.world.rows(select(gone.restorations))
    assert declare(restored.world.platform, row.id) and declare(restored.world.platform, row.id)
    page = restored.visit(user).get("/losses")
    assert "Declared by the operator" in page.text and "restore --declare" not in page.text
    assert "éléments détruits de nouveau" in french and "sont partis avec la base" in french


@pytest.mark.parametrize("user", ["analyst", "trainer", "adviser"])
def test_nobody_else_does(restored: DeskWorld, user: str) -> None:
    assert restored.visit(user).get("/losses").status_code == 403
    assert "losses" not in restored.visit(user).get("/").text


def test_the_recording_itself_says_that_it_is_lost(restored: DeskWorld) -> None:
    [row, *_] = restored.world.artifacts("mislaid")
    page = restored.visit("dpo").get(f"/recordings/{row.recording}").text
    assert "Lost: its object did not come back from a backup." in page
    assert '<a href="/consigne/losses">' in page
    heard = restored.visit("trainer").call("POST", f"/api/artifacts/{row.id}/export", {"reason": "coaching"})
    assert heard.status_code == 403 and "lost" in heard.text


@pytest.mark.promise("P6", "P8")
def test_what_a_doubtful_tombstone_names_is_shown_and_unheard_until_the_dpo_answers(
    restored: DeskWorld,
) -> None:
    world = restored.world
    world.store.evidence += forged(world, "kept")
    assert bring_to_truth(world.platform) is None
    rows = world.artifacts("kept")
    for language, title, part in (
        ("en", "A doubtful tombstone", "Not to be heard"),
        ("fr", "Empreinte de destruction douteuse", "Inaudible"),
    ):
        visit = restored.visit("dpo", language=language)
        assert title in visit.get("/losses").text and title in visit.get("/findings").text
        assert part in visit.get(f"/recordings/{rows[0].recording}").text
    refused = restored.visit("trainer").call(
        "POST", f"/api/artifacts/{rows[0].id}/export", {"reason": "coaching"}
    )
    assert refused.status_code == 403 and "lost" in refused.text
    for one in world.rows(select(gone.findings)):
        done = restored.visit("dpo").post(
            f"/findings/{one.id}", answer="acknowledged", reason="Rien ne l’explique."
        )
        assert done.status_code == 303
    assert "A doubtful tombstone" not in restored.visit("dpo").get("/losses").text
    heard = restored.visit("trainer").call(
        "POST", f"/api/artifacts/{rows[0].id}/export", {"reason": "coaching"}
    )
    assert heard.status_code == 200


@pytest.mark.promise("P6")
def test_the_desk_is_shut_until_the_replay_is_done(restored: DeskWorld) -> None:
    world = restored.world
    with world.engine.begin() as tx:
        tx.execute(gone.restorations.update().values(ended_at=None))
    for path in ("/", "/losses", "/recordings"):
        assert restored.visit("dpo").get(path).status_code == 503
    assert bring_to_truth(world.platform) is not None
    assert restored.visit("dpo").get("/losses").status_code == 200
    with world.engine.begin() as tx:
        tx.execute(gone.restorations.update().values(ended_at=None))
    swept = restored.nobody().http.post(
        "/consigne/internal/sweep", headers={"X-Consigne-Sweep": SWEEP_SECRET}
    )
    assert swept.status_code == 200 and "reclocked" not in swept.json()
