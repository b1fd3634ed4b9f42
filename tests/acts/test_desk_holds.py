"""*Holds* on the desk and by its API, over a real catalog under the real database roles (P5)."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from consigne.acts.held import keep_up
from consigne.adapters.catalog import views_holds
from consigne.adapters.catalog.tables_decided import holds
from consigne.doors.orchestration.clockwork import CLOCKWORK
from consigne.rules.clock import local_date

from .desk_world import DeskWorld
from .test_expire import WHY
from .test_hold import CALLER, DAY

NATIONAL = "06 12 34 56 78"
NOT_THE_DPO = ("ops", "analyst", "trainer", "adviser", "auditor", "dpo2")


@pytest.fixture
def kept(desk_world: DeskWorld) -> DeskWorld:
    """One call that lives for months."""
    desk_world.world.deliver("a")
    desk_world.world.ingest()
    return desk_world


def day_in(desk: DeskWorld, days: int) -> str:
    return local_date(desk.world.now() + days * DAY, "Europe/Paris").isoformat()


def form(desk: DeskWorld, **changes: str) -> dict[str, str]:
    typed = {
        "mandate": "PR 26/117",
        "authority": "Parquet de Paris",
        "reason": WHY,
        "review": day_in(desk, 30),
    }
    return typed | changes


def placed(desk: DeskWorld, **scope: str) -> str:
    answer = desk.visit("dpo").post("/holds/place", **form(desk, **scope))
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"]).removeprefix("/consigne")


@pytest.mark.promise("P5")
@pytest.mark.parametrize("language", ["fr", "en"])
def test_from_placing_to_lifting_without_leaving_the_desk(kept: DeskWorld, language: str) -> None:
    dpo = kept.visit("dpo", language=language)
    for path in ("/holds", "/holds/place"):
        assert dpo.get(path).status_code == 200
    place = placed(kept, caller=NATIONAL, restrict="yes")
    page = dpo.get(place)
    assert page.status_code == 200
    assert ">a</a>" in page.text and WHY in page.text  # caught before the page is shown
    assert {row.hold is not None for row in kept.world.artifacts()} == {True}
    assert "612345678" not in page.text.replace(" ", "")
    later = dpo.post(f"{place}/confirm", review=day_in(kept, 60), reason="The case goes on.")
    assert later.status_code == 303
    lifted = dpo.post(f"{place}/lift", reason="The court needs it no more.")
    assert lifted.status_code == 303
    after = dpo.get(place).text
    assert "The case goes on." in after and "The court needs it no more." in after
    assert '<form class="card' not in after  # nothing is left to do
    assert {row.hold for row in kept.world.artifacts()} == {None}
    assert dpo.post(f"{place}/lift", reason="again").status_code == 409
    assert place in dpo.get("/holds").text


@pytest.mark.promise("P5")
@pytest.mark.parametrize("user", NOT_THE_DPO)
def test_others_neither_place_nor_confirm_nor_lift(kept: DeskWorld, user: str) -> None:
    place = placed(kept, agent="a.martin")
    other = kept.visit(user)
    sees = user in ("auditor", "dpo2")
    assert {other.get(path).status_code for path in ("/holds", place)} == {200 if sees else 403}
    assert other.get("/holds/place").status_code == 403
    assert '<form class="card' not in (other.get(place).text if sees else "")
    attempts = [
        other.post("/holds/place", **form(kept, agent="a.martin", review="nonsense")),
        other.post(f"{place}/confirm", review=day_in(kept, 60), reason="r"),
        other.post(f"{place}/lift", reason="r"),
        other.call("POST", "/api/holds", form(kept, agent="a.martin")),
        other.call("POST", f"/api{place}/confirm", {"review": day_in(kept, 60), "reason": "r"}),
        other.call("POST", f"/api{place}/lift", {"reason": "r"}),
    ]
    assert {answer.status_code for answer in attempts} == {403}
    assert other.call("GET", "/api/holds").status_code == (200 if sees else 403)
    denied = kept.world.register("hold:hold:denied")
    assert [entry["wanted"] for entry in denied] == ["place", "confirm", "lift"] * 2
    assert {entry["actor"] for entry in denied} == {user}
    [row] = kept.world.rows(select(holds.c.state))
    assert row.state == "open"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"mandate": " ", "agent": "a"}, "mandate"),
        ({"authority": "", "agent": "a"}, "authority"),
        ({"reason": "Card 4000 0000 0000 0002", "agent": "a"}, "reason"),
        ({"review": "soon", "agent": "a"}, "review"),
        ({"review": "2020-01-01", "agent": "a"}, "review"),
        ({}, "scope"),
        ({"recording": "c1"}, "recording"),
        ({"caller": "Dupont"}, "caller"),
        ({"since": "2026-01-01"}, "until"),
        ({"since": "then", "until": "2026-01-01"}, "since"),
    ],
)
def test_what_was_typed_wrong_is_named_and_the_rest_is_kept(
    kept: DeskWorld, changes: dict[str, str], field: str
) -> None:
    page = kept.visit("dpo").post("/holds/place", **form(kept, **changes))
    assert page.status_code == 400
    assert f'id="{field}-error"' in page.text
    assert all(value in page.text for name, value in changes.items() if name not in ("caller", "reason"))
    assert "Dupont" not in page.text
    assert not kept.world.rows(select(holds.c.id))


def test_a_review_that_is_refused_names_the_field_and_moves_nothing(kept: DeskWorld) -> None:
    place = placed(kept, agent="a.martin")
    dpo = kept.visit("dpo")
    far = dpo.post(f"{place}/confirm", review=day_in(kept, 400), reason="The case goes on.")
    assert (far.status_code, "The case goes on." in far.text) == (400, True)
    assert re.search(r'id="confirm-review-error"', far.text)
    empty = dpo.post(f"{place}/lift", reason=" ")
    assert (empty.status_code, 'id="lift-reason-error"' in empty.text) == (400, True)
    [row] = kept.world.rows(select(holds.c.review_at, holds.c.state))
    assert (row.state, local_date(row.review_at, "Europe/Paris").isoformat()) == ("open", day_in(kept, 30))
    assert dpo.get("/holds/00000000-0000-4000-8000-000000000000").status_code == 404


def test_by_the_api_as_the_command_line_does(kept: DeskWorld) -> None:
    dpo = kept.visit("dpo")
    told = dpo.call("POST", "/api/holds", form(kept, caller=CALLER))
    assert told.status_code == 201
    id = told.json()["id"]
    [listed] = dpo.call("GET", "/api/holds").json()
    assert (listed["id"], listed["scope"], listed["keeps"], listed["state"]) == (id, "caller", 1, "open")
    assert "callers" not in listed and CALLER not in str(listed)
    said = {"review": day_in(kept, 90), "reason": "r"}
    confirmed = dpo.call("POST", f"/api/holds/{id}/confirm", said).json()
    assert local_date(kept.world.now(), "Europe/Paris").isoformat() < confirmed["review_at"][:10]
    assert dpo.call("POST", f"/api/holds/{id}/lift", {"reason": "r"}).json()["state"] == "lifted"
    over = dpo.call("POST", f"/api/holds/{id}/lift", {"reason": "r"})
    assert (over.status_code, over.json()) == (400, {"code": "hold_over", "field": "id"})


@pytest.mark.promise("P5")
def test_the_sweep_keeps_up_under_its_own_role(kept: DeskWorld) -> None:
    """Every act of `keep_up` as the role `decide`: catch what is new, lapse, release."""
    decide = kept.platforms("decide")
    assert ("held", keep_up) in CLOCKWORK
    placed(kept, agent="a.martin")
    kept.world.deliver("b", seed=1)
    kept.world.ingest()
    assert keep_up(decide) == 2
    kept.world.pass_time(31 * DAY)
    assert keep_up(decide) == 1 + 4
    assert {row.hold for row in kept.world.artifacts()} == {None}


def test_holds_to_review_are_those_of_the_next_thirty_days(kept: DeskWorld) -> None:
    placed(kept, agent="a.martin", mandate="soon", review=day_in(kept, 9))
    placed(kept, agent="a.martin", mandate="sooner", review=day_in(kept, 3))
    placed(kept, agent="a.martin", mandate="later", review=day_in(kept, 60))
    with kept.world.platform.catalog.begin() as tx:
        now = kept.world.now()
        assert [one["mandate"] for one in views_holds.to_review(tx, now)] == ["sooner", "soon"]
        assert [one["mandate"] for one in views_holds.to_review(tx, now + timedelta(days=4))] == ["soon"]
        assert [one["mandate"] for one in views_holds.listed(tx, now + timedelta(days=4), 0, 9)] == [
            "soon", "later", "sooner",
        ]  # fmt: skip
