"""What the operator runs: `ingest`, `expire`, `retry`, `apply`, `clock`."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from sqlalchemy import select, text

from consigne.acts.ingest import retry_delivery
from consigne.adapters.catalog.session import Session, open_engine
from consigne.adapters.catalog.tables import artifacts, deliveries
from consigne.doors.apply import apply as apply_all
from consigne.doors.cli.options import DEFAULT_STATE, State
from consigne.doors.cli.runs import Runs
from consigne.doors.local import airflow
from consigne.doors.settings import Settings
from consigne.doors.wiring import open_platform
from consigne.rules.clock import Duration, add, iso
from consigne.rules.errors import BadInput, Misconfigured, Unavailable

SOME_FAILED = 1
SETTLED = ("cleared", "quarantined")
MOST_FAILURES = 3


def ingest(
    path: Annotated[Path | None, typer.Argument(help="A folder of deliveries to hand to intake.")] = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Until each delivery is cleared or quarantined.")
    ] = False,
    state: State = DEFAULT_STATE,
) -> None:
    """Hand a folder to intake and run the Dag."""
    settings = Settings.open(state)
    if path is not None:
        typer.echo(f"{hand_over(path, settings.intake_dir)} files handed to intake")
    if not carry(settings, wait, _tell):
        raise typer.Exit(SOME_FAILED)


def hand_over(source: Path, intake: Path) -> int:
    """Copy a folder's files into intake, JSON last as the delivery format asks; each appears whole."""
    if not source.is_dir():
        raise BadInput("no_folder", "PATH")
    files = sorted(
        (one for one in source.iterdir() if one.is_file()), key=lambda one: (one.suffix == ".json", one)
    )
    for file in files:
        draft = intake / f".{secrets.token_hex(8)}"
        shutil.copyfile(file, draft)
        draft.replace(intake / file.name)
    return len(files)


def carry(settings: Settings, wait: bool, tell: Callable[[str], None], patience_s: int = 900) -> bool:
    """Run the ingest Dag; with `wait`, again until nothing in intake is left to judge. False where a run failed
    for good."""
    runs = Runs(settings)
    end = time.monotonic() + patience_s
    failures = 0
    while failures < MOST_FAILURES and time.monotonic() < end:
        run = runs.start("ingest_recordings", {})
        if not wait:
            return True
        ended = runs.wait("ingest_recordings", run, tell)
        if not _unsettled(settings):
            return ended == "success"
        failures += ended != "success"
        time.sleep(1)
    return False


def _unsettled(settings: Settings) -> bool:
    """Whether a delivery is under way, or a pair that is complete has not been claimed yet."""
    with Session(open_engine(settings.database_url("read")), os.urandom).begin() as tx:
        query = select(deliveries.c.id).where(deliveries.c.state.not_in(SETTLED)).limit(1)
        if tx.execute(query).one_or_none() is not None:
            return True
        known = len(tx.execute(select(deliveries.c.id).where(deliveries.c.state == "quarantined")).all())
    return _pairs(settings.intake_dir) > known


def _pairs(intake: Path) -> int:
    return len(
        {
            one.name
            for one in os.scandir(intake)
            if one.name.endswith(".json") and one.is_file(follow_symlinks=False)
        }
    )


def expire(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what is due.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Until the run has ended.")] = False,
    state: State = DEFAULT_STATE,
) -> None:
    """Run the expiry Dag now."""
    settings = Settings.open(state)
    if dry_run:
        _say_due(settings)
    runs = Runs(settings)
    run = runs.start("expire_recordings", {"dry_run": dry_run})
    typer.echo(f"expire_recordings {run}")
    if wait and runs.wait("expire_recordings", run, _tell) != "success":
        typer.echo("the run failed: see its tasks in the UI", err=True)
        raise typer.Exit(SOME_FAILED)


def _say_due(settings: Settings) -> None:
    with Session(open_engine(settings.database_url("read")), os.urandom).begin() as tx:
        due = artifacts.c.state.in_(("storing", "kept", "erasing")) & (
            artifacts.c.due_at <= text("consigne_now()")
        )
        for row in tx.execute(select(artifacts).where(due).order_by(artifacts.c.due_at)):
            typer.echo(f"due {iso(row.due_at)}  {row.purpose}/{row.part}  {row.id}")


def retry(
    names: Annotated[list[str], typer.Argument(metavar="DELIVERY…", help="Ids as `deliveries` shows them.")],
    state: State = DEFAULT_STATE,
) -> None:
    """Try quarantined deliveries again."""
    settings = Settings.open(state)
    platform = open_platform(settings, "ingest")
    # A sum, not `any`: all of that name are tried.
    left = [name for name in names if not sum(retry_delivery(platform, id) for id in _named(settings, name))]
    for name in left:
        typer.echo(f"not quarantined: {name}", err=True)
    if len(left) < len(names):
        carry(settings, False, _tell)
    if left:
        raise typer.Exit(SOME_FAILED)


def _named(settings: Settings, name: str) -> list[UUID]:
    with Session(open_engine(settings.database_url("read")), os.urandom).begin() as tx:
        where = (deliveries.c.source_id == name) & (deliveries.c.state == "quarantined")
        return list(tx.execute(select(deliveries.c.id).where(where)).scalars())


def apply(state: State = DEFAULT_STATE) -> None:
    """Bring database, store and roles in line with the policy. Idempotent."""
    settings = Settings.open(state)
    apply_all(settings, typer.echo)
    roles = airflow.module(settings, "accounts", "consigne.doors.orchestration.accounts")
    done = subprocess.run(
        roles.argv, cwd=roles.folder, env=dict(roles.environment), capture_output=True, check=False
    )
    if done.returncode != 0:
        raise Unavailable("roles_not_applied", "airflow", "is its database up?")


def clock(
    advance: Annotated[str, typer.Option(help="An ISO 8601 duration, such as P1D or PT10M.")],
    state: State = DEFAULT_STATE,
) -> None:
    """Shift the test clock forward. Only in a state folder made with --test-clock."""
    settings = Settings.open(state)
    if not settings.test_clock:
        raise BadInput(
            "no_test_clock", "--state", "only a state folder made with --test-clock may shift its clock"
        )
    duration = Duration.parse(advance)
    session = Session(open_engine(settings.database_url("owner")), os.urandom)
    with session.begin() as tx:
        now = session.now(tx)
        shift_s = int((add(now, duration, "UTC") - now).total_seconds())
        if (
            tx.execute(text("UPDATE clock SET offset_s = offset_s + :s WHERE test"), {"s": shift_s}).rowcount
            != 1
        ):
            raise Misconfigured("no_test_clock", "catalog")
        session.append(tx, "ops", "configure:clock:advanced", [{"seconds": shift_s}])
        typer.echo(iso(session.now(tx)))


def _tell(what: str) -> None:
    typer.echo(f"  {what}", err=True)
