"""`consigne apply`: database, store and keyring brought in line with the policy. Idempotent, and the only writer."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, Engine, text

from consigne.acts.declare import declare
from consigne.acts.draw import keep_months
from consigne.acts.replay import bring_to_truth
from consigne.adapters.catalog.grants import grant, make_roles
from consigne.adapters.catalog.migrate import migrate
from consigne.adapters.catalog.open import Catalog
from consigne.adapters.catalog.session import open_engine, terse
from consigne.adapters.names import PresidioNames
from consigne.adapters.store.access import configure_store, identities
from consigne.adapters.store.probe import probe
from consigne.doors.local.declared import forget_declared, read_declared
from consigne.doors.settings import DATABASE_ROLES, DRAW_SECRET, METRICS_SECRET, Settings
from consigne.doors.wiring import keyring_of, open_platform, read_acknowledgements_of
from consigne.rules.errors import Misconfigured
from consigne.rules.policy.limits import breaches
from consigne.rules.policy.load import Loaded, load
from consigne.rules.policy.model import Policy
from consigne.rules.redaction.profiles import WITH_NAMES

Say = Callable[[str], None]


def apply(settings: Settings, say: Say = lambda _: None) -> None:
    """Everything that the policy asks of the installation. Misconfigured stops it before anything opens:
    a policy that breaks a limit or asks for names that nobody finds, a changed policy file, a store without its
    KMS."""
    given = read_policy(settings)
    if any(purpose.redaction.profile in WITH_NAMES for purpose in given[0].policy.purposes.values()):
        PresidioNames(settings.names_model).prepare()
    admin = open_engine(settings.database_admin_url())
    prepare_catalog(settings, admin, say)
    catalog = Catalog(open_engine(settings.database_url("owner")), os.urandom)
    with catalog.begin() as tx:
        # A keyring is made once, before the first policy: one that is missing later is away, not new.
        keyring_of(settings).prepare(first=catalog.newest_policy(tx) is None)
        _put_in_force(catalog, tx, settings, given, say)
    apply_current(settings, say)
    _bring_to_truth(settings, say)
    if not settings.holder:  # made now, so that a telephone system can be given the one, Prometheus the other
        settings.secret(DRAW_SECRET)
        settings.secret(METRICS_SECRET)
    keep_months(open_platform(settings, "decide"))  # no call is drawn under a month that is not committed


def _bring_to_truth(settings: Settings, say: Say) -> None:
    """What came back from a backup is erased and destroyed again before anything opens. An operator declares what:
    by `consigne restore`, which alone writes what `read_declared` reads."""
    platform, said = open_platform(settings, "expire"), read_declared(settings)
    with platform.catalog.begin() as alone:  # two starts at once would each publish a note, for ever
        alone.execute(text("SELECT pg_advisory_xact_lock(4711007)"))
        found = bring_to_truth(platform, said.parts, said.is_older_keyring)
    for id in said.restorations:
        is_known = declare(platform, UUID(id))
        say(f"restoration {id}: {'declared' if is_known else 'evidence knows none, nothing is declared'}")
    forget_declared(settings)
    if found is not None:
        counts = ", ".join(f"{name} {count}" for name, count in found.counts.items())
        say(f"{', '.join(found.parts)} came back from a backup: {counts or 'nothing to erase again'}")
        if noticed := [part for part in found.parts if part not in found.declared]:
            say(f"nobody declared it of: {', '.join(noticed)}; if you did it: `restore --declare {found.id}`")


def apply_current(settings: Settings, say: Say) -> None:
    """The store brought in line with the versions in force and announced; what a purpose that is gone still keeps
    keeps its listener. Needs the store's root credentials. Idempotent."""
    catalog = Catalog(open_engine(settings.database_url("read")), os.urandom)
    with catalog.begin() as tx:
        policy = policy_to_keep(catalog, tx)
    bring_store_in_line(settings, policy, say)


def policy_to_keep(catalog: Catalog, tx: Connection) -> Policy:
    """What the store must serve now: `join_purposes` of what the catalog knows."""
    current, kept = catalog.current_policies(tx, catalog.now(tx)), catalog.purposes_kept(tx)
    return join_purposes(catalog.all_policies(tx), current, kept)


