"""`backup` and `restore`: the embedded parts, for as long as the policy lets a backup exist."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from consigne.doors.cli.options import DEFAULT_STATE, State
from consigne.doors.local.backup import back_up
from consigne.doors.local.backups import PARTS
from consigne.doors.local.restore import restore as put_back
from consigne.doors.settings import Settings

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="A folder outside of the state folder.")]
Only = Annotated[
    str,
    typer.Option("--only", metavar="PARTS", help=f"Of {','.join(PARTS)}; default: all that are declared."),
]


def backup(folder: Folder, only: Only = "", state: State = DEFAULT_STATE) -> None:
    """Destroy backups in DIR whose time is up, then make one. While all runs."""
    typer.echo(back_up(Settings.open(state), folder.absolute(), _parts(only), typer.echo))


def restore(
    folder: Folder,
    only: Only = "",
    replace: Annotated[
        bool, typer.Option("--replace", help="Put the database in place of the one that is there.")
    ] = False,
    state: State = DEFAULT_STATE,
) -> None:
    """Put a backup back (DIR, or the newest in it). While all is down; then `up`, which opens when it knows what
    is gone."""
    put_back(Settings.open(state), folder.absolute(), _parts(only), replace, typer.echo)


def _parts(only: str) -> list[str]:
    return [part.strip() for part in only.split(",") if part.strip()]
