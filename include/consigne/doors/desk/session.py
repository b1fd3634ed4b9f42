"""Who reads the desk: Airflow's sign-in, roles read afresh, and proof that a form was sent from here."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.base_auth_manager import COOKIE_NAME_JWT_TOKEN
from airflow.api_fastapi.core_api.security import get_user, resolve_user_from_token
from airflow.configuration import conf
from airflow.providers.fab.auth_manager.models import User
from fastapi import Depends, HTTPException, Request

from consigne.doors.orchestration.auth import actor_of
from consigne.rules.values import Actor

RESOURCE = "Consigne"
"""The FAB resource whose `can_read` opens the desk and its API."""


class SignInNeeded(Exception):
    """Nobody is signed in on a page: Airflow's sign-in comes first."""


class NoDesk(Exception):
    """The account is no user of Consigne."""


class Forged(Exception):
    """A form without the session's token, or sent from another site."""


@dataclass(frozen=True, slots=True)
class Reader:
    """The signed-in person: Airflow's account, and the actor with roles as the database has them now."""

    account: User
    actor: Actor


async def _of_cookie(request: Request) -> User:
    try:
        return await get_user(request, None, None)
    except HTTPException:
        raise SignInNeeded from None


async def _of_bearer(request: Request) -> User:
    # A cookie is never looked at: another site's page cannot send this header.
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise HTTPException(401, "not_signed_in")
    try:
        return await resolve_user_from_token(token)
    except HTTPException:
        raise HTTPException(401, "not_signed_in") from None


def _reader(account: User) -> Reader:
    actor = actor_of(account)
    may_read = get_auth_manager().is_authorized_custom_view(
        method="GET", resource_name=RESOURCE, user=account
    )
    if not actor.roles or not may_read:
        raise NoDesk
    return Reader(account, actor)


def page_reader(request: Request, account: Annotated[User, Depends(_of_cookie)]) -> Reader:
    """For pages: the cookie's person, kept as `request.state.reader` for what every page shows."""
    request.state.reader = _reader(account)
    return request.state.reader


def api_reader(account: Annotated[User, Depends(_of_bearer)]) -> Reader:
    """For the API: the Bearer token's person, cookies ignored. 401, NoDesk."""
    return _reader(account)


PageReader = Annotated[Reader, Depends(page_reader)]
ApiReader = Annotated[Reader, Depends(api_reader)]


def form_token(request: Request) -> str:
    """What each form carries: HMAC-SHA-256 (hex) over the session's cookie, by a key made from Airflow's."""
    session = request.cookies.get(COOKIE_NAME_JWT_TOKEN, "")
    key = hmac.digest(conf.get_mandatory_value("api", "secret_key").encode(), b"consigne desk form", "sha256")
    return hmac.new(key, session.encode(), hashlib.sha256).hexdigest()


def check_form(request: Request, token: str) -> None:
    """Forged unless the form carries this session's token and the browser says that it comes from here."""
    fits = hmac.compare_digest(token.encode(), form_token(request).encode())
    if not fits or not _from_here(request):
        raise Forged


def _from_here(request: Request) -> bool:
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site is not None and site != "same-origin":
        return False
    own = {_origin(str(request.base_url)), _origin(conf.get("api", "base_url", fallback=""))}
    return origin in own if origin is not None else site is not None


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
