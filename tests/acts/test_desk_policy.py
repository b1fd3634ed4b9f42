"""The policy's pages: read by all, drafted by some, visaed by the DPO alone."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from consigne.acts.reclock import reclock
from consigne.adapters.catalog.tables_decided import policy_drafts as drafts
from consigne.doors.settings import ACCOUNTS
from consigne.rules.policy.draft import Draft

from .desk_world import DeskWorld, Visitor
from .test_policy import SIX, WHY, code, cut, drafted, in_force, keep, settle, version, visa
from .world import TEXT

NARROW = (SIX, "retention: P1M, cap: P2M"), (r"listeners: \{trainer: \[coaching, appraisal\]\}", "listeners: {trainer: [coaching], analyst: [calibration]}")  # fmt: skip

# Its sound alone.
TRAINING = (r"(?ms)(^  training:\n.*?retention: )P6M, cap: P12M", r"\1P1M, cap: P2M")


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of the form of a draft's page."""
    return dict(re.findall(r'name="(digest|against)" value="([0-9a-f]{64})"', page))


def file(visitor: Visitor, text: str, reason: str = WHY, **fields: str) -> str:
    """A draft filed on the desk; the path of its page."""
    done = visitor.post("/policy/draft", text=text, reason=reason, **fields)
    assert done.status_code == 303, done.text[-3000:]
    return str(done.headers["location"]).removeprefix("/consigne")


@pytest.mark.parametrize("user", ACCOUNTS)
def test_everybody_reads_what_is_in_force(desk_world: DeskWorld, user: str) -> None:
    page = desk_world.visit(user).get("/policy")
    assert page.status_code == 200
    for said in (
        "2026-01-demo",
        "6 months",
        "coaching",
        "dispute",
        "Exemple SA",
        "database: 7 days, keyring: 7 days",
    ):
        assert said in page.text
    digest = desk_world.world.policy.digest
    assert desk_world.visit(user).get(f"/policy/versions/{digest}").status_code == 200
    text = desk_world.visit(user).get(f"/policy/versions/{digest}/text")
    assert (text.text, text.headers["content-type"]) == (TEXT, "text/plain; charset=utf-8")
    assert desk_world.visit(user).get(f"/policy/versions/{'0' * 64}").status_code == 404


@pytest.mark.promise("P5")
def test_from_a_draft_by_ops_to_its_visa_by_the_dpo(desk_world: DeskWorld) -> None:
    world = desk_world.world
    keep(world, 60)
    ops, dpo = desk_world.visit("ops"), desk_world.visit("dpo", language="fr")
    assert TEXT.splitlines()[12] in ops.get("/policy/draft").text.replace("&#34;", '"')
    path = file(ops, version(*NARROW).replace("\n", "\r\n"))
    id = path.rpartition("/")[2]
    [(method, started, sent)] = desk_world.airflow
    assert (method, started) == ("POST", "dags/change_policy/dagRuns")
    assert sent["dag_run_id"] == f"draft__{id}" and sent["conf"]["draft_id"] == id

    shown = ops.get(path)
    assert shown.status_code == 200 and "Give the visa" not in shown.text
    page = dpo.get(path).text
    for said in ("ops", WHY, "Viser", "6 mois", "1 mois", "Détruits aussitôt", "étalonnage", "2026-01-demo"):
        assert said in page
    assert "<ins>" in page and "Élément" in page
    before = in_force(world)
    assert dpo.post(path, **hidden(page), answer="visa", reason="").status_code == 400
    assert dpo.post(path, **hidden(page), answer="perhaps", reason=WHY).status_code == 400
    assert in_force(world) == before
    done = dpo.post(path, **hidden(page), answer="visa", reason="Moins suffit.")
    assert done.status_code == 303
    assert in_force(world) == hidden(page)["digest"]
    after = dpo.get(path).text
    assert "Visé, par dpo" in after and "Moins suffit." in after and 'name="answer"' not in after
    assert "2026-02" in desk_world.visit("adviser").get("/policy").text


@pytest.mark.promise("P5")
@pytest.mark.parametrize("user", ["ops", "analyst", "trainer", "auditor", "dpo2"])
def test_others_see_a_draft_and_give_no_visa(desk_world: DeskWorld, user: str) -> None:
    draft = drafted(desk_world.world, cut())
    visitor = desk_world.visit(user)
    page = visitor.get(f"/policy/drafts/{draft.id}")
    assert page.status_code == 200 and hidden(page.text) == {}
    sent = {"digest": draft.digest, "against": in_force(desk_world.world), "answer": "visa", "reason": WHY}
    assert visitor.post(f"/policy/drafts/{draft.id}", **sent).status_code == 403
    assert desk_world.world.register("configure:policy:visa_denied")[-1]["actor"] == user
    assert in_force(desk_world.world) == desk_world.world.policy.digest


