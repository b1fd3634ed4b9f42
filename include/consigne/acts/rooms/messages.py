"""Mail on its way. As acts see them; `adapters/catalog/messages.py` says more."""

from __future__ import annotations

from typing import Protocol


class MessagesRoom(Protocol):
    """Every method acts within a transaction."""
