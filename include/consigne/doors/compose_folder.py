"""The folder that docker-compose.yaml mounts from: every secret made, each service's own in its share and nowhere else.

`installation/` is the state folder that makes secrets; no container sees it. `shares/<service>/` and `ground/<name>/`
are what one service sees each, `data/`, `keyring/`, `intake/`, `witness/`, `logs/<queue>/` and `keyserver/` what they
write. Run again, it changes nothing, or follows what changed in doors/arrangement.py.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from consigne.doors.arrangement import SERVICES
from consigne.doors.compose import PLACES, SEEN, SHARE, USERS_BASE, user_of
from consigne.doors.local import airflow, broker, minio
from consigne.doors.settings import CHECKOUT, Settings, write_private
from consigne.doors.shares import token_users, write_share
from consigne.rules.errors import BadInput, Misconfigured

Say = Callable[[str], None]
NOT_HERE: Final = ("CONSIGNE_STORE_URL", "CONSIGNE_DATABASE_URL", "CONSIGNE_BROKER_URL")
ENVIRONMENT: Final = "compose.env"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line asks of `compose init`; None: as it was, or the default."""

    policy_file: Path | None = None
    public_url: str | None = None
    without_key_server: bool = False


def make(folder: Path, wishes: Wishes, say: Say) -> Path:
    """The folder made or brought in line; its file of variables, without a secret, for `--env-file`. BadInput and
    Misconfigured say which wish cannot be met."""
    settings = _installation(folder, wishes)
    places = PLACES
    if wishes.without_key_server:
        if not settings.keyring_given:
            raise Misconfigured("no_keyring", "CONSIGNE_KEYRING_URL", "--without-key-server needs one")
        places = replace(PLACES, keyring=settings.keyring_given)
    users = token_users(_owner)
    for service in SERVICES:
        share = folder / "shares" / service.name
        inside = replace(settings, airflow_port=SEEN.airflow_port)  # whatever it is published as
        write_share(inside, service, share, places, SHARE, _owner(service.name), users)
    _make_ground(settings, folder)
    _make_room(folder)
    if os.getuid() != 0:
        say("not root: every service runs as this user, and can read what another's share holds")
    return _write_environment(settings, folder)


def _installation(folder: Path, wishes: Wishes) -> Settings:
    if given := [name for name in NOT_HERE if os.environ.get(name)]:
        raise Misconfigured("not_in_compose", ", ".join(given), "docker-compose.yaml brings its own")
    state = folder / "installation"
    before = Settings.plan(state)
    known = before.policy_file if (state / "settings.json").exists() else CHECKOUT / "config" / "policy.yaml"
    policy_file = (wishes.policy_file or known).absolute()
    if not policy_file.is_file():
        raise Misconfigured("no_policy", "--policy", "no such file")
    public_url = before.public_url if wishes.public_url is None else _checked(wishes.public_url)
    by_minute = airflow.ends_by_the_minute(replace(before, policy_file=policy_file))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return (
        Settings.make(state)
        .remember_servers(is_keyring_here=not wishes.without_key_server)
        .remember(
            policy_file=policy_file,
            expiry_by_minute=by_minute,
            public_url=public_url,
            executor="celery",
            json_logs=os.environ.get("CONSIGNE_LOGS") != "plain",
            intake_given=str(folder / "intake"),
            users_base=USERS_BASE if os.getuid() == 0 else 0,
            airflow_port=_published(public_url),
        )
    )


def _published(public_url: str) -> int:
    """The port of the loopback at which Compose publishes the api-server."""
    parts = urlsplit(public_url)
    return (parts.scheme == "http" and parts.port) or SEEN.airflow_port


def _checked(url: str) -> str:
    """A place that people type: no path, no user."""
    parts = urlsplit(url)
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or parts.path.strip("/")
        or "@" in parts.netloc
    ):
        raise BadInput("bad_url", "--public-url", "http[s]://name[:port]")
    return f"{parts.scheme}://{parts.netloc}"


def _owner(name: str) -> tuple[int, int] | None:
    """Who gets its files, where we may give them away."""
    return (user_of(name), user_of(name)) if os.getuid() == 0 else None


def _make_ground(settings: Settings, folder: Path) -> None:
    """What PostgreSQL, the broker and the store are told in files."""
    store = minio.secret_environment(replace(settings, airflow_given=PLACES.airflow), Path("/audit"))
    seen = Path("/run/ground")
    files = {
        "postgres/password": settings.secret("database-superuser"),
        "broker/users.acl": broker.acl(settings),
        "broker/broker.conf": broker.configuration(Path("/data"), seen / "users.acl", "*", 6379),
        "store/store.env": store,
    }
    for name, text in files.items():
        file = folder / "ground" / name
        _own(file.parent, file.parent.name)
        write_private(file, text)
        _give(file, file.parent.name, 0o600)


def _make_room(folder: Path) -> None:
    """Folders that services write, each its writer's own."""
    for name in ("postgres", "broker", "store"):
        _own(folder / "data" / name, name)
    _own(folder / "data" / "store-audit", "store")
    _own(folder / "data" / "front", "front")
    (folder / "logs").mkdir(mode=0o755, exist_ok=True)
    if os.getuid() == 0:
        os.chown(folder / "logs", 0, 0)  # what stands in it is given away, folder by folder
    (folder / "logs").chmod(0o755)
    for service in SERVICES:
        for name in service.writes:
            # Whoever hands files in as root leaves them in this group.
            _own(folder / name, service.name, 0o2770 if name == "intake" else 0o700)
        if "witness" in service.writes:
            _open_witness(folder / "witness", service.name)
        if service.keyring == "folder":
            _own(folder / "keyserver", service.name, 0o755)
        if service.queue:
            _own(folder / "logs" / service.queue, service.name, 0o2750, readers="api-server")


def _open_witness(folder: Path, name: str) -> None:
    """`prepare` reads what the sealer was heard to say; what stands there is public."""
    _own(folder, name, 0o750, readers="prepare")
    inside = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        # Whatever lies there already is the sealer's, a link too: we leave it alone.
        file = os.open("checkpoints.txt", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640, dir_fd=inside)
    except FileExistsError:
        return
    finally:
        os.close(inside)
    try:
        os.fchmod(file, 0o640)
        if owner := _owner(name):
            os.fchown(file, owner[0], user_of("prepare"))
    finally:
        os.close(file)


def _own(folder: Path, name: str, mode: int = 0o700, readers: str = "") -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _give(folder, name, mode, readers)


def _give(path: Path, name: str, mode: int, readers: str = "") -> None:
    if owner := _owner(name):
        os.chown(path, owner[0], user_of(readers or name))
    path.chmod(mode)


def _write_environment(settings: Settings, folder: Path) -> Path:
    """The variables of docker-compose.yaml and docker-compose.tls.yaml; none is secret."""
    parts = urlsplit(settings.public_url)
    lines = {
        "CONSIGNE_COMPOSE": str(folder),
        "CONSIGNE_EXPIRY_BY_MINUTE": str(int(settings.expiry_by_minute)),
    }
    if parts.scheme == "https":
        lines["CONSIGNE_PUBLIC_NAME"] = parts.netloc
    elif parts.port:
        lines["CONSIGNE_PORT"] = str(settings.airflow_port)
    if os.getuid() != 0:
        lines |= {"CONSIGNE_UID": str(os.getuid()), "CONSIGNE_GID": str(os.getgid())}
    file = folder / ENVIRONMENT
    write_private(file, "".join(f"{name}={value}\n" for name, value in lines.items()))
    return file
