"""What Airflow's plugin registers: the desk, and the entry to it in the navigation.

Airflow loads plugins in every process, each task included; only the api-server serves. So this module
imports next to nothing, and the desk is made at the first request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from functools import lru_cache
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
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


FASTAPI_APPS: list[dict[str, Any]] = [{"app": Mounted(), "url_prefix": PREFIX, "name": "consigne"}]
NAVIGATION: list[dict[str, Any]] = [
    {"name": "Consigne", "href": f"{PREFIX}/", "destination": "nav", "url_route": "consigne"}
]
