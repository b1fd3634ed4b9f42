"""A service's share: the state folder that it sees in place of the installation's own.

`settings.json`, `secrets/` with what doors/arrangement.py lists and nothing else, `airflow/airflow.cfg`, the Dag files
of its queue, a copy of the policy. Written by whoever holds the installation's own state folder: `up` for processes on
this machine, `compose init` for containers. The same layout everywhere.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from consigne.doors.arrangement import LISTEN, SERVICES, Service
from consigne.doors.local.airflow import environment
from consigne.doors.local.backups import ledger
from consigne.doors.orchestration.queues import dags_of
from consigne.doors.settings import ACCOUNTS, CHECKOUT, MAIL_SECRET, Settings, write_private
from consigne.doors.shares_airflow import write_configuration

TOKEN: Final = "keyring-token"
Owner = tuple[int, int] | None
"""uid and gid of who reads a share; None for ourselves."""
KEYRINGS: Final = tuple(sorted({one.keyring for one in SERVICES} - {"", "folder"}))
"""The identities that the key server knows."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where a service finds the others and what it may write, as it sees them. `store` is a URL, `database` and
    `broker` host:port (`broker` may be a whole URL), `airflow` the api-server's URL, `keyring` the path of the key
    server's socket or a keyring's URL, `keys` the folder of the keys, `listen` the address that the api-server binds."""

    store: str
    database: str
    broker: str
    airflow: str
    keyring: str
    intake: Path
    witness: Path
    keys: Path
    logs: Path
    checkout: Path = CHECKOUT
    listen: str = "127.0.0.1"
    database_query: str = ""


def write_share(
    settings: Settings,
    service: Service,
    folder: Path,
    places: Places,
    seen_as: Path | None = None,
    owner: Owner = None,
    users: dict[str, list[int]] | None = None,
) -> Settings:
    """The share of a service in `folder`, which it sees as `seen_as`; its settings. Idempotent, and while the service
    runs it can read all of it at any moment. `owner` may read, and change nothing; `users` says for the key server
    which users may use an identity's token."""
    if owner and folder.exists() and folder.stat().st_uid != os.getuid():
        shutil.rmtree(folder)  # its own until now: whatever a service may have put there, we do not look
    for name in (".", "secrets", "airflow", "dags", "policy", "run"):
        (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
    _write_secrets(settings, service, folder, owner)
    _copy_dags(service, folder / "dags", owner)
    copy_policy(settings, folder, owner)
    copy_backups(settings, service, folder, owner)
    seen = _as_seen(settings, service, seen_as or folder, places)
    replace(seen, state_dir=folder).write(owner)
    write_configuration(settings, seen, service, places, folder, owner[1] if owner else None)
    if service.keyring == "folder":
        write_private(folder / "keyring-users.json", json.dumps(users or {}), owner=owner)
    if "session" in service.airflow:
        write_private(folder / "store-names.json", json.dumps(settings.store_names()), owner=owner)
    if owner:
        # Ours, not to be written by the service: what we name in them is what we put there, and no link of its own.
        for name in (".", "secrets", "dags", "policy", "run"):
            _close(folder / name, owner[1], 0o750)
        # Airflow writes beside its configuration, never over it: the sticky bit.
        _close(folder / "airflow", owner[1], 0o1770)
    return seen


def token_users(user_of: Callable[[str], tuple[int, int] | None]) -> dict[str, list[int]]:
    """Identity of the key server -> users of the services that hold its token; empty where all run as one."""
    users: dict[str, list[int]] = {}
    for service in SERVICES:
        if service.keyring not in ("", "folder") and (user := user_of(service.name)):
            users.setdefault(service.keyring, []).append(user[0])
    return users


def arguments(service: Service, places: Places) -> tuple[str, ...]:
    """What follows `python -m`."""
    if service.queue:
        options = ("--queues", service.queue, "--without-mingle", "--without-gossip", "--skip-serve-logs")
        return (service.module, *service.arguments, *options)
    if service.keyring == "folder":
        return (service.module, *service.arguments, places.keyring)
    return (service.module, *service.arguments)


def seen_environment(seen: Settings, service: Service, places: Places) -> dict[str, str]:
    """The environment of a service: no secret. A user without an entry in passwd has its name from here."""
    return environment(seen) | {"PYTHONPATH": str(places.checkout / "include"), "USER": service.name}


def _close(path: Path, group: int, mode: int) -> None:
    os.chown(path, os.getuid(), group, follow_symlinks=False)
    path.chmod(mode)


def copy_backups(settings: Settings, service: Service, folder: Path, owner: Owner) -> None:
    """The list of backups as it is now, for who shows those that are overdue."""
    now = ledger(settings.state_dir)
    if "session" in service.airflow and now.exists():
        write_private(ledger(folder), now.read_text(encoding="utf-8"), owner=owner)


def copy_policy(settings: Settings, folder: Path, owner: Owner) -> None:
    """The policy's file and what lies beside it (agents' acknowledgements) as they are now, and nothing that is no
    longer there."""
    beside = (*(CHECKOUT / "config").glob("*.csv"), *settings.policy_file.parent.glob("*.csv"))
    now = {file.name: file.read_text(encoding="utf-8") for file in (*beside, settings.policy_file)}
    for file in (folder / "policy").glob("[!.]*"):
        if file.name not in now:
            file.unlink()
    for name, text in now.items():
        write_private(folder / "policy" / name, text, owner=owner)


def _as_seen(settings: Settings, service: Service, root: Path, places: Places) -> Settings:
    keyring, keeps_keys = places.keyring, service.keyring == "folder"
    if keeps_keys:
        keyring = settings.keyring_given or f"file:{places.keys}"
    elif keyring.startswith("/"):
        keyring = f"served:{keyring}?token-file={root / 'secrets' / TOKEN}"
    return replace(
        settings,
        state_dir=root,
        policy_file=root / "policy" / settings.policy_file.name,
        executor="celery",
        holder=service.name,
        store_given=places.store,
        store_program="",
        socket_dir="",
        database_address=places.database,
        database_query=places.database_query,
        airflow_given=places.airflow,
        intake_given=str(places.intake),
        keyring_given=keyring,
        keyring_environment=settings.keyring_environment if keeps_keys else {},
        witness_given=settings.witness_given or f"file:{places.witness / 'checkpoints.txt'}",
    )


def _write_secrets(settings: Settings, service: Service, folder: Path, owner: Owner) -> None:
    held = dict(_held(settings, service))
    for file in (folder / "secrets").iterdir():
        if file.name not in held:
            file.unlink()
    for name, value in held.items():
        write_private(folder / "secrets" / name, value, owner=owner)


def _held(settings: Settings, service: Service) -> Iterator[tuple[str, str]]:
    """Name and value of each secret that the table gives it."""
    for role in service.database:
        own = "database-server" if role == "superuser" and settings.database_given else f"database-{role}"
        yield own, settings.secret(own)
    for identity in service.store:
        yield from _of_store(settings, identity)
    if service.keyring == "folder":
        for identity in KEYRINGS:
            yield f"{TOKEN}-{identity}", settings.secret(f"{TOKEN}-{identity}")
    elif service.keyring:
        yield TOKEN, settings.secret(f"{TOKEN}-{service.keyring}")
    for name in service.secrets:
        yield from _named(settings, name)


def _of_store(settings: Settings, identity: str) -> Iterator[tuple[str, str]]:
    if identity == "root":
        access, secret = settings.store_credentials("root")
        yield from (("store-root-access", access), ("store-root-secret", secret))
    elif identity == LISTEN:
        for kind in ("access", "store"):
            for file in (settings.state_dir / "secrets").glob(f"{kind}-listen-*"):
                yield file.name, file.read_text()
        yield "store-listeners", settings.secret("store-listeners")
    else:
        for kind in ("access", "store"):
            yield f"{kind}-{identity}", settings.secret(f"{kind}-{identity}")


def _named(settings: Settings, name: str) -> Iterator[tuple[str, str]]:
    ask: Callable[[str], str] = settings.secret
    if name == "account-*":
        yield from ((f"account-{user}", settings.account_password(user)) for user in ACCOUNTS)
    elif name != MAIL_SECRET or (settings.state_dir / "secrets" / name).exists():
        yield name, ask(name)


def _copy_dags(service: Service, target: Path, owner: Owner) -> None:
    wanted = {f"{dag}.py" for dag in dags_of(service.queue)} if service.queue else set()
    if service.arguments == ("dag-processor",):
        wanted = {file.name for file in (CHECKOUT / "dags").glob("*.py")}
    for file in target.glob("*.py"):
        if file.name not in wanted:
            file.unlink()
    for name in wanted:
        text = (CHECKOUT / "dags" / name).read_text(encoding="utf-8")
        write_private(target / name, text, owner=owner)
