"""What the operator runs: `ingest`, `expire`, `retry`, `apply`, `clock`."""

from __future__ import annotations

import errno
import json
import os
import re
import secrets
import stat
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from sqlalchemy import select, text

from consigne.acts.deliveries import retry_delivery
from consigne.acts.journey import Platform
from consigne.acts.locate import stem_digests
from consigne.acts.preview import Preview, preview
from consigne.adapters.catalog.session import Session, open_engine
from consigne.adapters.catalog.tables import deliveries
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
GROWING_S = 20
LONGEST_STEP = Duration(years=10)
COPIED_AT_ONCE_BYTES = 1 << 20
_LONG_NUMBER = re.compile(r"\d(?:[\W_]?\d){7,}")


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
    """Copy a folder's regular files into intake, JSON last as the delivery format asks; each appears whole, a
    sparse one as sparse. Links are told and left; of intake itself nothing is copied. BadInput where the folder
    or a file cannot be read or copied."""
    if not source.is_dir():
        raise BadInput("no_folder", "PATH")
    try:
        if source.samefile(intake):
            return 0
        files = sorted(source.iterdir(), key=lambda one: (one.suffix == ".json", one))
    except OSError as fault:
        raise BadInput("not_readable", "PATH", fault.strerror or "") from None
    return sum(_hand_over_file(file, intake) for file in files)


def _hand_over_file(file: Path, intake: Path) -> bool:
    """Whether it was a regular file, and so was copied."""
    label = _label(file.name)
    draft = intake / f".{secrets.token_hex(8)}"
    try:
        mode = file.lstat().st_mode
        if stat.S_ISLNK(mode):
            typer.echo(f"left, a link: {label}", err=True)
        if not stat.S_ISREG(mode):
            return False
        with (
            open(os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as held,
            draft.open("xb") as copy,
        ):
            _copy(held.fileno(), copy.fileno())
            os.fchmod(
                copy.fileno(), 0o640
            )  # the folder's group reads it where workers are users of their own
        draft.replace(intake / file.name)
    except OSError as fault:
        raise BadInput("not_copied", label, fault.strerror or "") from None
    finally:
        draft.unlink(missing_ok=True)
    return True


def _copy(source: int, target: int) -> None:
    """The data alone: holes stay holes."""
    size_bytes = os.fstat(source).st_size
    at = 0
    while at < size_bytes:
        try:
            at = os.lseek(source, at, os.SEEK_DATA)
        except OSError as fault:
            if fault.errno != errno.ENXIO:
                raise
            break  # only a hole is left
        end = min(os.lseek(source, at, os.SEEK_HOLE), size_bytes)
        while at < end and (data := os.pread(source, min(COPIED_AT_ONCE_BYTES, end - at), at)):
            at += os.pwrite(target, data, at)
        if at < end:
            raise OSError(errno.EAGAIN, "it was cut meanwhile")
    os.ftruncate(target, size_bytes)


def _label(name: str) -> str:
    """A file's name as it may be shown: no long number, nothing that steers the terminal."""
    masked = _LONG_NUMBER.sub("…", name)
    return masked if masked.isprintable() else ascii(masked)


def carry(settings: Settings, wait: bool, tell: Callable[[str], None], patience_s: int = 900) -> bool:
    """Run the ingest Dag; with `wait`, again until nothing in intake is left to judge. False where a run failed
    for good. What only lies there, still growing, is told and not waited for longer than GROWING_S."""
    runs, platform = Runs(settings), open_platform(settings, "ingest")
    began = same_since = time.monotonic()
    failures, last = 0, set[bytes]()
    while failures < MOST_FAILURES and time.monotonic() - began < patience_s:
        run = runs.start("ingest_recordings", {})
        if not wait:
            return True
        ended = runs.wait("ingest_recordings", run, tell)
        under_way, unclaimed = _left(platform, settings.intake_dir)
        if not under_way and not unclaimed:
            return ended == "success"
        if under_way or unclaimed != last:
            last, same_since = unclaimed, time.monotonic()
        elif time.monotonic() - same_since > GROWING_S:
            tell(f"{len(unclaimed)} deliveries are not complete yet: the Dag will find them")
            return ended == "success"
        failures += ended != "success"
        time.sleep(1)
    return False


def _left(platform: Platform, intake: Path) -> tuple[bool, set[bytes]]:
    """Whether a delivery is under way; and what lies in intake with its JSON, but has not been claimed."""
    with platform.catalog.begin() as tx:
        rows = platform.catalog.open_deliveries(tx, platform.intake.source)
    files = [one.name for one in os.scandir(intake) if one.is_file(follow_symlinks=False)]
    stems = [name.removesuffix(".json") for name in files if name.endswith(".json")]
    lying, claimed = [stem_digests(platform, stem) for stem in stems], {row.stem_digest for row in rows}
    unclaimed = {digests[-1] for digests in lying if claimed.isdisjoint(digests)}
    return any(row.state not in SETTLED for row in rows), unclaimed


def expire(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what is due.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Until the run has ended.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One document: what is due, and the run.")] = False,
    state: State = DEFAULT_STATE,
) -> None:
    """Run the expiry Dag now; with --dry-run nothing goes, and what would go is named, artifact by artifact."""
    settings = Settings.open(state)
    seen = preview(open_platform(settings, "expire")) if dry_run else None
    for line in list_due(seen) if seen and not as_json else []:
        typer.echo(line)
    runs = Runs(settings)
    run = runs.start("expire_recordings", {"dry_run": dry_run})
    if as_json:
        typer.echo(json.dumps({"run": run} | (seen.to_json() if seen else {})))
    else:
        typer.echo(f"expire_recordings {run}")
    if wait and runs.wait("expire_recordings", run, _quiet if as_json else _tell) != "success":
        typer.echo("the run failed: see its tasks in the UI", err=True)
        raise typer.Exit(SOME_FAILED)


def _quiet(*_: object) -> None:
    """Nothing else may stand beside a JSON document."""


def list_due(seen: Preview) -> list[str]:
    """A line for each artifact, then one for each purpose and part of what would be destroyed."""
    lines = [
        f"{row['outcome']}  due {row['due_at']}  {row['purpose']}/{row['part']}  {row['why']}  {row['artifact']}"
        for row in seen.rows()
    ]
    counts = [f"{purpose}/{part}: {count}" for (purpose, part), count in seen.counts().items()]
    return lines + counts or [f"nothing is due at {iso(seen.at)}"]


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
    duration = read_step(advance)
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
        settings.remember(clock_offset_s=session.clock_shift(tx)[1])


def read_step(advance: str) -> Duration:
    """How far the test clock goes in one step. BadInput('bad_duration', '--advance') past ten years."""
    try:
        duration = Duration.parse(advance)
    except BadInput:
        raise BadInput("bad_duration", "--advance", "an ISO 8601 duration, such as P1D or PT10M") from None
    if duration.approximate_s() > LONGEST_STEP.approximate_s():
        raise BadInput("bad_duration", "--advance", f"at most {LONGEST_STEP} in one step")
    return duration


def _tell(what: str) -> None:
    typer.echo(f"  {what}", err=True)
