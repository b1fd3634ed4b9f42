"""`consigne keyring`: the versions of its keys, and a new version of one."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from consigne.acts.rotate import rotate_key
from consigne.adapters.keyring.file import FileKeyring
from consigne.doors.cli.options import DEFAULT_STATE, Json, State
from consigne.doors.settings import Settings
from consigne.doors.wiring import open_platform
from consigne.rules.errors import BadInput

KEYS = ("signing", "blind-index", "tombstone", "draw")
ROOT = "root"

keyring = typer.Typer(help="The keyring's own keys.", no_args_is_help=True)


@keyring.callback()
def _keyring() -> None:
    """The keyring's own keys."""


@keyring.command()
def versions(as_json: Json = False, state: State = DEFAULT_STATE) -> None:
    """Every key's versions; the last one is used, the others are still known."""
    kept = open_platform(Settings.open(state), "decide").keyring
    found = {name: kept.versions(name) for name in KEYS}
    if isinstance(kept, FileKeyring):  # the others keep a root of their own
        found[ROOT] = kept.root_versions()
    if as_json:
        document = {"provider": kept.provider, "assurance": kept.assurance, "versions": found}
        typer.echo(json.dumps(document))
        return
    typer.echo(f"{kept.provider} (assurance: {kept.assurance})")
    for name, known in found.items():
        typer.echo(f"  {name}: {', '.join(map(str, known))}")


@keyring.command()
def rotate(
    name: Annotated[str, typer.Argument(metavar="NAME", help=f"{', '.join(KEYS)} or {ROOT}.")],
    state: State = DEFAULT_STATE,
) -> None:
    """A new version of a key, used from now on; what was made with the old ones stays found and verified."""
    if name not in (*KEYS, ROOT):
        raise BadInput("keyring_key_unknown", "NAME", f"known: {', '.join((*KEYS, ROOT))}")
    version = rotate_key(open_platform(Settings.open(state), "decide"), "ops", name)
    typer.echo(f"{name}: version {version}" if version else f"{name}: the provider keeps its own")
