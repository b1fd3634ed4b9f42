"""`backup` and `restore`: the embedded parts, for as long as the policy lets a backup exist."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from consigne.doors.cli.options import DEFAULT_STATE, State
from consigne.doors.local.backup import back_up
from consigne.doors.local.backups import PARTS
from consigne.doors.local.restore import declare
from consigne.doors.local.restore import restore as put_back
from consigne.doors.settings import Settings
from consigne.rules.errors import BadInput

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="A folder outside of the state folder.")]
Only = Annotated[
    str,
    typer.Option("--only", metavar="PARTS", help=f"Of {','.join(PARTS)}; default: all that are declared."),
]


def backup(folder: Folder, only: Only = "", state: State = DEFAULT_STATE) -> None:
    """Destroy backups in DIR whose time is up, then make one. While all runs."""
    typer.echo(back_up(Settings.open(state), folder.absolute(), _parts(only), typer.echo))


def restore(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="A backup, or where they lie.")
    ] = None,
    only: Only = "",
    replace: Annotated[
        bool, typer.Option("--replace", help="Put the database in place of the one that is there.")
    ] = False,
    declared: Annotated[
        str,
        typer.Option(
            "--declare",
            metavar="PARTS|ID|older-keyring",
            help="Without DIR: say of parts that you put them back by hand, of a restoration (its id, as "
            "`verify --register` names it) that you did it, or that no newer keyring is left.",
        ),
    ] = "",
    state: State = DEFAULT_STATE,
) -> None:
    """Put a backup back (DIR, or the newest in it), or declare that it was done by hand. While all is down; then
    `up`, which opens when it knows what is gone."""
    if (folder is None) != bool(declared) or (declared and (only or replace)):
        raise BadInput("missing" if folder is None else "too_many", "DIR", "either DIR, or --declare alone")
    if folder is None:
        declare(Settings.open(state), _parts(declared))
        typer.echo("noted: the next `up` signs it")
        return
    put_back(Settings.open(state), folder.absolute(), _parts(only), replace, typer.echo)


def _parts(only: str) -> list[str]:
    return [part.strip() for part in only.split(",") if part.strip()]
