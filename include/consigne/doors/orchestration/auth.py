"""Who may do what in Airflow, and acting in Airflow as the person who is signed in.

Airflow looks for `FabAuthManager` in the class path (facts/airflow.md), hence the name.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar

import httpx
from airflow.api_fastapi.app import cached_app, get_auth_manager
from airflow.api_fastapi.auth.managers.base_auth_manager import ExtendedResourceMethod
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails
from airflow.providers.fab.auth_manager.fab_auth_manager import FabAuthManager
from airflow.providers.fab.auth_manager.models import User
from airflow.providers.fab.www.security.permissions import (
    RESOURCE_DAG_RUN,
    RESOURCE_HITL_DETAIL,
    resource_name,
)
from airflow.utils.session import create_session
from sqlalchemy import select

from consigne.doors.orchestration.approval import DESK_ONLY
from consigne.rules.access import DPO
from consigne.rules.values import Actor

TOKEN_S = 60

# In this call alone: the id of the person for whom the desk answers now, and whether the desk is calling at all.
_answers_for: ContextVar[str | None] = ContextVar("consigne_answers_for", default=None)
_desk_calls: ContextVar[bool] = ContextVar("consigne_desk_calls", default=False)


class ConsigneFabAuthManager(FabAuthManager):
    """FAB, with human tasks answered only by the desk, and two rights that FAB ties to editing the Dag."""

    def is_authorized_hitl_task(self, *, assigned_users: set[str], user: User) -> bool:
        """Only the desk's own call passes, for the person it speaks for, who must still be a DPO."""
        if DESK_ONLY not in assigned_users:
            return super().is_authorized_hitl_task(assigned_users=assigned_users, user=user)
        return _answers_for.get() == str(user.id) and DPO in roles_of(user)

    def is_authorized_dag(
        self,
        *,
        method: ExtendedResourceMethod,
        user: User,
        access_entity: DagAccessEntity | None = None,
        details: DagDetails | None = None,
    ) -> bool:
        """FAB wants `can_edit` on the Dag to answer a human task or to start a run, which also allows pausing
        it and marking its tasks. Here reading it is enough, with the right to that one thing."""
        own = None
        if access_entity is DagAccessEntity.HITL_DETAIL and method == "PUT":
            own = RESOURCE_HITL_DETAIL
        elif access_entity is DagAccessEntity.RUN and method == "POST" and details and details.id:
            own = resource_name(details.id, RESOURCE_DAG_RUN)
        if own and self._is_authorized(method=method, resource_type=own, user=user):
            return self._is_authorized_dag(method="GET", details=details, user=user)
        return super().is_authorized_dag(
            method=method, user=user, access_entity=access_entity, details=details
        )


def roles_of(user: User) -> frozenset[str]:
    """The person's roles as the database has them now (Airflow's own view is up to 30 s old); none for a
    person who is gone or not active."""
    with create_session() as session:
        found = session.scalars(select(User).where(User.id == user.id)).one_or_none()
        if found is None or not found.is_active:
            return frozenset()
        of_groups = {role.name for group in found.groups for role in group.roles}
        return frozenset({role.name for role in found.roles} | of_groups)


def actor_of(user: User) -> Actor:
    """The signed-in person with fresh roles."""
    return Actor(user.username, roles_of(user))


def person_named(username: str) -> User | None:
    """The active account of that name."""
    with create_session() as session:
        found = session.scalars(select(User).where(User.username == username)).one_or_none()
        return found if found is not None and found.is_active else None


def is_desks_own() -> bool:
    """Whether the request that is being answered came from `as_person`, not from outside."""
    return _desk_calls.get()


@asynccontextmanager
async def as_person(user: User, answering: bool = False) -> AsyncIterator[httpx.AsyncClient]:
    """Airflow's own API inside this process, as that person, every check kept. With `answering`, human tasks
    that only the desk answers are open to this call. Only in the api-server, on its event loop."""
    token = get_auth_manager().generate_jwt(user=user, expiration_time_in_seconds=TOKEN_S)
    answers_before = _answers_for.set(str(user.id) if answering else None)
    calls_before = _desk_calls.set(True)
    try:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(cached_app(), raise_app_exceptions=False),
            base_url="http://desk.invalid/api/v2",
            headers={"Authorization": f"Bearer {token}"},
        ) as client:
            yield client
    finally:
        _desk_calls.reset(calls_before)
        _answers_for.reset(answers_before)
