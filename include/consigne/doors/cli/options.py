"""Options that every command takes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from consigne.doors.settings import CHECKOUT

State = Annotated[Path, typer.Option("--state", metavar="DIR", help="The state folder.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
DEFAULT_STATE = CHECKOUT / ".state"
