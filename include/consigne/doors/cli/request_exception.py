"""`consigne request-exception`: ask to keep an artifact longer."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from consigne.doors.cli.client import As, PasswordFile, Person, password_of
from consigne.doors.cli.options import DEFAULT_STATE, Json, State
from consigne.doors.settings import Settings


def request_exception(
    artifact: Annotated[list[str], typer.Argument(help="One artifact, or several for one request.")],
    until: Annotated[str, typer.Option(help="A day or an instant, ISO 8601; a day means its beginning.")],
    ground: Annotated[str, typer.Option(help="One of the policy's grounds for the purpose.")],
    reason: Annotated[str, typer.Option(help="Why it is needed.")],
    user: As,
    less: Annotated[
        str, typer.Option(help="Why less will not do: a sheet, an excerpt, a shorter time.")
    ] = "",
    password_file: PasswordFile = None,
    as_json: Json = False,
    state: State = DEFAULT_STATE,
) -> None:
    """Open a request and print its id and the desk's address for it."""
    person = Person(Settings.open(state), user, password_of(user, password_file))
    body = {"artifacts": artifact, "until": until, "ground": ground, "reason": reason, "why_not_less": less}
    filed = person.post("/api/requests", body).json()
    typer.echo(json.dumps(filed) if as_json else f"{filed['id']}\n{filed['url']}")
