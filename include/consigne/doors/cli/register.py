"""`consigne register`: who did what, when and why, as a person who may read it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import typer
from rich.console import Console
from rich.table import Table

from consigne.doors.cli.client import As, PasswordFile, Person, password_of
from consigne.doors.cli.options import DEFAULT_STATE, Json, State
from consigne.doors.settings import Settings
from consigne.rules.errors import BadInput

_SHOWN = ("at", "actor", "kind", "subject", "reason")


def register(
    user: As,
    who: Annotated[str, typer.Option(help="Whose acts: an account.")] = "",
    what: Annotated[str, typer.Option(help="A kind of entry, as `listen:artifact:offered`.")] = "",
    subject: Annotated[str, typer.Option(help="An identifier that the entry names.")] = "",
    why: Annotated[str, typer.Option(help="A ground, reason or code.")] = "",
    since: Annotated[str, typer.Option(metavar="DAY", help="From this day on.")] = "",
    until: Annotated[str, typer.Option(metavar="DAY", help="Until this day, which counts.")] = "",
    as_csv: Annotated[bool, typer.Option("--csv", help="As CSV.")] = False,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write it there.")] = None,
    password_file: PasswordFile = None,
    as_json: Json = False,
    state: State = DEFAULT_STATE,
) -> None:
    """Sealed entries of the register, the newest first (20 000 at most); reading them is an entry too."""
    asked = {"who": who, "kind": what, "subject": subject, "why": why, "since": since, "until": until}
    fields = {name: value for name, value in asked.items() if value}
    query = urlencode(fields | {"format": "csv" if as_csv else "json"})
    person = Person(Settings.open(state), user, password_of(user, password_file))
    data = person.get(f"/api/register?{query}").content
    if out is not None:
        try:
            out.write_bytes(data)
        except OSError as fault:
            raise BadInput("not_writable", "--out", fault.strerror or "") from None
    elif as_csv or as_json:
        typer.echo(data.decode("utf-8-sig"), nl=False)
    else:
        _show(json.loads(data)["entries"])


def _show(entries: list[dict[str, Any]]) -> None:
    table = Table("number", *_SHOWN)
    for one in entries:
        said = json.loads(one["payload"]) if one["payload"] else {"kind": "purged"}
        table.add_row(str(one["number"]), *(str(said.get(name, "")) for name in _SHOWN))
    console = Console(markup=False, highlight=False)
    (console if console.is_terminal else Console(markup=False, highlight=False, width=250)).print(table)
