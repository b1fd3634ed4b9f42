"""Asking, listing and deciding on the desk, over a real catalog: who sees what, and what silence does (P5)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from consigne.acts.hold import Mandate, place_hold
from consigne.adapters.catalog import tables as t
from consigne.doors.desk.pages import exceptions
from consigne.rules.clock import local_date
from consigne.rules.hold import Hold
from consigne.rules.request import run_of
from consigne.rules.values import Actor

from .desk_world import DeskWorld, Visitor
from .world import TEXT

WHY, LESS = "The caller disputes what was agreed.", "The sheet does not show it."
CARD = "4970 1000 0000 0006"
MONTH = timedelta(days=30)


@pytest.fixture
def kept(desk_world: DeskWorld) -> DeskWorld:
    """A call kept under training and quality, and another under training."""
    desk_world.world.deliver("both", purposes=["training", "quality"])
    desk_world.world.deliver("plain", ago=timedelta(days=3), seed=1)
    desk_world.world.ingest()
    return desk_world


def parts(desk: DeskWorld, id: str, purpose: str = "training") -> list[Any]:
    return [row for row in desk.world.artifacts(id) if row.purpose == purpose]


def form(*artifacts: Any, **changes: Any) -> dict[str, Any]:
    """What the form sends for artifacts, a month after the last one's due date."""
    until = local_date(max(row.due_at for row in artifacts) + MONTH, "Europe/Paris").isoformat()
    sent = {"until": until, "ground": "dispute", "reason": WHY, "why_not_less": LESS}
    return {"artifact": [str(row.id) for row in artifacts]} | sent | changes


def asking(*artifacts: Any) -> str:
    return "/exceptions/ask?" + "&".join(f"artifact={row.id}" for row in artifacts)


def filed(visitor: Visitor, *artifacts: Any, **changes: Any) -> str:
    answer = visitor.post("/exceptions/ask", **form(*artifacts, **changes))
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].rpartition("/")[2]


def digest_of(page: httpx.Response) -> str:
    return page.text.partition('name="digest" value="')[2][:64]


def sections(page: httpx.Response) -> dict[str, str]:
    """A page's sections by the id of their heading."""
    assert page.status_code == 200
    found = re.findall(r'<section aria-labelledby="([a-z-]+)">(.*?)</section>', page.text, re.DOTALL)
    return dict(found)


def test_a_request_for_a_selection_is_one_and_airflow_gets_its_run(kept: DeskWorld) -> None:
    trainer, chosen = kept.visit("trainer"), [*parts(kept, "both"), *parts(kept, "plain")]
    page = trainer.get(asking(*chosen)).text
    assert page.count('name="artifact" value="') == len(chosen) == 4
    assert all(name in page for name in ("both", "plain", "Audio, Transcript"))
    request = filed(trainer, *chosen)
    [row] = kept.world.rows(select(t.requests))
    assert (str(row.id), row.requester, row.reason, row.why_not_less) == (request, "trainer", WHY, LESS)
    assert {item.artifact for item in kept.world.rows(select(t.request_items))} == {
        each.id for each in chosen
    }
    [(_, path, body)] = kept.airflow
    assert path == "dags/decide_retention_exception/dagRuns"
    assert body["dag_run_id"] == run_of(UUID(request)) and body["conf"]["request_id"] == request


@pytest.mark.promise("P5")
def test_the_form_offers_what_the_clocks_and_the_policy_allow(kept: DeskWorld) -> None:
    both = kept.visit("b.durand", "trainer", "analyst")
    training, quality = parts(kept, "both"), parts(kept, "both", "quality")
    grounds = re.compile(r'<option value="(\w+)"')
    one, shared = both.get(asking(*training)).text, both.get(asking(*training, *quality)).text
    assert grounds.findall(one) == ["dispute", "teaching_case"]
    assert grounds.findall(shared) == ["dispute"]
    [(first, last)] = re.findall(r'type="date" value="" min="([-\d]+)" max="([-\d]+)"', shared)
    until = [local_date(row.due_at, "Europe/Paris") for row in (*training, *quality)]
    assert first == (max(until) + timedelta(days=1)).isoformat()
    for day, status in ((first, 303), (last, 303)):
        sent = both.post("/exceptions/ask", **form(*(training if day == first else quality), until=day))
        assert sent.status_code == status, sent.text


