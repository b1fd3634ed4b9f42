"""*Notices*, *Rules for advisers* and *Objections* on the desk, and the API behind the command line."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from sqlalchemy import select

from consigne.adapters.catalog import tables_people as p
from consigne.doors.desk.text import TEXTS
from consigne.doors.settings import ACCOUNTS

from .desk_world import DeskWorld
from .world import UNINFORMED

pytestmark = pytest.mark.promise("P1")
NUMBER = "+33 6 12 34 56 78"
HOUR = timedelta(hours=1)


def rows(desk_world: DeskWorld) -> list[object]:
    return desk_world.world.rows(select(p.objections))


@pytest.mark.parametrize("user", ACCOUNTS)
def test_everybody_reads_notices_and_rules_in_both_languages(desk_world: DeskWorld, user: str) -> None:
    for language, words in (("fr", "Pour vous y opposer"), ("en", "To object, tell")):
        visitor = desk_world.visit(user, language=language)
        for path in ("/notices", "/rules", "/rules/support", "/rules/orders"):
            page = visitor.get(path)
            assert page.status_code == 200, path
            assert f'<html lang="{language}">' in page.text
            assert "style=" not in page.text and "<script" not in page.text
        assert words in visitor.get("/rules/support").text
        other = {"fr": "en", "en": "fr"}[language]
        shown = visitor.get(f"/notices?queue=orders&language={other}").text
        assert f'<section class="card" lang="{other}">' in shown


@pytest.mark.parametrize("path", ["/notices?queue=nowhere", "/notices?language=de"])
def test_what_is_not_there_is_no_page(desk_world: DeskWorld, path: str) -> None:
    assert desk_world.visit("dpo").get(path).status_code == 400
    assert desk_world.visit("dpo").get("/rules/nowhere").status_code == 404


def test_an_adviser_reads_and_is_recorded_from_then_on(desk_world: DeskWorld) -> None:
    world = desk_world.world
    world.deliver("before", agent=UNINFORMED, ago=HOUR)
    world.ingest()
    agent = desk_world.visit(UNINFORMED, "adviser")
    assert "I have read notice 2026-01" in agent.get("/notices").text
    seen = desk_world.visit("dpo").get("/notices").text
    assert UNINFORMED in seen and "not read yet" in seen and "calls were refused for it" in seen
    assert UNINFORMED not in desk_world.visit("adviser").get("/notices").text
    done = agent.post("/notices/acknowledge", notice="2026-01")
    assert (done.status_code, done.headers["location"]) == (303, "/consigne/notices")
    assert "I have read notice" not in agent.get("/notices").text
    assert "not read yet" not in desk_world.visit("auditor").get("/notices").text
    row = world.rows(select(p.acknowledgements))[0]
    assert (row.agent, row.notice, row.recorded_by, row.channel) == (
        UNINFORMED,
        "2026-01",
        UNINFORMED,
        "desk",
    )
    assert agent.post("/notices/acknowledge", notice="2031").status_code == 400


def test_the_rules_say_what_is_demanded_by_law_and_what_not(desk_world: DeskWorld) -> None:
    adviser = desk_world.visit("adviser")
    orders, support = adviser.get("/rules/orders").text, adviser.get("/rules/support").text
    assert "demanded by law" in orders and "2014/65/UE" in orders
    assert 'value="investment_orders"' not in orders
    assert 'value="training"' in support and "2014/65/UE" not in support


@pytest.mark.parametrize("language", ["fr", "en"])
def test_where_the_law_demands_every_purpose_nothing_invites_to_object(
    desk_world: DeskWorld, language: str
) -> None:
    place = ["fr", "en"].index(language)
    adviser = desk_world.visit("adviser", language=language)
    orders, support = (unescape(adviser.get(f"/rules/{queue}").text) for queue in ("orders", "support"))
    inviting = [TEXTS[f"rules.{key}"][place] for key in ("rights_object", "alternative")]
    inviting += [TEXTS["object.lead"][place], TEXTS["alternative.not_recorded"][place], 'name="alternative"']
    for words in inviting:
        assert words in support and words not in orders
    title = desk_world.world.policy.purposes["investment_orders"].title[language]
    assert TEXTS["rules.rights_none"][place].format(demanded=title) in orders


@pytest.mark.parametrize("language", ["fr", "en"])
def test_where_it_demands_some_the_others_are_named(desk_world: DeskWorld, language: str) -> None:
    desk_world.put_in_force((r"orders: \[investment_orders\]", "orders: [investment_orders, training]"))
    shown = unescape(desk_world.visit("adviser", language=language).get("/rules/orders").text)
    purposes = desk_world.world.policy.purposes
    names = {"purposes": purposes["training"].title[language]}
    names["demanded"] = purposes["investment_orders"].title[language]
    assert TEXTS["rules.rights_object_to"][["fr", "en"].index(language)].format(**names) in shown
    assert 'value="training"' in shown and 'value="investment_orders"' not in shown


def test_who_handed_in_an_acknowledgement_is_shown(desk_world: DeskWorld) -> None:
    text = "agent,notice,acknowledged_at\nz.zola,2026-01,2025-02-03\n"
    ops = desk_world.visit("ops")
    assert ops.call("POST", "/api/acknowledgements/import", {"csv": text}).json() == {"changed": 1}
    ops.call("POST", "/api/acknowledgements/import", {"csv": text.replace("2025-02-03", "2026-02-03")})
    desk_world.visit("y.yvon", "adviser").post("/notices/acknowledge", notice="2026-01")
    for user in ("dpo", "auditor", "ops"):
        shown = desk_world.visit(user).get("/notices").text
        lines = {line.split("</td>")[0]: line for line in re.findall(r"<tr><td>(.*?)</tr>", shown)}
        assert "read on 3 February 2025" in lines["z.zola"] and "handed in by ops" in lines["z.zola"]
        assert "handed in" not in lines["y.yvon"]
    assert "remise par ops" in desk_world.visit("dpo", language="fr").get("/notices").text
    assert "handed in" not in desk_world.visit("adviser").get("/notices").text


def test_the_caller_objects_on_the_desk_and_takes_it_back(desk_world: DeskWorld) -> None:
    world = desk_world.world
    world.deliver("pbx1-1", purposes=["training", "quality"], ago=HOUR)
    world.ingest()
    adviser = desk_world.visit("adviser")
    said = {"call": "pbx1-1", "source": "memory", "caller": NUMBER, "purpose": ["training"]}
    done = adviser.post("/rules/support/object", alternative="called_back", **said)
    assert done.status_code == 303
    place = done.headers["location"].removeprefix("/consigne")
    assert "Objection recorded" in adviser.get(place).text
    silent = {row.purpose for row in world.artifacts("pbx1-1") if row.restricted}
    assert silent == {"training"}
    listed = desk_world.visit("dpo").get("/objections").text
    assert "pbx1-1" in listed and "Training" in listed and "holds for later calls" in listed
    assert "61234" not in re.sub(r"\s", "", listed)
    back = adviser.post("/objections/withdraw", caller=NUMBER, queue="support")
    assert back.headers["location"] == "/consigne/rules/support?withdrawn=1"
    assert "taken back on" in desk_world.visit("auditor").get("/objections").text


def test_the_dpo_takes_one_back_by_its_line(desk_world: DeskWorld) -> None:
    adviser, dpo = desk_world.visit("adviser"), desk_world.visit("dpo")
    said = {"source": "memory", "caller": NUMBER, "alternative": "not_recorded"}
    adviser.post("/rules/support/object", **said)
    id = rows(desk_world)[0].id  # type: ignore[attr-defined]
    assert f"/objections/{id}/withdraw" in dpo.get("/objections").text
    assert f"/objections/{id}/withdraw" not in desk_world.visit("auditor").get("/objections").text
    done = dpo.post(f"/objections/{id}/withdraw")
    assert done.headers["location"] == "/consigne/objections?withdrawn=1"
    assert "taken back: 1" in dpo.get("/objections?withdrawn=1").text
    wrong = dpo.post("/objections/withdraw", caller="none")
    assert wrong.status_code == 400 and 'value="none"' in wrong.text and "malformed" in wrong.text


def test_a_refused_form_keeps_what_was_typed_and_names_its_field(desk_world: DeskWorld) -> None:
    adviser = desk_world.visit("adviser")
    said = {"call": "pbx1-7", "source": "memory", "caller": "no number", "purpose": ["quality"]}
    page = adviser.post("/rules/support/object", alternative="called_back", **said)
    assert page.status_code == 400
    for kept in ('value="pbx1-7"', 'value="no number" aria-invalid="true"', 'id="caller-error"'):
        assert kept in page.text
    assert re.search(r'value="quality" checked', page.text)
    assert re.search(r'value="called_back" required checked', page.text)
    assert rows(desk_world) == []


@pytest.mark.parametrize("user", ["ops", "analyst", "trainer", "auditor"])
def test_others_are_refused_and_noticed(desk_world: DeskWorld, user: str) -> None:
    visitor = desk_world.visit(user)
    assert "The caller objects" not in visitor.get("/rules/support").text
    said = {"call": "a", "source": "memory", "alternative": "not_recorded"}
    assert visitor.post("/rules/support/object", **said).status_code == 403
    assert visitor.post("/objections/withdraw", caller=NUMBER).status_code == 403
    assert visitor.call("POST", "/api/objections", {"call": "a"}).json() == {"code": "role_missing"}
    assert visitor.get("/objections").status_code == (200 if user == "auditor" else 403)
    assert len(desk_world.world.register("inform:objection:denied")) == 3
    assert rows(desk_world) == []


def test_the_api_does_the_same(desk_world: DeskWorld) -> None:
    adviser, dpo, ops = (desk_world.visit(user) for user in ("adviser", "dpo", "ops"))
    made = adviser.call("POST", "/api/objections", {"caller": NUMBER, "purposes": ["training"]})
    assert made.status_code == 201
    listed = dpo.call("GET", "/api/objections").json()
    assert [(one["id"], one["stands"], one["recorded_by"]) for one in listed] == [
        (made.json()["id"], True, "adviser")
    ]
    assert adviser.call("GET", "/api/objections").status_code == 403
    taken = dpo.call("POST", "/api/objections/withdraw", {"id": made.json()["id"]})
    assert taken.json() == {"withdrawn": [made.json()["id"]]}
    assert dpo.call("POST", "/api/objections/withdraw", {}).json() == {"code": "bad_field", "field": "id"}
    read = adviser.call("POST", "/api/acknowledgements", {}).json()
    assert (read["agent"], read["notice"]) == ("adviser", "2026-01")
    text = "agent,notice,acknowledged_at\nz.zola,2026-01,2026-02-03\n"
    assert ops.call("POST", "/api/acknowledgements/import", {"csv": text}).json() == {"changed": 1}
    assert dpo.call("POST", "/api/acknowledgements/import", {"csv": text}).status_code == 403
