"""Tasks reach no more of Airflow's execution API than ours need."""

from __future__ import annotations

import asyncio
import json
from base64 import urlsafe_b64encode
from typing import Any
from uuid import UUID

import httpx
import pytest

from consigne.doors.desk.plugin import Watching
from consigne.doors.orchestration import task_guard
from consigne.rules.task_requests import Place

OWN = UUID("0cc5364e-6a82-445c-9879-c88bf9bd801d")
OTHER = UUID("aaaaaaaa-6a82-445c-9879-c88bf9bd801d")
PLACE = Place("ingest_recordings", "run-1", "validate_metadata")
XCOM = "/execution/xcoms/ingest_recordings/run-1/validate_metadata/return_value"


def token(**claims: object) -> str:
    body = urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"Bearer e30.{body}.signature"


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    def place(task: UUID) -> Place:
        return {OWN: PLACE}[task]

    monkeypatch.setattr(task_guard, "_known", place)


def ask(method: str, path: str, *authorizations: str, root_path: str = "") -> int:
    """The status; 200 where Airflow was asked."""

    async def airflow(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def asked() -> int:
        transport = httpx.ASGITransport(Watching(airflow), root_path=root_path)
        headers = [("authorization", one) for one in authorizations or (token(sub=str(OWN)),)]
        async with httpx.AsyncClient(transport=transport, base_url="http://a") as client:
            return (await client.request(method, path, headers=headers)).status_code

    return asyncio.run(asked())


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/execution/health"),
        ("PATCH", f"/execution/task-instances/{OWN}/run"),
        ("PUT", f"/execution/task-instances/{OWN}/heartbeat"),
        ("PATCH", f"/execution/task-instances/{OWN}/state"),
        ("POST", f"/execution/hitlDetails/{OWN}"),
        ("GET", XCOM),
        ("GET", XCOM + "/item/0"),
        ("HEAD", "/execution/xcoms/ingest_recordings/run-0/discover_intake/return_value"),
        ("POST", XCOM),
        ("DELETE", XCOM),
    ],
)
def test_what_ours_need_reaches_airflow(method: str, path: str) -> None:
    assert ask(method, path) == ask(method, f"/airflow{path}", root_path="/airflow") == 200


@pytest.mark.promise("P5")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/execution/connections/any"),
        ("GET", "/execution/variables/any"),
        ("GET", "/execution/variables/keys"),
        ("PUT", "/execution/variables/any"),
        ("DELETE", "/execution/variables/any"),
        ("POST", "/execution/dag-runs/expire_recordings/mine"),
        ("POST", "/execution/dag-runs/expire_recordings/mine/clear"),
        ("GET", "/execution/dag-runs/expire_recordings/mine"),
        ("GET", "/execution/task-instances/states"),
        ("PATCH", f"/execution/hitlDetails/{OWN}"),
        ("PUT", f"/execution/store/ti/{OWN}/key"),
        ("GET", "/execution/assets/by-name"),
        ("GET", XCOM.replace("ingest_recordings", "expire_recordings")),
        ("POST", XCOM.replace("validate_metadata", "discover_intake")),
        ("POST", XCOM.replace("run-1", "run-2")),
        ("GET", "/execution/xcoms/ingest_recordings/../expire_recordings"),
        ("GET", "/execution"),
        ("GET", "/execution/"),
        ("GET", "/execution//connections/any"),
    ],
)
def test_all_else_is_refused(method: str, path: str) -> None:
    assert ask(method, path) == ask(method, f"/airflow{path}", root_path="/airflow") == 403


@pytest.mark.parametrize(
    "authorizations",
    [
        (token(sub=str(OTHER)),),
        (token(sub="x"),),
        (token(),),
        ("Bearer",),
        ("x",),
        ("Bearer a.b.c",),
        (token(sub=str(OWN)), token(sub=str(OTHER))),
    ],
)
def test_a_token_that_says_no_task_reads_nothing_handed_on(authorizations: tuple[str, ...]) -> None:
    assert ask("GET", XCOM, *authorizations) == 403
