"""The command line: a table of commands, and what a fault becomes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from urllib.error import URLError

import typer
from typer._click.exceptions import (
    ClickException,  # typer carries its own click, and exports only parts of it
)

from consigne.rules.errors import (
    BadInput,
    Conflict,
    ConsigneError,
    Misconfigured,
    Tampered,
    Unavailable,
    place_of,
)

# Command -> module:function (or module:Typer where it has commands of its own). Only what is asked for is imported.
COMMANDS = {
    "up": "consigne.doors.cli.up:up",
    "down": "consigne.doors.cli.up:down",
    "status": "consigne.doors.cli.status:status",
    "deliveries": "consigne.doors.cli.read:deliveries",
    "recordings": "consigne.doors.cli.read:recordings",
    "show": "consigne.doors.cli.read:show",
    "draw": "consigne.doors.cli.draw:draw",
    "draws": "consigne.doors.cli.draw:draws",
    "hold": "consigne.doors.cli.hold:hold",
    "notices": "consigne.doors.cli.people:notices",
    "acknowledge": "consigne.doors.cli.people:acknowledge",
    "object": "consigne.doors.cli.people:object_",
    "objections": "consigne.doors.cli.people:objections",
    "request-exception": "consigne.doors.cli.request_exception:request_exception",
    "export": "consigne.doors.cli.export:export",
    "ingest": "consigne.doors.cli.operate:ingest",
    "expire": "consigne.doors.cli.operate:expire",
    "reconcile": "consigne.doors.cli.reconcile:reconcile",
    "findings": "consigne.doors.cli.reconcile:findings",
    "retry": "consigne.doors.cli.operate:retry",
    "apply": "consigne.doors.cli.operate:apply",
    "clock": "consigne.doors.cli.operate:clock",
    "certificates": "consigne.doors.cli.evidence:certificates",
    "verify": "consigne.doors.cli.evidence:verify",
    "register": "consigne.doors.cli.register:register",
    "policy": "consigne.doors.cli.policy:policy",
    "keyring": "consigne.doors.cli.keyring:keyring",
    "samples": "consigne.doors.cli.samples:samples",
    "backup": "consigne.doors.cli.backup:backup",
    "restore": "consigne.doors.cli.backup:restore",
    "compose": "consigne.doors.cli.compose:compose",
    "bench": "consigne.doors.cli.bench:bench",
    "test": "consigne.doors.cli.test:test",
}
PASSING_ON = {"allow_extra_args": True, "ignore_unknown_options": True}  # what follows is pytest's
INTERRUPTED = 130  # as shells, and typer, say of SIGINT
EXIT_CODES: tuple[tuple[type[ConsigneError], int], ...] = (
    (Unavailable, 3),
    (Tampered, 5),
    (BadInput, 2),
    (Misconfigured, 2),
    (Conflict, 2),
)


def main(arguments: Sequence[str]) -> int:
    """Run one command; its exit code (contract.md, Commands). A fault is one line, never a traceback."""
    asked = next((argument for argument in arguments if not argument.startswith("-")), "")
    try:
        result = _app([asked] if asked in COMMANDS else list(COMMANDS))(
            list(arguments), prog_name="./consigne", standalone_mode=False
        )
    except ConsigneError as fault:
        print(f"consigne: {fault}", file=sys.stderr)
        return next(code for kind, code in EXIT_CODES if isinstance(fault, kind))
    except ClickException as fault:
        fault.show()
        return 2
    except (KeyboardInterrupt, typer.Abort):
        result = INTERRUPTED
    except Exception as fault:
        code, line = _unforeseen(fault)
        print(f"consigne: {line}", file=sys.stderr)
        return code
    if result == INTERRUPTED and asked == "up":
        return 0  # Ctrl-C is how it is stopped
    return result if isinstance(result, int) else 0


def _unforeseen(fault: Exception) -> tuple[int, str]:
    """Exit code and line of what is no ConsigneError; no value in it."""
    if _is_of_a_connection(fault):
        return 3, f"no_answer: {type(fault).__name__}: is it up?"
    if isinstance(fault, OSError) and fault.strerror:
        where = f"{fault.filename}: " if isinstance(fault.filename, str) else ""
        return 2, " ".join(f"{where}{fault.strerror}".splitlines())
    return 1, f"fault in our own code: {place_of(fault)}; please report it"


def _is_of_a_connection(fault: Exception) -> bool:
    # Imported here: most commands need only some of them, and a fault may wait.
    from httpx import TransportError
    from psycopg import OperationalError as PlainOperationalError
    from sqlalchemy.exc import InterfaceError, OperationalError
    from urllib3.exceptions import HTTPError

    database = (OperationalError, InterfaceError, PlainOperationalError)
    return isinstance(fault, (*database, TransportError, HTTPError, URLError, ConnectionError, TimeoutError))


def _app(names: Sequence[str]) -> typer.Typer:
    app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
    app.callback()(_consigne)
    for name in names:
        module, _, attribute = COMMANDS[name].partition(":")
        command = getattr(import_module(module), attribute)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            rest = PASSING_ON if name == "test" else {}
            app.command(name, context_settings=rest)(command)
    return app


def _consigne() -> None:
    """Keeps call recordings few, for a purpose, for a time, and then provably gone."""
