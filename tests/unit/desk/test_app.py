"""The desk's outer skin: headers, sign-in, forged forms, faults that show nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from airflow.api_fastapi.auth.managers.base_auth_manager import COOKIE_NAME_JWT_TOKEN
from fastapi import FastAPI, Request
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from consigne.doors.desk import session
from consigne.doors.desk.app import Desk, make_desk
from consigne.rules.errors import Misconfigured, Unavailable
from consigne.rules.values import Actor

PLANTED = "4970 1000 0000 0006"
DECIDE = f"/consigne/decide/{UUID(int=1)}"
PAGES = ["/consigne/", DECIDE]
HEADERS = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
}


@pytest.fixture(autouse=True)
def secret_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__API__SECRET_KEY", "a key of this test")


class Broken:
    """Parts of which none can be opened."""

    def __init__(self, fault: Exception) -> None:
        self.fault = fault

    def __call__(self, role: str) -> Any:
        raise self.fault


def client_of(platform: Callable[[str], Any], user: str | None = None, **headers: str) -> TestClient:
    desk = make_desk(platform, lambda: "the sealer's secret")
    if user:
        sign_in(desk, user)
    outer = FastAPI()
    outer.mount("/consigne", desk)
    return TestClient(outer, raise_server_exceptions=False, follow_redirects=False, headers=headers)


def sign_in(desk: Desk, user: str) -> None:
    def reader(request: Request) -> session.Reader:
        request.state.reader = session.Reader(None, Actor(user, frozenset({user})))  # type: ignore[arg-type]
        return request.state.reader  # type: ignore[no-any-return]

    desk.dependency_overrides[session.page_reader] = reader
    desk.dependency_overrides[session.api_reader] = reader


AWAY = Broken(Unavailable("catalog", "psycopg", PLANTED))
EVERY_PAGE = sorted(
    "/consigne"
    + re.sub(r"{\w+}", str(UUID(int=1)), route.path.replace("{kind}", "json").replace("{number}", "1"))
    for route in make_desk(AWAY, str).routes
    if isinstance(route, APIRoute)
    and "GET" in route.methods
    and not route.path.startswith(("/api/", "/health/", "/metrics"))
)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/consigne/", 303),
        ("GET", "/consigne/nothing", 404),
        ("PUT", "/consigne/", 405),
        ("GET", "/consigne/static/desk.css", 200),
        ("GET", "/consigne/static/../app.py", 404),
        ("GET", "/consigne/api/me", 401),
        ("POST", "/consigne/internal/sweep", 403),
        ("GET", "/consigne/docs", 404),
        ("GET", "/consigne/openapi.json", 404),
    ],
)
def test_every_answer_carries_the_headers(method: str, path: str, status: int) -> None:
    answer = client_of(AWAY).request(method, path)
    assert answer.status_code == status
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "frame-ancestors 'self'" in policy and "unsafe" not in policy and "script-src" not in policy


def test_pages_send_to_airflows_sign_in_and_back() -> None:
    answer = client_of(AWAY).get(DECIDE)
    assert answer.headers["location"] == f"/auth/login/?next={DECIDE}"


@pytest.mark.parametrize("path", ["/consigne/api/me", f"/consigne/api/artifacts/{UUID(int=1)}/export"])
def test_the_api_takes_no_cookie(path: str) -> None:
    client = client_of(AWAY)
    client.cookies.set(COOKIE_NAME_JWT_TOKEN, "whatever")
    answer = client.get(path) if path.endswith("me") else client.post(path, json={"reason": "coaching"})
    assert (answer.status_code, answer.json()) == (401, {"code": "not_signed_in"})


def test_the_pages_are_all_found() -> None:
    assert len(EVERY_PAGE) > 15 and set(PAGES) <= set(EVERY_PAGE)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_what_cannot_be_read_is_unavailable_and_not_empty(language: str) -> None:
    client = client_of(AWAY, "dpo", **{"accept-language": language})
    for path in EVERY_PAGE:
        asked = {"artifact": str(UUID(int=1))} if path.endswith("/ask") else {}
        answer = client.get(path, params=asked)
        assert answer.status_code == 503, path
        assert {"fr": "Indisponible", "en": "Unavailable"}[language] in answer.text
        assert f'<html lang="{language}">' in answer.text
        assert PLANTED not in answer.text


@pytest.mark.parametrize("fault", [ValueError(PLANTED), Misconfigured("x", PLANTED)])
@pytest.mark.parametrize("path", [*PAGES, "/consigne/api/me"])
def test_a_fault_of_ours_shows_no_data(path: str, fault: Exception) -> None:
    answer = client_of(Broken(fault), "dpo").get(path)
    assert answer.status_code == 500
    assert PLANTED not in answer.text and "Traceback" not in answer.text
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"artifacts": []},
        {"artifacts": [PLANTED], "until": "2027-01-01", "ground": "dispute", "reason": "x"},
        {
            "artifacts": [str(UUID(int=1))],
            "until": "2027-01-01",
            "ground": "dispute",
            "reason": "x",
            PLANTED: 1,
        },
    ],
)
def test_bad_input_names_the_field_and_quotes_nothing(sent: dict[str, Any]) -> None:
    answer = client_of(AWAY, "trainer").post("/consigne/api/requests", json=sent)
    assert answer.status_code == 400
    assert answer.json()["code"] == "bad_field"
    assert answer.json()["field"]
    assert PLANTED not in answer.text


FORM = {"digest": "0" * 64, "answer": "extend", "until": "2027-01-01", "reason": "why"}
HERE = "http://testserver"


def form_client(**headers: str) -> tuple[TestClient, str]:
    """A signed-in browser with its session's token."""
    client = client_of(AWAY, "dpo", **headers)
    client.cookies.set(COOKIE_NAME_JWT_TOKEN, "a session")
    page = client.get("/consigne/")
    return client, page.text.partition('name="token" value="')[2][:64]


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": HERE, "sec-fetch-site": "same-origin"},
        {"origin": HERE},
        {"sec-fetch-site": "same-origin"},
    ],
)
@pytest.mark.parametrize("path", [DECIDE, "/consigne/language"])
def test_a_form_sent_from_here_passes(path: str, headers: dict[str, str]) -> None:
    client, token = form_client(**headers)
    answer = client.post(path, data=FORM | {"token": token, "language": "en"})
    assert answer.status_code == (503 if path == DECIDE else 303)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "http://elsewhere.example", "sec-fetch-site": "cross-site"},
        {"origin": "http://elsewhere.example"},
        {"origin": "null"},
        {"origin": HERE, "sec-fetch-site": "same-site"},
        {"origin": HERE + ".example"},
    ],
)
@pytest.mark.parametrize("path", [DECIDE, "/consigne/language"])
def test_a_form_sent_from_elsewhere_is_refused(path: str, headers: dict[str, str]) -> None:
    client, token = form_client(**headers)
    answer = client.post(path, data=FORM | {"token": token, "language": "en"})
    assert answer.status_code == 403


