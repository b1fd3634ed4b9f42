"""Options that every command takes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from consigne.doors.settings import CHECKOUT


def _folder(given: str | Path) -> Path:
    """`--state ""` is a variable that is not set: never the folder we happen to be in."""
    if not str(given):
        raise typer.BadParameter("it names no folder")
    return Path(given)


State = Annotated[Path, typer.Option("--state", metavar="DIR", parser=_folder, help="The state folder.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
DEFAULT_STATE = CHECKOUT / ".state"
