"""Servers of somebody else, as `up` is told of them by CONSIGNE_… variables (Settings.remember_servers)."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from consigne.adapters.keyring.open import open_keyring
from consigne.adapters.mail import read_url
from consigne.adapters.names import PresidioNames
from consigne.adapters.transcriber.open import open_transcriber
from consigne.adapters.witness import open_witness
from consigne.doors.settings import MAIL_SECRET, MODULE_VARIABLES, Settings
from consigne.rules.errors import Misconfigured

Keep = Callable[[str, str], None]


def read_servers(settings: Settings, keep: Keep, is_keyring_here: bool) -> dict[str, Any]:
    """What changes in the settings; what is secret goes to `keep` (name, value). Misconfigured('bad_url') names the
    variable, never its value."""
    changes = (
        _broker(keep) | _store(keep) | _database(keep) | _keyring(settings, is_keyring_here) | _mail(keep)
    )
    if otlp := os.environ.get("CONSIGNE_OTLP_URL"):
        changes["otlp_given"] = _collector(otlp)
    if wanted := os.environ.get("CONSIGNE_LOGS"):
        changes["json_logs"] = wanted == "json"
    if witness := os.environ.get("CONSIGNE_WITNESS_URL"):
        open_witness(witness, None, lambda: datetime.now(UTC))
        changes["witness_given"] = witness
    transcriber = os.environ.get("CONSIGNE_TRANSCRIBER_URL") or settings.transcriber_url
    open_transcriber(transcriber).prepare()
    changes["transcriber_given"] = transcriber
    changes["names_model"] = names = os.environ.get("CONSIGNE_NAMES_MODEL", settings.names_model)
    if names:
        PresidioNames(names).prepare()
    return changes


def _url(variable: str, schemes: tuple[str, ...], form: str, *needed: str) -> SplitResult | None:
    if not (given := os.environ.get(variable)):
        return None
    parts = urlsplit(given)
    if parts.scheme.partition("+")[0] not in schemes or not all(getattr(parts, name) for name in needed):
        raise Misconfigured("bad_url", variable, form)
    return parts


def _broker(keep: Keep) -> dict[str, Any]:
    form = "redis[s]://user:password@host:port/number"
    parts = _url("CONSIGNE_BROKER_URL", ("redis", "rediss"), form, "hostname")
    if parts is None:
        return {}
    keep("broker-url", parts.geturl())
    return {"broker_given": True}


def _store(keep: Keep) -> dict[str, Any]:
    form = "http[s]://access:secret@host:port"
    parts = _url("CONSIGNE_STORE_URL", ("http", "https"), form, "hostname", "password")
    if parts is None:
        return {}
    keep("store-root-access", unquote(parts.username or ""))
    keep("store-root-secret", unquote(parts.password or ""))
    return {"store_given": f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"}


def _database(keep: Keep) -> dict[str, Any]:
    form = "postgresql://user:password@host:port"
    parts = _url("CONSIGNE_DATABASE_URL", ("postgres", "postgresql"), form, "username")
    if parts is None:
        return {}
    keep("database-server", urlunsplit(("postgresql", parts.netloc, "", parts.query, "")))
    return {"database_given": True}


def _keyring(settings: Settings, is_here: bool) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if keyring := os.environ.get("CONSIGNE_KEYRING_URL"):
        found = {name: os.environ[name] for name in MODULE_VARIABLES if name in os.environ}
        changes = {"keyring_given": keyring, "keyring_environment": found}
    if keyring := keyring or settings.keyring_given:
        os.environ.update(settings.keyring_environment | changes.get("keyring_environment", {}))
        provider = open_keyring(keyring)
        if is_here:
            provider.check()
    return changes


def _mail(keep: Keep) -> dict[str, Any]:
    if not (mail := os.environ.get("CONSIGNE_MAIL_URL")):
        return {}
    server = read_url(mail)
    if server and server.password:
        keep(MAIL_SECRET, server.password)
    return {"mail_given": server.url if server else ""}


def _collector(url: str) -> str:
    """Empty for `none:`. No credential: it would stand in the environment of every process."""
    if url == "none:":
        return ""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise Misconfigured("bad_url", "CONSIGNE_OTLP_URL", "http[s]://host:port, without a password")
    return url.rstrip("/")
