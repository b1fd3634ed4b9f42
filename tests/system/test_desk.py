"""The desk as people meet it: in Chromium and through the command line, on the running platform."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import soundfile
from playwright.sync_api import Browser, Page

from consigne.doors.settings import ACCOUNTS
from system.browsing import PATIENCE_S, WHY, Desk


@pytest.fixture(scope="module")
def asked(desk: Desk) -> Iterator[dict[str, Any]]:
    """A request that waits, for those who only look at it; refused in the end, so that others may ask again."""
    filed = desk.ask(desk.artifacts("training")[0])
    yield filed
    desk.send_form("dpo", filed["id"], answer="refuse", reason="End of the tests.")


@pytest.mark.browser
def test_the_desk_asks_for_airflows_sign_in_and_opens_after_it(desk: Desk, browser: Browser) -> None:
    with browser.new_context(locale="en-GB") as context:
        context.set_default_timeout(PATIENCE_S * 1000)
        page = context.new_page()
        page.goto(f"{desk.settings.airflow_url}/consigne/")
        page.fill("input[name=username]", "dpo")
        page.fill("input[name=password]", desk.settings.account_password("dpo"))
        page.press("input[name=password]", "Enter")
        page.wait_for_url(f"{desk.settings.airflow_url}/consigne/")
        assert page.inner_text("h1") == "Waiting for me"
        assert "Signed in as dpo" in page.inner_text("header")


@pytest.mark.browser
@pytest.mark.promise("P5")
def test_sent_twice_it_counts_once_and_a_later_answer_is_refused(
    desk: Desk, sign_in: Callable[..., Page]
) -> None:
    artifact = desk.artifacts("training")[-1]
    filed = desk.ask(artifact)
    path = f"/consigne/decide/{filed['id']}"
    first, second = sign_in("dpo", path, locale="en-GB"), sign_in("dpo", path, locale="en-GB")
    for page, answer in ((first, "Refuse"), (second, "Extend")):
        page.get_by_role("radio", name=answer, exact=False).nth(0).check()
        page.fill("#reason", "Less will do.")
        page.get_by_role("button", name="Record the decision").click()
    assert "Refuse, by dpo" in first.inner_text("#outcome + p")
    assert "a decision exists already" in second.inner_text("#trouble")
    assert "Refuse, by dpo" in second.inner_text("#outcome + p")
    decided = [each for each in desk.history(filed["id"]) if each["kind"] == "decide:request:decided"]
    assert [each["outcome"] for each in decided] == ["refuse"]


@pytest.mark.browser
@pytest.mark.promise("P5")
@pytest.mark.parametrize("user", [user for user in ACCOUNTS if user not in ("dpo", "trainer")])
def test_others_are_shown_nothing_and_their_attempt_is_registered(
    desk: Desk, sign_in: Callable[..., Page], asked: dict[str, Any], user: str
) -> None:
    page = sign_in(user, f"/consigne/decide/{asked['id']}")
    assert page.inner_text("h1") == "Accès refusé"
    assert WHY not in page.content()
    tried = [
        each["actor"] for each in desk.history(asked["id"]) if each["kind"] == "decide:request:look_denied"
    ]
    assert user in tried
    page.goto(f"{desk.settings.airflow_url}/consigne/")
    assert page.get_by_role("link", name="Examiner et décider").count() == 0
    assert (WHY in page.content()) is False


@pytest.mark.promise("P5")
@pytest.mark.parametrize("user", ["trainer", "ops"])
def test_a_form_that_others_make_up_is_not_taken(desk: Desk, asked: dict[str, Any], user: str) -> None:
    """What the DPO's page would send, with the session and the token of somebody else."""
    sent = desk.send_form(user, asked["id"], answer="extend", until="2030-01-01", reason="mine")
    assert sent.status_code == 403
    denied = [each for each in desk.history(asked["id"]) if each["kind"] == "decide:request:answer_denied"]
    assert denied[-1]["actor"] == user


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_pages_fit_and_break_no_rule_of_their_own(
    desk: Desk, sign_in: Callable[..., Page], asked: dict[str, Any], scheme: str, width: int
) -> None:
    page = sign_in("dpo", color_scheme=scheme, viewport={"width": width, "height": 800})
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    for language, title in (("en", "Keep it longer?"), ("fr", "Conserver plus longtemps ?")):
        page.locator(f"button[value={language}]").click()
        page.goto(f"{desk.settings.airflow_url}/consigne/decide/{asked['id']}")
        assert page.inner_text("h1") == title
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, re.findall(r"\d+", ground)[:3])) > 380) == (scheme == "light")
        unlabelled = page.locator("input:not([type=hidden]), textarea, select").evaluate_all(
            "fields => fields.filter(field => !field.labels || !field.labels.length).length"
        )
        assert unlabelled == 0
    assert said == []


