"""Run as a worker sees the world (`python -c`): tries what it should not be able to, and says what happened.

One argument, JSON; one line of JSON comes out: `did` (name → whether it succeeded) and `seen`, all text that it could
read of its own share, environment and of other processes.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Callable
from configparser import ConfigParser
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psycopg
import redis
from minio import Minio
from minio.commonconfig import COMPLIANCE
from minio.error import S3Error
from minio.retention import Retention
from minio.sse import SseKMS
from sqlalchemy.engine import make_url

from consigne.adapters.store.minio import connect, open_pool
from consigne.doors.arrangement import LISTEN
from consigne.doors.settings import Settings
from consigne.doors.wiring import keyring_of
from consigne.rules.errors import ConsigneError, Misconfigured


def probe(given: dict[str, Any]) -> dict[str, Any]:
    settings = Settings.from_environment()
    did: dict[str, bool] = {}
    for part in (files, processes, database, store, keyring, broker, airflow):
        did |= part(settings, given)
    return {"did": did, "seen": "\n".join(seen(settings))}


def succeeds(act: Callable[[], object], *faults: type[Exception]) -> bool:
    try:
        return act() is not False
    except faults:
        return False


def readable(path: Path) -> bool:
    """Whether anything can be read there or below."""

    def read() -> bool:
        if path.is_dir():
            return any(readable(one) for one in path.iterdir()) or not any(path.iterdir())
        with path.open("rb") as file:
            file.read(1)
        return True

    return succeeds(read, OSError)


def writable(path: Path) -> bool:
    mark = path / ".probe" if path.is_dir() else path

    def write() -> None:
        with mark.open("ab"):
            pass

    return succeeds(write, OSError)


def files(settings: Settings, given: dict[str, Any]) -> dict[str, bool]:
    return {
        **{
            f"read {name}": any(readable(Path(one)) for one in paths)
            for name, paths in given["paths"].items()
        },
        "find a Dag of another queue in its Dag folder": {
            one.stem for one in (settings.state_dir / "dags").glob("*.py")
        }
        != set(given["own dags"]),
        "write its own settings, secrets or Dags": any(
            writable(settings.state_dir / one) for one in ("settings.json", "secrets", "dags")
        ),
        "write code": any(writable(Path(one)) for one in given["code"]),
    }


def processes(_: Settings, given: dict[str, Any]) -> dict[str, bool]:
    others = given["processes"]
    return {
        "read another service's environment or memory": any(
            readable(Path(f"/proc/{one}/{name}")) for one in others for name in ("environ", "mem", "maps")
        ),
        "enter another service's folders by /proc": any(
            succeeds(lambda one=one: list(Path(f"/proc/{one}/cwd/").iterdir()), OSError) for one in others
        ),
        "signal another service": any(succeeds(lambda one=one: os.kill(one, 0), OSError) for one in others),
        "become another user": succeeds(lambda: os.setuid(given["another"]), OSError),
    }


def database(settings: Settings, given: dict[str, Any]) -> dict[str, bool]:
    urls = [make_url(settings.database_url(role)).set(drivername="postgresql") for role in given["roles"]]

    def run(statement: str) -> bool:
        return any(succeeds(lambda url=url: execute(url, statement), psycopg.Error) for url in urls)

    def execute(url: Any, statement: str) -> None:
        with psycopg.connect(url.render_as_string(hide_password=False)) as tx:
            tx.execute(statement)
            tx.rollback()

    def connects(user: str | None, password: str | None) -> bool:
        url = urls[0]
        where = {"host": url.host, "port": url.port, "dbname": given["metadata"], "connect_timeout": 5}
        return succeeds(
            lambda: psycopg.connect(user=user or given["metadata"], password=password, **where).close(),
            psycopg.Error,
        )

    return {
        "connect to Airflow's database with its own password": any(connects(url.username, url.password) for url in urls),
        "connect to Airflow's database without one": connects(None, None),
        **{name: run(statement) for name, statement in given["statements"].items()},
    }  # fmt: skip


def store(settings: Settings, given: dict[str, Any]) -> dict[str, bool]:
    names = [one.replace(LISTEN, "listen-training") for one in given["identities"]]
    pool = open_pool()
    clients = [
        connect(settings.store_endpoint, settings.store_region, settings.store_secure, settings.store_credentials(name), pool)
        for name in names
    ]  # fmt: skip
    object, version = given["object"], given["version"]
    lock = Retention(COMPLIANCE, datetime.now(UTC) + timedelta(minutes=1))

    def get(client: Minio, bucket: str, name: str, version: str | None) -> None:
        answer = client.get_object(bucket, name, version_id=version)
        answer.close()

    acts: dict[str, Callable[[Minio], object]] = {
        "put an object": lambda c: c.put_object("recordings", f"{object}-{os.getpid()}", BytesIO(b"x"), 1, sse=SseKMS("consigne", {})),
        "read an object": lambda c: get(c, "recordings", object, version),
        "list objects": lambda c: list(c.list_objects("recordings", object, include_version=True)),
        "write evidence": lambda c: c.put_object("evidence", f"probe/{os.getpid()}", BytesIO(b"x"), 1, retention=lock),
        "read evidence": lambda c: get(c, "evidence", given["evidence"], None),
        "delete evidence": lambda c: c.remove_object("evidence", given["evidence"], given["evidence version"]),
        "delete an object": lambda c: c.remove_object("recordings", object, version),
    }  # fmt: skip
    return {
        name: any(succeeds(lambda c=c, act=act: act(c), S3Error) for c in clients)
        for name, act in acts.items()
    }


def keyring(settings: Settings, given: dict[str, Any]) -> dict[str, bool]:
    held = keyring_of(settings)

    def may(act: Callable[[], object]) -> bool:
        try:
            act()
        except Misconfigured as fault:
            if fault.code != "keyring_denied":
                raise
            return False
        except ConsigneError:  # there is no such epoch: it was let in
            return True
        return True

    epoch = "probe/2000-01-01/0"
    return {
        "wrap a data key": may(lambda: held.wrap(epoch, bytes(32), b"")),
        "unwrap a data key": may(lambda: held.unwrap(epoch, bytes(61), b"")),
        "destroy an epoch's key": may(lambda: held.destroy_epoch(epoch)),
        "rotate a key": may(lambda: held.rotate("none")),
        "draw": may(lambda: held.mac("draw", b"2000-01")),
        "compute a caller's blind index": may(lambda: held.mac("blind-index", b"")),
        "sign a certificate": may(lambda: held.sign(b"x/certificates/1\n0\n\n")),
        "sign a checkpoint": may(lambda: held.sign(b"x\n0\n\n")),
        "sign a list of masked intervals": may(
            lambda: held.sign(b'{"artifact":"","attempt":"","masked":[]}')
        ),
        "sign anything else": may(lambda: held.sign(b"x")),
    }


def broker(settings: Settings, given: dict[str, Any]) -> dict[str, bool]:
    options = ConfigParser(interpolation=None)
    options.read(settings.state_dir / "airflow" / "airflow.cfg")
    client = redis.Redis.from_url(options["celery"]["broker_url"])
    own = given["queue"]
    others = [one for one in given["queues"] if one != own]

    def ask(*words: str) -> bool:
        return succeeds(lambda: client.execute_command(*words), redis.ResponseError)

    return {
        "look into its own queue": ask("LLEN", own),
        "take another queue's messages": any(ask("BRPOP", one, "0.01") or ask("LLEN", one) for one in others),
        "put a message into another queue": any(ask("LPUSH", one, "") for one in others),
        "list, empty or set up the broker": any(ask(*words.split()) for words in ("KEYS *", "CONFIG GET *", "FLUSHDB", "ACL LIST")),
        "listen for results at the broker": ask("PSUBSCRIBE", "celery-task-meta-*") or ask("SUBSCRIBE", "celery-task-meta-x"),
        "use the broker without a password": succeeds(lambda: anonymous(client).ping(), redis.RedisError),
    }  # fmt: skip


def anonymous(client: redis.Redis) -> redis.Redis:
    where = client.connection_pool.connection_kwargs
    return redis.Redis(host=where["host"], port=where["port"])


def airflow(settings: Settings, given: dict[str, Any]) -> dict[str, bool]:
    def ask(method: str, path: str, token: str = "") -> bool:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        request = Request(settings.airflow_url + path, method=method, headers=headers, data=b"{}" if method in ("POST", "PUT") else None)  # fmt: skip
        request.add_header("Content-Type", "application/json")
        try:
            with urlopen(request, timeout=30):
                return True
        except HTTPError as fault:
            if fault.code >= 500:
                raise
            return fault.code not in (401, 403)

    token, own, other = given["token"], given["own dag"], given["other dag"]
    return {
        "read Airflow's connections or variables, without a token": any(
            ask("GET", path) for path in ("/execution/connections/x", "/execution/variables/x", "/api/v2/connections", "/api/v2/variables")
        ),
        "read Airflow's connections or variables, with its task's token": any(
            ask("GET", path, token) for path in ("/execution/connections/x", "/execution/variables/x", "/execution/variables/keys", "/api/v2/connections", "/api/v2/variables")
        ),
        "write Airflow's variables, with its task's token": any(ask(method, "/execution/variables/x", token) for method in ("PUT", "DELETE")),
        "start or clear a run, with its task's token": ask("POST", f"/execution/dag-runs/{other}/mine", token)
        or ask("POST", f"/execution/dag-runs/{other}/mine/clear", token),
        "read what another Dag hands on, with its task's token": ask("GET", f"/execution/xcoms/{other}/r/t/return_value", token),
        "read what its own Dag hands on, with its task's token": ask("GET", f"/execution/xcoms/{own}/r/t/return_value", token),
        "change another task's state, with its task's token": ask("PATCH", "/execution/task-instances/0cc5364e-6a82-445c-9879-c88bf9bd801d/state", token),
        "use Airflow's own API, with its task's token": ask("GET", "/api/v2/dags", token),
    }  # fmt: skip


def seen(settings: Settings) -> list[str]:
    found = []
    for path in [
        *settings.state_dir.rglob("*"),
        *Path("/proc").glob("[0-9]*/environ"),
        *Path("/proc").glob("[0-9]*/cmdline"),
    ]:
        try:
            if path.is_file():
                found.append(path.read_text(errors="replace"))
        except OSError:
            continue
    return found


if __name__ == "__main__":
    socket.setdefaulttimeout(60)
    json.dump(probe(json.loads(sys.argv[1])), sys.stdout)
