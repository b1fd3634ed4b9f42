"""How often the expiry runs: hourly, or every minute while a purpose in force ends by less than a day."""

from __future__ import annotations

import os

EXPIRY = "* * * * *" if os.environ.get("CONSIGNE_EXPIRY_BY_MINUTE") == "1" else "0 * * * *"
