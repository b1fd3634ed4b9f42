"""`up` and `down`: the supervisor started, followed, stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from consigne.doors.local import airflow, apart, broker, minio, ports, report, services
from consigne.doors.local.components import COMPONENTS, components
from consigne.doors.local.processes import birth, python, send
from consigne.doors.local.restore import is_unfinished
from consigne.doors.local.supervisor import ANOTHER_LIVES, stop_leftovers
from consigne.doors.settings import CHECKOUT, Settings
from consigne.rules.errors import BadInput, Conflict, Misconfigured, Unavailable

LONGEST_STOP_S = 120.0
Say = Callable[[str], None]


class _Quicker(Exception):
    """Another `up` started a supervisor meanwhile."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line asks of `up`."""

    port: int | None = None
    policy_file: Path | None = None
    test_clock: bool = False
    samples: bool = True
    detach: bool = False
    executor: str | None = None
    workers: Mapping[str, int] | None = None


def open_state(state_dir: Path, wishes: Wishes) -> Settings:
    """The state folder with the wishes in it. Misconfigured, BadInput, Conflict or Unavailable say which cannot
    be met, before anything is written."""
    settings = Settings.plan(state_dir)
    if is_unfinished(settings):
        raise Conflict("restore_unfinished", str(state_dir), "a restore was cut short: run it again")
    if wishes.test_clock and not settings.test_clock and _may_have_a_policy(settings):
        raise Conflict("clock_is_real", "--test-clock", "only before the first policy is in force")
    if wishes.policy_file and not wishes.policy_file.is_file():
        raise Misconfigured("no_policy", "--policy", "no such file")
    if wishes.port and wishes.port != settings.airflow_port and not ports.is_free(wishes.port):
        raise Unavailable("port_taken", "--port", "another program listens there")
    executor = wishes.executor or settings.executor
    if wishes.workers and executor != "celery":
        raise BadInput("bad_workers", "--workers", "only with --executor celery")
    if executor == "celery" and settings.users_base and not apart.is_possible():
        raise Misconfigured(
            "no_mount_namespace", "--executor celery", "its services were users of their own before"
        )
    policy_file = (wishes.policy_file or settings.policy_file).absolute()
    by_minute = airflow.ends_by_the_minute(replace(settings, policy_file=policy_file))
    settings = Settings.make(state_dir).remember_servers()
    changes: dict[str, object] = {
        "airflow_port": wishes.port or settings.airflow_port,
        "policy_file": policy_file,
        "expiry_by_minute": by_minute,
        "test_clock": wishes.test_clock or settings.test_clock,
        "executor": executor,
    }
    if executor == "celery":
        program = "" if settings.broker_given else str(broker.find())
        users = services.choose_users(settings)
        changes |= {
            "broker_program": program,
            "users_base": users,
            "workers": wishes.workers or settings.workers,
        }
    return settings.remember(**changes)


def seen_by_all(settings: Settings) -> str:
    """What to say where workers are separate processes, but one user."""
    if settings.executor != "celery" or settings.users_base:
        return ""
    why = "no mount namespace may be made here" if os.getuid() == 0 else "not root"
    return f"{why}: every service runs as this user, and can read what another holds"


def _may_have_a_policy(settings: Settings) -> bool:
    """Whether the step that puts the first policy in force was ever begun: its folder is there."""
    return next(one for one in COMPONENTS if one.name == "prepare-catalog").folder(settings).exists()


def refuse_other_wishes(settings: Settings, wishes: Wishes) -> None:
    """Conflict('runs_otherwise') where what runs is not what is asked for."""
    policy_file = wishes.policy_file or settings.policy_file
    others = {
        "--port": wishes.port not in (None, settings.airflow_port),
        "--policy": policy_file.resolve() != settings.policy_file.resolve(),
        "--test-clock": wishes.test_clock and not settings.test_clock,
        "--executor": wishes.executor not in (None, settings.executor),
        "--workers": wishes.workers is not None and dict(wishes.workers) != settings.workers,
    }
    if names := [name for name, is_other in others.items() if is_other]:
        raise Conflict("runs_otherwise", ", ".join(names), "it is running already: `down` first")


