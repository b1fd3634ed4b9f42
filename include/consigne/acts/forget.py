"""Names and typed reasons are forgotten when their period ends (`register.names_kept` of the policy in force).

First the register says which entries will lose what they said, and that is sealed; then they lose it: salt and
payload go, the leaf stays, and the tree verifies. An entry that is not what was sealed is not forgotten: that
would hide that somebody changed it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256

from consigne.acts.catalog import Transaction
from consigne.acts.journey import Platform
from consigne.acts.locate import policy_now
from consigne.acts.seal import seal
from consigne.rules.clock import add, iso
from consigne.rules.errors import Tampered
from consigne.rules.evidence.canonical import decode
from consigne.rules.evidence.register import PURGING, SealedRow
from consigne.rules.policy.model import Policy

ACTOR = "consigne"
CHUNK = 10_000
REWRITE_EVERY = timedelta(days=7)
FORGOTTEN = ("register:names:purged", "register:payload:purged")
REWRITTEN = "register:files:rewritten"


def forget_names(platform: Platform) -> int:
    """Forget what is over: payloads of the register, names and typed reasons elsewhere. Returns how many rows were
    changed. Idempotent; killed at any point, the next call goes on. Tampered('entry_altered') names the entry."""
    policy = policy_now(platform)
    with platform.catalog.begin() as tx:
        before = _ended(platform.catalog.now(tx), policy)
    return _forget_elsewhere(platform, before) + _forget_payloads(platform, before)


def rewrite_files(platform: Platform) -> bool:
    """Where something was forgotten since, and a week has passed: write the tables' files anew, for what is deleted
    stays in them until then. False where there is nothing to do, or our role may not (PostgreSQL before 17)."""
    with platform.catalog.begin() as tx:
        done = _newest(platform, tx, REWRITTEN)
        last = max((_newest(platform, tx, kind) for kind in FORGOTTEN), default="")
        week_ago = iso(platform.catalog.now(tx) - REWRITE_EVERY)
    if last <= done or done > week_ago or not platform.catalog.rewrite_named():
        return False
    with platform.catalog.begin() as tx:
        platform.catalog.append(tx, ACTOR, REWRITTEN, [{}])
    return True


def _newest(platform: Platform, tx: Transaction, kind: str) -> str:
    entry = platform.catalog.newest_entry(tx, kind)
    return str(entry["at"]) if entry else ""


def _ended(now: datetime, policy: Policy) -> datetime:
    """What was before this instant is over: the latest whose period has ended now, to the day."""
    before = now - (add(now, policy.names_kept, policy.zone) - now)
    while add(before, policy.names_kept, policy.zone) > now:
        before -= timedelta(days=1)
    return before


def _forget_elsewhere(platform: Platform, before: datetime) -> int:
    forgotten = 0
    for place in platform.catalog.places_of_names():
        while rows := _forget_chunk(platform, place, before):
            forgotten += rows
    return forgotten


def _forget_chunk(platform: Platform, place: str, before: datetime) -> int:
    with platform.catalog.begin() as tx:
        policies = platform.catalog.current_policies(tx, platform.catalog.now(tx))
        notices = {policy.agents.notice for policy in policies if policy.agents}
        rows = platform.catalog.forget_in(tx, place, before, CHUNK, notices)
        if rows:
            entry = {"table": place.partition(" ")[2], "rows": rows, "before": iso(before)}
            platform.catalog.append(tx, ACTOR, "register:names:purged", [entry])
    return rows


def _forget_payloads(platform: Platform, before: datetime) -> int:
    start = _find_start(platform)
    to = _find_end(platform, start, before)
    if to == start:
        return 0
    with platform.catalog.begin() as tx:
        platform.catalog.append(tx, ACTOR, PURGING, [{"from": start, "to": to, "before": iso(before)}])
    _seal_all(platform)  # announced beforehand: what is not sealed yet could still be taken away
    forgotten = 0
    while start < to:
        end = min(start + CHUNK, to)
        forgotten += _forget_range(platform, start, end)
        start = end
    return forgotten


def _find_start(platform: Platform) -> int:
    """Where the last purge ended, if the entry before that is purged indeed: any role may add an entry."""
    with platform.catalog.begin() as tx:
        done = platform.catalog.newest_entry(tx, "register:payload:purged")
        to = done.get("to") if done else None
        last = platform.catalog.sealed_from(tx, to - 1, 1) if isinstance(to, int) and to > 0 else []
    return int(to or 0) if last and last[0].payload is None else 0


def _find_end(platform: Platform, number: int, before: datetime) -> int:
    """The first sealed entry from a number on whose period goes on."""
    limit = iso(before)
    while True:
        with platform.catalog.begin() as tx:
            rows = platform.catalog.sealed_from(tx, number, CHUNK)
        for row in rows:
            if row.payload is not None and _made_at(row) >= limit:
                return row.number
            number = row.number + 1
        if len(rows) < CHUNK:
            return number


def _made_at(row: SealedRow) -> str:
    if sha256((row.salt or b"") + (row.payload or b"")).digest() != row.leaf:
        raise Tampered("entry_altered", f"register entry {row.number}")
    entry = decode(row.payload or b"")
    return str(entry["at"]) if isinstance(entry, dict) else ""


def _forget_range(platform: Platform, start: int, end: int) -> int:
    with platform.catalog.begin() as tx:
        gone = platform.catalog.forget_payloads(tx, start, end)
        entry = {"from": start, "to": end, "rows": gone}
        platform.catalog.append(tx, ACTOR, "register:payload:purged", [entry])
    return gone


def _seal_all(platform: Platform) -> None:
    while seal(platform).entries:
        pass
