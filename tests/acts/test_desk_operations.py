"""*Operations*: what is stuck is named with its reason, what can be done is done from there and registered, and what
cannot be read is said."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import insert, update

from consigne.acts.seal import seal
from consigne.adapters.catalog import tables as t
from consigne.adapters.catalog import views_operations
from consigne.adapters.catalog.tables_gone import findings
from consigne.adapters.catalog.tables_people import messages
from consigne.adapters.catalog.tables_stock import unclaimed
from consigne.doors.orchestration.last_runs import Ended
from consigne.rules.errors import Unavailable

from .desk_world import DeskWorld
from .test_expire import AFTER

HOURS_3 = timedelta(hours=3)


def sections(html: str) -> list[str]:
    """What is stuck, in its order."""
    return re.findall(r'<section class="card" aria-labelledby="(\w+)"', html)


def text_of(desk: DeskWorld, user: str = "ops", language: str = "en") -> str:
    return desk.visit(user, language=language).get("/operations").text


@pytest.fixture
def stuck(desk_world: DeskWorld) -> DeskWorld:
    """Something of everything."""
    world = desk_world.world
    world.deliver("late", seed=1)
    world.deliver_trial("due", seed=2)
    world.ingest()
    for number, id in enumerate(("odd-1", "odd-2")):
        world.intake.deliver(id, b"RIFF", b"{" + b" " * number)
    world.ingest()
    world.pass_time(AFTER + HOURS_3)
    now = world.now()
    with world.engine.begin() as tx:
        row = {"id": world.platform.new_id(), "source": "folder", "source_id": "slow", "stem_digest": b"s"}
        row |= {"fingerprint": "f", "state": "admitted", "received_at": now - HOURS_3}
        tx.execute(insert(t.deliveries).values(row))
        tx.execute(update(unclaimed).values(number=12_345, oldest_at=now - HOURS_3))
        letter = {"id": world.platform.new_id(), "recipient": "dpo", "kind": "waiting", "subject": "x"}
        letter |= {
            "made_at": now - timedelta(days=4),
            "next_try_at": now,
            "tries": 9,
            "trouble": "bad_address",
        }
        tx.execute(insert(messages).values(letter))
        found = {"id": world.platform.new_id(), "kind": "missing", "subject": "an object", "act": "alarm"}
        tx.execute(insert(findings).values(found | {"state": "open", "found_at": now, "seen_at": now}))
    seal(world.platform)
    desk_world.over = [
        Ended("expire_recordings", "scheduled__1", True, now),
        Ended("ingest_recordings", "scheduled__2", False, now),
    ]
    desk_world.backups = ["/mnt/backup/consigne-1"]
    return desk_world


@pytest.mark.parametrize("user", ["ops", "dpo", "auditor"])
def test_what_is_stuck_stands_there_what_weighs_most_first(stuck: DeskWorld, user: str) -> None:
    page = text_of(stuck, user)
    assert sections(page) == [
        "overdue", "epochs", "register", "findings", "backups", "quarantine", "deliveries", "runs", "mail",
    ]  # fmt: skip
    for words in (
        "its destruction has not begun", "one finding waits", "/mnt/backup/consigne-1", "odd-1", "odd-2",
        "admitted, not redacted", "12345", "the runs do not keep up", "expire_recordings", "1 given up (bad_address)",
    ):  # fmt: skip
        assert words.lower() in page.lower(), words
    assert "ingest_recordings" not in page
    assert "All parts answer · Extensions applied" in page.partition("and well:")[2]
    french = text_of(stuck, user, "fr")
    assert "Reprendre" in french if user == "ops" else "Reprendre" not in french
    assert "Échu et toujours là" in french


def test_who_only_reads_has_no_buttons(stuck: DeskWorld) -> None:
    assert "/operations/" not in text_of(stuck, "dpo").replace('aria-current="page"', "")
    assert "/operations/retry" in text_of(stuck, "ops") and "/operations/run" in text_of(stuck, "ops")


def test_a_retry_takes_a_delivery_up_again_and_is_registered(stuck: DeskWorld) -> None:
    world = stuck.world
    before = world.delivery("odd-1")
    ops = stuck.visit("ops")
    answer = ops.post("/operations/retry", delivery=str(before.id))
    assert answer.status_code == 303 and answer.headers["location"].endswith("/operations?retried=1")
    assert world.delivery("odd-1").state == "claimed" and world.delivery("odd-2").state == "quarantined"
    [entry] = world.register("ingest:delivery:retried")
    assert (entry["actor"], entry["subject"]) == ("ops", str(before.id))
    assert ("POST", "assets/events", {"asset_id": 1, "extra": {}}) in stuck.airflow
    assert "Deliveries taken up again: 1" in ops.get("/operations?retried=1").text
    world.ingest()
    again = world.delivery("odd-1")
    assert (again.state, again.deadline) == ("quarantined", before.deadline)


def test_all_of_a_code_are_taken_up_together(stuck: DeskWorld) -> None:
    ops = stuck.visit("ops")
    code = stuck.world.delivery("odd-1").code
    assert ops.post("/operations/retry", code=code).headers["location"].endswith("retried=2")
    assert ops.post("/operations/retry", code=code).headers["location"].endswith("retried=0")


def test_a_retry_that_is_denied_is_registered_and_changes_nothing(stuck: DeskWorld) -> None:
    id = str(stuck.world.delivery("odd-1").id)
    assert stuck.visit("dpo").post("/operations/retry", delivery=id).status_code == 403
    assert stuck.world.delivery("odd-1").state == "quarantined"
    [entry] = stuck.world.register("ingest:delivery:retry_denied")
    assert (entry["actor"], entry["subject"], entry["code"]) == ("dpo", id, "role_missing")
    assert stuck.visit("dpo").post("/operations/retry", code="no_such_code").status_code == 403
    assert len(stuck.world.register("ingest:delivery:retry_denied")) == 2
    assert stuck.visit("auditor").post("/operations/run", act="expire").status_code == 403
    assert [one["dag"] for one in stuck.world.register("operate:run:denied")] == ["expire_recordings"]
    assert stuck.airflow == []


def test_a_run_is_started_as_the_person_who_asks_and_destroys(stuck: DeskWorld) -> None:
    ops = stuck.visit("ops")
    assert ops.post("/operations/run", act="expire").headers["location"].endswith("started=expire")
    sent = {"logical_date": None, "conf": {"dry_run": False}}
    assert stuck.airflow == [("POST", "dags/expire_recordings/dagRuns", sent)]
    [entry] = stuck.world.register("operate:run:asked")
    assert (entry["actor"], entry["dag"]) == ("ops", "expire_recordings")
    assert ops.post("/operations/run", act="restore").status_code == 400


@pytest.mark.promise("P5")
def test_what_may_wait_is_not_shown_as_stuck(desk_world: DeskWorld) -> None:
    world = desk_world.world
    world.deliver("kept")
    world.ingest()
    page = text_of(desk_world)
    assert sections(page) == [] and "Nothing is stuck" in page
    with world.engine.begin() as tx:
        tx.execute(update(t.artifacts).values(due_at=world.now() - timedelta(minutes=30)))
    assert "overdue" not in sections(text_of(desk_world)), "the next run takes it"


def test_a_section_that_cannot_be_read_says_so_and_hides_no_other(
    stuck: DeskWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise Unavailable("catalog", "QueryCanceled")

    def broken(*_: object) -> None:
        raise ValueError("a value that nobody may see")

    monkeypatch.setattr(views_operations, "quarantined", away)
    monkeypatch.setattr(views_operations, "unsent", broken)
    page = text_of(stuck)
    assert page.count("does not mean that there is nothing") == 2
    assert "nobody may see" not in page
    assert {"quarantine", "mail", "overdue", "runs"} <= set(sections(page))
    assert "Nothing in quarantine" not in page and "Mail sent" not in page


def test_a_part_that_is_away_comes_first(stuck: DeskWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise Unavailable("keyring", "timeout")

    monkeypatch.setattr(type(stuck.world.platform.keyring), "public_keys", away)
    page = text_of(stuck)
    assert sections(page)[0] == "parts" and "The keyring does not answer." in page
