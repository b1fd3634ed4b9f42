"""`consigne apply` as a step of `up`: `python -m consigne.doors.local.prepare_catalog`."""

from __future__ import annotations

import sys

from consigne.doors.settings import Settings
from consigne.rules.errors import ConsigneError


def main() -> int:
    """0, or 1 with one line that says why."""
    from consigne.doors.cli.apply import apply

    try:
        apply(Settings.from_environment())
    except ConsigneError as fault:
        print(fault, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
