"""What is stored is confirmed by two functions: no role but `expire` may change an artifact's state or delete a key.
What `ingest` puts in waits for them; what `decide` stores again it has looked at itself. Neither names an object that is
another artifact's, which would go with it."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_DEFINER = "SECURITY DEFINER SET search_path = public, pg_temp"
# Only what waits for its confirmation, and only under the newest claim.
KEEP = f"""
CREATE FUNCTION consigne_keep(artifact uuid, claim uuid) RETURNS boolean LANGUAGE plpgsql {_DEFINER} AS $$
BEGIN
    UPDATE artifacts SET state = 'kept' WHERE id = $1 AND token = $2 AND state = 'storing';
    RETURN FOUND;
END $$
"""
DROP = f"""
CREATE FUNCTION consigne_drop(artifact uuid, claim uuid) RETURNS boolean LANGUAGE plpgsql {_DEFINER} AS $$
BEGIN
    PERFORM FROM artifacts WHERE id = $1 AND token = $2 AND state = 'storing' FOR UPDATE;
    IF NOT FOUND THEN RETURN false; END IF;
    DELETE FROM data_keys AS k WHERE k.artifact = $1;
    DELETE FROM artifacts WHERE id = $1;
    RETURN true;
END $$
"""
REFUSE = """
CREATE FUNCTION consigne_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'not_its_own: %', TG_NAME USING ERRCODE = 'insufficient_privilege';
END $$
"""
# By its own purpose, day, recording, part and attempt and nothing more, as rules/layout.py names it. Who may move a due
# date is `decide` or the owner, who may say when an artifact was erased `expire` or the owner; the condition is asked
# for without a call of the function.
OWN_OBJECT = """
CREATE TRIGGER own_object BEFORE INSERT ON artifacts FOR EACH ROW WHEN ((
    NEW.state NOT IN ('storing', 'kept')
    OR (NEW.state = 'kept' AND NOT has_column_privilege('public.artifacts', 'due_at', 'UPDATE'))
    OR split_part(NEW.object, '/', 1) <> NEW.purpose
    OR NEW.object !~ '^[^/]*/[0-9]{4}/(0[1-9]|1[0-2])/(0[1-9]|[12][0-9]|3[01])/'
    OR (string_to_array(NEW.object, '/'))[5\\:] <> ARRAY[NEW.recording\\:\\:text, NEW.part, NEW.attempt\\:\\:text]
) AND NOT has_column_privilege('public.artifacts', 'erased_at', 'UPDATE'))
EXECUTE FUNCTION consigne_refuse()
"""
# Else a role's own temporary table would stand before ours in what runs with the owner's rights.
DEFINERS = (
    "consigne_forget(bigint, bigint)",
    "consigne_tidy()",
    "consigne_roll_up()",
    "consigne_recount()",
    "consigne_count_artifacts()",
    "consigne_count_deliveries()",
)


def upgrade() -> None:
    for made in (KEEP, DROP, REFUSE, OWN_OBJECT):
        op.execute(made)
    op.execute("REVOKE ALL ON FUNCTION consigne_keep, consigne_drop FROM PUBLIC")
    for function in DEFINERS:
        op.execute(f"ALTER FUNCTION {function} SET search_path = public, pg_temp")


def downgrade() -> None:
    raise NotImplementedError("restore a backup: a register is not rolled back")
