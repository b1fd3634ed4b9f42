"""The services of doors/arrangement.py as processes of this machine: each with its share, and as root its own user."""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import stat
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
from consigne.doors.shares import (
    Places,
    arguments,
    copy_backups,
    copy_policy,
    seen_environment,
    token_users,
    write_share,
)
from consigne.rules.errors import Misconfigured

BY_NAME: Final = {service.name: service for service in SERVICES}
LOWEST_USER, BLOCK, BLOCKS = 20_000, 32, 1_200
"""Users of a state folder: a block of numbers that follows from its path, so that two share none."""


def choose_users(settings: Settings) -> int:
    """First of the users of its services; 0 where a process cannot be set apart, and all run as one user."""
    if not apart.is_possible():
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
    users = token_users(lambda name: user_of(settings, name))
    seen = write_share(settings, service, folder, where, owner=user, users=users)
    work = _make_room(folder / "run", service, number, user)
    writes = _make_ready(settings, service)
    environment = seen_environment(seen, service, where)
    name = f"{service.name}-{number}" if service.queue else service.name
    if user:
        environment |= {"TMPDIR": str(work)}
    if service.queue:
        # By which the broker tells one from another.
        environment["AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__CLIENT_NAME"] = name
    reads = (*apart.needed_for_python(), CHECKOUT / "include", *_reads(settings, service), folder)
    apartness = Apart(user, reads, (folder / "run", folder / "airflow", *writes)) if user else None
    log = settings.state_dir / "logs" / f"{name}.log"
    return Command(python(*arguments(service, where)), work, log, environment, apart=apartness)


def keyring_answers(settings: Settings) -> bool:
    """Whether the key server accepts a connection."""
    return answers(key_socket(settings))


def is_connected(settings: Settings, name: str) -> bool:
    """Whether the worker of that name waits for work; of a given broker nobody can say."""
    return settings.broker_given or name in broker.connected(settings)


def refresh(settings: Settings) -> None:
    """Copies of the policy's file, of the acknowledgements and of the list of backups, anew in the shares where they
    changed."""
    for service in SERVICES:
        folder, user = share_of(settings, service.name), user_of(settings, service.name)
        if folder.exists():
            copy_policy(settings, folder, user)
            copy_backups(settings, service, folder, user)


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


def leave(settings: Settings) -> None:
    """Back to one process for all: no share with its secrets stays, and what services owned is ours again; what is
    anybody else's is left alone. Called while none of them lives. Cut short, the next call does all of it."""
    for name in ("shares", "keyserver"):
        if (settings.state_dir / name).exists():
            shutil.rmtree(settings.state_dir / name)
    if os.getuid() != 0 or not settings.users_base:
        return
    users = range(settings.users_base, settings.users_base + BLOCK)
    for name in sorted({name for service in SERVICES for name in service.writes}):
        folder = settings.state_dir / name
        owner = folder.stat().st_uid if folder.exists() else None
        if name != "intake":
            if owner == 0 or owner in users:  # root's: perhaps taken back by half
                take_back(folder)
        elif owner in users:
            # A file that waits is not touched: to the intake that is a change of the delivery. The owner goes last: by
            # it we know the folder.
            folder.chmod(0o700)
            os.chown(folder, 0, 0)


def take_back(folder: Path) -> None:
    """What a service owned is root's again, where we are root; whoever starts the service hands it over anew.
    Misconfigured, each time, where a link lies in it."""
    if os.getuid() == 0 and folder.exists():
        _hand_over(folder, (0, 0))


def _make_room(run: Path, service: Service, number: int, user: tuple[int, int] | None) -> Path:
    """Where it works. `run` is ours: a service that may rename its own folder could put a link in its place, for root
    to follow at the next start. So it finds there all that it writes: folders, and the sign that it lives."""
    work = run / str(number)
    for folder in (work, run / "logs"):
        folder.mkdir(mode=0o700, exist_ok=True)
    alive = run / f"alive-{service.name}"
    alive.touch(mode=0o600)
    if user:
        for one in (work, run / "logs", alive):
            os.chown(one, *user, follow_symlinks=False)
    return work


def _hand_over(folder: Path, owner: tuple[int, int]) -> None:
    """A folder and all in it to another owner. Closed first and given last, so that meanwhile nobody puts anything in
    another's place; done again, it looks at all of it again. Misconfigured where a link lies in it: we put none
    there."""
    os.chown(folder, 0, 0)
    folder.chmod(0o700)
    for _, folders, files, inside in os.fwalk(folder, topdown=False):
        for name in (*folders, *files):
            if stat.S_ISLNK(os.lstat(name, dir_fd=inside).st_mode):
                raise Misconfigured("folder_not_ours", str(folder), "a link lies in it: see who put it there")
            os.chown(name, *owner, dir_fd=inside, follow_symlinks=False)
    os.chown(folder, *owner)


def _keyring_is_elsewhere(settings: Settings) -> bool:
    """Vault says itself who may what; every other keyring has the key server before it."""
    return settings.keyring_given.startswith("vault:")


def _make_ready(settings: Settings, service: Service) -> tuple[Path, ...]:
    """Folders outside of its share that the service writes, its own by now."""
    user = user_of(settings, service.name)
    own = [settings.state_dir / name for name in service.writes]
    if service.keyring == "folder":
        own.append(key_socket(settings).parent)
    for folder in own:
        folder.mkdir(mode=0o700, exist_ok=True)
        if user and folder.name == "intake":
            _open_intake(folder, user)
        elif user and folder.stat().st_uid != user[0]:  # once: from then on nothing of ours goes through it
            _hand_over(folder, user)
        if folder == key_socket(settings).parent:
            folder.chmod(0o755)
    if service.queue:
        own.append(_log_folder(settings, service))
    return tuple(own)


def _open_intake(folder: Path, user: tuple[int, int]) -> None:
    """Whoever hands files in leaves them in the folder's group. A file that is there is not touched again: to the
    intake a new owner is a change of the delivery. A link, or a second name of a file elsewhere, is nobody's."""
    os.chown(folder, *user)
    folder.chmod(0o2770)
    for file in os.scandir(folder):
        _give_file(Path(file), user)


def _give_file(path: Path, user: tuple[int, int]) -> None:
    try:
        held = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return  # gone, or a link
    try:
        found = os.fstat(held)
        is_its_own = stat.S_ISDIR(found.st_mode) or (stat.S_ISREG(found.st_mode) and found.st_nlink == 1)
        if is_its_own and found.st_gid != user[1]:
            os.fchown(held, *user)
    finally:
        os.close(held)


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
