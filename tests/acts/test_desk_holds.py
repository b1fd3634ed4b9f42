"""*Holds* on the desk and by its API, over a real catalog under the real database roles (P5)."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from consigne.acts.held import keep_up
from consigne.adapters.catalog import tables as t
from consigne.adapters.catalog import views, views_holds
from consigne.adapters.catalog.tables_decided import holds
from consigne.doors.cli.client import Person
from consigne.doors.desk.words import Wording
from consigne.doors.orchestration.clockwork import CLOCKWORK
from consigne.rules.clock import local_date
from consigne.rules.errors import BadInput

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
    code = "not_designated" if user == "dpo2" else "role_missing"
    assert [answer.json() for answer in attempts[3:]] == [{"code": code}] * 3
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


@pytest.mark.parametrize(
    ("field", "typed", "told"),
    [
        ("reason", "x" * 2001, "Too long: 2,000 characters at most for the reason"),
        ("mandate", "x" * 201, "200 for the reference"),
        ("authority", "a \u202e b", "signs that cannot be kept"),
    ],
)
def test_what_was_typed_is_told_why_it_cannot_be_kept(
    kept: DeskWorld, field: str, typed: str, told: str
) -> None:
    page = kept.visit("dpo").post("/holds/place", **form(kept, agent="a", **{field: typed}))
    assert page.status_code == 400 and told in page.text and f'id="{field}-error"' in page.text


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


@pytest.mark.parametrize("scope", [{}, {"agent": "a.martin", "caller": CALLER}])
def test_the_command_line_says_what_a_scope_may_be(kept: DeskWorld, scope: dict[str, str]) -> None:
    person = object.__new__(Person)  # signed in
    person._client = kept.visit("dpo").http
    with pytest.raises(
        BadInput, match=r"^bad_field: scope: exactly one of --recording, --caller, --agent, or "
    ):
        person.post("/api/holds", form(kept, **scope))


@pytest.mark.promise("P4")
def test_that_nobody_listens_is_shown_wherever_the_recording_is(kept: DeskWorld) -> None:
    """Also where another hold caught it first, and by the role that reads; not for longer than the hold."""
    kept.world.deliver("b", seed=1, agent="b.petit")
    kept.world.ingest()
    one, other = (str(kept.world.artifacts(call)[0].recording) for call in "ab")
    audible = placed(kept, agent="a.martin")
    placed(kept, recording=one, restrict="yes", review=day_in(kept, 9))
    dpo = kept.visit("dpo")

    def told() -> tuple[dict[str, set[bool]], int, int, int, int]:
        with kept.platforms("read").catalog.begin() as tx:
            found = [*views.recordings(tx), views.recording(tx, one)]
        flags: dict[str, set[bool]] = {}
        for call in found:
            assert call
            flags.setdefault(call["source_id"], set()).update(
                part["restricted"] for part in call["artifacts"]
            )
        pages = [dpo.get(path).text for path in ("/recordings", "/recordings?state=restricted")]
        tags = [page.count('class="tag warn">restricted: nobody listens') for page in pages]
        assert "obody listens" not in dpo.get(f"/recordings/{other}").text
        page = dpo.get(f"/recordings/{one}").text
        return flags, *tags, page.count("restricted: nobody listens"), page.count(">Nobody listens<")

    parts = len(kept.world.artifacts("a"))
    assert told() == ({"a": {True}, "b": {False}}, 1, 1, parts, 1)
    dpo.post(f"{audible}/lift", reason="r")
    assert told() == ({"a": {True}, "b": {False}}, 1, 1, parts, 1)
    kept.world.pass_time(10 * DAY)  # lapsed, whether or not the sweep has noted it
    assert told() == ({"a": {False}, "b": {False}}, 0, 0, 0, 0)


@pytest.mark.promise("P5")
def test_a_held_recording_tells_the_review_date_and_its_own_clock(kept: DeskWorld) -> None:
    place = placed(kept, agent="a.martin")
    [own] = {row.unheld_due_at for row in kept.world.artifacts()}
    [review] = {row.review_at for row in kept.world.rows(select(holds.c.review_at))}
    assert review < own  # and yet the hold is until its review
    path, words = f"/recordings/{kept.world.artifacts()[0].recording}", Wording("en", "Europe/Paris")
    dpo = kept.visit("dpo")
    clocks = dict(re.findall(r"<dt>([^<]+)</dt><dd>([^<]+)</dd>", dpo.get(path).text))
    assert clocks["Held at least until"] == words.moment(review)
    assert clocks["Due without the hold"] == words.moment(own)
    dpo.post(f"{place}/lift", reason="r")
    clocks = dict(re.findall(r"<dt>([^<]+)</dt><dd>([^<]+)</dd>", dpo.get(path).text))
    assert "Held at least until" not in clocks and words.moment(own) in clocks.values()


def test_a_call_whose_parts_end_on_different_days_shows_from_when_to_when(desk_world: DeskWorld) -> None:
    desk_world.world.deliver("both", purposes=["training", "quality"])
    desk_world.world.ingest()
    sooner = update(t.artifacts).where(t.artifacts.c.purpose == "quality")
    with desk_world.world.engine.begin() as tx:
        tx.execute(sooner.values(due_at=t.artifacts.c.due_at - 9 * DAY))
    first, last = sorted({row.due_at for row in desk_world.world.artifacts()})
    place = placed(desk_world, agent="a.martin")
    words = Wording("en", "Europe/Paris")
    dpo = desk_world.visit("dpo")
    assert f"would go between {words.moment(first)} and {words.moment(last)}" in dpo.get(place).text
    dpo.post(f"{place}/lift", reason="r")
    back = f"back on its own clock, {words.moment(first)} – {words.moment(last)}"
    assert back in dpo.get(place).text


def test_an_adviser_is_called_so_as_everywhere(kept: DeskWorld) -> None:
    place = placed(kept, agent="a.martin")
    for language, word in (("en", "Adviser"), ("fr", "Conseiller")):
        dpo = kept.visit("dpo", language=language)
        page, asked = dpo.get(place).text, dpo.get("/holds/place").text
        assert f'<th scope="col">{word}</th>' in page and f"{word.lower()} a.martin" in page
        assert f'<label class="field" for="agent">{word}</label>' in asked
        assert not re.search(r">[^<]*\b[aA]gent\b[^<]*<", page + asked)


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
