"""Start, recognise and stop the processes of one state folder (Linux).

Every component works in a folder of its own inside the state folder, without a terminal. That folder names
its processes also after their leader, or the supervisor that started them, is gone; a process number that
another program got since is never touched.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from consigne.doors.local.apart import Apart, enter

PR_SET_PDEATHSIG = 1
PR_SET_SECUREBITS = 28
SECBIT_NO_SETUID_FIXUP = 1 << 2
PR_SET_CHILD_SUBREAPER = 36
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2
CAPABILITY_VERSION_3 = 0x20080522
# What a component may inherit of our environment; none of it is secret.
INHERITED = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Command:
    """What to run, where, writing to which log. `user` (uid, gid) is who runs it where we are root; `apart` is such a
    user that sees less, too."""

    argv: tuple[str, ...]
    folder: Path
    log: Path
    environment: Mapping[str, str]
    user: tuple[int, int] | None = None
    apart: Apart | None = None


def clean_environment(**more: str) -> dict[str, str]:
    """INHERITED and what is given: secrets of the caller's shell do not travel."""
    return {name: os.environ[name] for name in INHERITED if name in os.environ} | more


def python(module: str, *arguments: str) -> tuple[str, ...]:
    """Command line of a module under our own interpreter."""
    return (sys.executable, "-m", module, *arguments)


def start(command: Command, word: signal.Signals) -> subprocess.Popen[bytes]:
    """Run it in a session of its own, output into its log (0600), no core dumps; `word` reaches it when we end."""
    descriptor = os.open(command.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        return subprocess.Popen(
            command.argv,
            cwd=command.folder,
            env=dict(command.environment),
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_bound(command, word, os.getpid()),
        )
    finally:
        os.close(descriptor)


def no_core_dumps() -> None:
    """A core dump is memory on disk: off for us and for all that we start."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def adopt_orphans() -> None:
    """What a killed component leaves behind becomes our child, so that `reap_orphans` can collect it."""
    _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap_orphans(known: set[int]) -> None:
    """Collect adopted processes that have ended, except the known ones, whose Popen wants their code."""
    for child in psutil.Process().children():
        try:
            if child.pid not in known and child.status() == psutil.STATUS_ZOMBIE:
                os.waitpid(child.pid, os.WNOHANG)
        except (psutil.Error, OSError):
            continue


def die_with_parent(word: signal.Signals) -> None:
    """Have the kernel send us this signal when the thread that started us ends."""
    _libc.prctl(PR_SET_PDEATHSIG, int(word), 0, 0, 0)


def _bound(command: Command, word: signal.Signals, parent: int) -> Callable[[], None]:
    def bound() -> None:
        settle(command)
        die_with_parent(word)
        if os.getppid() != parent:
            os._exit(1)

    return bound


def settle(command: Command) -> None:
    """Between fork and exec: no core dumps, files for oneself alone (and for those whose folder's group says so),
    and the command's user."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    no_core_dumps()
    os.umask(0o077)
    if command.apart:
        os.umask(0o027)
        enter(command.apart, command.folder)
    elif command.user and os.getuid() == 0:
        _become(*command.user)


def _become(uid: int, gid: int) -> None:
    """Drop root, but keep passing through folders of mode 0700 that root owns: the state folder is one. The
    bit keeps the capability through setresuid(2), and lets access(2) see it."""
    _libc.prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    if not _keep_only(CAP_DAC_READ_SEARCH):
        _keep_only(CAP_DAC_OVERRIDE)


def _keep_only(capability: int) -> bool:
    """capset(2) to this one, ambient so that exec keeps it; False where we never held it."""
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    mask = 1 << capability
    data = (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)
    if _libc.capset(ctypes.byref(header), ctypes.byref(data)) != 0:
        return False
    return int(_libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0)) == 0


def birth(pid: int) -> int | None:
    """Start time in clock ticks since boot (proc(5), stat field 22): with the number, it names a process.
    None where there is none, or only a zombie."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if after_name[0] in "ZX" else int(after_name[19])


def workers_in(folder: Path) -> list[psutil.Process]:
    """The living processes without a terminal that work in exactly this folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if Path(f"/proc/{process.pid}/cwd").readlink() == folder and process.terminal() is None:
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def stop(leader: int | None, folder: Path, word: signal.Signals | None, patience_s: float) -> None:
    """Ask the leader (no word: it was asked already), wait, then kill whoever still works in the folder. That is the
    folder of this name: a link there, which its user may have put there, names nobody."""
    folder = folder.parent.resolve() / folder.name
    here = {process.pid for process in workers_in(folder)}
    if leader in here:
        if word:
            send(leader, word)
        deadline = time.monotonic() + patience_s
        while birth(leader) and time.monotonic() < deadline:
            time.sleep(0.05)
    while left := workers_in(folder):
        for process in left:
            send(process.pid, signal.SIGKILL)
        reap_orphans(set())
        time.sleep(0.05)


def send(pid: int, word: signal.Signals) -> None:
    """kill(2); gone already is as good."""
    try:
        os.kill(pid, word)
    except ProcessLookupError:
        return
