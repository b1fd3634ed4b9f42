"""`samples`: synthetic deliveries, with what must become of each. Needs no running platform."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from consigne.doors.cli.options import DEFAULT_STATE, State
from consigne.doors.samples.generate import generate, manifest_file
from consigne.doors.settings import CHECKOUT, Settings
from consigne.rules.errors import BadInput
from consigne.rules.policy.load import load

# File names carry the seed; a longer number in them would be taken for a telephone number.
LARGEST_SEED = 9_999


def samples(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where the deliveries go; made if need be.")
    ],
    count: Annotated[int, typer.Option(min=1, help="How many.")] = 40,
    seed: Annotated[int, typer.Option(min=0, max=LARGEST_SEED, help="Another seed, other calls.")] = 1,
    state: State = DEFAULT_STATE,
) -> None:
    """Write synthetic deliveries; what must become of them stands in DIR/../samples-SEED.json.

    They fit the policy of the state folder, or the demonstration's where there is none.
    """
    known = (state / "settings.json").exists()
    file = Settings.open(state).policy_file if known else CHECKOUT / "config" / "demo.yaml"
    policy = load(file.read_text(encoding="utf-8")).policy
    directory = directory.absolute()
    try:
        made = generate(directory, count, seed, datetime.now(UTC), policy)
    except OSError as fault:
        raise BadInput("not_writable", "DIR", fault.strerror or "") from None
    ends = Counter(f"{one.state}: {one.code}" if one.code else one.state for one in made.deliveries)
    for end, number in sorted(ends.items()):
        typer.echo(f"{number:6}  {end}")
    typer.echo(
        f"{len(made.deliveries)} deliveries in {directory}; foretold in {manifest_file(directory, seed)}"
    )