@pytest.mark.browser
def test_it_stands_in_airflows_navigation(desk: Desk, sign_in: Callable[..., Page]) -> None:
    page = sign_in("auditor", "/")
    page.get_by_role("link", name="Consigne").first.click()
    frame = page.frame_locator("iframe")
    assert frame.locator("h1").inner_text() == "En attente de moi"


@pytest.mark.promise("P4")
def test_an_export_is_silent_where_it_was_masked(desk: Desk, tmp_path: Path) -> None:
    [chosen, *_] = [
        one for one in desk.artifacts("training") if any(m["kind"] == "card" for m in one["masked"])
    ]
    done = desk.run(
        "trainer", "export", chosen["id"], "--reason", "coaching", "--out", str(tmp_path / "a"), "--json"
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600
    content = (tmp_path / "a").read_bytes()
    samples, rate_hz = soundfile.read(io.BytesIO(content), dtype="int16", always_2d=True)
    media_type = {b"fLaC": "audio/flac", b"OggS": "audio/ogg"}[content[:4]]
    assert json.loads(done.stdout)["media_type"] == media_type
    for masked in chosen["masked"]:
        inside = samples[masked["start_ms"] * rate_hz // 1000 : masked["end_ms"] * rate_hz // 1000]
        assert len(inside) and not inside.any()
    entry = desk.history(chosen["id"])[-1]
    assert (entry["kind"], entry["actor"], entry["reason"]) == (
        "listen:artifact:offered",
        "trainer",
        "coaching",
    )


@pytest.mark.promise("P4")
@pytest.mark.parametrize(
    ("user", "reason", "code"),
    [
        ("ops", "coaching", "not_a_listener"),
        ("dpo", "coaching", "not_a_listener"),
        ("trainer", "curiosity", "reason_not_allowed"),
    ],
)
def test_an_export_that_is_denied_is_in_the_register(
    desk: Desk, tmp_path: Path, user: str, reason: str, code: str
) -> None:
    artifact, out = desk.artifacts("training")[0]["id"], tmp_path / "a"
    done = desk.run(user, "export", artifact, "--reason", reason, "--out", str(out))
    assert (done.returncode, done.stderr.strip()) == (4, f"denied: {code}")
    assert not out.exists()
    entry = desk.history(artifact)[-1]
    assert (entry["kind"], entry["actor"], entry["code"]) == ("listen:artifact:denied", user, code)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"--ground": "because"}, "ground_not_listed: ground"),
        ({"--until": "2099-01-01"}, "past_cap: until"),
        ({"--until": "soon"}, "bad_field: until"),
        ({"--reason": " "}, "bad_field: reason"),
    ],
)
def test_a_request_that_cannot_be_names_the_field(desk: Desk, change: dict[str, str], line: str) -> None:
    artifact = desk.artifacts("training")[0]
    args = {"--until": "2027-12-31", "--ground": "dispute", "--reason": WHY} | change
    done = desk.run(
        "trainer", "request-exception", artifact["id"], *(word for pair in args.items() for word in pair)
    )
    assert (done.returncode, line in done.stderr) == (2, True), done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_command_that_needs_a_person_is_refused_without_one(desk: Desk, tmp_path: Path) -> None:
    done = desk.up.consigne("export", str(UUID(int=1)), "--reason", "coaching", "--out", str(tmp_path / "a"))
    assert done.returncode == 2 and "--as" in done.stderr


@pytest.mark.promise("P4")
def test_the_api_serves_no_cookie_and_no_stranger(desk: Desk) -> None:
    with httpx.Client(base_url=desk.settings.airflow_url, trust_env=False) as client:
        token = desk.token("trainer")
        path = f"/consigne/api/artifacts/{desk.artifacts('training')[0]['id']}/export"
        body = {"reason": "coaching"}
        assert client.post(path, json=body).status_code == 401
        assert client.post(path, json=body, cookies={"_token": token}).status_code == 401
        assert client.post(path, json=body, headers={"Authorization": "Bearer x.y.z"}).status_code == 401
        served = client.post(path, json=body, headers={"Authorization": f"Bearer {token}"})
        assert served.status_code == 200 and served.headers["cache-control"] == "no-store"
