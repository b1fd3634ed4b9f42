"""The services of doors/arrangement.py as processes of this machine: each with its share, and as root its own user."""

from __future__ import annotations

import hashlib
import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from consigne.adapters.keyring.served import answers
from consigne.doors.arrangement import SERVICES, Service
from consigne.doors.local import apart, broker
from consigne.doors.local.apart import Apart
from consigne.doors.local.processes import Command, python, settle
from consigne.doors.settings import CHECKOUT, Settings
from consigne.doors.shares import Places, arguments, copy_policy, give, seen_environment, write_share
from consigne.rules.errors import Misconfigured

BY_NAME: Final = {service.name: service for service in SERVICES}
LOWEST_USER, BLOCK, BLOCKS = 20_000, 32, 1_200
"""Users of a state folder: a block of numbers that follows from its path, so that two share none."""


def choose_users(settings: Settings) -> int:
    """First of the users of its services, where we are root; 0 otherwise."""
    if os.getuid() != 0:
        return 0
    if settings.users_base:
        return settings.users_base
    start = int.from_bytes(hashlib.sha256(os.fsencode(settings.state_dir)).digest()[:4]) % BLOCKS
    taken = {entry.pw_uid for entry in pwd.getpwall()}
    for block in range(BLOCKS):
        base = LOWEST_USER + (start + block) % BLOCKS * BLOCK
        if taken.isdisjoint(range(base, base + BLOCK)):
            return base
    raise Misconfigured("no_users_left", "users", "every number that could be used is taken")


def user_of(settings: Settings, name: str) -> tuple[int, int] | None:
    """uid and gid of a service; None where all run as one."""
    number = settings.users_base + [service.name for service in SERVICES].index(name)
    return (number, number) if settings.users_base else None


def replicas(settings: Settings, service: Service) -> int:
    """How many of it run."""
    return settings.workers.get(service.queue, service.replicas) if service.queue else 1


def share_of(settings: Settings, name: str) -> Path:
    """Where the share of a service lies."""
    return settings.state_dir / "shares" / name


def places(settings: Settings) -> Places:
    """Where the services of this machine find each other."""
    scheme = "https" if settings.store_secure else "http"
    database = settings.database_place
    return Places(
        store=f"{scheme}://{settings.store_endpoint}",
        database=database[0],
        database_query=database[1],
        broker=broker.address(settings),
        airflow=settings.airflow_url,
        keyring=settings.keyring_given if _keyring_is_elsewhere(settings) else str(key_socket(settings)),
        intake=settings.intake_dir,
        witness=settings.state_dir / "witness",
        keys=settings.state_dir / "keyring",
        logs=settings.state_dir / "logs" / "airflow",
    )


def key_socket(settings: Settings) -> Path:
    """Where the key server listens."""
    return settings.state_dir / "keyserver" / "socket"


def command(settings: Settings, service: Service, number: int) -> Command:
    """A service's process, its share written and its folders given to its user. `number` counts replicas from 1."""
    user = user_of(settings, service.name)
    folder, where = share_of(settings, service.name), places(settings)
    seen = write_share(settings, service, folder, where, owner=user, users=_token_users(settings))
    work = folder / "run" / str(number)
    work.mkdir(mode=0o700, exist_ok=True)
    give(work, user)
    writes = _make_ready(settings, service)
    environment = seen_environment(seen, service, where)
    if user:
        environment |= {"TMPDIR": str(work)}
    if service.queue:
        # By which the broker tells one from another.
        environment["AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__CLIENT_NAME"] = f"{service.name}-{number}"
    reads = (*apart.needed_for_python(), CHECKOUT / "include", *_reads(settings, service), folder)
    apartness = Apart(user, reads, (folder / "run", folder / "airflow", *writes)) if user else None
    name = f"{service.name}-{number}" if service.queue else service.name
    log = settings.state_dir / "logs" / f"{name}.log"
    return Command(python(*arguments(service, where)), work, log, environment, apart=apartness)


