"""*Volume*: seen by those who see destruction, answered by the DPO alone; a run for it is started in their name."""

from __future__ import annotations

import asyncio
import re

import pytest
from sqlalchemy import select

from consigne.acts.remind import remind
from consigne.adapters.catalog.tables_gone import volumes
from consigne.adapters.catalog.tables_people import messages
from consigne.doors.orchestration import decisions
from consigne.rules.volume import run_of_volume

from .desk_world import DeskWorld, Visitor
from .test_volume import DAY, HOUR, ends, foresee, states, volume
from .world import World

WHY = "The ends of March look wrong."


@pytest.fixture
def path(desk_world: DeskWorld) -> str:
    foresee(desk_world.world)
    desk_world.world.expire()
    return f"/volumes/{volume(desk_world.world).id}"


def digest(page: str) -> str:
    return re.findall(r'name="digest" value="([0-9a-f]{64})"', page)[0]


def day(world: World, days: int = 10) -> str:
    return (world.now() + days * DAY).date().isoformat()


def send(visitor: Visitor, path: str, **fields: str) -> int:
    return visitor.post(path, digest=digest(visitor.get(path).text), **fields).status_code


@pytest.mark.promise("P5")
def test_the_dpo_is_told_what_waits_and_why_and_holds_it(desk_world: DeskWorld, path: str) -> None:
    dpo, world = desk_world.visit("dpo", language="fr"), desk_world.world
    first = dpo.get("/").text
    assert "Plus d’échéances que prévu" in first and f"/consigne{path}" in first
    page = dpo.get(path).text
    for said in (
        "au-delà de la prévision : 6",
        "Formation",
        "Rien de ce que Consigne connaît",
        "détruit au passage suivant",
        "cas d’école",
    ):
        assert said in page
    assert [int(n) for n in re.findall(r'<td class="num">(?:<strong>)?(\d+)', page)] == [4, 0, 10, 6]
    # `c`, `d` and `e` are named to who sees recordings
    assert len(re.findall(r"/consigne/recordings/[0-9a-f-]{36}", page)) == 3
    sent = {"answer": "hold", "until": day(world), "ground": "wrong_policy", "reason": WHY}
    assert send(dpo, path, **sent) == 303
    after = dpo.get(path).text
    assert "Suspendu, par dpo" in after and WHY in after and "politique erronée" in after
    assert 'name="answer"' not in after and "6 sur 6" in after
    assert "Plus d’échéances que prévu" not in dpo.get("/").text
    world.expire()
    assert states(world)["c"] == {"kept"}


@pytest.mark.promise("P5")
def test_what_is_wrong_is_named_beside_its_field_and_what_was_typed_is_kept(
    desk_world: DeskWorld, path: str
) -> None:
    dpo = desk_world.visit("dpo")
    right = {"answer": "hold", "until": day(desk_world.world), "ground": "other", "reason": WHY}
    told = digest(dpo.get(path).text)
    for field, value, said in (
        ("answer", "keep", "choose an answer"),
        ("until", "", "give a date"),
        ("until", "2020-01-01", "that date has passed"),
        ("until", day(desk_world.world, 40), "30 days at most"),
        ("ground", "curiosity", "choose a ground"),
        ("reason", " ", "say why"),
        ("reason", "x" * 3000, "too long"),
    ):
        page = dpo.post(path, digest=told, **(right | {field: value}))
        assert page.status_code == 400 and said in page.text
        assert f'id="{field}-error"' in page.text and 'aria-invalid="true"' in page.text
        assert field == "reason" or WHY in page.text
    assert volume(desk_world.world).state == "pending"
    stale = dpo.post(path, digest="0" * 64, **right)
    assert stale.status_code == 409 and "not those of the page" in stale.text and WHY in stale.text
    assert dpo.post(path, digest=told, **right).status_code == 303
    assert dpo.post(path, digest=told, **right).status_code == 303  # sent twice, it counts once
    assert dpo.post(path, digest=told, answer="delete", reason=WHY).status_code == 409
    assert len(desk_world.world.register("expire:volume:decided")) == 1


@pytest.mark.promise("P4", "P5")
@pytest.mark.parametrize("user", ["ops", "auditor", "dpo2", "trainer", "analyst", "adviser"])
def test_others_give_no_answer_and_ops_see_no_calls(desk_world: DeskWorld, path: str, user: str) -> None:
    visitor = desk_world.visit(user)
    shown = visitor.get(path)
    assert shown.status_code == (200 if user in ("ops", "auditor", "dpo2") else 403)
    assert 'name="digest"' not in shown.text
    assert ("/consigne/recordings/" in shown.text) is (user in ("auditor", "dpo2"))
    told = volume(desk_world.world).digest
    assert visitor.post(path, digest=told, answer="delete", reason=WHY).status_code == 403
    entry = desk_world.world.register("expire:volume:answer_denied")[-1]
    assert entry["actor"] == user
    assert volume(desk_world.world).state == "pending"
    attempts = desk_world.visit("dpo").get("/").text
    assert "tried to answer on a volume" in attempts and f'href="/consigne{path}"' in attempts


def test_after_24_hours_the_page_takes_no_answer(desk_world: DeskWorld, path: str) -> None:
    dpo = desk_world.visit("dpo")
    told = digest(dpo.get(path).text)
    desk_world.world.pass_time(2 * DAY + HOUR)
    page = dpo.get(path).text
    assert "No answer: to be deleted" in page and 'name="digest"' not in page
    late = dpo.post(path, digest=told, answer="delete", reason=WHY)
    assert late.status_code == 409 and "24 hours are over" in late.text


def test_the_sweep_starts_its_run_in_a_designated_persons_name_and_mail_goes_out(
    desk_world: DeskWorld, path: str
) -> None:
    world = desk_world.world
    found = volume(world)
    without_run, _ = decisions._left(desk_world.platforms("decide"), kind=decisions.VOLUME)
    [matter] = without_run
    assert matter.brought_by == "dpo"
    assert asyncio.run(decisions._start(decisions.VOLUME, matter))
    [(method, started, sent)] = desk_world.airflow
    assert (method, started) == ("POST", "dags/confirm_expiry_volume/dagRuns")
    conf = {"volume_id": str(found.id), "volume_hash": found.digest}
    assert (sent["dag_run_id"], sent["conf"]) == (run_of_volume(found.id), conf)
    assert world.rows(select(volumes.c.run)) == [(run_of_volume(found.id),)]
    assert decisions._left(desk_world.platforms("decide"), kind=decisions.VOLUME) == ([], [])
    remind(desk_world.platforms("decide"))
    told = [row for row in world.rows(select(messages)) if row.kind == "volume_waiting"]
    assert [(row.recipient, row.subject) for row in told] == [("dpo", str(found.id))]
    dpo = desk_world.visit("dpo")
    assert send(dpo, path, answer="delete", reason=WHY) == 303
    # Airflow here knows of no run, so nothing is left to be told.
    assert decisions._left(desk_world.platforms("decide"), kind=decisions.VOLUME) == ([], [])


def test_a_new_version_and_new_recordings_are_named_as_what_may_explain_it(desk_world: DeskWorld) -> None:
    world = desk_world.world
    foresee(world)
    desk_world.put_in_force()
    world.deliver("f", seed=7)
    world.ingest()
    ends(world, "f", 23 * HOUR)
    world.expire()
    page = desk_world.visit("dpo").get(f"/volumes/{volume(world).id}").text
    assert "Version test-1 of the policy is in force since" in page
    assert "Items stored after the forecast, which could not count them: 2." in page
    assert "Nothing that Consigne knows" not in page
