"""*Operations*: what is stuck and why, what weighs most first, with what can be done about it beside it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Literal
from uuid import UUID

from anyio import from_thread
from fastapi import APIRouter, Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from consigne.acts.catalog import Transaction
from consigne.acts.operate import ask_run, retry_deliveries
from consigne.acts.remind import TOLD_FOR
from consigne.adapters.catalog import views_destruction, views_findings
from consigne.adapters.catalog import views_operations as views
from consigne.doors.desk.pages import told_operations as told
from consigne.doors.desk.pages.looking import Look, allows, check, looking, platform
from consigne.doors.desk.pages.shown import page, wording
from consigne.doors.desk.pages.told import Told
from consigne.doors.desk.pages.told_gap import gap_told
from consigne.doors.desk.session import PageReader, check_form
from consigne.doors.desk.words import Wording
from consigne.doors.orchestration.by_hand import start_by_hand
from consigne.doors.orchestration.events import announce_intake
from consigne.doors.orchestration.queues import DAGS
from consigne.rules.access import Denied, Verb
from consigne.rules.errors import ConsigneError, place_of

log = logging.getLogger("consigne")
router = APIRouter()
TWO_RUNS = timedelta(hours=2)
LONG = timedelta(hours=1)
UNAPPLIED_FOR = timedelta(minutes=10)
SHOWN = 50
RETRIED_AT_ONCE = 1_000
STARTED: dict[str, tuple[str, dict[str, object]]] = {
    "expire": ("expire_recordings", {"dry_run": False}),
    "reconcile": ("reconcile_storage", {}),
}
"""What a button may start, beside the ingest: its Dag, and what the run is given."""
Started = Literal["ingest", "expire", "reconcile"]
Section = tuple[str, Callable[[Transaction], list[Told]]]


@router.get("/operations")
def operations(
    request: Request,
    reader: PageReader,
    retried: int | None = None,
    started: Started | Literal[""] | None = None,
) -> Response:
    """Each section is read by itself: one that cannot be read says so, and hides no other."""
    with looking(request) as look:
        check(look, reader.actor, Verb.SEE_OPERATIONS)
        may_run = allows(look, reader.actor, Verb.RUN)
    words = wording(request, look.policy.zone)
    shown = [_taken(request, words, *section) for section in _sections(request, words, look)]
    return page(
        request,
        "operations.html",
        words,
        stuck=[one for one in shown if one["rows"] or one["unavailable"]],
        well=[
            words.say(f"operations.{one['key']}.well")
            for one in shown
            if not one["rows"] and not one["unavailable"]
        ],
        now=words.moment(look.now),
        may_run=may_run,
        said=told.done_told(words, retried, started),
    )


def _sections(request: Request, words: Wording, look: Look) -> list[Section]:
    """In the order of their consequence: what lives too long, what is not proven, what will be lost, what waits."""
    catalog, state, now = platform(request, "read").catalog, request.app.state, look.now
    backups = state.backups_overdue()
    return [
        ("parts", lambda tx: told.parts_told(words, state.health.away())),
        ("overdue", lambda tx: told.overdue_told(
            words, now - TWO_RUNS, views_destruction.waiting(tx, now), views_destruction.on_their_way(tx))),
        ("epochs", lambda tx: told.epochs_told(words, views_destruction.open_epochs(tx, now - TWO_RUNS, SHOWN))),
        ("register", lambda tx: told.register_told(gap_told(request, words, replace(look, tx=tx)))),
        ("findings", lambda tx: told.findings_told(words, views_findings.waiting(tx))),
        *([] if backups is None else [("backups", lambda tx: told.backups_told(words, backups))]),
        ("unapplied", lambda tx: told.unapplied_told(words, len(catalog.unapplied(tx, now - UNAPPLIED_FOR)))),
        ("quarantine", lambda tx: told.quarantine_told(
            words, now, views.quarantined_by_code(tx), views.quarantined(tx, SHOWN))),
        ("deliveries", lambda tx: told.unfinished_told(words, views.unfinished(tx, now - LONG))),
        ("runs", lambda tx: told.runs_told(words, state.newest_ended(DAGS))),
        ("mail", lambda tx: told.mail_told(words, views.unsent(tx, TOLD_FOR))),
    ]  # fmt: skip


def _taken(request: Request, words: Wording, key: str, read: Callable[[Transaction], list[Told]]) -> Told:
    section = {
        "key": key,
        "title": words.say(f"operations.{key}"),
        "rows": [],
        "unavailable": False,
        "run": told.RUNS.get(key),
    }
    try:
        with platform(request, "read").catalog.begin() as tx:
            views.be_quick(tx)
            section["rows"] = read(tx)
    except ConsigneError as fault:
        log.warning("operations: %s: %s", key, fault.code)
        section["unavailable"] = True
    except Exception as fault:  # the other sections still count
        log.warning("operations: %s: fault in our own code: %s; please report it", key, place_of(fault))
        section["unavailable"] = True
    return section


@router.post("/operations/retry")
def retry(
    request: Request,
    reader: PageReader,
    token: Annotated[str, Form()],
    delivery: Annotated[UUID | None, Form()] = None,
    code: Annotated[str, Form()] = "",
) -> Response:
    """One quarantined delivery, or those of a code, are judged anew, and the ingest begins at once."""
    check_form(request, token)
    with looking(request) as look:
        ids = [delivery] if delivery else views.quarantined_with(look.tx, code, RETRIED_AT_ONCE)
    done = retry_deliveries(platform(request, "decide"), look.policy, reader.actor, ids)
    if isinstance(done, Denied):
        raise HTTPException(403, done.code)
    if done:
        from_thread.run(announce_intake)
    return _back(request, f"retried={done}")


@router.post("/operations/run")
def run(
    request: Request, reader: PageReader, token: Annotated[str, Form()], act: Annotated[Started, Form()]
) -> Response:
    """Start a Dag now, as the person who asks."""
    check_form(request, token)
    dag, conf = STARTED.get(act, ("ingest_recordings", {}))
    with looking(request) as look:
        policy = look.policy
    denied = ask_run(platform(request, "decide"), policy, reader.actor, dag)
    if denied is not None:
        raise HTTPException(403, denied.code)
    is_taken = from_thread.run(start_by_hand, reader.account, dag, conf)
    return _back(request, f"started={act}" if is_taken else "started=")


def _back(request: Request, said: str) -> Response:
    return RedirectResponse(f"{request.scope['root_path']}/operations?{said}", 303)
