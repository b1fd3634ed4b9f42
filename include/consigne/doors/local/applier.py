"""The applier: where tasks do not hold the store's root, it alone brings the store in line with the policy in force
and those announced, and tells the register; `apply_policy` waits for that entry.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from hashlib import sha256
from typing import Final

from consigne.adapters.catalog.open import Catalog
from consigne.adapters.catalog.session import open_engine
from consigne.adapters.store.access import identities
from consigne.doors import logs
from consigne.doors.alive import beat
from consigne.doors.apply import bring_store_in_line, policy_to_keep
from consigne.doors.local.processes import no_core_dumps
from consigne.doors.logs import about
from consigne.doors.settings import Settings
from consigne.rules.errors import ConsigneError, Unavailable
from consigne.rules.evidence.canonical import encode
from consigne.rules.policy.model import Policy

EVERY_S: Final = 30.0
APPLIED: Final = "configure:store:applied"

log = logging.getLogger("consigne.applier")


def rights_digest(policy: Policy) -> str:
    """SHA-256 (hex) of what every identity of the store may do under a policy."""
    return sha256(encode(identities(policy))).hexdigest()


def keep_in_line(settings: Settings, is_first: bool) -> bool:
    """Apply where the rights that follow from the catalog are not those that were applied last, and at the first
    round; whether anything was. Killed on the way, the next round does it again."""
    catalog = Catalog(open_engine(settings.database_url("apply")), os.urandom)
    with catalog.begin() as tx:
        policy, told = policy_to_keep(catalog, tx), catalog.newest_told(tx, APPLIED)
    digest = rights_digest(policy)
    is_told = told is not None and told["subject"] == digest
    if is_told and not is_first:
        return False
    bring_store_in_line(settings, policy, log.info)
    if not is_told:
        with catalog.begin() as tx:
            catalog.append(tx, "consigne", APPLIED, [{"subject": digest, "version": policy.version}])
    return True


def await_in_line(settings: Settings) -> None:
    """Unavailable until the applier has brought the store in line with what the catalog says now; as `decide`."""
    catalog = Catalog(open_engine(settings.database_url("decide")), os.urandom)
    with catalog.begin() as tx:
        policy, told = policy_to_keep(catalog, tx), catalog.newest_told(tx, APPLIED)
    if told is None or told["subject"] != rights_digest(policy):
        raise Unavailable("store_not_in_line", policy.version, "the applier has not applied it yet")


def main() -> int:
    """Until SIGTERM."""
    no_core_dumps()
    settings, over, is_first = Settings.from_environment(), threading.Event(), True
    logs.begin("applier", settings.json_logs)
    for word in (signal.SIGTERM, signal.SIGINT):
        signal.signal(word, lambda *_: over.set())
    while not over.is_set():
        beat(settings, "applier")
        try:
            keep_in_line(settings, is_first)
            is_first = False
        except ConsigneError as fault:
            log.warning("not applied", extra=about(code=fault.code))
        over.wait(EVERY_S)
    return 0


if __name__ == "__main__":
    sys.exit(main())
