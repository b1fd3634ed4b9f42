"""Every route of the desk × every account × method: what it answers is stated here, cell by cell."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from fastapi.routing import APIRoute

from consigne.acts.seal import seal
from consigne.doors.desk.app import Desk

from .desk_world import HERE, DeskWorld, Visitor
from .world import TEXT

ACCOUNTS = ("nobody", "dpo", "dpo2", "analyst", "trainer", "adviser", "auditor", "ops", "owner")
"""The seven accounts of the demonstration; nobody signed in; and an owner of `training` who has no other role than an
adviser's. `dpo2` is a deputy whose days have not come. `quality` and all else is the analyst's, who listens to it."""

# 200 and 303 on a POST: done. 400, 404, 409: past the door, and then something is wrong with what was sent.
# Nobody is sent to Airflow's sign-in (303) by a page, and told 401 by the API.
# The columns are ACCOUNTS, in their order.
TABLE = {
    "GET /": "303 200 200 200 200 200 200 200 200",
    "POST /language": "303 303 303 303 303 303 303 303 303",
    "GET /decide/{id}": "303 200 403 403 200 403 403 403 200",
    "POST /decide/{id}": "303 409 403 403 403 403 403 403 403",
    "GET /recordings": "303 200 200 200 200 403 200 403 200",
    "POST /recordings": "303 200 200 200 200 403 200 403 200",
    "GET /recordings/{id}": "303 200 200 404 200 403 200 403 200",
    "GET /exceptions": "303 200 200 200 200 200 200 200 200",
    "GET /exceptions/ask": "303 403 403 403 200 403 403 403 200",
    "POST /exceptions/ask": "303 403 403 403 400 403 403 403 400",
    "GET /holds": "303 200 200 403 403 403 200 403 403",
    "GET /holds/place": "303 200 403 403 403 403 403 403 403",
    "POST /holds/place": "303 400 403 403 403 403 403 403 403",
    "GET /holds/{id}": "303 200 200 403 403 403 200 403 403",
    "POST /holds/{id}/confirm": "303 400 403 403 403 403 403 403 403",
    "POST /holds/{id}/lift": "303 400 403 403 403 403 403 403 403",
    "GET /calendar": "303 200 200 200 200 403 200 200 200",
    "GET /policy": "303 200 200 200 200 200 200 200 200",
    "GET /policy/versions/{digest}": "303 200 200 200 200 200 200 200 200",
    "GET /policy/versions/{digest}/text": "303 200 200 200 200 200 200 200 200",
    "GET /policy/draft": "303 200 200 200 200 403 403 200 403",
    "POST /policy/draft": "303 400 400 400 400 403 403 400 403",
    "GET /policy/drafts/{id}": "303 200 200 200 200 403 200 200 403",
    "POST /policy/drafts/{id}": "303 409 403 403 403 403 403 403 403",
    "GET /policy/drafts/{id}/text": "303 200 200 200 200 403 200 200 403",
    "GET /notices": "303 200 200 200 200 200 200 200 200",
    "POST /notices/acknowledge": "303 303 303 303 303 303 303 303 303",
    "GET /rules": "303 200 200 200 200 200 200 200 200",
    "GET /rules/{queue}": "303 200 200 200 200 200 200 200 200",
    "POST /rules/{queue}/object": "303 400 400 403 403 400 403 403 400",
    "GET /objections": "303 200 200 403 403 403 200 403 403",
    "POST /objections/{id}/withdraw": "303 303 303 403 403 403 403 403 403",
    "POST /objections/withdraw": "303 303 303 403 403 303 403 403 303",
    "GET /certificates": "303 200 200 403 403 403 200 403 403",
    "GET /certificates/{id}": "303 404 404 403 403 403 404 403 403",
    "GET /certificates/{id}/file": "303 404 404 403 403 403 404 403 403",
    "GET /certificates/{id}/sheet": "303 404 404 403 403 403 404 403 403",
    "GET /certificates/{id}/proof": "303 404 404 403 403 403 404 403 403",
    "GET /destruction": "303 200 200 403 403 403 200 200 403",
    "GET /destruction/preview.{kind}": "303 200 200 403 403 403 200 200 403",
    "GET /volumes/{id}": "303 404 404 403 403 403 404 404 403",
    "POST /volumes/{id}": "303 404 403 403 403 403 403 403 403",
    "GET /draws": "303 200 200 403 403 403 200 403 403",
    "POST /draw": "403 403 403 403 403 403 403 403 403",
    "GET /batches": "303 200 200 403 403 403 200 200 403",
    "GET /batches/{run}": "303 200 200 403 403 403 200 200 403",
    "GET /losses": "303 200 200 403 403 403 200 200 403",
    "GET /findings": "303 200 200 403 403 403 200 200 403",
    "GET /findings/{id}": "303 404 404 403 403 403 404 404 403",
    "POST /findings/{id}": "303 404 403 403 403 403 403 403 403",
    "GET /operations": "303 200 200 403 403 403 200 200 403",
    "POST /operations/retry": "303 403 403 403 403 403 403 303 403",
    "POST /operations/run": "303 403 403 403 403 403 403 303 403",
    "GET /register": "303 200 200 403 403 403 200 403 403",
    "GET /register/export": "303 200 200 403 403 403 200 403 403",
    "GET /register/{number}/proof": "303 200 200 403 403 403 200 403 403",
    "GET /api/register": "401 200 200 403 403 403 200 403 403",
    "GET /api/me": "401 200 200 200 200 200 200 200 200",
    "POST /api/requests": "401 403 403 403 400 403 403 403 400",
    "POST /internal/sweep": "403 403 403 403 403 403 403 403 403",
    "POST /api/artifacts/{id}/export": "401 403 403 403 200 403 403 403 403",
    "GET /api/holds": "401 200 200 403 403 403 200 403 403",
    "POST /api/holds": "401 400 403 403 403 403 403 403 403",
    "POST /api/holds/{id}/confirm": "401 400 403 403 403 403 403 403 403",
    "POST /api/holds/{id}/lift": "401 400 403 403 403 403 403 403 403",
    "POST /api/acknowledgements": "401 200 200 200 200 200 200 200 200",
    "POST /api/acknowledgements/import": "401 403 403 403 403 403 403 400 403",
    "POST /api/objections": "401 400 400 403 403 400 403 403 400",
    "GET /api/objections": "401 200 200 403 403 403 200 403 403",
    "POST /api/objections/withdraw": "401 200 200 403 403 403 403 403 403",
    "POST /api/policy/drafts": "401 400 400 400 400 403 403 400 403",
    "POST /internal/intake": "403 403 403 403 403 403 403 403 403",
    "POST /internal/store-audit": "403 403 403 403 403 403 403 403 403",
    "GET /metrics": "401 401 401 401 401 401 401 401 401",
    "GET /health/live": "200 200 200 200 200 200 200 200 200",
    "GET /health/ready": "200 200 200 200 200 200 200 200 200",
}

NOWHERE = str(UUID(int=7))
TELEPHONE = "+33600000000"


@dataclass(frozen=True)
class Stage:
    """One of each thing that a path may name."""

    named: Mapping[str, str]
    fields: Mapping[str, Mapping[str, Any]]


@pytest.fixture
def stage(desk_world: DeskWorld) -> Stage:
    world = desk_world.world
    world.deliver("a")
    world.deliver("b")
    world.ingest()
    desk_world.put_in_force(
        (r"owner: trainer", "owner: owner"), (r"approval: \[dpo\]", "approval: [owner, dpo]")
    )
    asked, other = world.artifacts("a")[0], world.artifacts("b")[0]
    until = (asked.due_at + timedelta(days=30)).date().isoformat()
    wish = {"ground": "dispute", "until": until, "reason": "Needed for a dispute."}
    review = (world.now() + timedelta(days=60)).date().isoformat()
    mandate = {"mandate": "TJ 1", "authority": "TJ Paris", "reason": "A mandate.", "review": review}
    in_force = (world.now() + timedelta(days=30)).isoformat(timespec="seconds")
    draft = re.sub(r'(?m)^version: ".*"', 'version: "draft"', TEXT)
    draft = re.sub(r"(?m)^in_force_from: \S+", f"in_force_from: {in_force}", draft)
    trainer, dpo = desk_world.visit("trainer"), desk_world.visit("dpo")
    made = {
        "decide": trainer.post("/exceptions/ask", artifact=[str(asked.id)], **wish),
        "holds": dpo.post("/holds/place", recording=str(asked.recording), **mandate),
        "drafts": desk_world.visit("analyst").post("/policy/draft", text=draft, reason="A try."),
    }
    named = {kind: answer.headers["location"].rpartition("/")[2] for kind, answer in made.items()}
    named |= {"recordings": str(asked.recording), "artifacts": str(other.id), "kind": "csv"}
    named |= dict.fromkeys(("objections", "volumes", "findings", "certificates"), NOWHERE)
    seal(world.platform)
    named |= {"number": "0", "digest": world.policy.digest, "run": "a run", "queue": "support"}
    fields: dict[str, dict[str, Any]] = {
        "GET /exceptions/ask": {"artifact": str(other.id)},
        "POST /language": {"language": "en"},
        "POST /decide/{id}": {"digest": "0" * 64, "answer": "refuse", "reason": "An older version."},
        "POST /recordings": {"caller": TELEPHONE},
        "POST /exceptions/ask": {"artifact": str(other.id), **wish, "reason": " "},
        "POST /policy/draft": {"text": "version: 1", "reason": "No policy."},
        "POST /policy/drafts/{id}": {
            "digest": "0" * 64,
            "against": "0" * 64,
            "answer": "visa",
            "reason": "Old.",
        },
        "POST /notices/acknowledge": {"notice": "2026-01"},
        "POST /operations/retry": {"delivery": NOWHERE},
        "POST /operations/run": {"act": "expire"},
        "POST /objections/withdraw": {"caller": TELEPHONE},
        "POST /api/requests": {"artifacts": [str(other.id)], **wish, "until": "2099-01-01"},
        "POST /api/artifacts/{id}/export": {"reason": "coaching"},
        "POST /api/holds": {**mandate, "recording": NOWHERE},
        "POST /api/holds/{id}/confirm": {"review": "2020-01-01", "reason": "Too early."},
        "POST /api/holds/{id}/lift": {"reason": " "},
        "POST /api/acknowledgements/import": {"csv": "no,such,head\n"},
        "POST /api/objections/withdraw": {"id": NOWHERE},
        "POST /api/policy/drafts": {"text": "version: 1", "reason": "No policy."},
    }
    return Stage(named, fields)


def routes(desk: Desk) -> list[str]:
    """`METHOD /path` of every route that the desk has."""
    found = [route for route in desk.routes if isinstance(route, APIRoute)]
    assert len(found) > 40
    return [f"{method} {route.path}" for route in found for method in sorted(route.methods)]


def filled(stage: Stage, path: str) -> str:
    def name(match: re.Match[str]) -> str:
        before = path[: match.start()].rstrip("/").rpartition("/")[2]
        return stage.named.get(match[1]) or stage.named[before]

    return re.sub(r"{(\w+)}", name, path)


def answered(stage: Stage, visitor: Visitor, token: str, route: str) -> int:
    """The status; a fault of the desk's own is raised."""
    method, path = route.split()
    url, fields = f"/consigne{filled(stage, path)}", stage.fields.get(route, {})
    if method == "GET":
        return visitor.http.get(url, params=fields).status_code
    if path.startswith(("/api/", "/internal/", "/draw")) and path != "/draws":
        return visitor.http.request(method, url, json=fields).status_code
    return visitor.http.request(
        method, url, data=fields | {"token": token}, headers={"origin": HERE}
    ).status_code


@pytest.mark.promise("P4")
@pytest.mark.promise("P5")
def test_every_route_answers_each_account_as_stated(desk_world: DeskWorld, stage: Stage) -> None:
    desk_world.visit("owner", "adviser")
    visitors = {
        user: desk_world.nobody() if user == "nobody" else desk_world.visit(user) for user in ACCOUNTS
    }
    tokens = {user: "" if user == "nobody" else visitor.token() for user, visitor in visitors.items()}
    found = {
        route: " ".join(
            str(answered(stage, visitor, tokens[user], route)) for user, visitor in visitors.items()
        )
        for route in routes(desk_world._desk())
    }
    assert found == TABLE
