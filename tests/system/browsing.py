"""Meeting the desk as people do: in Chromium and through the command line, on the running platform."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, sync_playwright

from consigne.adapters.catalog import views
from consigne.adapters.catalog.session import Session, open_engine
from consigne.doors.settings import Settings
from consigne.rules.clock import parse_instant

if TYPE_CHECKING:
    from system.conftest import Up

WHY = "Litige ouvert ; un extrait ne suffit pas."
PATIENCE_S = 120
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass(frozen=True)
class Desk:
    """The running desk, and what people do at it by other means than a browser."""

    up: Up
    settings: Settings

    def run(self, user: str, *args: str) -> Any:
        """A command as a person: its finished process."""
        password = self.settings.state_dir / "secrets" / f"account-{user}"
        return self.up.consigne(*args, "--as", user, "--password-file", str(password))

    def artifacts(self, purpose: str, part: str = "audio") -> list[dict[str, Any]]:
        """Kept artifacts for which no request waits."""
        with self.catalog.begin() as tx:
            now = self.catalog.now(tx)
            waiting = {item["artifact"] for one in views.waiting(tx, now) for item in one["items"]}
            return [
                artifact
                for recording in views.recordings(tx)
                for artifact in recording["artifacts"]
                if (artifact["purpose"], artifact["part"], artifact["state"]) == (purpose, part, "kept")
                and UUID(artifact["id"]) not in waiting
            ]

    @property
    def catalog(self) -> Session:
        return Session(open_engine(self.settings.database_url("read")), os.urandom)

    def history(self, subject: str) -> list[dict[str, Any]]:
        with self.catalog.begin() as tx:
            return [dict(entry) for entry in views.history(tx, [UUID(subject)])]

    def token(self, user: str) -> str:
        """Airflow's, as the command line gets it."""
        sent = {"username": user, "password": self.settings.account_password(user)}
        url = f"{self.settings.airflow_url}/auth/token"
        return str(httpx.post(url, json=sent, timeout=60, trust_env=False).json()["access_token"])

    def send_form(self, user: str, request: str, **fields: str) -> httpx.Response:
        """What the DPO's page sends, with a session and a token of that user."""
        url, path = self.settings.airflow_url, f"/consigne/decide/{request}"
        with httpx.Client(base_url=url, cookies={"_token": self.token(user)}, trust_env=False) as client:
            token = client.get("/consigne/").text.partition('name="token" value="')[2][:64]
            digest = client.get(path).text.partition('name="digest" value="')[2][:64]
            form = {"token": token, "digest": digest or "0" * 64} | fields
            return client.post(path, data=form, headers={"Origin": url})

    def ask(self, artifact: dict[str, Any], *more: str) -> dict[str, Any]:
        """File a request as the trainer, for a month longer."""
        until = parse_instant(artifact["due_at"]).date().replace(day=28)
        until = until.replace(month=until.month + 1) if until.month < 12 else until.replace(until.year + 1, 1)
        args = ["--until", until.isoformat(), "--ground", "dispute", "--reason", WHY]
        done = self.run("trainer", "request-exception", artifact["id"], *more, *args, "--json")
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout))


@pytest.fixture(scope="module")
def desk(platform_up: Up) -> Desk:
    return Desk(platform_up, Settings.open(platform_up.state_dir))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def sign_in(browser: Browser, desk: Desk) -> Iterator[Callable[..., Page]]:
    """A page at `path` for a person who is signed in to Airflow. By token: FAB takes five sign-ins in 40 s from
    its form, which one test fills in."""
    contexts = []

    def signed_in(user: str, path: str = "/consigne/", **context: Any) -> Page:
        contexts.append(browser.new_context(**({"locale": "fr-FR"} | context)))
        contexts[-1].set_default_timeout(PATIENCE_S * 1000)
        cookie = {"name": "_token", "value": desk.token(user), "url": desk.settings.airflow_url}
        contexts[-1].add_cookies([cookie])
        page = contexts[-1].new_page()
        page.goto(desk.settings.airflow_url + path)
        return page

    yield signed_in
    for context in contexts:
        context.close()


def until(what: Callable[[], Any], wanted: Callable[[Any], bool]) -> Any:
    """Ask again and again; fails where what is wanted does not come within PATIENCE_S."""
    deadline = time.monotonic() + PATIENCE_S
    while not wanted(found := what()):
        assert time.monotonic() < deadline, found
        time.sleep(0.5)
    return found


def open_from_required_actions(
    page: Page, desk: Desk, id: str, click: Callable[[Locator], None] = Locator.click
) -> Page:
    """From Airflow's Required Actions page over the task's link to the desk."""
    subject = page.get_by_role("link", name=id)

    def listed() -> bool:
        page.goto(f"{desk.settings.airflow_url}/required_actions")
        page.wait_for_load_state("networkidle")
        return subject.count() > 0

    until(listed, bool)
    click(subject.first)
    with page.expect_popup() as popup:
        click(page.get_by_role("link", name=re.compile("Décider")).first)
    popup.value.wait_for_url(f"**/consigne/decide/{id}")
    return popup.value


def part_of(recording: dict[str, Any], artifact: dict[str, Any]) -> dict[str, Any]:
    """An artifact as the recording shows it now."""
    [found] = [each for each in recording["artifacts"] if each["id"] == artifact["id"]]
    return dict(found)
