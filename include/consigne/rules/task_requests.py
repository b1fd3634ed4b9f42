"""What a running task may ask of Airflow's execution API: the little that ours need; all else is refused.

Airflow itself lets every task read all connections, variables and XComs, start runs and clear them. Where a path names
a task instance (`task-instances/<id>/…`, `hitlDetails/<id>`), Airflow compares it with the token's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_ID: Final = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_FREE: Final = (
    ("GET", r"/execution/health(/ping)?"),
    ("GET PATCH PUT", rf"/execution/task-instances/{_ID}/[a-z-]+"),
    ("GET POST", rf"/execution/hitlDetails/{_ID}"),
)
_XCOM: Final = re.compile(r"(?s)/execution/xcoms/([^/]+)/([^/]+)/([^/]+)/.+")
_READS: Final = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class Place:
    """A task of a run of a Dag."""

    dag: str
    run: str
    task: str


def is_of_task(path: str) -> bool:
    """Whether a path (decoded, without query) is of the execution API."""
    return path == "/execution" or path.startswith("/execution/")


def is_free(method: str, path: str) -> bool:
    """Whether any task may ask this of Airflow, which does the rest."""
    return any(method in methods.split() and re.fullmatch(form, path) for methods, form in _FREE)


def handed_on(path: str) -> Place | None:
    """Whose XCom a path names; None where it names none."""
    found = _XCOM.fullmatch(path)
    return Place(*found.groups()) if found else None


def may_touch(method: str, own: Place, other: Place) -> bool:
    """Whether a task reads what its own Dag handed on, or writes and deletes what is its own."""
    return own.dag == other.dag if method in _READS else own == other
