"""Starts what a state folder needs, restarts what dies, stops all that it started.

`python -m consigne.doors.local.supervisor [--with-parent]`, CONSIGNE_STATE in the environment. One thread, woken
by signals. SIGTERM or SIGINT stops everything in reverse order. Killed itself, the kernel asks the components
to stop, and the next supervisor stops what is left before it starts anything.
"""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

from consigne.doors.local import airflow, ports, postgres, processes, report, services
from consigne.doors.local.components import GROUND, Component, components, ever
from consigne.doors.settings import Settings
from consigne.rules.clock import iso
from consigne.rules.errors import ConsigneError

WATCHED = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
STARTING_TICK_S, IDLE_TICK_S = 0.2, 2.0
LONGEST_START_S, LONGEST_GIVEN_S = 240.0, 30.0
MOST_DEATHS_BEFORE_WELL = 3
LONGEST_BACKOFF_S = 30.0
STABLE_AFTER_S = 60.0
LIVES_AFTER_S = 3.0  # where living is all that can be asked
REFRESH_S = 20.0
RETRY_STEP_CODE = 3  # a step that ends so found a part away
AIRFLOW_PORT, STORE_PORT, DATABASE_PORT, BROKER_PORT = 8080, 9000, 5433, 6380
STOPPED, ANOTHER_LIVES, NOT_UP = 0, 1, 3


@dataclass(slots=True)
class Running:
    """A component's present: its process, or None while it waits for its restart."""

    process: subprocess.Popen[bytes] | None = None
    started_s: float = 0.0
    retry_s: float = 0.0
    deaths: int = 0
    is_well: bool = False
    was_well: bool = False


class Failed(Exception):
    """A component did not come up; its name."""