def keyring_answers(settings: Settings) -> bool:
    """Whether the key server accepts a connection."""
    return answers(key_socket(settings))


def is_connected(settings: Settings, name: str) -> bool:
    """Whether the worker of that name waits for work; of a given broker nobody can say."""
    return settings.broker_given or name in broker.connected(settings)


def refresh(settings: Settings) -> None:
    """Copies of the policy's file and of the acknowledgements, anew in the shares where they changed."""
    for service in SERVICES:
        folder = share_of(settings, service.name)
        if folder.exists() and copy_policy(settings, folder):
            give(folder / "policy", user_of(settings, service.name))


def run_as(
    settings: Settings, name: str, argv: Sequence[str], timeout_s: float = 60
) -> subprocess.CompletedProcess[str]:
    """Run something as a service sees the world: its user, folders, environment and working folder."""
    seen = replace(command(settings, BY_NAME[name], 1), argv=tuple(argv))
    return subprocess.run(
        seen.argv,
        cwd=seen.folder,
        env=dict(seen.environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        preexec_fn=lambda: settle(seen),
        check=False,
    )


def _keyring_is_elsewhere(settings: Settings) -> bool:
    """Vault says itself who may what; every other keyring has the key server before it."""
    return settings.keyring_given.startswith("vault:")


def _token_users(settings: Settings) -> dict[str, list[int]]:
    users: dict[str, list[int]] = {}
    for service in SERVICES:
        if service.keyring not in ("", "folder") and (user := user_of(settings, service.name)):
            users.setdefault(service.keyring, []).append(user[0])
    return users


def _make_ready(settings: Settings, service: Service) -> tuple[Path, ...]:
    """Folders outside of its share that the service writes, its own by now."""
    user = user_of(settings, service.name)
    own = [settings.state_dir / name for name in service.writes]
    if service.keyring == "folder":
        own.append(key_socket(settings).parent)
        own[-1].mkdir(mode=0o755, exist_ok=True)
        own[-1].chmod(0o755)
    for folder in own:
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.name == "intake":
            _open_intake(folder, user)
        else:
            give(folder, user)
    if service.queue:
        own.append(_log_folder(settings, service))
    return tuple(own)


def _open_intake(folder: Path, user: tuple[int, int] | None) -> None:
    """Whoever hands files in leaves them in the folder's group. A file that is there is not touched again: to the
    intake a new owner is a change of the delivery."""
    if user is None:
        return
    os.chown(folder, *user)
    folder.chmod(0o2770)
    for file in os.scandir(folder):
        if file.stat(follow_symlinks=False).st_gid != user[1]:
            os.chown(file, *user, follow_symlinks=False)


def _log_folder(settings: Settings, service: Service) -> Path:
    """Of its tasks' logs: the api-server reads them as the folder's group."""
    above = settings.state_dir / "logs" / "airflow"
    folder = above / service.queue
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if settings.users_base:
        above.chmod(0o755)
        reader = user_of(settings, "api-server")
        assert reader
        os.chown(folder, (user_of(settings, service.name) or reader)[0], reader[1])
        folder.chmod(0o2750)
    return folder


def _reads(settings: Settings, service: Service) -> tuple[Path, ...]:
    shown = [CHECKOUT / "plugins"] if service.arguments[:1] in (("api-server",), ("dag-processor",)) else []
    if service.arguments == ("api-server",):
        shown.append(settings.state_dir / "logs" / "airflow")
    if service.keyring not in ("", "folder") and not _keyring_is_elsewhere(settings):
        shown.append(key_socket(settings).parent)
    if service.queue:
        given = [settings.transcriber_given.partition(":")[2], *settings.names_model.split(":")]
        shown += [path for one in given if one.startswith("/") and (path := Path(one)).exists()]
    return tuple(shown)
