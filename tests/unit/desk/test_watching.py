"""What stands around Airflow's API: an attempt is registered before Airflow sees it, or Airflow never sees it."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import HTTPException

from consigne.doors.desk.plugin import Watching
from consigne.doors.orchestration import attempts, auth
from consigne.rules.errors import Unavailable

DAG = "/api/v2/dags/decide_retention_exception"
ID = "0cc5364e-6a82-445c-9879-c88bf9bd801d"


class Around:
    """An Airflow that keeps what reaches it, and a register that keeps what is noted, in one list."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seen: list[Any] = []
        self.status, self.register_is_away = 200, False
        monkeypatch.setattr(attempts, "_platform", lambda: SimpleNamespace(catalog=self))
        monkeypatch.setattr(attempts, "get_user", self._user)
        monkeypatch.setattr(attempts, "_nobody", attempts._Nobody())

    async def _user(self, request: Any, _: object, credentials: Any) -> Any:
        if credentials is None:
            raise HTTPException(401)
        return SimpleNamespace(username=credentials.credentials)

    @contextmanager
    def begin(self) -> Any:
        if self.register_is_away:
            raise Unavailable("catalog")
        yield None

    def known_cases(self, _: object, ids: list[Any]) -> list[Any]:
        return ids

    def append(self, _: object, actor: str, kind: str, entries: list[Any]) -> None:
        self.seen.append((kind.rpartition(":")[2], actor, entries[0]["what"], *entries[0]["subjects"]))

    async def airflow(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        self.seen.append(("airflow", scope["method"], body))
        if self.status == 0:
            raise RuntimeError
        await send({"type": "http.response.start", "status": self.status, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})

    def ask(self, method: str, path: str, user: str = "ops", root_path: str = "", **sent: Any) -> int:
        async def asked() -> int:
            transport = httpx.ASGITransport(
                Watching(self.airflow), raise_app_exceptions=False, root_path=root_path
            )
            headers = {"Authorization": f"Bearer {user}"} if user else {}
            async with httpx.AsyncClient(transport=transport, base_url="http://a", headers=headers) as client:
                return (await client.request(method, path, **sent)).status_code

        return asyncio.run(asked())


@pytest.fixture
def around(monkeypatch: pytest.MonkeyPatch) -> Around:
    return Around(monkeypatch)


@pytest.mark.promise("P5")
@pytest.mark.parametrize(
    ("status", "told"), [(200, "touched"), (403, "denied"), (404, "denied"), (500, "touched"), (0, "touched")]
)
def test_it_is_registered_before_and_after_and_passed_on_as_it_came(
    around: Around, status: int, told: str
) -> None:
    around.status = status
    path = f"{DAG}/dagRuns/request__{ID}"
    assert around.ask("PATCH", path, content=b'{"state": "failed"}') == (status or 500)
    assert around.seen == [
        ("tried", "ops", "run_state", ID),
        ("airflow", "PATCH", b'{"state": "failed"}'),
        (told, "ops", "run_state", ID),
    ]


@pytest.mark.promise("P5")
def test_where_it_cannot_be_registered_airflow_is_not_asked(around: Around) -> None:
    around.register_is_away = True
    assert around.ask("PATCH", DAG, json={"is_paused": True}) == 503
    assert around.seen == []
    assert around.ask("GET", DAG) == around.ask("PATCH", "/api/v2/dags/ingest_recordings") == 200


def test_a_body_past_its_limit_is_not_passed_on(around: Around) -> None:
    assert around.ask("POST", f"{DAG}/dagRuns", content=b"x" * (attempts.MOST_BODY_BYTES + 1)) == 413
    assert around.seen == []


def test_what_is_sent_in_pieces_is_one(around: Around) -> None:
    async def pieces() -> Any:
        for piece in (b'{"dry_run"', b": false}"):
            yield piece

    assert around.ask("POST", f"{DAG}/clearTaskInstances", content=pieces()) == 200
    assert [entry[0] for entry in around.seen] == ["tried", "airflow", "touched"]
    assert around.seen[1][2] == b'{"dry_run": false}'


def test_who_is_not_signed_in_cannot_fill_the_register(around: Around) -> None:
    around.status = 401
    for _ in range(5):
        assert around.ask("PATCH", DAG, user="") == 401
    assert [entry[:2] for entry in around.seen if entry[0] != "airflow"] == [
        ("tried", "nobody"), ("denied", "nobody"),
    ]  # fmt: skip


@pytest.mark.promise("P5")
@pytest.mark.parametrize(("root", "path"), [("/airflow", f"/airflow{DAG}"), ("/airflow", DAG), ("/a", DAG)])
def test_it_is_seen_wherever_airflow_is_mounted(around: Around, root: str, path: str) -> None:
    around.ask("PATCH", path, root_path=root)
    assert around.seen[0] == ("tried", "ops", "dag")


def test_what_the_desk_asks_in_somebodys_name_is_no_attempt(
    around: Around, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "get_auth_manager", lambda: SimpleNamespace(generate_jwt=lambda **_: "token"))
    monkeypatch.setattr(auth, "cached_app", lambda: Watching(around.airflow))

    async def start() -> int:
        async with auth.as_person(SimpleNamespace(id=1)) as airflow:  # type: ignore[arg-type]
            return (await airflow.post("/dags/decide_retention_exception/dagRuns", json={})).status_code

    assert asyncio.run(start()) == 200
    assert [entry[0] for entry in around.seen] == ["airflow"]
    assert around.ask("POST", f"{DAG}/dagRuns") == 200  # and the next one from outside is
    assert [entry[0] for entry in around.seen] == ["airflow", "tried", "airflow", "touched"]
