"""`consigne hold`: place, confirm, lift and list holds, as the DPO."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from consigne.doors.cli.client import As, PasswordFile, Person, password_of
from consigne.doors.cli.options import DEFAULT_STATE, Json, State
from consigne.doors.settings import Settings

hold = typer.Typer(no_args_is_help=True, help="What an authority ordered to be kept.")

Id = Annotated[str, typer.Argument(help="The hold's id.")]
Reason = Annotated[str, typer.Option(help="Why.")]
Review = Annotated[str, typer.Option(metavar="DAY", help="When it is to be looked at again; within a year.")]


@hold.command()
def place(
    mandate: Annotated[str, typer.Option(help="The authority's reference.")],
    authority: Annotated[str, typer.Option(help="Who ordered it.")],
    reason: Reason,
    review: Review,
    user: As,
    recording: Annotated[str, typer.Option(help="One recording, by its id.")] = "",
    caller: Annotated[
        str,
        typer.Option(help="A caller's number; `-` asks for it, so that it stays out of the shell's history."),
    ] = "",
    agent: Annotated[str, typer.Option(help="An agent.")] = "",
    since: Annotated[str, typer.Option("--from", help="Calls from this day or instant on.")] = "",
    until: Annotated[str, typer.Option(help="Calls before this day or instant.")] = "",
    restrict: Annotated[bool, typer.Option("--restrict", help="Nobody listens while it lasts.")] = False,
    password_file: PasswordFile = None,
    as_json: Json = False,
    state: State = DEFAULT_STATE,
) -> None:
    """Place a hold over a recording, a caller, an agent or a period."""
    number = typer.prompt("The caller's number", hide_input=True) if caller == "-" else caller
    body = {
        "mandate": mandate, "authority": authority, "reason": reason, "review": review, "recording": recording,
        "caller": number, "agent": agent, "since": since, "until": until, "restrict": restrict,
    }  # fmt: skip
    _say(_person(state, user, password_file).post("/api/holds", body).json(), as_json)


@hold.command()
def confirm(
    id: Id,
    review: Review,
    reason: Reason,
    user: As,
    password_file: PasswordFile = None,
    as_json: Json = False,
    state: State = DEFAULT_STATE,
) -> None:
    """Keep it on until another review date."""
    body = {"review": review, "reason": reason}
    _say(_person(state, user, password_file).post(f"/api/holds/{id}/confirm", body).json(), as_json)


@hold.command()
def lift(
    id: Id,
    reason: Reason,
    user: As,
    password_file: PasswordFile = None,
    as_json: Json = False,
    state: State = DEFAULT_STATE,
) -> None:
    """End it: what it kept is back on its own clock."""
    person = _person(state, user, password_file)
    _say(person.post(f"/api/holds/{id}/lift", {"reason": reason}).json(), as_json)


@hold.command("list")
def list_holds(
    user: As, password_file: PasswordFile = None, as_json: Json = False, state: State = DEFAULT_STATE
) -> None:
    """Every hold, those that are open first."""
    found = _person(state, user, password_file).get("/api/holds").json()
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    names = ("id", "mandate", "authority", "scope", "state", "review_at", "keeps", "would_be_gone")
    table = Table(*names)
    for one in found:
        table.add_row(*(str(one[name]) for name in names))
    console = Console(markup=False, highlight=False)
    (console if console.is_terminal else Console(markup=False, highlight=False, width=250)).print(table)


def _person(state: Path, user: str, password_file: Path | None) -> Person:
    return Person(Settings.open(state), user, password_of(user, password_file))


def _say(told: dict[str, Any], as_json: bool) -> None:
    typer.echo(json.dumps(told) if as_json else f"{told['id']}\n{told['url']}")
