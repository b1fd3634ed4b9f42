"""The two databases and Airflow's role: `python -m consigne.doors.local.prepare_databases`."""

from __future__ import annotations

from consigne.doors.local.postgres import make_databases
from consigne.doors.settings import Settings

if __name__ == "__main__":
    make_databases(Settings.from_environment())
