"""The three steps of `up` as one, for containers: `python -m consigne.doors.local.prepare` in the share of `prepare`.
Databases and roles, `consigne apply`, then Airflow's database, roles and accounts. Idempotent."""

from __future__ import annotations

import sys

from consigne.doors.local import prepare_airflow, prepare_catalog
from consigne.doors.local.postgres import make_databases
from consigne.doors.settings import Settings
from consigne.rules.errors import Unavailable


def main() -> int:
    """0; 3 where a part is away (it is tried again), else 1: one line says why."""
    settings = Settings.from_environment()
    try:
        make_databases(settings)
    except Unavailable as fault:
        print(fault, file=sys.stderr)
        return 3
    code = prepare_catalog.main()
    if code == 0:
        prepare_airflow.prepare(settings)
    return code


if __name__ == "__main__":
    sys.exit(main())
