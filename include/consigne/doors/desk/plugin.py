"""What Airflow's plugin registers: the desk, the entry to it in the navigation, and who watches over decisions.

Airflow loads plugins in every process, each task included; only the api-server serves. So this module
imports next to nothing, and the desk is made at the first request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from functools import lru_cache
from typing import Any

from consigne.rules.attempts import is_near
from consigne.rules.task_requests import is_of_task

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]
PREFIX = "/consigne"


class Mounted:
    """ASGI: the desk of this installation."""

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """In a thread the first time: importing would stop the api-server's one event loop."""
        desk = await asyncio.to_thread(_desk)
        await desk(scope, receive, send)


@lru_cache(maxsize=1)
def _desk() -> Any:
    from consigne.doors.desk.installed import installed_desk

    return installed_desk()


class Watching:
    """ASGI, around all of Airflow: requests that would get round the desk are noticed (orchestration/attempts.py), and
    tasks get no more than they need (orchestration/task_guard.py)."""

    def __init__(self, app: Application) -> None:
        self._app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """As above: what is imported is imported in a thread."""
        path, root = str(scope.get("path", "")), str(scope.get("root_path", ""))
        path = path.removeprefix(root) if path.startswith(f"{root}/") else path
        if scope["type"] == "http" and is_of_task(path):
            guard = await asyncio.to_thread(_guard)
            return await guard(self._app, path, scope, receive, send)
        if scope["type"] != "http" or not is_near(scope["method"], path):
            return await self._app(scope, receive, send)
        pass_on = await asyncio.to_thread(_pass_on)
        return await pass_on(self._app, path, scope, receive, send)


@lru_cache(maxsize=1)
def _pass_on() -> Any:
    from consigne.doors.orchestration.attempts import pass_on

    return pass_on


@lru_cache(maxsize=1)
def _guard() -> Any:
    from consigne.doors.orchestration.task_guard import guard

    return guard


FASTAPI_APPS: list[dict[str, Any]] = [{"app": Mounted(), "url_prefix": PREFIX, "name": "consigne"}]
ROOT_MIDDLEWARES: list[dict[str, Any]] = [{"middleware": Watching, "name": "consigne"}]
NAVIGATION: list[dict[str, Any]] = [
    {"name": "Consigne", "href": f"{PREFIX}/", "destination": "nav", "url_route": "consigne"}
]