def bring_store_in_line(settings: Settings, policy: Policy, say: Say) -> None:
    """Buckets, identities and their rights, and the proof that the store encrypts."""
    server = (
        settings.store_endpoint,
        settings.store_region,
        settings.store_secure,
        settings.store_credentials("root"),
    )
    credentials = {name: settings.store_credentials(name) for name in identities(policy)}
    for change in configure_store(*server, policy, credentials):
        say(change)
    probe(*server)


def join_purposes(earlier: Sequence[Policy], current: Sequence[Policy], kept: set[str]) -> Policy:
    """The version in force (the first of `current`) with the purposes of those announced too, and of any earlier
    version where something is still kept for them."""
    purposes = {name: rule for policy in earlier for name, rule in policy.purposes.items() if name in kept}
    for policy in reversed(current):
        purposes |= policy.purposes
    return replace(current[0], purposes=purposes)


def read_policy(settings: Settings) -> tuple[Loaded, str]:
    """The policy's file, valid and within the limits, with its text. Misconfigured names the first line."""
    if not settings.policy_file.is_file():
        raise Misconfigured("no_policy_file", str(settings.policy_file), "give --policy FILE")
    content = settings.policy_file.read_text(encoding="utf-8")
    loaded = load(content)
    broken = [found for found in breaches(loaded) if found.severity == "error"]
    if broken:
        where = f"{settings.policy_file.name} line {broken[0].line}, {broken[0].field}"
        raise Misconfigured("policy_breaks_a_limit", where, broken[0].message)
    if loaded.policy.agents is not None:
        read_acknowledgements_of(settings.policy_file, loaded.policy)
    return loaded, content


@terse()
def prepare_catalog(settings: Settings, admin: Engine, say: Say) -> None:
    """Roles, tables, privileges, and the rows that an installation has one of. Unavailable: to be tried again."""
    users = {role: settings.database_user(role) for role in DATABASE_ROLES}
    passwords = {role: settings.database_password(role) for role in DATABASE_ROLES}
    with admin.begin() as tx:
        tx.execute(text("SELECT pg_advisory_xact_lock(4711003)"))
        make_roles(tx, users, passwords)
        for role, user in users.items():
            tx.execute(text(f"GRANT CONNECT ON DATABASE consigne TO {user}"))
            if role == "owner":
                tx.execute(text(f"ALTER SCHEMA public OWNER TO {user}"))
    owner = open_engine(settings.database_url("owner"))
    migrate(owner, say)
    with owner.begin() as tx:
        grant(tx, {role: user for role, user in users.items() if role != "owner"})
        tx.execute(
            text("INSERT INTO installation (origin) VALUES (:origin) ON CONFLICT DO NOTHING"),
            {"origin": f"consigne/{os.urandom(4).hex()}"},
        )
        if settings.test_clock:
            # Never in a given database whose register already runs on the real clock.
            tx.execute(text("UPDATE clock SET test = true WHERE NOT EXISTS (SELECT FROM policies)"))
            # A restored database does not turn time back.
            shift = text("UPDATE clock SET offset_s = greatest(offset_s, :s) WHERE test")
            tx.execute(shift, {"s": settings.clock_offset_s})


def _put_in_force(
    catalog: Catalog, tx: Connection, settings: Settings, given: tuple[Loaded, str], say: Say
) -> None:
    """The first policy takes force by its file; afterwards the file may be any version that was ever decided."""
    loaded, content = given
    known = catalog.newest_policy(tx)
    if known is not None and not catalog.is_known(tx, loaded.policy.digest):
        raise Misconfigured(
            "policy_changed", str(settings.policy_file),
            f"version {known.version} was decided last; a policy changes by a decision of the DPO: `policy draft`",
        )  # fmt: skip
    if known is None:
        now: datetime = catalog.now(tx)
        catalog.add_policy(tx, loaded.policy, content, now)
        entry = {"subject": loaded.policy.digest, "version": loaded.policy.version, "outcome": "in_force"}
        catalog.append(tx, "consigne", "configure:policy:applied", [entry])
        say(f"policy {loaded.policy.version} is in force")
