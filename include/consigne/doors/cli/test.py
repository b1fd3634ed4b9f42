"""`consigne test`: every check and every test, with its own set-up. `.ci/run` calls this and nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from subprocess import PIPE, STDOUT
from typing import Annotated

import typer

from consigne.doors.local import minio
from consigne.doors.settings import CHECKOUT
from consigne.rules.errors import BadInput, Misconfigured

PROMPTS = Path("/usr/share/asterisk/sounds")
# What may be left out, the Debian packages that bring it, and the program or folder by which each is known.
PACKAGES: dict[str, dict[str, str | Path]] = {
    "browser": {"chromium": "chromium"},
    "celery": {"redis-server": "redis-server"},
    "compose": {"docker-compose": "docker-compose"},
    "hsm": {"softhsm2": "softhsm2-util"},
    "prometheus": {"prometheus": "promtool"},
    "voices": {
        "espeak-ng": "espeak-ng",
        "asterisk-core-sounds-en-wav": PROMPTS / "en_US_f_Allison",
        "asterisk-core-sounds-es-wav": PROMPTS / "es_MX_f_Allison",
        "asterisk-core-sounds-fr-wav": PROMPTS / "fr_CA_f_June",
        "asterisk-core-sounds-it-wav": PROMPTS / "it_IT_m_Carlo",
        "asterisk-core-sounds-ru-wav": PROMPTS / "ru_RU_f_IvrvoiceRU",
    },
}
SERVICES = frozenset({"prometheus", "redis-server"})
"""Packages that would run a service of that name."""
CHECKS = (
    ("ruff", "check", "--quiet", "."),
    ("ruff", "format", "--check", "--quiet", "."),
    ("mypy",),
    ("lint-imports", "--no-cache"),
)
_APART = ("tests/acts", "tests/system", "tests/scale")
_REST = ("tests", *(f"--ignore={part}" for part in _APART))
LANES = ((_APART[:1],), (_APART[1:2],), (_APART[2:], _REST))
"""Run side by side, each in its order. One more, and two cores spend their time on platforms that stand and wait."""


def test(
    context: typer.Context,
    without: Annotated[
        str,
        typer.Option(metavar="LIST", help="browser,celery,compose,hsm,prometheus,voices: what to leave out."),
    ] = "",
    long: Annotated[bool, typer.Option("--long", help="Also what does not fit into 45 minutes.")] = False,
) -> None:
    """Checks and tests; with ARGS, pytest alone on these."""
    left_out = [name for name in without.split(",") if name]
    unknown = [name for name in left_out if name not in PACKAGES]
    if unknown:
        raise BadInput("unknown_part", "--without", f"known: {', '.join(PACKAGES)}")
    install_packages([name for name in PACKAGES if name not in left_out])
    environment = os.environ | {
        "CONSIGNE_TEST_MINIO": str(minio.find(typer.echo)),
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONPATH": str(CHECKOUT / "include"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    failed = [] if context.args else [check for check in CHECKS if not _run(check, environment)]
    marks = [f"not {name}" for name in left_out] + ([] if long else ["not long"])
    chosen = ["-m", " and ".join(marks)] if marks else []
    pytest = (sys.executable, "-m", "pytest", *chosen)
    if context.args:
        passed = _run((*pytest, *context.args), environment)
    else:
        lanes = [[(*pytest, *part) for part in lane] for lane in LANES]
        passed = _run_together(lanes, environment)
    if failed:
        typer.echo("failed checks: " + ", ".join(" ".join(check[:2]) for check in failed), err=True)
    if failed or not passed:
        raise typer.Exit(1)


def install_packages(names: list[str]) -> None:
    """Debian packages that are missing; where they may not be installed, name the command and stop."""
    wanted = [(package, known) for name in names for package, known in PACKAGES[name].items()]
    missing = [package for package, known in wanted if not _is_there(known)]
    if not missing:
        return
    command = ["apt-get", "install", "-y", "--no-install-recommends", *missing]
    if os.getuid() != 0 or shutil.which("apt-get") is None:
        raise Misconfigured(
            "missing_packages", ", ".join(missing), f"run: sudo {' '.join(command)}; or use --without"
        )
    typer.echo(f"installing {', '.join(missing)}")
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-qq"], env=quiet, check=False)
    with no_service_starts(missing):
        done = subprocess.run([*command, "-qq"], env=quiet, stdout=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        raise Misconfigured("packages_not_installed", ", ".join(missing), "see above, or use --without")


@contextmanager
def no_service_starts(packages: list[str], policy: Path = Path("/usr/sbin/policy-rc.d")) -> Iterator[None]:
    """invoke-rc.d(8) and deb-systemd-invoke(1) ask `policy-rc.d`, whoever runs as process 1; 101 forbids. One that is
    there stays. Packages enable their services all the same: not from the next start of the machine on either."""
    text = "#!/bin/sh\n# consigne test\nexit 101\n"
    is_left = policy.is_file() and policy.read_text(errors="replace") == text  # by a run that was killed
    is_ours = is_left or not (policy.exists() or policy.is_symlink())
    if is_ours:
        policy.write_text(text)
        policy.chmod(0o755)
    try:
        yield
    finally:
        if is_ours:
            policy.unlink()
        for service in SERVICES.intersection(packages):
            subprocess.run(["update-rc.d", service, "disable"], stderr=subprocess.DEVNULL, check=False)


def _is_there(known: str | Path) -> bool:
    return known.is_dir() if isinstance(known, Path) else shutil.which(known) is not None


def _run(command: tuple[str, ...], environment: dict[str, str]) -> bool:
    _echo(command)
    return subprocess.run(command, cwd=CHECKOUT, env=environment, check=False).returncode == 0


def _echo(command: tuple[str, ...]) -> None:
    typer.echo(f"· {' '.join(Path(part).name if i == 0 else part for i, part in enumerate(command))}")


def _run_together(lanes: list[list[tuple[str, ...]]], environment: dict[str, str]) -> bool:
    """The first lane's output as it comes, the others' when all of them ended."""
    with ThreadPoolExecutor() as pool:
        others = [pool.submit(_run_unseen, lane, environment) for lane in lanes[1:]]
        passed = [_run(command, environment) for command in lanes[0]]
        told = [one for other in others for one in other.result()]
    for command, (is_well, output) in zip(chain(*lanes[1:]), told, strict=True):
        _echo(command)
        sys.stdout.write(output)
        passed.append(is_well)
    return all(passed)


def _run_unseen(lane: list[tuple[str, ...]], environment: dict[str, str]) -> list[tuple[bool, str]]:
    done = [
        subprocess.run(
            command, cwd=CHECKOUT, env=environment, stdout=PIPE, stderr=STDOUT, text=True, check=False
        )
        for command in lane
    ]
    return [(one.returncode == 0, one.stdout) for one in done]
