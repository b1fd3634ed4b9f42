"""*Draws* as the DPO and the auditor see it, and `POST /draw` as a telephone system asks: over a real catalog."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from sqlalchemy import delete, select

from consigne.acts.draw import keep_months
from consigne.adapters.catalog.tables_people import draw_months, draws
from consigne.rules.draw import commitment, month_of

from .desk_world import DRAW_SECRET, DeskWorld
from .world import UNINFORMED

if TYPE_CHECKING:
    from fastapi.testclient import TestClient

RATE = (r"sampling_rate: 1\n", "sampling_rate: 0.5\n")
CALL = {"source": "memory", "id": "c0", "queue": "support", "purposes": ["training"]}


@pytest.fixture
def half(desk_world: DeskWorld) -> DeskWorld:
    """Forty calls at a rate of one half, delivered by a source that records them all."""
    desk_world.put_in_force(RATE)
    # After that version came in force, however long it took.
    since = desk_world.world.base - desk_world.world.now()
    for number in range(40):
        desk_world.world.deliver(f"c{number}", ago=since, agent="a.martin" if number % 2 else "b.durand")
    desk_world.world.ingest()
    return desk_world


def ask(
    desk_world: DeskWorld,
    body: Any = CALL,
    secret: str = DRAW_SECRET,
    query: str = "",
    http: TestClient | None = None,
    **sent: Any,
) -> httpx.Response:
    """As a telephone system does: no person, a secret."""
    sent = {"json": body} | sent
    headers = {"authorization": f"Bearer {secret}"} | sent.pop("headers", {})
    http = http or desk_world.nobody().http
    return http.post(f"/consigne/draw{query}", headers=headers, **sent)


@pytest.mark.promise("P1")
@pytest.mark.parametrize("user", ["dpo", "dpo2", "auditor"])
def test_who_watches_over_moderation_sees_it(half: DeskWorld, user: str) -> None:
    page = half.visit(user).get("/draws")
    assert page.status_code == 200
    kept = {row.source_id for row in half.world.artifacts()}
    assert 5 < len(kept) < 35
    rows = re.findall(r"<tr><th scope=\"row\">(.*?)</tr>", page.text, re.DOTALL)
    [whole] = [row for row in rows if row.startswith("Training · support")]
    assert re.findall(r'class="num">(\d+)</td>', whole) == ["40", str(len(kept)), str(len(kept))]
    assert "50.0\u00a0%" in whole
    assert {row.partition("<")[0] for row in rows} >= {"a.martin", "b.durand"}
    assert page.text.count("<svg") == 2 * 4 and "style=" not in page.text and "<script" not in page.text
    assert "records undrawn calls" in page.text and f'<td class="num">{40 - len(kept)}</td>' in page.text


@pytest.mark.parametrize("user", ["ops", "analyst", "trainer", "adviser"])
def test_nobody_else_does(half: DeskWorld, user: str) -> None:
    assert half.visit(user).get("/draws").status_code == 403
    assert "/consigne/draws" not in half.visit(user).get("/").text


def test_a_stranger_is_sent_to_sign_in(desk_world: DeskWorld) -> None:
    assert desk_world.nobody().get("/draws").status_code == 303


@pytest.mark.promise("P1")
@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_month_shows_its_commitment_and_its_secret_only_once_it_is_over(
    desk_world: DeskWorld, language: str
) -> None:
    world = desk_world.world
    month = month_of(world.now(), "Europe/Paris")
    secret = world.keyring.mac("draw", month.encode()).digest
    before = desk_world.visit("auditor", language=language).get("/draws").text
    assert commitment(secret).hex() in before and secret.hex() not in before
    assert {"fr": "pas encore révélé", "en": "not revealed yet"}[language] in before
    assert {"fr": "pas encore scellé", "en": "not sealed yet"}[language] in before
    world.pass_time(timedelta(days=34))
    keep_months(world.platform)
    after = desk_world.visit("auditor", language=language).get("/draws").text
    assert secret.hex() in after
    [revealed] = world.register("draw:month:revealed")
    assert revealed["secret"] == secret.hex()


def test_months_without_draws_say_so(half: DeskWorld) -> None:
    dpo = half.visit("dpo")
    assert "No draw in these months" in dpo.get("/draws?since=2020-01&until=2020-02").text
    now = month_of(half.world.now(), "Europe/Paris")
    for query in (f"since={now}&until=2020-01", f"until={now}", "since=&until="):
        assert "Training · support" in dpo.get(f"/draws?{query}").text
    assert "Training · support" not in dpo.get("/draws?purpose=quality").text
    for query in ("since=4970100000000006", "until=2026-13"):
        answer = dpo.get(f"/draws?{query}")
        assert answer.status_code == 400 and "4970" not in answer.text


@pytest.mark.promise("P1")
def test_a_telephone_system_is_told_whether_to_record(desk_world: DeskWorld) -> None:
    desk_world.put_in_force(RATE)
    told, http = {}, desk_world.nobody().http
    for number in range(20):
        answer = ask(desk_world, CALL | {"id": f"c{number}", "agent": "a.martin"}, http=http)
        assert answer.status_code == 200
        said = told[f"c{number}"] = answer.json()
        assert said["record"] == (said["purposes"] == ["training"])
        assert ask(desk_world, CALL | {"id": f"c{number}"}, query="?format=text", http=http).text == str(
            int(said["record"])
        )
    rows = {row.call: row for row in desk_world.world.rows(select(draws))}
    assert {id: (str(row.id), row.drawn) for id, row in rows.items()} == {
        id: (said["draw"], said["record"]) for id, said in told.items()
    }
    assert {said["record"] for said in told.values()} == {True, False}
    form = {"source": "memory", "id": "c1", "queue": "support", "purposes": ["training", "quality"]}
    answer = ask(desk_world, data=form, json=None)
    assert answer.json()["outcomes"].keys() == {"training", "quality"}
    assert answer.json()["draw"] == told["c1"]["draw"]


def test_a_field_that_is_not_known_is_named_body(desk_world: DeskWorld) -> None:
    answer = ask(desk_world, CALL | {"+33612345678": "x"})
    assert (answer.status_code, answer.json()) == (400, {"code": "bad_field", "field": "body"})


@pytest.mark.promise("P1")
def test_an_agent_who_has_not_acknowledged_is_not_recorded(desk_world: DeskWorld) -> None:
    answer = ask(desk_world, CALL | {"agent": UNINFORMED})
    assert answer.json() == {
        "draw": None, "record": False, "purposes": [], "outcomes": {"training": "agent_not_informed"},
    }  # fmt: skip
    assert ask(desk_world, CALL | {"agent": UNINFORMED}, query="?format=text").text == "0"
    assert desk_world.world.rows(select(draws)) == []


@pytest.mark.parametrize("secret", ["", "x", DRAW_SECRET + "x", "the intake's secret", "é"])
def test_without_the_secret_nothing_is_drawn(desk_world: DeskWorld, secret: str) -> None:
    answer = ask(desk_world, headers={"authorization": f"Bearer {secret}".encode()})
    assert (answer.status_code, answer.json()) == (403, {"code": "not_a_source"})
    assert desk_world.visit("dpo").call("POST", "/draw", CALL).status_code == 403
    assert desk_world.world.rows(select(draws)) == []


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({"content": b"{"}, "bad_json"),
        ({"content": b"[]"}, "bad_json"),
        ({"content": b"\xff"}, "bad_json"),
        ({"content": b"[" * 15_000}, "bad_json"),
        ({"content": b" " * 20_000}, "too_large"),
        ({"json": CALL | {"id": "4970100000000006"}}, "bad_field"),
        ({"json": CALL | {"source": "4970100000000006"}}, "bad_field"),
        ({"json": {}}, "bad_field"),
        ({"content": b"", "headers": {"content-type": "application/x-www-form-urlencoded"}}, "bad_field"),
        ({"content": b"a;b&=", "headers": {"content-type": "application/x-www-form-urlencoded"}}, "bad_json"),
    ],
)
def test_what_cannot_be_drawn_is_never_a_yes(desk_world: DeskWorld, sent: dict[str, Any], code: str) -> None:
    answer = ask(desk_world, None, query="?format=text", **sent)
    assert answer.status_code == 400 and answer.json()["code"] == code
    assert "4970" not in answer.text and answer.text.strip() != "1"
    assert desk_world.world.rows(select(draws)) == []


def test_where_no_month_is_committed_the_answer_is_no_answer(desk_world: DeskWorld) -> None:
    with desk_world.world.engine.begin() as tx:
        tx.execute(delete(draw_months))
    answer = ask(desk_world, query="?format=text")
    assert (answer.status_code, answer.json()["code"]) == (503, "draw_month")
