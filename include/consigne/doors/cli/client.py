"""Acting as a person from the command line: a password for Airflow's token, the token for the desk's API.

The api-server decides and serves; nothing here holds a key.
"""

from __future__ import annotations

import sys
from getpass import getpass
from pathlib import Path
from typing import Annotated, Any, NoReturn

import httpx
import typer

from consigne.doors.settings import Settings
from consigne.rules.errors import BadInput, Unavailable
from consigne.rules.values import Private

DENIED_EXIT = 4
As = Annotated[str, typer.Option("--as", metavar="USER", help="Who acts.")]
PasswordFile = Annotated[Path | None, typer.Option(help="A file with the password; else it is asked.")]
_TIMEOUT_S = 120
_ADVICE = {"scope": "exactly one of --recording, --caller, --agent, or --from and --until"}
"""A field of the API → what to give instead."""


def password_of(user: str, file: Path | None) -> Private[str]:
    """From the file (its trailing newline aside), else from a prompt. BadInput where there is neither."""
    if file is not None:
        try:
            return Private(file.read_text().rstrip("\r\n"))
        except (OSError, UnicodeDecodeError):
            raise BadInput("unreadable", "--password-file") from None
    if not sys.stdin.isatty():
        raise BadInput("missing", "--password-file", "there is no terminal to ask on")
    return Private(getpass(f"Password of {user}: "))


class Person:
    """Someone signed in. Every call ends the command with exit code 4 where the api-server says no."""

    def __init__(self, settings: Settings, user: str, password: Private[str]) -> None:
        self._client = httpx.Client(base_url=settings.airflow_url, timeout=_TIMEOUT_S, trust_env=False)
        answer = self._send("/auth/token", {"username": user, "password": password.reveal()})
        self._client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def post(self, path: str, body: dict[str, Any]) -> httpx.Response:
        """The desk's answer to a JSON body; `path` begins after `/consigne`. Unavailable, BadInput."""
        return self._send(f"/consigne{path}", body)

    def get(self, path: str) -> httpx.Response:
        """What the desk shows as JSON; otherwise as `post`."""
        return self._send(f"/consigne{path}", None)

    def _send(self, path: str, body: dict[str, Any] | None) -> httpx.Response:
        try:
            answer = self._client.request("GET" if body is None else "POST", path, json=body)
        except httpx.TransportError:
            raise Unavailable("no_answer", "api-server", "is it up? see ./consigne status") from None
        if answer.is_success:
            return answer
        told = _told(answer)
        if answer.status_code in (401, 403):
            deny(str(told.get("code", "not_signed_in")))
        if answer.status_code in (400, 404, 422):
            field = str(told.get("field", ""))
            raise BadInput(str(told.get("code", "bad_field")), field, _ADVICE.get(field, ""))
        raise Unavailable(str(told.get("code", "broken")), "api-server")


def deny(code: str) -> NoReturn:
    """Say no, with the code, and end with exit code 4."""
    typer.echo(f"denied: {code}", err=True)
    raise typer.Exit(DENIED_EXIT)


def _told(answer: httpx.Response) -> dict[str, Any]:
    try:
        told = answer.json()
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
