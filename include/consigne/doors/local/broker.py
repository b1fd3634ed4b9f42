"""Redis for the workers of one machine: Debian's redis-server, on loopback, a user of its own for each queue.

A worker's user reaches its queue's keys and no others. What it shares with the others: the results' keys
(`celery-task-meta-<random id>`), which it can read or write only where it knows the id. It learns no other's: who
stores a result publishes it under that name, and a worker may publish, never subscribe. (Not write-only: Celery reads
a result before it stores one, so that a success stays one.)
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

from consigne.doors.local.processes import Command, clean_environment
from consigne.doors.orchestration.queues import QUEUES
from consigne.doors.settings import Settings, write_private
from consigne.rules.errors import Misconfigured

if TYPE_CHECKING:
    from redis import Redis

ON_PATH: Final = ("redis-server", "valkey-server")
USERS: Final = ("scheduler", *QUEUES)
WATCHER: Final = "watcher"
"""Who asks whether it answers, and who is connected."""
_RESULTS: Final = "~celery-task-meta-* &celery-task-meta-*"
_CONNECT: Final = "+auth +hello +ping +select +quit +client|setname +client|id"
_WORK: Final = (
    "+brpop +lpush +rpush +llen +sadd +srem +smembers +zadd +zrem +zrange +hget +hset +hdel +del +expire "
    "+get +set +setex +publish +multi +exec +discard +watch +unwatch +evalsha +script|load"
)
_SEND: Final = "+lpush +llen +sadd +smembers +get +mget +del +publish +subscribe +unsubscribe +multi +exec"


def find() -> Path:
    """A Redis server on PATH. Misconfigured('no_redis') says what to install."""
    found = next(filter(None, map(shutil.which, ON_PATH)), None)
    if found is None:
        raise Misconfigured(
            "no_redis", "--executor celery", "install redis-server, or set CONSIGNE_BROKER_URL"
        )
    return Path(found)


def acl(settings: Settings) -> str:
    """The users' file: nobody without a password, passwords as SHA-256 (redis.io, ACL)."""
    lines = ["user default off"]
    for name in QUEUES:
        keys = f"{_keys(name)} ~unacked-{name} ~unacked-{name}-*"
        lines.append(f"user {name} on {_hashed(settings, name)} {keys} {_RESULTS} {_CONNECT} {_WORK}")
    queues = " ".join(map(_keys, QUEUES))
    lines.append(f"user scheduler on {_hashed(settings, 'scheduler')} {queues} {_RESULTS} {_CONNECT} {_SEND}")
    lines.append(f"user {WATCHER} on {_hashed(settings, WATCHER)} {_CONNECT} +client|list")
    return "".join(f"{line}\n" for line in lines)


def configuration(folder: Path, users: Path, bind: str, port: int) -> str:
    """redis.conf: every message is on disk before it is acknowledged, none is ever pushed out."""
    options = {
        "bind": bind,
        "port": str(port),
        "dir": f'"{folder}"',
        "aclfile": f'"{users}"',
        "appendonly": "yes",
        "appendfsync": "always",
        "save": '""',
        "maxmemory-policy": "noeviction",
        "databases": "1",
        "loglevel": "notice",
    }
    return "".join(f"{name} {value}\n" for name, value in options.items())


def command(settings: Settings) -> Command:
    """The server; it works where its files lie."""
    folder = settings.state_dir / "broker"
    folder.mkdir(mode=0o700, exist_ok=True)
    write_private(folder / "users.acl", acl(settings))
    file = folder / "redis.conf"
    write_private(file, configuration(folder, folder / "users.acl", "127.0.0.1", settings.broker_port))
    log = settings.state_dir / "logs" / "broker.log"
    return Command((settings.broker_program, str(file)), folder, log, clean_environment(HOME=str(folder)))


def address(settings: Settings) -> str:
    """host:port of ours, or the URL of a given one."""
    return settings.secret("broker-url") if settings.broker_given else f"127.0.0.1:{settings.broker_port}"


def answers(settings: Settings) -> bool:
    """Whether it answers now."""
    from redis import RedisError  # slow to import, and one machine needs none of it

    try:
        with _open(settings) as client:
            return bool(client.ping())
    except RedisError:
        return False


def connected(settings: Settings) -> set[str]:
    """Names under which workers are connected; none where it does not answer."""
    if settings.broker_given:
        return set()
    from redis import RedisError

    try:
        with _open(settings) as client:
            return {str(one["name"]) for one in client.client_list()} - {""}
    except RedisError:
        return set()


def _open(settings: Settings) -> Redis:
    """Asked once, for two seconds: a broker that hangs is away."""
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    once = Retry(NoBackoff(), 0)
    if settings.broker_given:
        return Redis.from_url(
            settings.secret("broker-url"), socket_timeout=2, socket_connect_timeout=2, retry=once
        )
    return Redis(
        port=settings.broker_port, username=WATCHER, password=settings.secret(f"broker-{WATCHER}"),
        socket_timeout=2, socket_connect_timeout=2, retry=once,
    )  # fmt: skip


def _keys(queue: str) -> str:
    """A queue's messages, by priority, and kombu's notes of where they go."""
    return f"~{queue} ~{queue}:* ~_kombu.binding.{queue} ~_kombu.binding_permanent.{queue}"


def _hashed(settings: Settings, name: str) -> str:
    return "#" + hashlib.sha256(settings.secret(f"broker-{name}").encode()).hexdigest()