def test_where_epochs_are_minutes_the_form_asks_for_a_minute(kept: DeskWorld) -> None:
    kept.world.deliver_trial("trial")
    kept.world.ingest()
    trainer, [audio, transcript] = kept.visit("trainer"), parts(kept, "trial", "trial")
    bounds = re.compile(r'type="datetime-local" value="" min="([-\dT:]+)" max="([-\dT:]+)" required step="1"')
    for artifact, which in ((audio, 0), (transcript, 1)):
        [found] = bounds.findall(trainer.get(asking(artifact)).text)
        filed(trainer, artifact, until=found[which])
    together = trainer.get(asking(*parts(kept, "plain"), audio)).text
    assert "asked for already" in together and 'type="date"' in together


@pytest.mark.parametrize(
    ("changes", "field", "status"),
    [
        ({"ground": ""}, "ground", 400),
        ({"ground": "because"}, "ground", 409),
        ({"reason": " "}, "reason", 400),
        ({"reason": f"He read {CARD}."}, "reason", 400),
        ({"why_not_less": f"He read {CARD}."}, "why_not_less", 400),
        ({"reason": "x" * 2001}, "reason", 400),
        ({"why_not_less": "a \u202e b"}, "why_not_less", 400),
        ({"until": "soon"}, "until", 400),
        ({"until": "2099-01-01"}, "until", 409),
        ({"until": "2026-01-01"}, "until", 409),
    ],
)
def test_what_cannot_be_filed_names_the_field_and_keeps_what_was_typed(
    kept: DeskWorld, changes: dict[str, str], field: str, status: int
) -> None:
    trainer, chosen = kept.visit("trainer"), parts(kept, "plain")
    answer = trainer.post("/exceptions/ask", **form(*chosen, **changes))
    assert answer.status_code == status
    assert f'id="{field}-error"' in answer.text and answer.text.count('aria-invalid="true"') == 1
    assert WHY in answer.text or field == "reason"
    assert LESS in answer.text or field == "why_not_less"
    assert kept.world.rows(select(t.requests)) == [] and kept.airflow == []
    assert CARD not in str(kept.world.register())


@pytest.mark.promise("P5")
@pytest.mark.parametrize("user", ["dpo", "auditor", "ops", "adviser", "analyst"])
def test_who_has_no_part_in_a_purpose_neither_sees_nor_asks(kept: DeskWorld, user: str) -> None:
    visitor, [audio, *_] = kept.visit(user), parts(kept, "both")
    for artifacts in ([audio], [audio, *parts(kept, "both", "quality")]):
        page = visitor.get(asking(*artifacts))
        assert page.status_code == 403 and "both" not in page.text
        answer = visitor.post("/exceptions/ask", **form(*artifacts))
        assert answer.status_code == 403 and "both" not in answer.text
    denied = kept.world.register("decide:request:denied")
    assert [(entry["actor"], entry["code"]) for entry in denied] == [(user, "not_a_listener")] * 2
    assert kept.world.rows(select(t.requests)) == []


@pytest.mark.parametrize(
    ("query", "status"),
    [("", 400), ("?artifact=", 400), ("?artifact=x", 400), (f"?artifact={UUID(int=1)}", 404)],
)
def test_what_is_not_there_cannot_be_asked_for(kept: DeskWorld, query: str, status: int) -> None:
    answer = kept.visit("trainer").get(f"/exceptions/ask{query}")
    assert answer.status_code == status and "No known part of a recording was named" in answer.text


def test_an_empty_form_is_answered_field_by_field_in_its_order(kept: DeskWorld) -> None:
    trainer, sent = kept.visit("trainer"), form(*parts(kept, "plain"))
    fields = ("ground", "reason", "until")
    empty = sent | dict.fromkeys(fields, "")
    for field in fields:
        answer = trainer.post("/exceptions/ask", **empty)
        assert answer.status_code == 400
        assert [one for one in fields if f'id="{one}-error"' in answer.text] == [field]
        empty[field] = sent[field]
    assert trainer.post("/exceptions/ask", **empty).status_code == 303


@pytest.mark.parametrize(
    ("field", "typed", "told"),
    [
        ("reason", "x" * 100_000, "the necessity is too long"),
        ("why_not_less", "x" * 2001, "“why less will not do” is too long"),
        ("reason", "a \u202e b", "the necessity holds signs"),
    ],
)
def test_what_was_typed_is_told_why_it_cannot_be_kept(
    kept: DeskWorld, field: str, typed: str, told: str
) -> None:
    answer = kept.visit("trainer").post("/exceptions/ask", **form(*parts(kept, "plain"), **{field: typed}))
    assert answer.status_code == 400 and told in answer.text


