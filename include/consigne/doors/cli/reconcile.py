"""`consigne reconcile` and `findings`: compare the store with what is recorded, and what did not agree."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from consigne.adapters.catalog import views_findings
from consigne.adapters.catalog.session import Session, open_engine
from consigne.doors.cli.options import DEFAULT_STATE, Json, State
from consigne.doors.cli.runs import Runs
from consigne.doors.settings import Settings
from consigne.rules.clock import iso

SOME_FAILED = 1
SHOWN = 1_000
_INSTANTS = ("found_at", "seen_at", "swept_at", "closed_at")
_FIELDS = ("kind", "act", "state", "subject", "version", "closed_by", "answer")
DAG = "reconcile_storage"


def reconcile(
    wait: Annotated[bool, typer.Option("--wait", help="Until the run has ended.")] = False,
    state: State = DEFAULT_STATE,
) -> None:
    """Compare bucket, catalog, keys, dates and the store's audit log now."""
    runs = Runs(Settings.open(state))
    run = runs.start(DAG, {})
    typer.echo(f"{DAG} {run}")
    if wait and runs.wait(DAG, run, lambda what: typer.echo(f"  {what}", err=True)) != "success":
        typer.echo("the run failed: see its tasks in the UI", err=True)
        raise typer.Exit(SOME_FAILED)


def findings(as_json: Json = False, state: State = DEFAULT_STATE) -> None:
    """What reconciliation found: open first, then closed; at most a thousand of each."""
    session = Session(open_engine(Settings.open(state).database_url("read")), secrets.token_bytes)
    with session.begin() as tx:
        rows = [row for is_open in (True, False) for row in views_findings.listed(tx, is_open, 0, SHOWN)]
    told = [_told(row) for row in rows]
    if as_json:
        typer.echo(json.dumps(told, indent=1))
        return
    table = Table("found", "kind", "act", "state", "about", "artifact", "answer")
    for one in told:
        answer = f"{one['closed_by']}: {one['answer']}" if one["answer"] else one["closed_by"] or ""
        table.add_row(
            one["found_at"],
            one["kind"],
            one["act"],
            one["state"],
            one["subject"],
            one["artifact"] or "",
            answer,
        )
    Console(width=None if os.isatty(1) else 250).print(table)


def _told(row: Mapping[str, Any]) -> dict[str, Any]:
    instants = {name: iso(row[name]) if row[name] else None for name in _INSTANTS}
    names = {name: str(row[name]) if row[name] else None for name in ("id", "artifact", "recording")}
    return names | {name: row[name] for name in _FIELDS} | instants
