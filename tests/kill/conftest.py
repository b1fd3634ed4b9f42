"""What the kill tests run on: the acts' PostgreSQL, and the contract tests' MinIO."""

from __future__ import annotations

from acts.conftest import catalog, engine, server, world

__all__ = ["catalog", "engine", "server", "world"]
