"""Roles and accounts in Airflow (FAB), brought in line with what stands here: `python -m …accounts`.

The only writer of these roles. Rows are written directly, in one transaction: it works before any Dag was
read, and takes one process where Airflow's command line takes several seconds a role. Airflow's own roles are
given to nobody; accounts that are not listed are left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from airflow.providers.fab.auth_manager.models import Action, Permission, Resource, Role, User
from airflow.providers.fab.www.security import permissions as fab
from airflow.utils.session import create_session
from sqlalchemy import select, text
from sqlalchemy.orm import Session
from werkzeug.security import check_password_hash, generate_password_hash

from consigne.doors.settings import ACCOUNTS, Settings

Grant = tuple[str, str]

OPERATED = ("ingest_recordings", "expire_recordings", "reconcile_storage")
"""Dags that ops run."""

ASKED = ("decide_retention_exception", "change_policy")
"""Dags with a human task whose runs people's wishes start."""

DECIDED = (*ASKED, "confirm_expiry_volume")
"""Dags with a human task: ops read them, a person of the DPO's role decides on the desk."""

DESK = "Consigne"
"""Our own resource: whoever uses the desk."""

READ, EDIT, CREATE = fab.ACTION_CAN_READ, fab.ACTION_CAN_EDIT, fab.ACTION_CAN_CREATE
MENU = fab.ACTION_CAN_ACCESS_MENU
LOCK_KEY = 0x434E5347  # any constant: one sync at a time


def _grants(actions: Iterable[str], *resources: str) -> list[Grant]:
    return [(action, resource) for resource in resources for action in actions]


def _dags(prefix: str, *dags: str) -> list[str]:
    return [fab.resource_name(dag, prefix) for dag in dags]


_COMMON = [
    *_grants([READ], fab.RESOURCE_WEBSITE, fab.RESOURCE_PLUGIN, fab.RESOURCE_MY_PROFILE),
    *_grants([READ, EDIT], fab.RESOURCE_MY_PASSWORD),
    *_grants([READ, MENU], DESK),
]
_REQUESTER = [
    *_grants([READ], *_dags(fab.RESOURCE_DAG, *ASKED)),
    *_grants([READ, CREATE], *_dags(fab.RESOURCE_DAG_RUN, *ASKED)),
]
_DRAFTING = _grants([READ, CREATE], *_dags(fab.RESOURCE_DAG_RUN, "change_policy"))
_DPO = [
    *_grants([READ], *_dags(fab.RESOURCE_DAG, *DECIDED)),
    # The sweep starts it in their name.
    *_grants([READ, CREATE], *_dags(fab.RESOURCE_DAG_RUN, "confirm_expiry_volume")),
    *_grants([READ], fab.RESOURCE_DAG_RUN, fab.RESOURCE_TASK_INSTANCE),
    *_grants([READ, EDIT, MENU], fab.RESOURCE_HITL_DETAIL),
    *_grants([MENU], fab.RESOURCE_DAG),
]
_OPS = [
    *_grants([READ, EDIT], *_dags(fab.RESOURCE_DAG, *OPERATED)),
    *_grants([READ], *_dags(fab.RESOURCE_DAG, *DECIDED)),
    *_grants([READ, CREATE, EDIT], fab.RESOURCE_DAG_RUN),
    *_grants([READ, EDIT], fab.RESOURCE_TASK_INSTANCE),
    *_grants([READ], fab.RESOURCE_HITL_DETAIL, fab.RESOURCE_TASK_LOG, fab.RESOURCE_DAG_CODE),
    *_grants([READ], fab.RESOURCE_DAG_VERSION, fab.RESOURCE_DAG_DEPENDENCIES, fab.RESOURCE_DAG_WARNING),
    *_grants([READ, CREATE], fab.RESOURCE_ASSET),
    *_grants([MENU], fab.RESOURCE_DAG, fab.RESOURCE_ASSET),
]

ROLES: Mapping[str, list[Grant]] = {
    "ops": _COMMON + _OPS + _DRAFTING,
    "dpo": _COMMON + _DPO + _DRAFTING,
    "analyst": _COMMON + _REQUESTER,
    "trainer": _COMMON + _REQUESTER,
    "adviser": _COMMON,
    "auditor": _COMMON,
}
"""Role → exactly its permissions (facts/airflow.md, verified)."""


def sync(password: Callable[[str], str]) -> None:
    """Make roles what stands here, and the accounts what settings say; `password` gives an account's. Idempotent."""
    with create_session() as session:
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK_KEY})
        roles = _sync_roles(session)
        for user, role in ACCOUNTS.items():
            _sync_account(session, user, roles[role], password(user))


def _sync_roles(session: Session) -> dict[str, Role]:
    wanted = {grant for grants in ROLES.values() for grant in grants}
    actions = _named(session, Action, {action for action, _ in wanted})
    resources = _named(session, Resource, {resource for _, resource in wanted})
    roles = _named(session, Role, set(ROLES))
    known = {(p.action.name, p.resource.name): p for p in session.scalars(select(Permission)).unique()}
    for action, resource in sorted(wanted - known.keys()):
        known[action, resource] = Permission(action=actions[action], resource=resources[resource])
        session.add(known[action, resource])
    for name, grants in ROLES.items():
        roles[name].permissions = [known[grant] for grant in sorted(set(grants))]
    return roles


def _named(session: Session, kind: Any, names: set[str]) -> dict[str, Any]:
    found: dict[str, Any] = {
        row.name: row for row in session.scalars(select(kind).where(kind.name.in_(names))).unique()
    }
    for name in sorted(names - found.keys()):
        found[name] = kind(name=name)
        session.add(found[name])
    return found


def _sync_account(session: Session, username: str, role: Role, password: str) -> None:
    user = session.scalars(select(User).where(User.username == username)).one_or_none()
    if user is None:
        user = User(
            username=username, first_name=username, last_name="", email=f"{username}@consigne.invalid"
        )
        session.add(user)
    user.active, user.roles = True, [role]
    if not (user.password and check_password_hash(user.password, password)):
        user.password = generate_password_hash(password, method="scrypt")


if __name__ == "__main__":
    sync(Settings.from_environment().account_password)
