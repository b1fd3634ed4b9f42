"""What a Dag's tasks call: the act by its name, on a platform opened for it, with terse faults.

A traceback or a message of a library could carry content, so none of them reaches Airflow's log.
"""

from __future__ import annotations

import logging
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

from consigne.doors.logs import about, join_airflow, said_of
from consigne.doors.settings import Settings
from consigne.doors.wiring import open_platform
from consigne.rules.errors import ConsigneError, Unavailable, place_of

log = logging.getLogger("consigne")


def is_dry_run(context: Any) -> bool:
    """`dry_run` as given; where nobody said: off on schedule, on by hand."""
    asked = context["params"]["dry_run"]
    return context["dag_run"].run_type == "manual" if asked is None else bool(asked)


def perform(role: str, act: str, *args: Any) -> Any:
    """Call an act, named `module.function` under `consigne.acts`, as a database role: `act(platform, *args)`.
    It is imported here, so that a Dag file parses without the platform. Only Unavailable is retried."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    join_airflow()
    module, function = act.split(".")
    with terse():
        platform = open_platform(Settings.from_environment(), role)
        with platform.catalog.begin() as tx:
            import_module("consigne.acts.truth").check_replayed(platform, tx)
        result = getattr(import_module(f"consigne.acts.{module}"), function)(platform, *args)
    log.info("done", extra=about(act=act, result=said_of(result)))
    return result


def go_on_if(there_is_more: bool) -> None:
    """Skip the task otherwise: what it makes known when it succeeds is not made known."""
    if not there_is_more:
        raise AirflowSkipException("nothing more waits")


def bring_in_line() -> None:
    """`consigne apply` as a task: on one machine its worker has the store's root credentials. A worker of a queue
    has not: it waits for the applier."""
    with terse():
        settings = Settings.from_environment()
        if settings.holder:
            import_module("consigne.doors.local.applier").await_in_line(settings)
        else:
            import_module("consigne.doors.apply").apply_current(settings, log.info)


@contextmanager
def terse() -> Iterator[None]:
    """Turn any fault into one line that holds codes and places, never a value."""
    try:
        yield
    except Unavailable as fault:
        raise AirflowException(str(fault)) from None
    except ConsigneError as fault:
        raise AirflowFailException(str(fault)) from None
    except Exception as fault:
        raise AirflowFailException(f"fault in our own code: {place_of(fault)}; please report it") from None
