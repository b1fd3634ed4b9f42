"""`consigne bench`: the benchmarks of `bench/`, each beside a peer or a limit measured in the same run."""

from __future__ import annotations

import runpy
import sys
from typing import Annotated

import typer

from consigne.doors.settings import CHECKOUT
from consigne.rules.errors import BadInput


def bench(
    name: Annotated[str | None, typer.Argument(help="One of them; without it, all.")] = None,
    parts: Annotated[list[str] | None, typer.Argument(help="What it takes: `scale flood`.")] = None,
) -> None:
    """Run a benchmark, or all."""
    files = sorted((CHECKOUT / "bench").glob("*.py"))
    found = {file.stem: file for file in files if "_" not in file.stem}  # `scale_flood` is a part of `scale`
    if name is not None and name not in found:
        raise BadInput("unknown_bench", "NAME", f"known: {', '.join(found)}")
    for each in [name] if name else found:
        typer.echo(f"· {each}")
        sys.argv = [str(found[each]), *(parts or [])]
        runpy.run_path(str(found[each]), run_name="__main__")
