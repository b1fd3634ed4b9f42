"""`python -m consigne.doors.cli`: what ./consigne runs."""

import sys

from consigne.doors.cli.app import main

sys.exit(main(sys.argv[1:]))
