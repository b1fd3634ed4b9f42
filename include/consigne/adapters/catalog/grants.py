"""One database role per act, and what each may do: the table below is all that they get."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, text

from consigne.adapters.catalog.names import FORGETTING

_ALL = "clock installation policies restorations"

# role → table → privileges. FOR SHARE on an epoch asks for UPDATE on some column: `opened_at` is a harmless one.
GRANTS: Mapping[str, Mapping[str, str]] = {
    "ingest": {
        "deliveries": "SELECT, INSERT, UPDATE",
        "verdicts": "SELECT, INSERT, UPDATE, DELETE",
        "unclaimed": "SELECT, INSERT, UPDATE",
        "chunks": "SELECT, INSERT",
        "recordings": "SELECT, INSERT",
        "epochs": "SELECT, INSERT, UPDATE (opened_at)",
        "artifacts": "SELECT, INSERT",
        "data_keys": "SELECT, INSERT",
        "tombstones": "SELECT",
        "acknowledgements": "SELECT",
        "uninformed_agents": "SELECT, INSERT, UPDATE (seen_at)",
        "objections": "SELECT, INSERT",
        "holds": "SELECT (state, review_at, callers)",
        "draw_months": "SELECT",
        "draws": "SELECT, INSERT, UPDATE (delivery)",
        "register": "INSERT",
    },
    # Confirms what `ingest` stored, or forgets what did not arrive: by functions, which touch nothing that is kept.
    "prove": {
        "chunks": "SELECT",
        "deliveries": "SELECT, UPDATE (state, token)",
        "artifacts": "SELECT, UPDATE (token)",
        "data_keys": "SELECT (artifact)",
        "register": "INSERT",
    },
    "listen": {
        "artifacts": "SELECT",
        "recordings": "SELECT",
        "data_keys": "SELECT",
        "holds": "SELECT",
        "losses": "SELECT",
        "findings": "SELECT",
        "register": "SELECT, INSERT",
    },
    "decide": {
        "requests": "SELECT, INSERT, UPDATE (state, run, answered_at_airflow)",
        "request_items": "SELECT, INSERT",
        "decisions": "SELECT, INSERT, UPDATE (applied_at)",
        "opinions": "SELECT, INSERT",
        "holds": "SELECT, INSERT, UPDATE (state, review_at, ended_at, ended_by)",
        "held": "SELECT, INSERT, UPDATE (caught_at, released_at)",
        "policy_drafts": "SELECT, INSERT, UPDATE (state, run, answered_at_airflow, answer, decided_by, "
        "decided_reason, decided_at)",
        "policies": "INSERT, UPDATE (reclocked_at, reclocked_to)",
        "acknowledgements": "SELECT, INSERT, UPDATE (acknowledged_at, recorded_by, channel)",
        "uninformed_agents": "SELECT, DELETE",
        "objections": "SELECT, INSERT, UPDATE (withdrawn_at, withdrawn_by)",
        "draw_months": "SELECT, INSERT, UPDATE (revealed_at, secret)",
        "draws": "SELECT, INSERT",
        "messages": "SELECT, INSERT, UPDATE (next_try_at, tries, trouble, sent_at)",
        "volumes": "SELECT, UPDATE (state, run, answered_at_airflow, answer, until, ground, decided_by, reason, "
        "decided_at)",
        "volume_items": "SELECT",
        "manifests": "SELECT",
        "findings": "SELECT, UPDATE (state, closed_at, closed_by, answer, reason)",
        "stock": "SELECT",
        "artifacts": "SELECT, INSERT, UPDATE (due_at, cap_at, restricted, epoch, earlier_epochs, extension, hold, "
        "unheld_due_at, ended_for)",
        "data_keys": "SELECT, INSERT, UPDATE (epoch, wrapped)",
        "epochs": "SELECT, INSERT, UPDATE (opened_at, due_at, turning_at)",
        "recordings": "SELECT",
        # A quarantined one is tried again from the desk.
        "deliveries": "SELECT, UPDATE (state, code, detail, findings, deadline, fingerprint, identity_digest, "
        "content_digest, audio_digest, token)",
        "verdicts": "SELECT, DELETE",
        "tombstones": "SELECT",
        "certificates": "SELECT",
        "checkpoints": "SELECT",
        "accesses": "INSERT",
        "register": "SELECT, INSERT",
    },
    "expire": {
        "artifacts": "SELECT, UPDATE (state, erased_at, earlier_epochs)",
        "data_keys": "SELECT, DELETE",
        "epochs": "SELECT, INSERT, UPDATE",
        "forecasts": "SELECT, INSERT",
        "stock": "SELECT",
        "volumes": "SELECT, INSERT",
        "volume_items": "SELECT, INSERT",
        "restorations": "INSERT, UPDATE (parts, declared, ended_at, counts, origin, register_size, "
        "published_size)",
        "losses": "SELECT, INSERT, DELETE",
        "findings": "SELECT, INSERT, UPDATE (act, artifact, seen_at, swept_at, state, closed_at, closed_by)",
        "checkpoints": "SELECT",
        "recordings": "SELECT, UPDATE (caller_index, agent)",
        "requests": "SELECT",
        "request_items": "SELECT",
        "decisions": "SELECT",
        "holds": "SELECT",
        "manifests": "SELECT, INSERT",
        "manifest_chunks": "SELECT, INSERT",
        "authorisations": "SELECT, INSERT",
        "tombstones": "SELECT, INSERT, UPDATE",
        "certificates": "SELECT, INSERT, UPDATE (published_at)",
        "register": "SELECT, INSERT",
    },
    "seal": {
        "register": "SELECT, INSERT, UPDATE (leaf_index)",
        "checkpoints": "SELECT, INSERT, UPDATE (published_at, published_version, witnessed_at)",
        "restorations": "INSERT",
    },
    "reconcile": {
        "artifacts": "SELECT",
        "recordings": "SELECT",
        "deliveries": "SELECT",
        "data_keys": "SELECT (artifact, attempt, epoch)",
        "epochs": "SELECT",
        "tombstones": "SELECT",
        "requests": "SELECT",
        "request_items": "SELECT",
        "decisions": "SELECT",
        "holds": "SELECT",
        "losses": "SELECT, INSERT, DELETE",
        "findings": "SELECT, INSERT, UPDATE (act, artifact, seen_at, swept_at, state, closed_at, closed_by)",
        "accesses": "SELECT, INSERT, UPDATE (explained, finding), DELETE",
        "register": "SELECT, INSERT",
    },
    # Brings the store in line with the policy, and says so.
    "apply": {
        "stock": "SELECT",
        "register": "SELECT, INSERT",
    },
    "read": dict.fromkeys(
        [
            "chunks",
            "deliveries",
            "verdicts",
            "recordings",
            "artifacts",
            "epochs",
            "requests",
            "request_items",
            "decisions",
            "manifests",
            "manifest_chunks",
            "authorisations",
            "tombstones",
            "certificates",
            "register",
            "checkpoints",
            "opinions",
            "holds",
            "held",
            "policy_drafts",
            "acknowledgements",
            "uninformed_agents",
            "objections",
            "draw_months",
            "draws",
            "messages",
            "forecasts",
            "volumes",
            "volume_items",
            "restorations",
            "losses",
            "findings",
            "accesses",
            "stock",
            "unclaimed",
            "consigne_version",
        ],
        "SELECT",
    )
    | {"data_keys": "SELECT (artifact, epoch)"},
}


def make_roles(tx: Connection, users: Mapping[str, str], passwords: Mapping[str, str]) -> None:
    """Create what is missing, set passwords, and bring privileges in line; as the server's superuser.
    `users` and `passwords` are by role; names are ours and need no quoting."""
    for role, user in users.items():
        known = tx.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :user"), {"user": user}).scalar()
        verb = "ALTER" if known else "CREATE"
        secret = passwords[role].replace("'", "''")
        tx.execute(text(f"{verb} ROLE {user} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD '{secret}'"))
    let_rewrite(tx, users["seal"])


def let_rewrite(tx: Connection, user: str) -> None:
    """The sealer writes the files of tables anew in which something was forgotten (names.py): as the server's
    superuser, from PostgreSQL 17 on."""
    if tx.execute(text("SELECT 1 FROM pg_roles WHERE rolname = 'pg_maintain'")).scalar():
        tx.execute(text(f"GRANT pg_maintain TO {user}"))


def grant(tx: Connection, users: Mapping[str, str]) -> None:
    """Privileges exactly as in GRANTS; as the tables' owner."""
    tx.execute(text("REVOKE ALL ON SCHEMA public FROM PUBLIC"))
    for role, tables in GRANTS.items():
        user = users[role]
        tx.execute(text(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {user}"))
        tx.execute(text(f"GRANT USAGE ON SCHEMA public TO {user}"))
        for table in _ALL.split():
            tx.execute(text(f"GRANT SELECT ON {table} TO {user}"))
        for table, privileges in tables.items():
            tx.execute(text(f"GRANT {privileges} ON {table} TO {user}"))
    # Names and typed reasons are forgotten by functions alone, which know what is over.
    tx.exec_driver_sql(FORGETTING)
    tx.execute(text("REVOKE ALL ON FUNCTION consigne_forget_names FROM PUBLIC"))
    tx.execute(text(f"GRANT EXECUTE ON FUNCTION consigne_keep, consigne_drop TO {users['prove']}"))
    functions = "consigne_forget, consigne_forget_names, consigne_roll_up, consigne_tidy"
    tx.execute(text(f"GRANT EXECUTE ON FUNCTION {functions} TO {users['seal']}"))