def up(state_dir: Path, wishes: Wishes, say: Say) -> tuple[Settings, bool]:
    """All up and well, samples carried through; the settings then, and whether it was us who started it.

    Unavailable names the component that did not come up, and its log.
    """
    settings = Settings.plan(state_dir)
    if report.ours(settings):
        refuse_other_wishes(settings, wishes)
        say("it is running already")
        return _join(settings, wishes, say), False
    policy_file = settings.policy_file
    settings = open_state(state_dir, wishes)
    if not settings.store_given:
        settings = settings.remember(store_program=str(minio.find(say)))
    if one := seen_by_all(settings):
        say(one)
    supervisor = _start_supervisor(settings, wishes.detach)
    try:
        return _join(settings, wishes, say, supervisor), True
    except _Quicker:
        say("another `up` was quicker")
        return _join(settings, wishes, say), False
    except BaseException:
        _ask_to_stop(supervisor)
        Settings.open(state_dir).remember(policy_file=policy_file)  # a refused policy is not the next one
        raise


def _join(
    settings: Settings, wishes: Wishes, say: Say, supervisor: subprocess.Popen[bytes] | None = None
) -> Settings:
    settings = follow(settings, say, supervisor)
    if wishes.samples:
        carry_samples(settings, say)
    return settings


def carry_samples(settings: Settings, say: Say) -> None:
    """Sample calls delivered and carried through."""
    from consigne.doors.local import samples_hook  # audio and numbers: slow to import

    samples_hook.carry(settings, say)


def wait(settings: Settings) -> None:
    """As long as the supervisor lives; Ctrl-C stops it, and all that it started."""
    found = report.ours(settings)
    try:
        while report.ours(settings):
            time.sleep(0.5)
    finally:
        if found:
            down(settings)


def down(settings: Settings) -> bool:
    """Stop everything, also what a killed supervisor left; returns when all is gone: whether one lived."""
    found = report.ours(settings)
    if found:
        send(found.pid, signal.SIGTERM)
        deadline = time.monotonic() + LONGEST_STOP_S
        while birth(found.pid) == found.birth and time.monotonic() < deadline:
            time.sleep(0.1)
        if birth(found.pid) == found.birth:
            send(found.pid, signal.SIGKILL)
    lock = report.take_lock(settings, patience_s=2.0)
    if lock is None:
        raise Unavailable("supervisor", str(settings.state_dir), "it is starting; try again")
    with lock:
        stop_leftovers(settings)
    return found is not None


def follow(settings: Settings, say: Say, supervisor: subprocess.Popen[bytes] | None = None) -> Settings:
    """Say what becomes well until all is; the settings as they are then. Unavailable names what did not."""
    began, told = time.monotonic(), set[str]()
    while True:
        found = report.read(settings)
        if supervisor and found and found.pid != supervisor.pid:
            found = None  # of an earlier one
        if found:
            for name, part in found.parts.items():
                if part.state in ("healthy", "done") and name not in told:
                    told.add(name)
                    say(f"{name}: {part.state}, {time.monotonic() - began:.0f} s")
            if found.phase == "up":
                return Settings.open(settings.state_dir)
        _give_up_where_it_ended(settings, found, supervisor)
        time.sleep(0.2)


def _give_up_where_it_ended(
    settings: Settings, found: report.Report | None, supervisor: subprocess.Popen[bytes] | None
) -> None:
    ended = supervisor.poll() is not None if supervisor else not report.runs(settings)
    if not ended and not (found and found.phase == "failed"):
        return
    if supervisor and supervisor.wait() == ANOTHER_LIVES:
        raise _Quicker
    raise _not_up(settings, found.fault if found else "")


def _not_up(settings: Settings, fault: str) -> Unavailable:
    """What to read where a component did not come up; a step's last line says why."""
    component = next((one for one in components(settings) if one.name == fault), None)
    if component is None:
        return Unavailable("not_up", fault or "supervisor", f"read {_supervisor_log(settings)}")
    if not component.is_ours(settings):
        return Unavailable("no_answer", fault, "the server that was given does not answer")
    log = component.log(settings)
    why = log.read_text(errors="replace").rstrip().rpartition("\n")[2] if component.is_step else ""
    return Unavailable("not_up", fault, f"{why}; read {log}" if why else f"read {log}")


def _start_supervisor(settings: Settings, detach: bool) -> subprocess.Popen[bytes]:
    """In a session of its own. In the foreground it ends with us, however we end."""
    arguments = () if detach else ("--with-parent",)
    with _supervisor_log(settings).open("ab") as log:
        os.fchmod(log.fileno(), 0o600)
        return subprocess.Popen(
            python("consigne.doors.local.supervisor", *arguments),
            cwd=CHECKOUT,
            env=airflow.environment(settings),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _ask_to_stop(supervisor: subprocess.Popen[bytes]) -> None:
    if supervisor.poll() is None:
        supervisor.terminate()
        supervisor.wait()


def _supervisor_log(settings: Settings) -> Path:
    return settings.state_dir / "logs" / "supervisor.log"
