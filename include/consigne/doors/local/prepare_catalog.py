"""`consigne apply` as a step of `up`: `python -m consigne.doors.local.prepare_catalog`."""

from __future__ import annotations

import sys

from consigne.doors.apply import apply
from consigne.doors.settings import Settings
from consigne.rules.errors import ConsigneError, Unavailable


def main() -> int:
    """0; 3 where a part is away (it is tried again), else 1: one line says why."""
    try:
        apply(Settings.from_environment(), print)
    except ConsigneError as fault:
        print(fault, file=sys.stderr)
        return 3 if isinstance(fault, Unavailable) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