@pytest.mark.promise("P5")
def test_what_waits_already_or_is_past_due_is_left_out(kept: DeskWorld) -> None:
    kept.world.deliver_trial("trial")
    kept.world.ingest()
    trainer = kept.visit("trainer")
    [audio, transcript], trial = parts(kept, "both"), parts(kept, "trial", "trial")
    filed(trainer, audio)
    kept.world.pass_time(timedelta(minutes=6))
    page = trainer.get(asking(audio, transcript, *trial)).text
    assert page.count('name="artifact" value="') == 1 and f'value="{transcript.id}"' in page
    assert "asked for already" in page and "past due" in page
    assert trainer.get(asking(audio)).text.count("<form class=") == 0
    again = trainer.post("/exceptions/ask", **form(audio))
    assert again.status_code == 409 and "waits already" in again.text


def test_everybody_sees_their_own_requests_the_dpo_and_the_auditor_all(kept: DeskWorld) -> None:
    by_trainer = filed(kept.visit("trainer"), *parts(kept, "plain"))
    by_analyst = filed(kept.visit("analyst"), *parts(kept, "both", "quality"))
    seen = {
        user: {id for id in (by_trainer, by_analyst) if id[:8] in kept.visit(user).get("/exceptions").text}
        for user in ("dpo", "dpo2", "auditor", "trainer", "analyst", "ops", "adviser")
    }
    everything = {by_trainer, by_analyst}
    assert seen == {
        "dpo": everything, "dpo2": everything, "auditor": everything, "trainer": {by_trainer},
        "analyst": {by_analyst}, "ops": set(), "adviser": set(),
    }  # fmt: skip
    audited = kept.visit("auditor").get("/exceptions").text
    assert WHY in audited and "<textarea" not in audited and "/decide/" not in audited
    assert f"/decide/{by_trainer}" in kept.visit("trainer").get("/exceptions").text
    assert f"/decide/{by_trainer}" in kept.visit("dpo").get("/exceptions").text


