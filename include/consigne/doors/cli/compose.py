"""`compose`: the files of the arrangement in containers."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from consigne.doors import compose_folder
from consigne.doors.compose import text
from consigne.doors.settings import CHECKOUT

DEFAULT_FOLDER = CHECKOUT / ".compose"

compose = typer.Typer(help="The same in containers: docs/operating.md, With Compose.", no_args_is_help=True)


@compose.command("init")
def init(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where secrets and data lie.")
    ] = DEFAULT_FOLDER,
    policy: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Instead of config/policy.yaml.")
    ] = None,
    public_url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="What people type; https:// with docker-compose.tls.yaml."),
    ] = None,
    without_key_server: Annotated[
        bool, typer.Option("--without-key-server", help="Each service asks CONSIGNE_KEYRING_URL itself.")
    ] = False,
) -> None:
    """Make every secret, one share a service. Run again, it makes no secret anew."""
    wishes = compose_folder.Wishes(policy, public_url, without_key_server)
    file = compose_folder.make(folder.absolute(), wishes, lambda line: print(line, file=sys.stderr))
    print(f"docker compose --env-file {shlex.quote(str(file))} up -d --build")


@compose.command("write")
def write() -> None:
    """Write docker-compose.yaml anew from doors/arrangement.py."""
    (CHECKOUT / "docker-compose.yaml").write_text(text(), encoding="utf-8")
