"""`consigne apply` as a step of `up`: `python -m consigne.doors.local.prepare_catalog`."""

from __future__ import annotations

import sys

from consigne.doors.settings import Settings
from consigne.rules.errors import ConsigneError, Unavailable


def main() -> int:
    """0; 3 where a part is away (it is tried again), else 1: one line says why."""
    try:
        from consigne.doors.apply import apply
    except ImportError as missing:  # until every room of the house is built
        print(missing)
        return 0
    try:
        apply(Settings.from_environment(), print)
    except ConsigneError as fault:
        print(fault, file=sys.stderr)
        return 3 if isinstance(fault, Unavailable) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