@dataclass(slots=True)
class Supervisor:
    """One per state folder; `report.take_lock` sees to it."""

    settings: Settings
    report: report.Report
    running: dict[str, Running] = field(default_factory=dict)
    held: list[socket.socket] = field(default_factory=list)
    refreshed_s: float = 0.0

    @property
    def components(self) -> tuple[Component, ...]:
        """What it looks after."""
        return components(self.settings)

    def run(self) -> int:
        """Until told to stop (0) or a component does not come up (3)."""
        try:
            stop_leftovers(self.settings)
            if self.settings.executor != "celery":
                services.leave(self.settings)
            self._settle_in()
            while not self._asked_to_stop():
                self._advance()
        except (Failed, ConsigneError) as fault:
            self.report.fault = str(fault)
        failed = bool(self.report.fault)
        self._say("failed" if failed else "stopping")
        self._stop_all()
        self._say("failed" if failed else "stopped")
        return NOT_UP if failed else STOPPED

    def _settle_in(self) -> None:
        """Ports, the socket's folder, Airflow's configuration: chosen anew where what was remembered is taken."""
        changes: dict[str, object] = {"socket_dir": postgres.choose_socket_folder(self.settings)}
        wanted = {"airflow_port": AIRFLOW_PORT, "store_port": STORE_PORT}
        if self.settings.executor == "celery":
            wanted |= {"database_port": DATABASE_PORT, "broker_port": BROKER_PORT}
        for name, default in wanted.items():
            port, claim = ports.hold(getattr(self.settings, name) or default)
            changes[name] = port
            self.held.append(claim)
        self.settings = self.settings.remember(**changes)
        airflow.write_configuration(self.settings)
        for component in self.components:
            self.running[component.name] = Running()
            self.report.parts[component.name] = report.Part("stopped")
        self._say("starting")

    def _asked_to_stop(self) -> bool:
        tick = IDLE_TICK_S if self.report.phase == "up" else STARTING_TICK_S
        word = signal.sigtimedwait(WATCHED, tick)
        return word is not None and word.si_signo != signal.SIGCHLD

    def _advance(self) -> None:
        before = repr(self.report)
        if self.settings.executor == "celery" and time.monotonic() - self.refreshed_s > REFRESH_S:
            self.refreshed_s = time.monotonic()
            services.refresh(self.settings)
        processes.reap_orphans({one.process.pid for one in self.running.values() if one.process})
        for component in self.components:
            self._look_after(component, self.running[component.name])
        if self.report.phase == "starting" and all(one.was_well for one in self.running.values()):
            self.report.phase = "up"
        if repr(self.report) != before:
            self.report.write(self.settings)

    def _look_after(self, component: Component, one: Running) -> None:
        if one.process and (code := one.process.poll()) is not None:
            self._ended(component, one, code)
        elif one.process or not component.is_ours(self.settings):
            self._ask(component, one)
        elif self._may_start(component, one):
            self._start(component, one)

    def _may_start(self, component: Component, one: Running) -> bool:
        is_done = component.is_step and one.is_well
        ready = all(self.running[name].was_well for name in component.needs)
        return ready and not is_done and time.monotonic() >= one.retry_s

    def _start(self, component: Component, one: Running) -> None:
        command = component.command(self.settings)
        processes.stop(None, component.folder(self.settings), None, 0.0)
        one.process = processes.start(command, component.word)
        one.started_s = time.monotonic()
        pid = one.process.pid
        part = report.Part("starting", pid, processes.birth(pid) or 0, iso(datetime.now(UTC)))
        self.report.parts[component.name] = part

    def _ask(self, component: Component, one: Running) -> None:
        """Real checks until it was well once; afterwards `status` asks, and only a death is acted on."""
        if component.is_step or one.is_well:
            return
        one.started_s = one.started_s or time.monotonic()
        lived_s = time.monotonic() - one.started_s
        if component.is_well(self.settings) if component.is_well else lived_s > LIVES_AFTER_S:
            one.is_well = one.was_well = True
            self.report.parts[component.name].state = "healthy"
        elif not one.was_well and lived_s > (LONGEST_START_S if one.process else LONGEST_GIVEN_S):
            raise Failed(component.name)

    def _ended(self, component: Component, one: Running, code: int) -> None:
        lived_s = time.monotonic() - one.started_s
        one.process, one.is_well = None, False
        processes.stop(None, component.folder(self.settings), None, 0.0)
        if component.is_step and code == 0:
            one.is_well = one.was_well = True
            self.report.parts[component.name] = report.Part("done")
            return
        one.deaths = 1 if lived_s > STABLE_AFTER_S else one.deaths + 1
        beyond_hope = component.is_step and code != RETRY_STEP_CODE
        if not one.was_well and (beyond_hope or one.deaths >= MOST_DEATHS_BEFORE_WELL):
            raise Failed(component.name)
        one.retry_s = time.monotonic() + min(LONGEST_BACKOFF_S, 0.25 * 2**one.deaths)
        self.report.parts[component.name].state = "unhealthy"

    def _stop_all(self) -> None:
        """What stands on the store and the database is asked at once; these two last."""
        living = [
            one
            for one in reversed(self.components)
            if one.name in self.running and self.running[one.name].process
        ]
        for component in living:
            process = self.running[component.name].process
            if process and component.name not in GROUND:
                processes.send(process.pid, component.word)
        for component in living:
            if process := self.running[component.name].process:
                folder = component.folder(self.settings)
                word = component.word if component.name in GROUND else None
                processes.stop(process.pid, folder, word, component.patience_s)
                process.wait()
        self.report.parts = {name: report.Part("stopped") for name in self.report.parts}

    def _say(self, phase: str) -> None:
        self.report.phase = phase
        self.report.write(self.settings)


def stop_leftovers(settings: Settings) -> None:
    """Stop what a supervisor left that was killed itself; what it left is named by its folder."""
    last = report.read(settings)
    for component in reversed(ever(settings)):
        leader = last.parts[component.name].pid if last and last.lives(component.name) else None
        processes.stop(leader, component.folder(settings), component.word, component.patience_s)


def main() -> int:
    """Exit code 0 stopped as asked, 3 a part did not come up, 1 another supervisor lives."""
    signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
    processes.no_core_dumps()
    processes.adopt_orphans()
    if "--with-parent" in sys.argv:
        processes.die_with_parent(signal.SIGTERM)
    settings = Settings.from_environment()
    lock = report.take_lock(settings, patience_s=2.0)
    if lock is None:
        return ANOTHER_LIVES
    with lock:
        return Supervisor(settings, report.new(settings)).run()


if __name__ == "__main__":
    sys.exit(main())
