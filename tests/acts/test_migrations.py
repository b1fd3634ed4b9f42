"""The catalog's migrations lead to the tables as the code knows them."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, text

from consigne.adapters.catalog import tables_decided, tables_people
from consigne.adapters.catalog.columns import metadata
from consigne.adapters.catalog.session import Session


def test_they_end_where_the_tables_are(engine: Engine) -> None:
    assert {"holds", "objections"} <= metadata.tables.keys()
    assert (tables_decided.holds.name, tables_people.objections.name) == ("holds", "objections")
    with engine.begin() as tx:
        context = MigrationContext.configure(tx, opts={"version_table": "consigne_version"})
        assert compare_metadata(context, metadata) == []


def test_entries_of_before_are_found_by_what_they_name(engine: Engine) -> None:
    """The statements of migrations 0002 and 0003, on an entry that was written without them."""
    catalog = Session(engine, lambda count: b"s" * count)
    name = "0cc5364e-6a82-445c-9879-c88bf9bd801d"
    with engine.begin() as tx:
        catalog.append(
            tx, "dpo", "decide:request:filed", [{"subject": name, "artifacts": [name], "ground": "dispute"}]
        )
        written = tx.execute(text("SELECT subjects FROM register")).scalar_one()
        tx.execute(text("UPDATE register SET subjects = '{}'"))
        tx.execute(
            text(
                "UPDATE register SET subjects = ARRAY(SELECT DISTINCT found[1] FROM regexp_matches("
                r"convert_from(payload, 'UTF8'), '[0-9a-f]{8}(?\:-[0-9a-f]{4}){3}-[0-9a-f]{12}', 'g') AS found)"
                " || (convert_from(payload, 'UTF8')\\:\\:json ->> 'kind')"
            )
        )
        tx.execute(
            text(
                "UPDATE register SET subjects = subjects || ARRAY(SELECT 'actor\\:' || (said ->> 'actor') UNION "
                "SELECT 'why\\:' || (said ->> name) FROM unnest(ARRAY['code', 'ground', 'reason']) AS name "
                "WHERE said ->> name ~ '^[a-z][a-z0-9_]{0,47}$') "
                "FROM (SELECT id AS entry, convert_from(payload, 'UTF8')\\:\\:json AS said FROM register) AS read WHERE id = entry"
            )
        )
        filled = tx.execute(text("SELECT subjects FROM register")).scalar_one()
        assert sorted(filled) == sorted(written) == [name, "actor:dpo", "decide:request:filed", "why:dispute"]
