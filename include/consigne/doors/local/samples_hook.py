"""The sample calls of a first `up`: delivered once, and carried through."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from consigne.doors.apply import read_policy
from consigne.doors.cli.operate import carry as carry_through
from consigne.doors.samples.generate import generate
from consigne.doors.settings import Settings
from consigne.rules.errors import ConsigneError

COUNT, SEED = 40, 1


def carry(settings: Settings, say: Callable[[str], None]) -> None:
    """Deliver them where this state folder has not had them yet, and run the Dag until all is judged. What
    goes wrong is said; the platform stays up."""
    if (settings.state_dir / f"samples-{SEED}.json").exists():
        return
    try:
        policy = read_policy(settings)[0].policy
        generate(settings.intake_dir, COUNT, SEED, datetime.now(UTC), policy)
        say(f"{COUNT} sample calls delivered")
        carry_through(settings, True, say)
    except ConsigneError as fault:
        say(f"the sample calls are not through: {fault}")
