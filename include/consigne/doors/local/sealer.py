"""The sealer: numbers and hashes the register's committed rows each minute, publishes hourly (ADR 0007).

It runs beside Airflow, not in it: a Dag run a minute would cost more than all it does.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading

import httpx

from consigne.acts.seal import publish, seal
from consigne.doors.local.processes import no_core_dumps
from consigne.doors.settings import SWEEP_SECRET, Settings
from consigne.doors.wiring import open_platform
from consigne.rules.errors import ConsigneError

EVERY_S = 60.0

log = logging.getLogger("consigne.sealer")


def main() -> int:
    """Until SIGTERM: seal, publish what is an hour old, and let the desk take up what was left undone."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    no_core_dumps()
    settings = Settings.from_environment()
    platform = open_platform(settings, "seal")
    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    signal.signal(signal.SIGINT, lambda *_: over.set())
    while not over.is_set():
        try:
            sealed = seal(platform)
            published = publish(platform)
            log.info("sealed %d entries of %d, published %s", sealed.entries, sealed.size, published)
        except ConsigneError as fault:
            log.warning("not sealed: %s", fault)
        remind_desk(settings)
        over.wait(EVERY_S)
    return 0


def remind_desk(settings: Settings) -> None:
    """Let the api-server take up what a dead one left: runs not started, answers not given, extensions not
    applied. It may be away; the next minute asks again."""
    headers = {"X-Consigne-Sweep": settings.secret(SWEEP_SECRET)}
    try:
        httpx.post(
            f"{settings.airflow_url}/consigne/internal/sweep", headers=headers, timeout=50, trust_env=False
        )
    except httpx.HTTPError as fault:
        log.info("desk not reminded: %s", type(fault).__name__)


if __name__ == "__main__":
    sys.exit(main())
