"""`up` and `down`."""

from __future__ import annotations

import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from consigne.doors.cli.options import DEFAULT_STATE, State
from consigne.doors.local import up as local
from consigne.doors.local.status import swap_is_on
from consigne.doors.orchestration.queues import QUEUES
from consigne.doors.settings import ACCOUNTS, Settings
from consigne.rules.errors import BadInput

EXECUTORS = ("local", "celery")
MOST_WORKERS = 64


def up(
    state: State = DEFAULT_STATE,
    detach: Annotated[bool, typer.Option("--detach", help="Return when all is up.")] = False,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Of the web pages.")] = None,
    policy: Annotated[Path | None, typer.Option(metavar="FILE", help="Instead of config/demo.yaml.")] = None,
    no_samples: Annotated[bool, typer.Option("--no-samples", help="Deliver no sample calls.")] = False,
    test_clock: Annotated[bool, typer.Option("--test-clock", help="A clock that can be advanced.")] = False,
    executor: Annotated[
        str | None, typer.Option(metavar="local|celery", help="celery: workers by queue, with Redis.")
    ] = None,
    workers: Annotated[
        str | None, typer.Option(metavar="QUEUE=N,…", help="How many; with --executor celery.")
    ] = None,
) -> None:
    """Everything up and well, sample calls carried through; stopping it stops all that it started."""
    for word in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(word, signal.default_int_handler)
    if swap_is_on():
        _say("this machine swaps: memory may reach its disk; better turn it off or encrypt it")
    counts = read_workers(workers) if workers is not None else None
    wishes = local.Wishes(port, policy, test_clock, not no_samples, detach, read_executor(executor), counts)
    settings, is_ours = local.up(state.absolute(), wishes, _say)
    _print_summary(settings)
    if is_ours and not detach:
        with suppress(KeyboardInterrupt):  # Ctrl-C is how it is stopped
            local.wait(settings)


def read_executor(given: str | None) -> str | None:
    """`local`, `celery`, or nothing said. BadInput('unknown_executor', '--executor')."""
    if given not in (None, *EXECUTORS):
        raise BadInput("unknown_executor", "--executor", f"known: {', '.join(EXECUTORS)}")
    return given


def read_workers(given: str) -> dict[str, int]:
    """Queue -> how many workers, of `ingest=2,expire=1`. BadInput('bad_workers', '--workers')."""
    found = {}
    for one in filter(None, given.split(",")):
        queue, _, count = one.partition("=")
        if queue not in QUEUES or not count.isdecimal() or not 1 <= int(count) <= MOST_WORKERS:
            known = f"QUEUE=1…{MOST_WORKERS}, of {', '.join(QUEUES)}"
            raise BadInput("bad_workers", "--workers", known)
        found[queue] = int(count)
    return found


def down(state: State = DEFAULT_STATE) -> None:
    """Stop everything; returns when all is gone."""
    _say("stopped" if local.down(Settings.open(state)) else "nothing ran")


def _print_summary(settings: Settings) -> None:
    """Passwords only to a terminal: a log is no place for them."""
    print(f"\n  {settings.airflow_url}\n")
    shown = sys.stdout.isatty()
    for user, role in ACCOUNTS.items():
        print(f"  {user:<10}{role:<10}{settings.account_password(user) if shown else ''}".rstrip())
    if not shown:
        print("\n  passwords: ./consigne status --secrets")
    print(flush=True)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
