"""`consigne deliveries`, `recordings`, `show`: the catalog as a local operator reads it. No personal data."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection

from consigne.adapters.catalog import views
from consigne.adapters.catalog.session import Session, open_engine
from consigne.doors.cli.options import DEFAULT_STATE, Json, Language, State
from consigne.doors.settings import Settings
from consigne.doors.wiring import keyring_of
from consigne.rules.errors import BadInput
from consigne.rules.evidence.masked import is_signed
from consigne.rules.reasons import sentence, told

Shown = TypeVar("Shown")
DOES_NOT_VERIFY = 5


def deliveries(as_json: Json = False, language: Language = "", state: State = DEFAULT_STATE) -> None:
    """What was handed in, what became of it, and why."""
    found = _read(state, views.deliveries)
    if as_json:
        _print(found)
        return
    table = Table("source", "id", "state", "code", "detail", "deadline", "verdicts", "why")
    for one in found:
        shown = [one[key] or "" for key in ("source", "id", "state", "code", "detail", "deadline")]
        table.add_row(*shown, _verdicts(one), _why(one, language))
    _console().print(table)


def recordings(as_json: Json = False, state: State = DEFAULT_STATE) -> None:
    """The recordings with their encrypted artifacts."""
    found = _read(state, views.recordings)
    if as_json:
        _print(found)
        return
    table = Table("recording", "started", "queue", "agent", "artifact", "purpose", "part", "state", "due")
    for one in found:
        for artifact in one["artifacts"]:
            flag = " restricted" if artifact["restricted"] else ""
            table.add_row(
                one["source_id"],
                one["started_at"],
                one["queue"],
                one["agent"],
                artifact["id"],
                artifact["purpose"],
                artifact["part"],
                artifact["state"] + flag,
                artifact["due_at"],
            )
    _console().print(table)


def show(
    id: Annotated[
        str, typer.Argument(help="A recording's id, an artifact's, a delivery's, or the source's own.")
    ],
    as_json: Json = False,
    language: Language = "",
    state: State = DEFAULT_STATE,
) -> None:
    """One call: its deliveries, and its recording with clocks and masked intervals. Exit code 5 where the list of
    these does not verify."""
    settings = Settings.open(state)
    delivered, found, masks = _read(state, lambda tx: _named(tx, id))
    if not delivered and found is None:
        raise BadInput("unknown_recording", "ID")
    artifacts = found["artifacts"] if found else []
    keys = keyring_of(settings).public_keys() if artifacts else {}
    for artifact in artifacts:
        artifact["masked_signature"] = _signature(artifact["id"], masks[artifact["id"]], keys)
    if as_json:
        _print((found or {}) | {"deliveries": delivered})
    else:
        _show(delivered, found, language)
    if not all(artifact["masked_signature"]["valid"] for artifact in artifacts):
        raise typer.Exit(DOES_NOT_VERIFY)


def _named(
    tx: Connection, id: str
) -> tuple[list[dict[str, Any]], dict[str, Any] | None, Mapping[str, Mapping[str, Any]]]:
    found = views.recording(tx, id)
    masks = views.signed_masks(tx, UUID(found["id"])) if found else {}
    return views.deliveries_named(tx, id), found, masks


def _signature(artifact: str, signed: Mapping[str, Any], keys: Mapping[str, bytes]) -> dict[str, Any]:
    """Who signed the list of masked intervals, and whether that holds: the keyring's public keys alone count."""
    key = signed["masked_key"]
    attempt, signature = str(signed["attempt"]), signed["masked_signature"]
    return {"key": key, "valid": is_signed(artifact, attempt, signed["masked"], signature, keys.get(key))}


def _show(delivered: list[dict[str, Any]], found: dict[str, Any] | None, language: str) -> None:
    console = _console()
    for one in delivered:
        words = {
            "findings": ", ".join(one["findings"]),
            "verdicts": _verdicts(one),
            "why": _why(one, language),
        }
        console.print(_fields(one | words))
    if found is None:
        return
    console.print(_fields({key: value for key, value in found.items() if key != "artifacts"}))
    for artifact in found["artifacts"]:
        console.print(_fields(artifact | _masks(artifact["masked"], artifact["masked_signature"])))


def _masks(masked: list[dict[str, Any]], signature: dict[str, Any]) -> dict[str, str]:
    if not signature["valid"]:  # it may hold anything
        return {"masked": json.dumps(masked), "masked_signature": f"{signature['key']}: does not verify"}
    spans = [f"{_place(one['start_ms'])}–{_place(one['end_ms'])} {one['kind']}" for one in masked]
    return {"masked": "\n".join(spans) or "nothing", "masked_signature": f"{signature['key']}: verifies"}


def _place(at_ms: int) -> str:
    """`1:01.200`: minutes, seconds and milliseconds from the start."""
    minutes, rest_ms = divmod(at_ms, 60_000)
    return f"{minutes}:{rest_ms // 1000:02}.{rest_ms % 1000:03}"


def _verdicts(delivery: dict[str, Any]) -> str:
    return ", ".join(f"{v['purpose']}: {v['code'] or v['verdict']}" for v in delivery["verdicts"])


def _why(delivery: dict[str, Any], language: str) -> str:
    """A sentence for the delivery's code and each of its findings, then for what each purpose refused it for."""
    said = told(delivery["code"], delivery["detail"], delivery["findings"], language)
    codes = {
        v["code"]: v["purpose"] for v in delivery["verdicts"] if v["code"] not in (None, delivery["code"])
    }
    return "\n".join([*said, *(f"{purpose}: {sentence(code, language)}" for code, purpose in codes.items())])


def _read(state: Path, view: Callable[[Connection], Shown]) -> Shown:
    engine = open_engine(Settings.open(state).database_url("read"))
    with Session(engine, secrets.token_bytes).begin() as tx:
        return view(tx)


def _fields(values: dict[str, Any]) -> Table:
    table = Table(show_header=False)
    for key, value in values.items():
        table.add_row(key, "" if value is None else str(value))
    return table


def _console() -> Console:
    # Not cut where the output is no terminal: identifiers must stay whole.
    console = Console(markup=False, highlight=False)
    return console if console.is_terminal else Console(markup=False, highlight=False, width=250)


def _print(document: object) -> None:
    typer.echo(json.dumps(document, ensure_ascii=False))
