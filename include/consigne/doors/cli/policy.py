"""`consigne policy`: check a file, weigh its impact, file it as a draft, list drafts."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from consigne.acts.configure import assess_draft, check_draft
from consigne.adapters.catalog import views_policy
from consigne.adapters.catalog.session import Session, open_engine
from consigne.doors.cli.client import As, PasswordFile, Person, password_of
from consigne.doors.cli.options import DEFAULT_STATE, Json, State
from consigne.doors.settings import CHECKOUT, Settings
from consigne.doors.wiring import open_platform
from consigne.rules.clock import iso
from consigne.rules.errors import BadInput, Misconfigured
from consigne.rules.policy.findings import Finding, PolicyInvalid
from consigne.rules.policy.impact import FATES
from consigne.rules.policy.limits import breaches
from consigne.rules.policy.load import load

SOME_BREACHES = 2
SHOWN = 200

policy = typer.Typer(help="The policy: its file, its drafts.", no_args_is_help=True)
File = Annotated[Path, typer.Argument(metavar="FILE", help="A policy file (YAML).")]


@policy.callback()
def _policy() -> None:
    """The policy: its file, its drafts."""


@policy.command("check")
def check(
    file: Annotated[
        Path | None, typer.Argument(help="Default: the policy of the state folder, else the shipped one.")
    ] = None,
    as_json: Json = False,
    state: State = DEFAULT_STATE,
) -> None:
    """Its errors and its breaches of the CNIL's limits, by line."""
    path = file or _policy_file(state)
    try:
        found = list(breaches(load(_read(path))))
    except PolicyInvalid as fault:
        found = list(fault.findings)
    _say(path, found, as_json)


@policy.command("impact")
def impact(file: File, as_json: Json = False, state: State = DEFAULT_STATE) -> None:
    """What the file would do to what is kept, with a visa given now. Nothing is filed."""
    platform, text = open_platform(Settings.open(state), "read"), _read(file)
    checked = check_draft(platform, text)
    if checked.loaded is None or checked.has_errors:
        _say(file, checked.findings, as_json)
        return
    found = assess_draft(platform, checked.loaded.policy).to_json()
    if as_json:
        typer.echo(json.dumps(found))
        return
    table = Table("purpose", "part", "", *FATES)
    for line in found["lines"]:
        named = line["purpose"], line["part"], line["apart"]
        table.add_row(*named, *(str(line[fate]) for fate in FATES))
    Console(width=None if os.isatty(1) else 250).print(table)
    for name in ("added", "removed"):
        if found[name]:
            typer.echo(f"purposes {name}: {', '.join(found[name])}")
    for one in found["listening"]:
        gained, lost = (", ".join(one[name]) or "-" for name in ("gained", "lost"))
        typer.echo(f"{one['purpose']}: {one['role']} gains {gained}, loses {lost}")


@policy.command("draft")
def draft(
    file: File,
    reason: Annotated[str, typer.Option(help="Why the policy is to change.")],
    user: As,
    password_file: PasswordFile = None,
    as_json: Json = False,
    state: State = DEFAULT_STATE,
) -> None:
    """File a draft for the DPO's visa; print its id and the desk's address for it."""
    settings, text = Settings.open(state), _read(file)
    person = Person(settings, user, password_of(user, password_file))
    checked = check_draft(open_platform(settings, "read"), text)
    if checked.has_errors:
        _say(file, checked.findings, as_json)
    filed = person.post("/api/policy/drafts", {"text": text, "reason": reason}).json()
    typer.echo(json.dumps(filed) if as_json else f"{filed['id']}\n{filed['url']}")


@policy.command("drafts")
def drafts(as_json: Json = False, state: State = DEFAULT_STATE) -> None:
    """Drafts, newest first, and what became of each."""
    with Session(open_engine(Settings.open(state).database_url("read")), os.urandom).begin() as tx:
        found = views_policy.latest_drafts(tx, SHOWN)
    if as_json:
        typer.echo(json.dumps(found, default=_text))
        return
    table = Table("id", "version", "author", "filed", "takes force", "lapses", "state", "by")
    for one in found:
        dates = (_text(one[name]) for name in ("filed_at", "in_force_from", "lapses_at"))
        became = one["answer"] or one["state"]
        table.add_row(str(one["id"]), one["version"], one["author"], *dates, became, one["decided_by"] or "")
    Console(width=None if os.isatty(1) else 250).print(table)


def _text(value: object) -> str:
    return iso(value) if isinstance(value, datetime) else str(value)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise BadInput("unreadable", "FILE", str(path)) from None


def _policy_file(state: Path) -> Path:
    """The state folder's policy, or the shipped one where there is no state folder yet."""
    try:
        return Settings.open(state).policy_file
    except Misconfigured:
        return CHECKOUT / "config" / "policy.yaml"


def _say(path: Path, found: Sequence[Finding], as_json: bool) -> None:
    """The findings; ends the command where one is an error."""
    if as_json:
        fields = ("line", "column", "field", "code", "message", "severity")
        typer.echo(json.dumps([{name: getattr(one, name) for name in fields} for one in found]))
    else:
        for one in found:
            said = (f"{path.name}:{one.line}:{one.column}", one.severity, one.field, one.message)
            typer.echo(": ".join(part for part in said if part))
        if not found:
            typer.echo(f"{path.name}: within the limits")
    if any(one.severity == "error" for one in found):
        raise typer.Exit(SOME_BREACHES)