@pytest.mark.promise("P5")
@pytest.mark.parametrize("left_out", ["answer", "digest", "against", "reason"])
def test_a_visa_form_with_a_field_left_out_is_refused_like_a_whole_one(
    desk_world: DeskWorld, left_out: str
) -> None:
    draft = drafted(desk_world.world, cut())
    sent = {"digest": draft.digest, "against": in_force(desk_world.world), "answer": "visa", "reason": WHY}
    del sent[left_out]
    assert desk_world.visit("ops").post(f"/policy/drafts/{draft.id}", **sent).status_code == 403
    told = [(one["actor"], one["code"]) for one in desk_world.world.register("configure:policy:visa_denied")]
    assert told == [("ops", "role_missing")]


@pytest.mark.parametrize(
    ("reason", "said"), [("x" * 100_000, "too long"), ("a \u202e b", "signs that cannot be kept")]
)
def test_a_reason_for_a_visa_is_told_why_it_cannot_be_kept(
    desk_world: DeskWorld, reason: str, said: str
) -> None:
    draft = drafted(desk_world.world, cut())
    dpo, path = desk_world.visit("dpo"), f"/policy/drafts/{draft.id}"
    refused = dpo.post(path, **hidden(dpo.get(path).text), answer="visa", reason=reason)
    assert refused.status_code == 400 and said in refused.text


def test_after_a_visa_the_pages_say_when_what_is_kept_was_brought_under_it(desk_world: DeskWorld) -> None:
    world = desk_world.world
    keep(world, 10)
    draft = drafted(world, cut())
    dpo, pages = desk_world.visit("dpo"), ("/policy", f"/policy/drafts/{draft.id}")
    assert "being applied to what is kept" not in dpo.get(pages[1]).text
    assert isinstance(visa(world, draft), Draft)
    for path in pages:
        assert "being applied to what is kept: a few minutes" in dpo.get(path).text
    settle(world)
    reclock(world.platform)
    for path in (*pages, f"/policy/versions/{draft.digest}"):
        page = dpo.get(path).text
        assert "applied to what is kept on" in page and "being applied" not in page


def test_an_impact_shows_what_changes_and_folds_the_rest(desk_world: DeskWorld) -> None:
    keep(desk_world.world, 60)
    draft = drafted(desk_world.world, version(TRAINING))
    page = desk_world.visit("dpo").get(f"/policy/drafts/{draft.id}").text
    changing, _, rest = page.partition('id="impact"')[2].partition("<details>")
    folded = rest.partition("</details>")[0]
    assert "Lines without a change" in folded
    for body, moves in ((changing, True), (folded, False)):
        rows = re.findall(r"<tr><td>.*?</tr>", body)
        counts = [list(map(int, re.findall(r'<td class="num">(\d+)</td>', row))) for row in rows]
        assert counts and all((row[0] + row[1] + row[3] > 0) is moves for row in counts)


@pytest.mark.parametrize("user", ["adviser"])
def test_an_adviser_sees_no_draft(desk_world: DeskWorld, user: str) -> None:
    draft = drafted(desk_world.world, cut())
    visitor = desk_world.visit(user)
    for path in (f"/policy/drafts/{draft.id}", f"/policy/drafts/{draft.id}/text", "/policy/draft"):
        assert visitor.get(path).status_code == 403
    assert str(draft.id) not in visitor.get("/policy").text
    assert visitor.post("/policy/draft", text=cut(), reason=WHY).status_code == 403
    assert [told["actor"] for told in desk_world.world.register("configure:policy:draft_denied")] == [user]
    assert visitor.call("POST", "/api/policy/drafts", {"text": cut(), "reason": WHY}).status_code == 403


def test_a_draft_is_checked_by_line_and_what_was_typed_is_kept(desk_world: DeskWorld) -> None:
    trainer = desk_world.visit("trainer")
    broken = cut("retention: P3M, cap: P2M")
    for sent in ({"reason": WHY}, {"reason": "", "only_check": "yes"}):
        page = trainer.post("/policy/draft", text=broken, **sent)
        assert page.status_code == (200 if "only_check" in sent else 400)
        assert "longer than the cap" in page.text and "retention: P3M" in page.text
    page = trainer.post("/policy/draft", text=cut(), reason="", only_check="yes")
    assert (page.status_code == 200 and "Destroyed at once" in page.text) or "Nothing is kept" in page.text
    assert trainer.post("/policy/draft", text=cut(), reason="").status_code == 400
    assert trainer.post("/policy/draft", text=TEXT, reason=WHY).status_code == 409
    assert desk_world.world.rows(select(drafts.c.id)) == []


