"""Options that every command takes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from consigne.doors.settings import CHECKOUT
from consigne.rules.reasons import LANGUAGES


def _folder(given: str | Path) -> Path:
    """`--state ""` is a variable that is not set: never the folder we happen to be in."""
    if not str(given):
        raise typer.BadParameter("it names no folder")
    return Path(given)


def _language(given: str) -> str:
    """As asked; else the locale's, where we speak it; else English."""
    if given and given not in LANGUAGES:
        raise typer.BadParameter(f"known: {', '.join(LANGUAGES)}")
    locale = next(filter(None, (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
    return given or (locale[:2] if locale[:2] in LANGUAGES else "en")


State = Annotated[Path, typer.Option("--state", metavar="DIR", parser=_folder, help="The state folder.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
Language = Annotated[
    str,
    typer.Option(
        "--language", metavar="fr|en", parser=_language, help="Of sentences; default: the locale's."
    ),
]
DEFAULT_STATE = CHECKOUT / ".state"