@pytest.mark.promise("P5")
def test_the_list_shows_what_waits_first_and_what_became_of_the_rest(
    kept: DeskWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer, dpo = kept.visit("trainer"), kept.visit("dpo")
    lapsed = filed(trainer, parts(kept, "plain")[0])
    kept.world.pass_time(timedelta(days=4))
    refused, waits = filed(trainer, parts(kept, "plain")[1]), filed(trainer, parts(kept, "both")[0])
    page = dpo.get(f"/decide/{refused}")
    dpo.post(f"/decide/{refused}", digest=digest_of(page), answer="refuse", reason="A sheet will do.")
    kept.world.pass_time(timedelta(days=6))  # nobody swept: it lapsed all the same

    def order(query: str) -> list[str]:
        text = kept.visit("auditor").get(f"/exceptions{query}").text
        at = {id: text.find(id[:8]) for id in (lapsed, refused, waits)}
        return sorted((id for id, place in at.items() if place >= 0), key=at.__getitem__)

    assert order("")[0] == waits and set(order("")) == {lapsed, refused, waits}
    assert (order("?state=pending"), order("?state=decided"), order("?state=lapsed")) == (
        [waits],
        [refused],
        [lapsed],
    )
    assert "A sheet will do." in kept.visit("auditor").get("/exceptions?state=decided").text
    assert dpo.get("/exceptions?state=other").status_code == 400
    monkeypatch.setattr(exceptions, "SHOWN", 2)
    assert (len(order("")), len(order("?page=2")), order("?page=3")) == (2, 1, [])
    assert set(order("")) | set(order("?page=2")) == {lapsed, refused, waits}


@pytest.mark.promise("P5")
def test_what_is_destroyed_first_in_silence_stands_first(kept: DeskWorld) -> None:
    kept.world.deliver_trial("trial")
    kept.world.ingest()
    trainer, dpo = kept.visit("trainer"), kept.visit("dpo", language="fr")
    later = filed(trainer, *parts(kept, "both"))
    sooner = filed(
        trainer, *parts(kept, "trial", "trial"), until=(kept.world.now() + timedelta(days=3)).isoformat()
    )
    text = sections(dpo.get("/"))["to-decide"]
    assert 0 < text.find(f"/decide/{sooner}") < text.find(f"/decide/{later}")
    assert "refusé, et détruit aussitôt" in text and "détruit à l’échéance" in text


@pytest.mark.promise("P5")
def test_attempts_by_others_are_told_to_the_dpo_and_to_nobody_else(kept: DeskWorld) -> None:
    request = filed(kept.visit("trainer"), *parts(kept, "plain"))
    assert kept.visit("analyst").get(f"/decide/{request}").status_code == 403
    ops = kept.visit("ops").post(f"/decide/{request}", digest="0" * 64, answer="extend", reason="mine")
    assert ops.status_code == 403
    told = sections(kept.visit("dpo").get("/"))["attempts"]
    assert "analyst" in told and "ops" in told and f"/decide/{request}" in told
    assert all(
        "attempts" not in sections(kept.visit(user).get("/"))
        for user in ("dpo2", "auditor", "trainer", "ops")
    )
    kept.world.pass_time(timedelta(days=31))
    assert "analyst" not in sections(kept.visit("dpo").get("/"))["attempts"]


def test_holds_to_review_and_drafts_wait_for_the_dpo_alone(kept: DeskWorld) -> None:
    [audio, *_] = parts(kept, "plain")
    dpo = Actor("dpo", frozenset({"dpo"}))
    held: list[Hold] = []
    for days in (29, 60):
        review = local_date(kept.world.now() + timedelta(days=days), "Europe/Paris")
        wanted = Mandate(f"2026/{days}", "Parquet de Paris", WHY, review, recording=audio.recording)
        placed = place_hold(kept.world.platform, kept.world.policy, dpo, wanted)
        assert isinstance(placed, Hold)
        held.append(placed)
    text = TEXT.replace('version: "2026-01-demo"', 'version: "2026-02-demo"').replace(
        "Exemple SA", "Exemple SAS"
    )
    sent = kept.visit("ops").post("/policy/draft", text=text, reason="A new name.")
    assert sent.status_code == 303, sent.text
    shown = sections(kept.visit("dpo").get("/"))
    assert "2026/29" in shown["to-review"] and f"/holds/{held[0].id}" in shown["to-review"]
    assert "2026/60" not in shown["to-review"]
    assert "2026-02-demo" in shown["to-visa"] and "/policy/drafts/" in shown["to-visa"]
    for user in ("dpo2", "auditor", "ops", "trainer"):
        assert not {"to-review", "to-visa"} & sections(kept.visit(user).get("/")).keys()


@pytest.mark.promise("P5")
def test_where_the_owner_is_asked_the_dpo_comes_after_them(kept: DeskWorld) -> None:
    """From "ask" to "extended" with both stages, each person on their own pages."""
    kept.put_in_force((r"approval: \[dpo\]", "approval: [owner, dpo]"))
    asker, owner, dpo = kept.visit("b.durand", "trainer"), kept.visit("trainer"), kept.visit("dpo")
    [audio, *_] = chosen = parts(kept, "plain")
    request = filed(asker, *chosen)
    assert f"/decide/{request}" in sections(owner.get("/"))["to-state"]
    assert f"/decide/{request}" in sections(dpo.get("/"))["early"]
    assert f"/decide/{request}" not in sections(dpo.get("/"))["to-decide"]
    assert "to-state" not in sections(asker.get("/"))
    page = dpo.get(f"/decide/{request}")
    early = dpo.post(
        f"/decide/{request}", digest=digest_of(page), answer="extend", until="", reason="Too early."
    )
    assert early.status_code in (409, 400, 403)
    page = owner.get(f"/decide/{request}")
    assert WHY in page.text and LESS in page.text
    said = owner.post(
        f"/decide/{request}", digest=digest_of(page), answer="necessary", reason="Needed for the case."
    )
    assert said.status_code == 303, said.text
    assert f"/decide/{request}" not in sections(owner.get("/")).get("to-state", "")
    assert f"/decide/{request}" in sections(dpo.get("/"))["to-decide"]
    page = dpo.get(f"/decide/{request}")
    assert "Needed for the case." in page.text
    until = re.findall(r'name="until" type="date" value="([-\d]+)"', page.text)[0]
    sent = {"digest": digest_of(page), "answer": "extend", "until": until, "reason": "Proportionate."}
    assert owner.post(f"/decide/{request}", **sent).status_code in (403, 409)
    assert dpo.post(f"/decide/{request}", **sent).status_code == 303
    [decision] = kept.world.rows(select(t.decisions))
    assert (str(decision.request), decision.answer, decision.decided_by) == (request, "extend", "dpo")
    assert (
        kept.world.rows(select(t.artifacts.c.due_at).where(t.artifacts.c.id == audio.id))[0].due_at
        == audio.due_at
    )
