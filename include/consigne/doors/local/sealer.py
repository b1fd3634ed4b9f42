"""The sealer: numbers and hashes the register's committed rows each minute, publishes hourly (ADR 0007).

It runs beside Airflow, not in it: a Dag run a minute would cost more than all it does.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
from collections.abc import Callable
from datetime import date

import httpx

from consigne.acts.forget import forget_names, rewrite_files
from consigne.acts.journey import Platform
from consigne.acts.roll_up import roll_up
from consigne.acts.seal import publish, seal, tell_witness
from consigne.doors import logs
from consigne.doors.alive import beat
from consigne.doors.local.processes import no_core_dumps
from consigne.doors.logs import about
from consigne.doors.settings import SWEEP_SECRET, Settings
from consigne.doors.wiring import open_platform
from consigne.rules.clock import iso
from consigne.rules.errors import ConsigneError
from consigne.rules.sealing import gap_since

EVERY_S = 60.0

log = logging.getLogger("consigne.sealer")


def main() -> int:
    """Until SIGTERM: seal, publish what is an hour old and tell the witness, forget names whose time is up, and let
    the desk take up what was left undone."""
    no_core_dumps()
    settings = Settings.from_environment()
    logs.begin("sealer", settings.json_logs)
    platform = open_platform(settings, "seal")
    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    signal.signal(signal.SIGINT, lambda *_: over.set())
    forgotten_on: list[date] = []
    while not over.is_set():
        beat(settings, "sealer")
        _try("not sealed", lambda: seal_and_publish(platform))
        _try("stock not rolled up", lambda: roll_up(platform))
        _try("witness not told", lambda: tell_witness(platform))
        _try("gap not looked for", lambda: warn_of_gap(platform))
        _try("names not forgotten", lambda: forget_daily(platform, forgotten_on))
        remind_desk(settings)
        over.wait(EVERY_S)
    return 0


def _try(trouble: str, work: Callable[[], object]) -> None:
    try:
        work()
    except ConsigneError as fault:
        log.warning(trouble, extra=about(code=fault.code))


def seal_and_publish(platform: Platform) -> None:
    """What was committed since, unless a database that came back from a backup waits to be brought to the truth."""
    sealed = seal(platform)
    published = publish(platform)
    log.info("sealed", extra=about(count=sealed.entries, size=sealed.size))
    if published is not None:
        log.info("published", extra=about(size=published))


def warn_of_gap(platform: Platform) -> None:
    """In the log too, while nothing is published, or told to the witness, for too long."""
    with platform.catalog.begin() as tx:
        sealing, now = platform.catalog.sealing(tx), platform.catalog.now(tx)
    if since := gap_since(sealing, now, platform.witness.listens):
        log.warning(f"entries of the register wait to be published or witnessed since {iso(since)}")


def forget_daily(platform: Platform, done_on: list[date]) -> None:
    """Once a day by the catalog's clock, and at every start. `done_on`: the last day that it was done."""
    with platform.catalog.begin() as tx:
        today = platform.catalog.now(tx).date()
    if done_on != [today]:
        log.info("names forgotten", extra=about(count=forget_names(platform)))
        if rewrite_files(platform):
            log.info("the tables' files were written anew")
        done_on[:] = [today]


def remind_desk(settings: Settings) -> None:
    """Let the api-server take up what a dead one left: runs not started, answers not given, extensions not
    applied. It may be away; the next minute asks again."""
    headers = {"X-Consigne-Sweep": settings.secret(SWEEP_SECRET)}
    try:
        httpx.post(
            f"{settings.airflow_url}/consigne/internal/sweep", headers=headers, timeout=50, trust_env=False
        )
    except httpx.HTTPError as fault:
        log.info("desk not reminded", extra=about(fault=type(fault).__name__))


if __name__ == "__main__":
    sys.exit(main())
