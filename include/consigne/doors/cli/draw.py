"""`consigne draw` at call set-up; `consigne draws`: what an auditor takes away, and the draws done again."""

from __future__ import annotations

import json
import os
import re
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from consigne.acts.draw import draw_call
from consigne.adapters.catalog import views_draws
from consigne.adapters.catalog.session import Session, open_engine
from consigne.doors.cli.options import DEFAULT_STATE, Json, State
from consigne.doors.settings import Settings
from consigne.doors.wiring import open_platform
from consigne.rules.clock import iso
from consigne.rules.draw import Draw, DrawMonth, Misfit, misfits
from consigne.rules.errors import BadInput
from consigne.rules.set_up import read

DOES_NOT_VERIFY = 5
MISFITS_SHOWN = 50
_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")


def draw(
    id: Annotated[str, typer.Option("--id", help="The call's identifier, as its delivery will name it.")],
    queue: Annotated[str, typer.Option(help="The queue that the call is in.")],
    agent: Annotated[str | None, typer.Option(help="Who takes it, where that is known.")] = None,
    source: Annotated[str, typer.Option(help="The source that will deliver it.")] = "folder",
    purpose: Annotated[
        list[str] | None, typer.Option(help="May be said several times; without it, those of the queue.")
    ] = None,
    as_json: Json = False,
    state: State = DEFAULT_STATE,
) -> None:
    """Whether a call is recorded: `yes` or `no`, with exit code 0. Anything else means do not record. For a
    telephone system on this machine; quicker is POST /consigne/draw."""
    named = {"id": id, "queue": queue, "agent": agent, "source": source, "purposes": purpose}
    asked = read({name: value for name, value in named.items() if value is not None})
    drawn = draw_call(open_platform(Settings.open(state), "decide"), asked)
    if as_json:
        typer.echo(json.dumps(drawn.to_json()))
    else:
        typer.echo("yes" if drawn.purposes else "no")


def draws(
    month: Annotated[
        str | None, typer.Option(metavar="YYYY-MM", help="Only the draws of this month.")
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Do each draw again whose month's secret is revealed.")
    ] = False,
    as_json: Json = False,
    state: State = DEFAULT_STATE,
) -> None:
    """Each month's commitment and, once it is revealed, its secret; with --json every draw too. With --verify exit
    code 5 where one does not fit its month, or the month the register."""
    if month is not None and _MONTH.fullmatch(month) is None:
        raise BadInput("bad_field", "--month")
    engine = open_engine(Settings.open(state).database_url("read"))
    with Session(engine, os.urandom).begin() as tx:
        months = [one for one in views_draws.months(tx) if month in (None, one.month)]
        made = views_draws.every_draw(tx, month)
        registered = views_draws.registered(tx, [one.month for one in months])
    if not verify:
        _show(months, made, as_json)
        return
    found = list(misfits(months, registered, made))
    _tell(months, made, found, as_json)
    if found:
        raise typer.Exit(DOES_NOT_VERIFY)


def _show(months: list[DrawMonth], made: list[tuple[Draw, bool]], as_json: bool) -> None:
    if as_json:
        told = {"months": [_month(one) for one in months], "draws": [_draw(*one) for one in made]}
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    table = Table("month", "committed", "commitment", "secret", "draws", "drawn", "kept")
    for one in months:
        of_month = [(draw.drawn, is_kept) for draw, is_kept in made if draw.month == one.month]
        secret = one.secret.hex() if one.secret else "not revealed yet"
        counts = (len(of_month), sum(drawn for drawn, _ in of_month), sum(kept for _, kept in of_month))
        table.add_row(one.month, iso(one.committed_at), one.commitment.hex(), secret, *map(str, counts))
    Console(width=None if os.isatty(1) else 250).print(table)


def _month(one: DrawMonth) -> dict[str, Any]:
    return {
        "month": one.month,
        "commitment": one.commitment.hex(),
        "key_version": one.key_version,
        "committed_at": iso(one.committed_at),
        "revealed_at": iso(one.revealed_at) if one.revealed_at else None,
        "secret": one.secret.hex() if one.secret else None,
    }


def _draw(one: Draw, is_kept: bool) -> dict[str, Any]:
    return {
        "source": one.source,
        "call": one.call,
        "purpose": one.purpose,
        "id": str(one.id),
        "month": one.month,
        "rate": str(one.rate),
        "drawn": one.drawn,
        "kept": is_kept,
        "at_set_up": one.at_set_up,
        "queue": one.queue,
        "agent": one.agent,
        "policy": one.policy,
        "drawn_at": iso(one.drawn_at),
        "delivery": str(one.delivery) if one.delivery else None,
    }


def _tell(months: list[DrawMonth], made: list[tuple[Draw, bool]], found: list[Misfit], as_json: bool) -> None:
    revealed = {one.month for one in months if one.secret is not None}
    again = sum(draw.month in revealed for draw, _ in made)
    if as_json:
        fields = ("code", "month", "source", "call", "purpose")
        told = [{name: getattr(one, name) for name in fields} for one in found]
        typer.echo(
            json.dumps({"verified": not found, "again": again, "not_yet": len(made) - again, "misfits": told})
        )
        return
    for one in found[:MISFITS_SHOWN]:
        typer.echo(" ".join(filter(None, (one.code, one.month, one.source, one.call, one.purpose))))
    fits = "all fit" if not found else f"{len(found)} do not fit"
    typer.echo(f"{again} draws done again, {len(made) - again} wait for their month's secret: {fits}")
