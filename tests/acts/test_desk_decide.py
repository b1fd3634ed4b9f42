"""*Decide* over the real catalog: who sees which form, the owner's word, the fourth answer, and what is shown."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from consigne.acts import extend
from consigne.acts.decide import file_request
from consigne.acts.listen import export
from consigne.adapters.catalog import tables as t
from consigne.adapters.catalog.tables_decided import opinions
from consigne.doors.desk.pages.until import write_until
from consigne.rules.request import ExceptionRequest
from consigne.rules.values import Actor

from .test_expire import TRAINER, WHY

if TYPE_CHECKING:
    from .desk_world import DeskWorld, Visitor

ANALYST = Actor("analyst", frozenset({"analyst"}))
LESS = "A summary loses the tone of voice."
STAGES = (r"approval: \[dpo\]", "approval: [owner, dpo]")
OWNER = (r"owner: trainer", "owner: owner")


@pytest.fixture
def asked(desk_world: DeskWorld) -> ExceptionRequest:
    """A training call, asked for by `trainer`."""
    desk_world.world.deliver("a")
    desk_world.world.ingest()
    return _ask(desk_world)


@pytest.fixture
def in_stages(desk_world: DeskWorld) -> ExceptionRequest:
    """The same, where `owner` is asked first."""
    desk_world.world.deliver("a")
    desk_world.world.ingest()
    desk_world.put_in_force(STAGES, OWNER)
    return _ask(desk_world)


def _ask(desk_world: DeskWorld) -> ExceptionRequest:
    world = desk_world.world
    ids, until = [row.id for row in world.artifacts("a")], world.base + timedelta(days=220)
    filed = file_request(world.platform, world.policy, TRAINER, ids, until, "dispute", WHY, LESS)
    assert isinstance(filed, ExceptionRequest), filed
    return filed


def said(visitor: Visitor, request: ExceptionRequest, answer: str, **fields: str) -> Any:
    until = write_until(request.until, "Europe/Paris")[1]  # as the form is sent unchanged
    sent = {"digest": request.digest, "answer": answer, "reason": "Because.", "until": until} | fields
    return visitor.post(f"/decide/{request.id}", **sent)


def answers_of(html: str) -> list[str]:
    return re.findall(r'name="answer" value="([a-z_]+)"', html)


def kinds(desk_world: DeskWorld, actor: str) -> list[tuple[str, str]]:
    return [
        (entry["kind"], entry.get("code", ""))
        for entry in desk_world.world.register()
        if entry["actor"] == actor and entry["kind"].startswith("decide:")
    ]


@pytest.mark.promise("P5")
def test_who_sees_what_where_the_dpo_alone_decides(desk_world: DeskWorld, asked: ExceptionRequest) -> None:
    path = f"/decide/{asked.id}"
    page = desk_world.visit("dpo").get(path)
    assert page.status_code == 200
    assert answers_of(page.text) == ["refuse", "extend", "extend_and_restrict", "keep_under_another_purpose"]
    assert LESS in page.text and WHY in page.text
    read = desk_world.visit("trainer").get(path)
    assert (read.status_code, answers_of(read.text), WHY in read.text) == (200, [], True)
    for user in ("dpo2", "ops", "analyst", "adviser", "auditor"):
        shut = desk_world.visit(user).get(path)
        assert (shut.status_code, WHY in shut.text) == (403, False)
        assert [kind for kind, _ in kinds(desk_world, user)] == ["decide:request:look_denied"]
    shown = desk_world.visit("dpo").get(path).text
    assert all(user in shown for user in ("dpo2", "ops", "adviser", "auditor"))


@pytest.mark.promise("P5")
def test_the_dpo_s_own_slips_are_registered_and_are_no_attempts(
    desk_world: DeskWorld, asked: ExceptionRequest
) -> None:
    dpo, path = desk_world.visit("dpo"), f"/decide/{asked.id}"
    assert desk_world.visit("ops").get(path).status_code == 403
    assert said(dpo, asked, "extend", until="2099-01-01").status_code == 409
    assert kinds(desk_world, "dpo") == [("decide:request:answer_denied", "beyond_request")]
    for page in (dpo.get(path).text, desk_world.visit("another", "dpo").get("/").text):
        assert "later than asked" not in page
    assert "without the role" in dpo.get(path).text and "without the role" in dpo.get("/").text


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("x" * 100_000, "too long: 2,000 characters at most"),
        ("Because \u202eesuaceb", "signs that cannot be kept"),
        ("", "the reason is missing"),
    ],
)
def test_a_reason_that_is_not_taken_is_told_why(
    desk_world: DeskWorld, asked: ExceptionRequest, reason: str, told: str
) -> None:
    answer = said(desk_world.visit("dpo"), asked, "refuse", reason=reason)
    assert answer.status_code == 400 and told in answer.text
    assert desk_world.world.rows(select(t.decisions)) == []


@pytest.mark.promise("P5")
@pytest.mark.parametrize("left_out", ["answer", "digest", "reason"])
def test_a_form_with_a_field_left_out_is_refused_like_a_whole_one(
    desk_world: DeskWorld, asked: ExceptionRequest, left_out: str
) -> None:
    sent = {"digest": asked.digest, "answer": "refuse", "reason": "Because."}
    del sent[left_out]
    assert desk_world.visit("ops").post(f"/decide/{asked.id}", **sent).status_code == 403
    [(kind, code)] = kinds(desk_world, "ops")
    assert kind.endswith("_denied") and code == "role_missing"


@pytest.mark.promise("P5")
def test_the_owner_s_word_and_then_the_dpo_s_decision(
    desk_world: DeskWorld, in_stages: ExceptionRequest
) -> None:
    path = f"/decide/{in_stages.id}"
    dpo, owner = desk_world.visit("dpo"), desk_world.visit("owner", "analyst")
    first = dpo.get(path)
    assert (first.status_code, answers_of(first.text)) == (200, [])
    assert "Waits for the word of owner" in first.text
    assert said(dpo, in_stages, "extend").status_code == 409
    form = owner.get(path)
    assert answers_of(form.text) == ["necessary", "not_necessary"]
    assert LESS in form.text
    empty = said(owner, in_stages, "necessary", reason=" ")
    assert empty.status_code == 400 and "the reason is missing" in empty.text
    assert said(owner, in_stages, "necessary", reason="We teach from it.").status_code == 303
    assert said(owner, in_stages, "necessary", reason="We teach from it.").status_code == 303
    assert [row.owner for row in desk_world.world.rows(select(opinions))] == ["owner"]
    assert answers_of(owner.get(path).text) == []
    second = dpo.get(path)
    assert "We teach from it." in second.text
    assert answers_of(second.text)[:1] == ["refuse"]
    assert said(dpo, in_stages, "extend_and_restrict").status_code == 303
    assert "Extend and restrict, by dpo" in dpo.get(path).text
    assert kinds(desk_world, "owner") == [("decide:request:necessity", "")]
    assert kinds(desk_world, "dpo")[0] == ("decide:request:answer_denied", "owner_first")


def test_the_owner_says_that_it_is_not_necessary(desk_world: DeskWorld, in_stages: ExceptionRequest) -> None:
    owner = desk_world.visit("owner", "analyst", language="fr")
    assert said(owner, in_stages, "not_necessary", reason="La fiche suffit.").status_code == 303
    page = owner.get(f"/decide/{in_stages.id}").text
    assert "Refuser, par owner" in page and "La fiche suffit." in page
    assert said(desk_world.visit("dpo"), in_stages, "extend").status_code == 409
    assert not [sent for sent in desk_world.airflow if sent[0] == "PATCH"]


@pytest.mark.promise("P5")
@pytest.mark.parametrize("user", ["trainer", "dpo2", "ops", "analyst"])
@pytest.mark.parametrize(
    "answer", ["extend", "keep_under_another_purpose", "necessary", "not_necessary", "nonsense"]
)
def test_a_form_that_others_make_up_is_not_taken(
    desk_world: DeskWorld, asked: ExceptionRequest, user: str, answer: str
) -> None:
    sent = said(desk_world.visit(user), asked, answer, until="2030-01-01", purpose="quality")
    assert sent.status_code == 403
    [(kind, code)] = [one for one in kinds(desk_world, user) if one[0] != "decide:request:filed"]
    assert code and kind.endswith("_denied")
    assert desk_world.world.rows(select(t.decisions)) == desk_world.world.rows(select(opinions)) == []


@pytest.mark.promise("P4", "P5")
def test_kept_under_another_purpose_from_the_desk(desk_world: DeskWorld, asked: ExceptionRequest) -> None:
    dpo, path = desk_world.visit("dpo"), f"/decide/{asked.id}"
    page = dpo.get(path).text
    offered = re.findall(r'<option value="([a-z_]+)"', page)
    assert offered == ["quality", "investment_orders", "emergency"]
    assert "analyst (evaluation, calibration)" in page  # who would listen
    assert "it takes only what a person started for it" in page  # and why the others cannot
    none = said(dpo, asked, "keep_under_another_purpose")
    assert none.status_code == 400 and "choose the other purpose" in none.text
    shut = said(dpo, asked, "keep_under_another_purpose", purpose="complaint")
    assert shut.status_code == 409 and "it takes only what a person started for it" in shut.text
    assert said(dpo, asked, "keep_under_another_purpose", purpose="quality").status_code == 303
    assert "New purpose: Quality" in dpo.get(path).text
    decide = desk_world.platforms("decide")  # under the act's own database role
    extend.apply_decision(decide, desk_world.world.policy, asked.id)
    after = dpo.get(path).text
    assert "Kept under the other purpose · 2" in after
    assert {row.purpose for row in desk_world.world.artifacts("a") if not row.restricted} == {"quality"}


def test_where_no_other_purpose_is_possible_the_page_says_why(desk_world: DeskWorld) -> None:
    world = desk_world.world
    world.deliver("a", notice={"version": "2026-01-quality", "played_at_s": 0.1}, purposes=["quality"])
    world.ingest()
    ids, until = [row.id for row in world.artifacts("a")], world.base + timedelta(days=200)
    filed = file_request(world.platform, world.policy, ANALYST, ids, until, "dispute", WHY)
    assert isinstance(filed, ExceptionRequest)
    page = desk_world.visit("dpo").get(f"/decide/{filed.id}").text
    assert answers_of(page) == ["refuse", "extend", "extend_and_restrict"]
    assert "No other purpose is possible" in page and "the notice that the caller heard" in page
    assert "<select" not in page


@pytest.mark.promise("P4")
def test_who_asks_is_not_shown_who_listens_for_other_purposes(desk_world: DeskWorld) -> None:
    world = desk_world.world
    world.deliver("a", purposes=["training", "quality"])
    world.ingest()
    heard = {row.purpose: row for row in world.artifacts("a") if row.part == "audio"}
    export(world.platform, Actor("ana", frozenset({"analyst"})), heard["quality"].id, "evaluation")
    end = world.base + timedelta(days=220)
    request = file_request(world.platform, world.policy, TRAINER, [heard["training"].id], end, "dispute", WHY)
    assert isinstance(request, ExceptionRequest)
    shown = {user: desk_world.visit(user).get(f"/decide/{request.id}").text for user in ("trainer", "dpo")}
    assert "ana ·" in shown["dpo"] and "ana ·" not in shown["trainer"]
