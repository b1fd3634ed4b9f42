"""`consigne deliveries`, `recordings`, `show`: the catalog as a local operator reads it. No personal data."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection

from consigne.adapters.catalog import views
from consigne.adapters.catalog.session import Session, open_engine
from consigne.doors.cli.options import DEFAULT_STATE, Json, State
from consigne.doors.settings import Settings
from consigne.rules.errors import BadInput

Shown = TypeVar("Shown")


def deliveries(as_json: Json = False, state: State = DEFAULT_STATE) -> None:
    """What was handed in, what became of it, and why."""
    found = _read(state, views.deliveries)
    if as_json:
        _print(found)
        return
    table = Table("source", "id", "state", "code", "detail", "deadline", "verdicts")
    for one in found:
        verdicts = ", ".join(f"{v['purpose']}: {v['code'] or v['verdict']}" for v in one["verdicts"])
        told = [one[key] or "" for key in ("source", "id", "state", "code", "detail", "deadline")]
        table.add_row(*told, verdicts)
    _console().print(table)


def recordings(as_json: Json = False, state: State = DEFAULT_STATE) -> None:
    """The recordings with their encrypted artifacts."""
    found = _read(state, views.recordings)
    if as_json:
        _print(found)
        return
    table = Table("recording", "started", "queue", "agent", "artifact", "purpose", "part", "state", "due")
    for one in found:
        for artifact in one["artifacts"]:
            flag = " restricted" if artifact["restricted"] else ""
            table.add_row(
                one["source_id"],
                one["started_at"],
                one["queue"],
                one["agent"],
                artifact["id"],
                artifact["purpose"],
                artifact["part"],
                artifact["state"] + flag,
                artifact["due_at"],
            )
    _console().print(table)


def show(
    id: Annotated[str, typer.Argument(help="A recording's id, an artifact's, or the source's own.")],
    as_json: Json = False,
    state: State = DEFAULT_STATE,
) -> None:
    """One recording with its artifacts, their clocks and masked intervals."""
    found = _read(state, lambda tx: views.recording(tx, id))
    if found is None:
        raise BadInput("unknown_recording", "ID")
    if as_json:
        _print(found)
        return
    console = _console()
    console.print(_fields({key: value for key, value in found.items() if key != "artifacts"}))
    for artifact in found["artifacts"]:
        masked = ", ".join(f"{m['start_ms']}–{m['end_ms']} ms {m['kind']}" for m in artifact["masked"])
        console.print(_fields(artifact | {"masked": masked}))


def _read(state: Path, view: Callable[[Connection], Shown]) -> Shown:
    engine = open_engine(Settings.open(state).database_url("read"))
    with Session(engine, secrets.token_bytes).begin() as tx:
        return view(tx)


def _fields(values: dict[str, Any]) -> Table:
    table = Table(show_header=False)
    for key, value in values.items():
        table.add_row(key, "" if value is None else str(value))
    return table


def _console() -> Console:
    # Not cut where the output is no terminal: identifiers must stay whole.
    console = Console(markup=False, highlight=False)
    return console if console.is_terminal else Console(markup=False, highlight=False, width=250)


def _print(document: object) -> None:
    typer.echo(json.dumps(document, ensure_ascii=False))
