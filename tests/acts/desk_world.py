"""The desk over a World: the real pages on a real catalog under the real database roles, Airflow played."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from types import SimpleNamespace
from typing import Any

# Airflow writes its configuration there as soon as it is imported: not into a real home.
os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="airflow-"))

import httpx
import pytest
from airflow.api_fastapi.auth.managers.base_auth_manager import COOKIE_NAME_JWT_TOKEN
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient
from sqlalchemy import Engine, select
from starlette.datastructures import State

from consigne.acts.journey import Platform
from consigne.adapters.catalog import tables as t
from consigne.adapters.catalog.open import Catalog
from consigne.doors.desk import session
from consigne.doors.desk.app import Desk, make_desk
from consigne.doors.desk.health import Health
from consigne.doors.desk.metrics import Meter
from consigne.doors.orchestration import auth, decisions, events
from consigne.doors.orchestration.last_runs import Ended
from consigne.doors.settings import ACCOUNTS
from consigne.rules.policy.load import load
from consigne.rules.values import Actor

from .world import TEXT, World

HERE = "http://testserver"
SWEEP_SECRET, HOOK_SECRET, DRAW_SECRET = "the sealer's secret", "the intake's secret", "the draw's secret"
AUDIT_SECRET = "the store's secret"
METRICS_SECRET = "the scraper's secret"


class Visitor:
    """Somebody's browser at the desk. Paths begin after `/consigne`; redirects are not followed, and a fault of
    the desk's own is raised, not shown."""

    def __init__(self, desk: Desk, user: str | None, language: str) -> None:
        outer = FastAPI()
        outer.mount("/consigne", desk)
        headers = {"accept-language": language} | ({"x-visitor": user} if user else {})
        self.http = TestClient(outer, HERE, follow_redirects=False, headers=headers)
        if user:
            self.http.cookies.set(COOKIE_NAME_JWT_TOKEN, f"session of {user}")

    def get(self, path: str, **sent: Any) -> httpx.Response:
        """A page."""
        return self.http.get(f"/consigne{path}", **sent)

    def token(self) -> str:
        """The form token of this session."""
        return self.get("/").text.partition('name="token" value="')[2][:64]

    def post(self, path: str, files: Any = None, **fields: Any) -> httpx.Response:
        """A form as the browser sends it, with this session's token. A list is a field sent several times."""
        data = {"token": self.token()} | fields
        return self.http.post(f"/consigne{path}", data=data, files=files, headers={"origin": HERE})

    def call(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """The API, as the command line calls it."""
        return self.http.request(method, f"/consigne{path}", json=body)


@dataclass(slots=True)
class DeskWorld:
    """`world` is what happens behind the desk, `airflow` what Airflow was sent: (method, path, body); `ended`: when the
    newest successful run of a Dag did; `over`: the newest runs; `backups`: those that are overdue."""

    world: World
    platforms: Callable[[str], Platform]
    roles: dict[str, frozenset[str]]
    airflow: list[tuple[str, str, Any]] = field(default_factory=list)
    over: list[Ended] = field(default_factory=list)
    backups: list[str] = field(default_factory=list)
    ended: dict[str, datetime] = field(default_factory=dict)

    def visit(self, user: str, *roles: str, language: str = "en") -> Visitor:
        """Somebody signed in: an account of the demonstration, or another with the roles given."""
        if roles:
            self.roles[user] = frozenset(roles)
        desk = self._desk(True)
        for needed in (session.page_reader, session.api_reader):
            desk.dependency_overrides[needed] = self._reader
        return Visitor(desk, user, language)

    def nobody(self, language: str = "en") -> Visitor:
        """Nobody is signed in: the desk's own doors."""
        return Visitor(self._desk(), None, language)

    def _desk(self, signs_in: bool = False) -> Desk:
        desk = _routes(signs_in)
        desk.state = State()
        desk.state.platform = self.platforms
        desk.state.sweep_secret = lambda: SWEEP_SECRET
        desk.state.hook_secret = lambda: HOOK_SECRET
        desk.state.draw_secret = lambda: DRAW_SECRET
        desk.state.audit_secret = lambda: AUDIT_SECRET
        desk.state.newest_ended = lambda dags: self.over
        desk.state.backups_overdue = lambda: self.backups
        desk.state.metrics_secret = lambda: METRICS_SECRET
        desk.state.meter = Meter(lambda: self.platforms("read"), lambda _: self.ended, lambda: self.backups)
        desk.state.health = Health(lambda: self.platforms("read"))
        desk.state.store_naming = lambda: {"root-key": "root", "listen-key": "listen-training"}.get
        return desk

    def _reader(self, request: Request) -> session.Reader:
        user = request.headers["x-visitor"]
        account: Any = SimpleNamespace(id=user, username=user, is_active=True)
        request.state.reader = session.Reader(account, Actor(user, self.roles[user]))
        return request.state.reader  # type: ignore[no-any-return]

    def put_in_force(self, *changes: tuple[str, str], count: int = 0) -> None:
        """Another version of the policy, from now on: its text with (pattern, replacement) for each change, all
        places of it or the first `count`. What is kept already stays under the version that it has."""
        text = TEXT
        for pattern, replacement in changes:
            text, made = re.subn(pattern, replacement, text, count=count)
            assert made, pattern
        known = {row.version for row in self.world.rows(select(t.policies.c.version))}
        now = self.world.now() - timedelta(seconds=1)
        text = re.sub(r'(?m)^version: ".*"', f'version: "test-{len(known)}"', text)
        text = re.sub(r"(?m)^in_force_from: \S+", f"in_force_from: {now.isoformat(timespec='seconds')}", text)
        policy = load(text).policy
        with self.world.platform.catalog.begin() as tx:
            assert self.world.platform.catalog.add_policy(tx, policy, text, now)
        self.world.policy = policy


@cache
def _routes(_: bool) -> Desk:
    """Made once: that takes half a second. One for each, since only those who sign in are let past the doors."""

    def none(_: str) -> Platform:
        raise NotImplementedError

    return make_desk(none, str)


def open_desk_world(
    world: World, engines: Callable[[str], Engine], monkeypatch: pytest.MonkeyPatch
) -> DeskWorld:
    """What the fixture `desk_world` gives."""
    opened: dict[str, Platform] = {}

    def platform(role: str) -> Platform:
        if role not in opened:
            opened[role] = replace(world.platform, catalog=Catalog(engines(role), os.urandom))
        return opened[role]

    made = DeskWorld(world, platform, {user: frozenset({role}) for user, role in ACCOUNTS.items()})
    monkeypatch.setenv("AIRFLOW__API__SECRET_KEY", "a key of this test")
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", HERE)
    monkeypatch.setattr(auth, "get_auth_manager", lambda: SimpleNamespace(generate_jwt=lambda **_: "token"))
    monkeypatch.setattr(auth, "cached_app", lambda: _airflow(made))
    monkeypatch.setattr(auth, "create_session", _accounts)
    monkeypatch.setattr(events, "create_session", _accounts)
    monkeypatch.setattr(decisions, "_platform", lambda: platform("decide"))
    return made


def _airflow(made: DeskWorld) -> FastAPI:
    """Takes every run, and knows of none when asked: so nothing waits for an answer."""
    app = FastAPI()

    @app.api_route("/api/v2/{path:path}", methods=["GET", "POST", "PATCH", "DELETE", "PUT"])
    async def take(request: Request, path: str) -> JSONResponse:
        if request.method == "GET":
            return JSONResponse({"detail": "not found"}, 404)
        body = await request.body()
        made.airflow.append((request.method, path, await request.json() if body else None))
        return JSONResponse({})

    return app


@contextmanager
def _accounts() -> Iterator[Any]:
    """Airflow's tables of accounts and assets: whoever and whatever is asked for is there."""
    someone = SimpleNamespace(id=1, username="someone", is_active=True, roles=[], groups=[])
    yield SimpleNamespace(scalars=lambda _: SimpleNamespace(one_or_none=lambda: someone, first=lambda: 1))