@pytest.mark.parametrize("path", [DECIDE, "/consigne/language"])
def test_a_form_without_this_sessions_token_is_refused(path: str) -> None:
    client, token = form_client(origin=HERE)
    for forged in ("", "é", token[:-1] + ("0" if token[-1] != "0" else "1")):
        assert client.post(path, data=FORM | {"token": forged, "language": "en"}).status_code in (400, 403)
    client.cookies.set(COOKIE_NAME_JWT_TOKEN, "another session")
    assert client.post(path, data=FORM | {"token": token, "language": "en"}).status_code == 403


def test_the_language_is_kept_and_leads_back_into_the_desk() -> None:
    client, token = form_client(origin=HERE)
    for back, leads_to in (
        ("/", "/consigne/"),
        ("//elsewhere.example", None),
        ("https://elsewhere.example", None),
    ):
        sent = {"token": token, "language": "en", "back": back}
        answer = client.post("/consigne/language", data=sent)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/consigne/")
        assert leads_to in (None, answer.headers["location"])
    assert client.get("/consigne/").headers["content-language"] == "en"
    assert client.post("/consigne/language", data={"token": token, "language": "xx"}).status_code == 400


@pytest.mark.parametrize("secret", ["", "the sealer's secre", "the sealer's secret ", "é"])
def test_only_the_sealer_may_ask_for_a_sweep(secret: str) -> None:
    answer = client_of(AWAY).post("/consigne/internal/sweep", headers={"X-Consigne-Sweep": secret.encode()})
    assert answer.status_code == 403