def test_a_file_is_sent_in_place_of_the_text(desk_world: DeskWorld) -> None:
    ops = desk_world.visit("ops")
    sent = {"upload": ("policy.yaml", cut().encode(), "application/yaml")}
    done = ops.post("/policy/draft", files=sent, text=TEXT, reason=WHY)
    assert done.status_code == 303
    path = done.headers["location"].removeprefix("/consigne")
    assert desk_world.visit("auditor").get(f"{path}/text").text == cut()
    refused = ops.post("/policy/draft", files={"upload": ("p", b"\xff\xfe", "text/plain")}, reason=WHY)
    assert refused.status_code == 400


def test_the_api_files_a_draft_and_names_the_line_of_an_error(desk_world: DeskWorld) -> None:
    ops = desk_world.visit("ops")
    filed = ops.call("POST", "/api/policy/drafts", {"text": cut(), "reason": WHY})
    assert filed.status_code == 201 and filed.json()["url"].endswith(f"/policy/drafts/{filed.json()['id']}")
    wrong = ops.call("POST", "/api/policy/drafts", {"text": "version: [", "reason": WHY})
    assert (wrong.status_code, wrong.json()["code"]) == (400, "bad_yaml")
    assert wrong.json()["field"].startswith("line 1")
    again = ops.call("POST", "/api/policy/drafts", {"text": cut(), "reason": WHY})
    assert (again.status_code, again.json()) == (400, {"code": "already_drafted", "field": "text"})
    known = ops.call("POST", "/api/policy/drafts", {"text": TEXT, "reason": WHY})
    assert (known.status_code, known.json()) == (400, {"code": "known_version", "field": "version"})
    wordless = ops.call("POST", "/api/policy/drafts", {"text": "{[1]: 2}", "reason": WHY})
    assert (wordless.status_code, wordless.json()) == (400, {"code": "bad_key", "field": "line 1"})


def test_a_page_that_is_out_of_date_records_nothing(desk_world: DeskWorld) -> None:
    world = desk_world.world
    first, second = (
        drafted(world, cut()),
        drafted(world, version((SIX, "retention: P2M, cap: P3M"), name="2026-03")),
    )
    dpo = desk_world.visit("dpo")
    page = dpo.get(f"/policy/drafts/{second.id}").text
    assert isinstance(visa(world, first), Draft)
    sent = {"answer": "visa", "reason": WHY}
    refused = dpo.post(f"/policy/drafts/{second.id}", **hidden(page), **sent)
    assert (
        refused.status_code == 409
        and "another version has taken force" in refused.text
        and WHY in refused.text
    )
    assert in_force(world) == first.digest
    fresh = dpo.get(f"/policy/drafts/{second.id}").text
    assert dpo.post(f"/policy/drafts/{second.id}", **hidden(fresh), **sent).status_code == 303
    assert in_force(world) == second.digest
    assert code(visa(world, second, digest="0" * 64)) == "digest_differs"


@pytest.mark.promise("P4")
def test_an_impact_names_calls_only_to_who_may_see_them(desk_world: DeskWorld) -> None:
    """All are counted, and whoever drafts is shown the calls of their own purposes."""
    desk_world.world.deliver("pbx1-quality", purposes=["quality"])
    desk_world.world.deliver("pbx1-training", purposes=["training"], seed=1)
    desk_world.world.ingest()
    trainer, dpo = desk_world.visit("trainer"), desk_world.visit("dpo")
    checked = trainer.post("/policy/draft", text=cut(), reason=WHY, only_check="yes").text
    path = file(trainer, cut())
    for page in (checked, trainer.get(path).text):
        assert "pbx1-training" in page and "pbx1-quality" not in page
    assert all(call in dpo.get(path).text for call in ("pbx1-training", "pbx1-quality"))


@pytest.mark.promise("P6")
def test_a_draft_that_keeps_backups_longer_says_so(desk_world: DeskWorld) -> None:
    longer = version((r"backups: \{database: P7D, keyring: P7D\}", "backups: {database: P30D}"))
    page = desk_world.visit("dpo", language="fr").get(file(desk_world.visit("ops"), longer)).text
    for said in ("sauvegardes › base de données", "7 jours", "30 jours", "sauvegardes › trousseau"):
        assert said in page
