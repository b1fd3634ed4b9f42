"""Which task runs where: the one place that says it. A queue is an identity (doors/arrangement.py).

`ingest` takes calls in and can neither list, read nor delete what is kept. `prove` looks, and changes nothing in the
store. `expire` destroys and reads nothing. `decide` carries decisions out. Under LocalExecutor all four are one.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

QUEUES: Final = ("ingest", "prove", "decide", "expire")

DAGS: Final[dict[str, str]] = {
    "ingest_recordings": "ingest",
    "reconcile_storage": "prove",
    "decide_retention_exception": "decide",
    "change_policy": "decide",
    "confirm_expiry_volume": "decide",
    "expire_recordings": "expire",
}
"""Dag -> queue of its tasks."""

ELSEWHERE: Final[dict[tuple[str, str], str]] = {
    ("ingest_recordings", "confirm_stored"): "prove",
    ("reconcile_storage", "sweep_findings"): "expire",
}
"""(Dag, task) -> queue, for tasks that another identity carries out."""

RETRY: Final[dict[str, Any]] = {
    "retries": 5,
    "retry_delay": timedelta(seconds=5),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=2),
}
"""For tasks whose act can be run again: a part that is away for some minutes is waited for."""


def queue_of(dag: str, task: str) -> str:
    """Where this task runs."""
    return ELSEWHERE.get((dag, task), DAGS[dag])


def dags_of(queue: str) -> tuple[str, ...]:
    """The Dags of which a worker of this queue runs a task: it sees these files and no others."""
    return tuple(
        dag
        for dag, own in DAGS.items()
        if own == queue or any(name == dag and there == queue for (name, _), there in ELSEWHERE.items())
    )


def of_dag(dag: str) -> dict[str, Any]:
    """`default_args` of a Dag: its queue, retries, and who goes first where slots are few."""
    first = 1 if DAGS[dag] == "ingest" else 10  # a flood of calls must not keep what is due waiting
    return RETRY | {"queue": DAGS[dag], "priority_weight": first, "weight_rule": "absolute"}
