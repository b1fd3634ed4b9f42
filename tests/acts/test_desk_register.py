"""*Register* on the desk: who, what, when, why; what was purged; proofs and exports; a gap in sealing."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select, text

from consigne.acts.forget import forget_names
from consigne.acts.seal import publish, seal
from consigne.adapters.catalog.tables import register
from consigne.doors.desk.pages.register import kinds_told
from consigne.doors.desk.words import Wording
from consigne.rules.evidence.entry import leaf
from consigne.rules.evidence.merkle import hash_leaf, root
from consigne.rules.evidence.proofs import open_checkpoint
from consigne.rules.evidence.verify import verify

from .desk_world import DeskWorld

SUBJECT = str(uuid4())


def act(made: DeskWorld, actor: str, kind: str, *entries: dict[str, Any]) -> None:
    catalog = made.world.platform.catalog
    with catalog.begin() as tx:
        catalog.append(tx, actor, kind, entries)


@pytest.fixture
def full(desk_world: DeskWorld) -> DeskWorld:
    """Something in the register, sealed."""
    act(
        desk_world,
        "trainer",
        "decide:request:filed",
        {"subject": SUBJECT, "reason": "For a <b>dispute</b>.", "ground": "dispute"},
    )
    act(
        desk_world,
        "dpo",
        "decide:request:decided",
        {"subject": SUBJECT, "outcome": "refuse", "reason": "Not needed."},
    )
    act(desk_world, "analyst", "listen:artifact:denied", {"subject": str(uuid4()), "code": "restricted"})
    seal(desk_world.world.platform)
    publish(desk_world.world.platform)
    return desk_world


def numbers(html: str) -> list[int]:
    return [int(number) for number in re.findall(r"<td>(\d+)<details>", html)]


def entries(made: DeskWorld) -> list[dict[str, Any]]:
    rows = made.world.rows(select(register).order_by(register.c.id))
    return [json.loads(row.payload) | {"number": row.leaf_index} for row in rows if row.payload]


SEARCHES: list[tuple[dict[str, str], list[str]]] = [
    ({"who": "trainer"}, ["decide:request:filed"]),
    ({"kind": "listen:artifact:denied"}, ["listen:artifact:denied"]),
    ({"subject": SUBJECT}, ["decide:request:decided", "decide:request:filed"]),
    ({"why": "dispute"}, ["decide:request:filed"]),
    ({"why": "restricted", "who": "analyst"}, ["listen:artifact:denied"]),
    ({"who": "dpo", "kind": "decide:request:filed"}, []),
    ({"who": "nobody-such"}, []),
]


@pytest.mark.promise("P7")
def test_it_is_searched_by_who_what_and_why(full: DeskWorld) -> None:
    by_number, visitor = {one["number"]: one["kind"] for one in entries(full)}, full.visit("auditor")
    for sought, kinds in SEARCHES:
        shown = visitor.get("/register", params=sought)
        assert shown.status_code == 200
        assert [by_number[number] for number in numbers(shown.text)] == kinds, sought


@pytest.mark.promise("P7")
def test_it_is_searched_by_day(full: DeskWorld) -> None:
    visitor, world = full.visit("dpo"), full.world
    today = world.now().date()
    days = [(today + timedelta(days=step)).isoformat() for step in (-2, -1, 0, 1, 2)]
    everything = numbers(visitor.get("/register").text)
    assert (
        everything
        and numbers(visitor.get("/register", params={"since": days[1], "until": days[3]}).text) == everything
    )
    assert numbers(visitor.get("/register", params={"until": days[0]}).text) == []
    assert numbers(visitor.get("/register", params={"since": days[4]}).text) == []
    world.pass_time(timedelta(days=10))
    act(full, "dpo", "hold:hold:lifted", {"subject": SUBJECT})
    seal(world.platform)
    late = numbers(visitor.get("/register", params={"since": days[4]}).text)
    assert late and set(late).isdisjoint(everything)
    old = numbers(visitor.get("/register", params={"until": days[4]}).text)
    assert set(everything) <= set(old) and set(old).isdisjoint(late)


@pytest.mark.promise("P4")
def test_reading_it_is_an_entry_before_anything_is_shown(full: DeskWorld) -> None:
    full.visit("auditor").get("/register", params={"who": "trainer", "since": "2026-01-01"})
    [read] = [one for one in entries(full) if one["kind"] == "register:entries:read"]
    assert (read["actor"], read["sought_who"], read["outcome"]) == ("auditor", "trainer", "page")
    assert "sought_until" not in read and read["sought_since"] == "2025-12-31T23:00:00.000Z"


NO_SEARCHES = [
    ("who", "+33612345678"), ("who", "4111111111111111"), ("who", "a4111111111111111"), ("subject", "4111 1111 1111 1111"),
    ("why", "4111"), ("kind", "x"), ("since", "tomorrow"), ("until", "2026-13-01"), ("before", "-1"),
]  # fmt: skip


@pytest.mark.promise("P2")
def test_what_is_no_search_is_refused_and_written_nowhere(full: DeskWorld) -> None:
    visitor = full.visit("dpo")
    for field, value in NO_SEARCHES:
        answer = visitor.get("/register", params={field: value})
        assert answer.status_code == 400 and 'role="alert" id="wrong"' in answer.text
        assert ('aria-invalid="true"' in answer.text) == (field not in ("before", "kind"))
        assert numbers(answer.text) == []
        api = visitor.http.get("/consigne/api/register", params={field: value})
        assert (api.status_code, api.json()) == (400, {"code": "bad_field", "field": field})
    assert not [one for one in entries(full) if one["kind"] == "register:entries:read"]


def test_what_people_typed_is_shown_as_text(full: DeskWorld) -> None:
    shown = full.visit("dpo").get("/register").text
    assert "For a &lt;b&gt;dispute&lt;/b&gt;." in shown and "<b>dispute" not in shown


def test_it_is_paged_by_number(full: DeskWorld) -> None:
    act(full, "dpo", "hold:hold:lifted", *({"subject": str(uuid4())} for _ in range(130)))
    seal(full.world.platform)
    visitor, path, seen = full.visit("dpo"), "/register?kind=hold:hold:lifted", []
    while path:
        html = visitor.get(path).text
        seen += numbers(html)
        older = re.search(r'rel="next" href="/consigne([^"]+)"', html)
        path = older[1].replace("&amp;", "&") if older else ""
    assert len(seen) == 130 and seen == sorted(seen, reverse=True)


@pytest.mark.promise("P7")
def test_what_was_purged_is_shown_as_such(full: DeskWorld) -> None:
    before = numbers(full.visit("dpo").get("/register").text)
    full.world.pass_time(timedelta(days=400))
    forget_names(full.world.platform)
    seal(full.world.platform)
    html = full.visit("dpo").get("/register").text
    assert set(before) <= set(numbers(html))
    assert html.count("What it said was purged when its time was up") >= len(before)
    assert "trainer" not in html
    export = full.visit("dpo").get("/register/export?format=json")
    assert verify([("register.json", export.content)], full.world.platform.keyring.public_keys()).verified
    exported = export.json()
    gone = [one for one in exported["entries"] if one["number"] in before]
    assert len(gone) == len(before) and all(one["payload"] is one["salt"] is None for one in gone)


@pytest.mark.promise("P7")
def test_a_stranger_verifies_the_export_and_the_proof(full: DeskWorld) -> None:
    visitor, keys = full.visit("auditor"), full.world.platform.keyring.public_keys()
    export = visitor.get("/register/export")
    assert verify([("register.json", export.content)], keys).verified
    document = export.json()
    checkpoint = open_checkpoint(document["checkpoint"].encode(), keys)
    rows = sorted(document["entries"], key=lambda one: one["number"])
    leaves = [leaf(bytes.fromhex(one["salt"]), one["payload"].encode()) for one in rows]
    assert [one["leaf"] for one in rows] == [each.hex() for each in leaves]
    assert (len(rows), root(map(hash_leaf, leaves))) == (checkpoint.size, checkpoint.root)
    taken = visitor.get("/register/1/proof")
    with zipfile.ZipFile(io.BytesIO(taken.content)) as archive:
        files = [(name, archive.read(name)) for name in archive.namelist()]
    assert f"entry-{leaves[1].hex()[:32]}.json" in dict(files)
    assert verify(files, keys).verified
    assert visitor.get("/register/999999/proof").status_code == 404
    assert [one["number"] for one in entries(full) if one["kind"] == "register:proof:taken"] != []


def test_the_csv_is_safe_in_a_spreadsheet(full: DeskWorld) -> None:
    act(full, "trainer", "decide:request:filed", {"subject": SUBJECT, "reason": "=HYPERLINK(1)"})
    seal(full.world.platform)
    told = full.visit("dpo").get("/register/export?format=csv").content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(told)))
    assert "'=HYPERLINK(1)" in {row["reason"] for row in rows}
    assert {row["actor"] for row in rows} >= {"trainer", "dpo", "analyst", "consigne"}


@pytest.mark.promise("P7")
def test_a_gap_in_sealing_is_said_to_those_who_can_act(full: DeskWorld) -> None:
    said = "Entries of the register have waited to be published"
    roles = ("dpo", "auditor", "ops", "trainer")
    act(full, "dpo", "hold:hold:lifted", {"subject": SUBJECT})
    assert not any(said in full.visit(user).get("/").text for user in roles)
    full.world.pass_time(timedelta(hours=2, minutes=1))
    assert [said in full.visit(user).get("/").text for user in roles] == [True, True, True, False]
    assert said in full.visit("dpo").get("/register").text
    seal(full.world.platform)
    publish(full.world.platform)
    assert not any(said in full.visit(user).get("/").text for user in roles)
    [noticed] = [one for one in entries(full) if one["kind"] == "seal:gap:noticed"]
    assert noticed["outcome"] == "published" and noticed["from"] < noticed["until"]


@pytest.mark.parametrize("language", ["fr", "en"])
def test_each_kind_to_choose_from_says_what_it_is_about(language: str) -> None:
    told = [said for _, said in kinds_told(Wording(language, "UTC"))]
    assert len(told) > 80 and [said for said in told if not said[0].isupper()] == []
    assert len(set(told)) == len(told)


def test_it_speaks_french(full: DeskWorld) -> None:
    html = full.visit("dpo", language="fr").get("/register").text
    assert "Prolongation demandée" in html and "Télécharger la preuve" in html
    act(full, "consigne", "expire:artifact:erasing", {"subject": SUBJECT, "ground": "period_ended"})
    act(full, "consigne", "expire:epoch:destroyed", {"subject": "trial/0", "outcome": "destroyed"})
    seal(full.world.platform)
    html = full.visit("dpo", language="fr").get("/register").text
    assert "durée écoulée" in html and "détruit</span>" in html
    assert "period ended</" not in html and "destroyed</" not in html


def test_a_search_that_takes_too_long_is_unavailable(
    full: DeskWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consigne.adapters.catalog.views_register.PATIENCE_MS", 50)
    with full.world.engine.begin() as tx:
        tx.execute(text("ALTER TABLE register RENAME TO kept_register"))
        tx.execute(text("CREATE VIEW register AS SELECT kept_register.* FROM kept_register, pg_sleep(0.2)"))
        tx.execute(text("GRANT SELECT, INSERT ON register TO PUBLIC"))
    answer = full.visit("dpo").call("GET", "/api/register")
    assert (answer.status_code, answer.json()["code"]) == (503, "catalog")
