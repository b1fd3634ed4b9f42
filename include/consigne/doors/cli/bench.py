"""`consigne bench`: the benchmarks of `bench/`, each beside a peer or a limit measured in the same run."""

from __future__ import annotations

import runpy
from typing import Annotated

import typer

from consigne.doors.settings import CHECKOUT
from consigne.rules.errors import BadInput


def bench(name: Annotated[str | None, typer.Argument(help="One of them; without it, all.")] = None) -> None:
    """Run a benchmark, or all."""
    found = {file.stem: file for file in sorted((CHECKOUT / "bench").glob("*.py"))}
    if name is not None and name not in found:
        raise BadInput("unknown_bench", "NAME", f"known: {', '.join(found)}")
    for each in [name] if name else found:
        typer.echo(f"· {each}")
        runpy.run_path(str(found[each]), run_name="__main__")
