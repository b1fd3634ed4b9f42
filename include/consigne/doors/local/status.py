"""What runs and where: contract.md, *Shapes*, status."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from consigne.adapters.catalog.register import read_sealing
from consigne.doors.local import airflow, report
from consigne.doors.local.backups import known, overdue
from consigne.doors.local.components import Component, components
from consigne.doors.settings import ACCOUNTS, Settings
from consigne.doors.wiring import keyring_of
from consigne.rules.clock import iso
from consigne.rules.errors import ConsigneError
from consigne.rules.sealing import gap_since

SEEN_BY_AIRFLOW = ("api-server", "scheduler", "dag-processor")
# `failed`: given up (acts/remind.py).
_MAIL = (
    "SELECT count(*) FILTER (WHERE next_try_at < made_at + INTERVAL '3 days') AS waiting, "
    "count(*) FILTER (WHERE next_try_at >= made_at + INTERVAL '3 days') AS failed FROM messages WHERE sent_at IS NULL"
)


def status(settings: Settings, with_secrets: bool = False) -> dict[str, Any]:
    """The document; passwords and keys only where asked for."""
    states = component_states(settings)
    catalog = _ask_catalog(settings) if states["postgres"]["state"] == "healthy" else {}
    return {
        "url": settings.airflow_url,
        "state_dir": str(settings.state_dir),
        "intake": str(settings.intake_dir),
        "policy": catalog.get("policy"),
        "components": states,
        "executor": settings.executor,
        "separate_users": settings.executor == "celery" and settings.users_base > 0,
        "accounts": _accounts(settings, with_secrets),
        "store": _store(settings, with_secrets),
        "database": {"url": make_url(settings.database_admin_url()).render_as_string(not with_secrets)},
        "keyring": {"url": settings.keyring_url},
        "clock": {"test": settings.test_clock, "offset_s": catalog.get("offset_s", 0)},
        "register": catalog.get("register"),
        "mail": {"server": settings.mail_url} | catalog.get("mail", {}),
        "swap": swap_is_on(),
        "backups": {"known": list(known(settings)), "overdue": overdue(settings)},
    }


def component_states(settings: Settings) -> dict[str, dict[str, Any]]:
    """Each component's state, by a real check of it."""
    found = report.read(settings)
    seen_by_airflow = airflow.health(settings) if settings.airflow_port else {}
    states = {}
    for component in components(settings):
        if component.is_step:
            continue
        name = component.name
        lives = bool(found and found.lives(name)) or not component.is_ours(settings)
        if name in SEEN_BY_AIRFLOW:
            is_well = seen_by_airflow.get(name, False)
        else:
            is_well = component.is_well is None or component.is_well(settings)
        states[name] = _state(settings, component, found, lives, is_well)
    return {"keyring": _keyring_state(settings, found is not None)} | states


def _keyring_state(settings: Settings, is_made: bool) -> dict[str, Any]:
    """No process of its own: its signing keys are opened, whoever keeps them. `stopped` before the first `up`."""
    try:
        state = "healthy" if keyring_of(settings).public_keys() else "unhealthy"
    except ConsigneError:
        state = "unhealthy" if is_made else "stopped"
    return {"state": state, "since": None, "log": None}


def _state(
    settings: Settings, component: Component, found: report.Report | None, lives: bool, is_well: bool
) -> dict[str, Any]:
    is_starting = bool(found and found.phase == "starting" and report.runs(settings))
    state = (
        "healthy" if lives and is_well else "starting" if is_starting else "unhealthy" if lives else "stopped"
    )
    part = found.parts.get(component.name) if found else None
    since = part.since if part and lives else None
    log = str(component.log(settings)) if component.is_ours(settings) else None
    return {"state": state, "since": since or None, "log": log}


def swap_is_on() -> bool:
    """Whether this machine may write memory to a disk (proc(5), /proc/swaps)."""
    try:
        return len(Path("/proc/swaps").read_text().splitlines()) > 1
    except OSError:
        return False


def _accounts(settings: Settings, with_secrets: bool) -> dict[str, dict[str, Any]]:
    listed: dict[str, dict[str, Any]] = {user: {"roles": [role]} for user, role in ACCOUNTS.items()}
    if with_secrets:
        for user, one in listed.items():
            one["password"] = settings.account_password(user)
    return listed


def _store(settings: Settings, with_secrets: bool) -> dict[str, Any]:
    document: dict[str, Any] = {"endpoint": settings.store_endpoint, "region": settings.store_region}
    document["identities"] = {name: {} for name in settings.store_identities()}
    if with_secrets:
        document["root"] = _keys(settings, "root")
        document["identities"] = {name: _keys(settings, name) for name in settings.store_identities()}
    return document


def _keys(settings: Settings, identity: str) -> dict[str, str]:
    access, secret = settings.store_credentials(identity)
    return {"access_key": access, "secret_key": secret}


def _ask_catalog(settings: Settings) -> dict[str, Any]:
    """The policy in force and the clock's shift; empty where the catalog is not made yet."""
    in_force = "SELECT version, digest FROM policies WHERE in_force_from <= consigne_now() ORDER BY in_force_from DESC"
    engine = create_engine(settings.database_url("read"), poolclass=NullPool, hide_parameters=True)
    try:
        with engine.connect() as connection:
            policy = connection.execute(text(f"{in_force} LIMIT 1")).mappings().one_or_none()
            offset_s = connection.execute(text("SELECT offset_s FROM clock")).scalar_one()
            mail = connection.execute(text(_MAIL)).mappings().one()
            register = _register(settings, connection)
    except SQLAlchemyError:
        return {}
    return {
        "policy": dict(policy) if policy else None,
        "offset_s": offset_s,
        "mail": dict(mail),
        "register": register,
    }


def _register(settings: Settings, connection: Connection) -> dict[str, Any]:
    """Entries sealed and published, and since when any have waited longer than they may."""
    sealing = read_sealing(connection)
    now = connection.execute(text("SELECT consigne_now()")).scalar_one()
    since = gap_since(sealing, now, settings.witness_url != "none:")
    instants = {
        "published_at": sealing.published_at,
        "witnessed_at": sealing.witnessed_at,
        "gap_since": since,
    }
    told = {name: instant and iso(instant) for name, instant in instants.items()}
    return {"sealed": sealing.size, "published": sealing.published_size, **told}
