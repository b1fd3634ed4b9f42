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
from consigne.doors.settings import ACCOUNTS, Settings


def up(
    state: State = DEFAULT_STATE,
    detach: Annotated[bool, typer.Option("--detach", help="Return when all is up.")] = False,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Of the web pages.")] = None,
    policy: Annotated[Path | None, typer.Option(metavar="FILE", help="Instead of config/demo.yaml.")] = None,
    no_samples: Annotated[bool, typer.Option("--no-samples", help="Deliver no sample calls.")] = False,
    test_clock: Annotated[bool, typer.Option("--test-clock", help="A clock that can be advanced.")] = False,
) -> None:
    """Everything up and well, sample calls carried through; stopping it stops all that it started."""
    for word in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(word, signal.default_int_handler)
    if swap_is_on():
        _say("this machine swaps: memory may reach its disk; better turn it off or encrypt it")
    wishes = local.Wishes(port, policy, test_clock, not no_samples, detach)
    settings, is_ours = local.up(state.absolute(), wishes, _say)
    _print_summary(settings)
    if is_ours and not detach:
        with suppress(KeyboardInterrupt):  # Ctrl-C is how it is stopped
            local.wait(settings)


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
