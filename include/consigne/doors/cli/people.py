"""`consigne notices`, `acknowledge`, `object` and `objections`: what people are told, have read and object to."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from consigne.adapters.catalog.open import Catalog
from consigne.adapters.catalog.session import open_engine
from consigne.doors.cli.client import As, PasswordFile, Person, password_of
from consigne.doors.cli.options import DEFAULT_STATE, Json, Language, State
from consigne.doors.desk.words import Wording
from consigne.doors.settings import Settings
from consigne.rules.clock import local_date
from consigne.rules.errors import BadInput, Conflict
from consigne.rules.notices import Notice, for_callers, for_employees
from consigne.rules.objections import ALTERNATIVES

Caller = Annotated[
    str,
    typer.Option(help="The caller's number; `-` asks for it, so that it stays out of the shell's history."),
]
AUDIENCES = ("callers", "employees")


def notices(
    queue: Annotated[str, typer.Option(help="One of the policy's queues; default: all.")] = "",
    audience: Annotated[str, typer.Option("--for", metavar="callers|employees", help="Default: both.")] = "",
    language: Language = "",
    as_json: Json = False,
    state: State = DEFAULT_STATE,
) -> None:
    """What callers and employees are told, made from the policy in force."""
    if audience not in ("", *AUDIENCES):
        raise BadInput("bad_field", "--for", f"one of: {', '.join(AUDIENCES)}")
    found = _notices(Settings.open(state), queue, audience, language)
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], ensure_ascii=False))
        return
    for one in found:
        typer.echo(f"{one.title} · {one.queue} · {one.version}")
        for section in one.sections:
            typer.echo("\n".join(["", f"  {section.title}", *(f"    {line}" for line in section.lines)]))
        typer.echo("")


def _notices(settings: Settings, queue: str, audience: str, language: str) -> list[Notice]:
    catalog = Catalog(open_engine(settings.database_url("read")), secrets.token_bytes)
    with catalog.begin() as tx:
        now = catalog.now(tx)
        policy = catalog.policy_at(tx, now)
    if policy is None:
        raise Conflict("no_policy", "catalog", "no policy is in force")
    if queue and queue not in policy.routing:
        raise BadInput("unknown_queue", "--queue", f"known: {', '.join(policy.routing)}")
    label, today = Wording(language, policy.zone).label, local_date(now, policy.zone)
    found: list[Notice] = []
    for each in [queue] if queue else policy.routing:
        found += for_callers(policy, each, language) if audience != "employees" else []
        found += [for_employees(policy, each, language, label, today)] if audience != "callers" else []
    return found


def acknowledge(
    user: As,
    notice: Annotated[
        str, typer.Argument(help="The version read; default: the one that the policy asks for.")
    ] = "",
    file: Annotated[
        Path | None, typer.Option(help="A file of the form of agents.csv, handed in by ops for others.")
    ] = None,
    password_file: PasswordFile = None,
    as_json: Json = False,
    state: State = DEFAULT_STATE,
) -> None:
    """Say that you have read the notice to employees; or hand in who has."""
    text = _text(file) if file else ""
    person = _person(state, user, password_file)
    if file:
        told = person.post("/api/acknowledgements/import", {"csv": text}).json()
        line = f"{told['changed']} new or earlier"
    else:
        told = person.post("/api/acknowledgements", {"notice": notice}).json()
        line = f"{told['agent']} has read {told['notice']} since {told['acknowledged_at']}"
    typer.echo(json.dumps(told) if as_json else line)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise BadInput("unreadable", "--file") from None


def object_(
    user: As,
    call: Annotated[str, typer.Option(help="The call's identifier at its source.")] = "",
    source: Annotated[str, typer.Option(help="The source; default: intake's.")] = "",
    caller: Caller = "",
    purpose: Annotated[
        list[str] | None, typer.Option(help="Again for each; without: all that no law demands.")
    ] = None,
    alternative: Annotated[
        str, typer.Option(help=f"What was offered: {', '.join(ALTERNATIVES)}.")
    ] = ALTERNATIVES[0],
    password_file: PasswordFile = None,
    as_json: Json = False,
    state: State = DEFAULT_STATE,
) -> None:
    """Record that a caller objects: to one call's recording, by its identifier; to later ones, by the number."""
    body = {
        "call": call, "source": source, "caller": _number(caller), "purposes": purpose or [],
        "alternative": alternative,
    }  # fmt: skip
    made = _person(state, user, password_file).post("/api/objections", body).json()
    typer.echo(json.dumps(made) if as_json else made["id"])


def objections(
    user: As,
    withdraw: Annotated[str, typer.Option(metavar="ID", help="Take this one back.")] = "",
    caller: Annotated[
        str, typer.Option(metavar="NUMBER", help="Take back all of this caller's; `-` asks for the number.")
    ] = "",
    password_file: PasswordFile = None,
    as_json: Json = False,
    state: State = DEFAULT_STATE,
) -> None:
    """Who objected to what, without any number; or take objections back."""
    person = _person(state, user, password_file)
    if withdraw or caller:
        body = {"id": withdraw} if withdraw else {"caller": _number(caller)}
        ended = person.post("/api/objections/withdraw", body).json()
        typer.echo(json.dumps(ended) if as_json else "\n".join(ended["withdrawn"]))
        return
    found = person.get("/api/objections").json()
    if as_json:
        typer.echo(json.dumps(found))
        return
    _list(found)


def _list(found: list[dict[str, Any]]) -> None:
    table = Table("objection", "on", "purposes", "offered", "by", "call", "state")
    for one in found:
        state = "withdrawn" if one["withdrawn_at"] else "stands" if one["stands"] else "this call"
        shown = [", ".join(one["purposes"]) or "all", one["alternative"] or "", one["recorded_by"]]
        table.add_row(one["id"], one["objected_at"], *shown, one["source_id"] or "", state)
    console = Console(markup=False, highlight=False)
    (console if console.is_terminal else Console(markup=False, highlight=False, width=250)).print(table)


def _number(caller: str) -> str:
    return str(typer.prompt("The caller's number", hide_input=True)) if caller == "-" else caller


def _person(state: Path, user: str, password_file: Path | None) -> Person:
    return Person(Settings.open(state), user, password_of(user, password_file))
