"""Names and typed reasons, forgotten when their period ends.

`NAMES` is the one table of where they lie and when each is over. What stays: the names of accounts in the policy's
text (it names who is designated and who owns), the mandate of a hold and its authority (they prove the order), and
each agent's newest acknowledgement and those of notices that a policy asks for (the gate asks for them). An erased recording's agent and caller went with it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, text

from consigne.adapters.catalog.session import Session
from consigne.adapters.catalog.tables import register
from consigne.rules.evidence.register import SealedRow

NOBODY = "\N{EM DASH}"
"""What stands where a name or a reason stood."""


@dataclass(frozen=True, slots=True)
class Named:
    """A table, what is set in it (SQL; empty: the row goes), and which rows are over: before then, and `:notices`
    are those that policies ask for."""

    table: str
    forget: str
    over: str


_KEPT = "SELECT FROM artifacts WHERE artifacts.state <> 'erased' AND"
NAMES: tuple[Named, ...] = (
    Named(
        "requests",
        "requester = :nobody, reason = :nobody, why_not_less = ''",
        "state <> 'pending' AND greatest(lapses_at, filed_at) < :before AND requester <> :nobody AND NOT EXISTS "
        f"({_KEPT} extension IN (SELECT id FROM decisions WHERE request = requests.id))",
    ),
    Named(
        "decisions",
        "decided_by = :nobody, reason = :nobody",
        "decided_by <> :nobody AND EXISTS (SELECT FROM requests WHERE id = decisions.request AND requester = :nobody)",
    ),
    Named(
        "opinions",
        "",
        "EXISTS (SELECT FROM requests WHERE id = opinions.request AND requester = :nobody)",
    ),
    Named(
        "holds",
        "placed_by = :nobody, reason = :nobody, callers = '{}', agent = CASE WHEN agent IS NOT NULL THEN :nobody END, "
        "ended_by = CASE WHEN ended_by IS NOT NULL THEN :nobody END",
        "state <> 'open' AND ended_at < :before AND placed_by <> :nobody",
    ),
    Named(
        "policy_drafts",
        "author = :nobody, reason = :nobody, decided_by = CASE WHEN decided_by IS NOT NULL THEN :nobody END, "
        "decided_reason = CASE WHEN decided_reason IS NOT NULL THEN :nobody END",
        "state <> 'pending' AND coalesce(decided_at, lapses_at) < :before AND author <> :nobody",
    ),
    Named(
        "objections",
        "recorded_by = :nobody, withdrawn_by = CASE WHEN withdrawn_by IS NOT NULL THEN :nobody END",
        "coalesce(withdrawn_at, recorded_at) < :before AND (recorded_by <> :nobody OR withdrawn_by <> :nobody)",
    ),
    Named(
        "acknowledgements",
        "",
        "acknowledged_at < :before AND notice <> ALL(:notices) AND EXISTS (SELECT FROM acknowledgements later WHERE later.agent = "
        "acknowledgements.agent AND later.acknowledged_at > acknowledgements.acknowledged_at "
        "AND later.acknowledged_at < :before)",
    ),
    Named(
        "acknowledgements",
        "recorded_by = :nobody",
        "acknowledged_at < :before AND recorded_by <> :nobody",
    ),
    Named(
        "draws",
        "agent = NULL, call = id::text",
        "drawn_at < :before AND call <> id::text",
    ),
    Named("messages", "", "made_at < :before"),
    Named(
        "volumes",
        "decided_by = :nobody, reason = :nobody",
        "state <> 'pending' AND decided_at < :before AND decided_by <> :nobody",
    ),
    Named(
        "findings",
        "closed_by = :nobody, reason = CASE WHEN reason IS NOT NULL THEN :nobody END",
        "state = 'closed' AND closed_at < :before AND closed_by NOT IN (:nobody, 'consigne')",
    ),
    Named(
        "deliveries",
        "source_id = id::text",
        "state = 'cleared' AND received_at < :before AND source_id <> id::text AND NOT EXISTS "
        f"({_KEPT} artifacts.recording = deliveries.recording)",
    ),
    Named(
        "recordings",
        "source_id = id::text",
        "received_at < :before AND source_id <> id::text AND NOT EXISTS "
        f"({_KEPT} artifacts.recording = recordings.id)",
    ),
)


def _forgetting(named: Named) -> str:
    change = f"UPDATE {named.table} SET {named.forget}" if named.forget else f"DELETE FROM {named.table}"
    made = f"{change} WHERE ctid = ANY(ARRAY(SELECT ctid FROM {named.table} WHERE {named.over} LIMIT $3))"
    return made.replace(":nobody", f"'{NOBODY}'").replace(":before", "$2").replace(":notices", "$4")


_CASES = "\n".join(f"WHEN {place} THEN {_forgetting(named)};" for place, named in enumerate(NAMES))
FORGETTING = f"""
CREATE OR REPLACE FUNCTION consigne_forget_names(integer, timestamptz, bigint, text[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    changed_rows bigint;
BEGIN
    IF ($2 <= consigne_now() - interval '4320 hours') IS NOT TRUE THEN
        RAISE EXCEPTION 'not_over' USING ERRCODE = 'check_violation';
    END IF;
    CASE $1
{_CASES}
    END CASE;
    GET DIAGNOSTICS changed_rows = ROW_COUNT;
    RETURN changed_rows;
END $$
"""
"""Made by whom the tables belong to: the sealer's role may forget by it what is over (never younger than the shortest
period of a policy, P6M), and change nothing."""


class NamesCatalog(Session):
    """Each method changes at most `limit` rows: the caller comes again until there are none."""

    def places_of_names(self) -> list[str]:
        """Where `forget_in` is to look, in this order: `0 requests`, …"""
        return [f"{number} {named.table}" for number, named in enumerate(NAMES)]

    def forget_in(
        self, tx: Connection, place: str, before: datetime, limit: int, notices: Collection[str]
    ) -> int:
        """Forget the names of rows that were over before then; how many rows. `notices`: which policies ask for."""
        forget = text("SELECT consigne_forget_names(:place, :before, :limit, CAST(:notices AS text[]))")
        values = {"place": int(place.partition(" ")[0]), "before": before, "limit": limit}
        return int(tx.execute(forget, values | {"notices": sorted(notices)}).scalar_one())

    def sealed_from(self, tx: Connection, number: int, limit: int) -> list[SealedRow]:
        """Numbered entries from this number on, in order."""
        columns = (register.c.leaf_index, register.c.leaf, register.c.salt, register.c.payload)
        query = select(*columns).where(register.c.leaf_index >= number).order_by(register.c.leaf_index)
        return [SealedRow(*row) for row in tx.execute(query.limit(limit))]

    def forget_payloads(self, tx: Connection, first: int, beyond: int) -> int:
        """Of sealed entries numbered in [first, beyond) only the leaf stays; how many still had what they said. A
        function of the database does it: nobody's role may change a payload otherwise."""
        forget = text("SELECT consigne_forget(:first, :beyond)")
        return int(tx.execute(forget, {"first": first, "beyond": beyond}).scalar_one())

    def rewrite_named(self) -> bool:
        """Write the files of these tables anew, and of the planner's statistics, which quote them. Each table is
        locked meanwhile; Unavailable where one cannot be had within seconds. False before PostgreSQL 17: there only
        a table's owner may."""
        tables = sorted({"register", *(named.table for named in NAMES)})
        with self.begin() as tx:
            if tx.execute(text("SELECT current_setting('server_version_num')::int < 170000")).scalar_one():
                return False
        with self.alone() as connection:
            for table in tables:
                connection.execute(text(f"VACUUM (FULL, ANALYZE) {table}"))
            connection.execute(text("VACUUM FULL pg_statistic"))
        return True
