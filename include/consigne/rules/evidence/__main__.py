"""`python -m consigne.rules.evidence`, and the first file of `consigne-verify.pyz`."""

from __future__ import annotations

import sys

try:
    from consigne.rules.evidence.verify import main
except ModuleNotFoundError as missing:
    print(f"consigne-verify needs the Python package {missing.name}", file=sys.stderr)
    sys.exit(3)

sys.exit(main(sys.argv[1:]))
