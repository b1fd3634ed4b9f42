"""What our processes and tasks log: an event, and what it is about by codes and identifiers; nothing else.

A record says so with `extra=about(code=…, delivery=…)`. With the setting `json_logs` that is one JSON object a line:

    {"time": "2026-11-22T20:15:31.123Z", "level": "warning", "service": "sealer", "event": "not sealed", "code": "store"}

Without it the same stands in a plain line. A library's record keeps its name and level alone, since its message might
quote what it was given; of an exception only the type and the places in our code are told (`fault`).
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from consigne.rules.errors import place_of

FIELDS: Final = (
    "act", "artifact", "code", "count", "delivery", "epoch", "fault", "recording", "request", "result", "run", "size"
)  # fmt: skip
"""What a record may be about."""
WITHHELD: Final = "withheld"
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.,:/+ \-]{0,2000}")  # codes, identifiers, instants, places
_OURS: Final = "consigne"


def about(**fields: object) -> dict[str, Any]:
    """`extra` of a record. TypeError for a name that is not in FIELDS."""
    if unknown := fields.keys() - set(FIELDS):
        raise TypeError(f"not a field of a log: {', '.join(sorted(unknown))}")
    return {_OURS: {name: str(value) for name, value in fields.items() if value is not None}}


def said_of(result: object) -> str:
    """What an act returned, in numbers: `states.cleared:3 codes.bad_field:1`; of a list its length."""
    return " ".join(_flat("", result)) or "nothing"


def _flat(name: str, value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(f"{name}.{key}" if name else str(key), inner)
    else:
        told = len(value) if isinstance(value, list) else value
        yield f"{name}:{told}" if name else str(told)


def said_about(record: logging.LogRecord) -> dict[str, str]:
    """The fields of a record, as far as they may be shown."""
    given: Mapping[str, object] = getattr(record, _OURS, {})
    shown = {name: str(given[name]) for name in FIELDS if name in given}
    if record.exc_info and record.exc_info[1]:
        shown["fault"] = place_of(record.exc_info[1])
    return {name: value if _PLAIN.fullmatch(value) else WITHHELD for name, value in shown.items()}


class Lines(logging.Formatter):
    """One line a record: JSON, or plain."""

    def __init__(self, service: str, as_json: bool) -> None:
        super().__init__()
        self._service, self._as_json = service, as_json

    def format(self, record: logging.LogRecord) -> str:
        """Never a traceback, nor a message that is not of our own code."""
        is_ours = record.name.partition(".")[0] == _OURS
        told = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
            "level": record.levelname.lower(),
            "service": self._service,
            "event": record.getMessage().replace("\n", " ") if is_ours else f"library {record.name}",
            **said_about(record),
        }
        if self._as_json:
            return json.dumps(told)
        fields = (f"{name}={value}" for name, value in said_about(record).items())
        return " ".join((told["time"], told["level"].upper(), told["event"], *fields))


def begin(service: str, as_json: bool) -> None:
    """Logging of a process of our own, to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines(service, as_json))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    logging.getLogger("httpx").setLevel(logging.WARNING)


class _Joined(logging.Filter):
    """On our logger in a process of Airflow, whose own logging writes what is bound to the context beside the event."""

    def filter(self, record: logging.LogRecord) -> bool:
        """The record is handed on here, once the fields are bound."""
        from structlog.contextvars import bound_contextvars

        fields = said_about(record)
        record.exc_info = record.exc_text = None
        with bound_contextvars(**fields):
            logging.getLogger(record.name).callHandlers(record)
        return False


def join_airflow() -> None:
    """Let our records carry their fields through Airflow's logging: in tasks, and in the api-server. Idempotent."""
    ours = logging.getLogger(_OURS)
    if not any(isinstance(one, _Joined) for one in ours.filters):
        ours.addFilter(_Joined())
