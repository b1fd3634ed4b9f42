"""From when on no backup can bring back what was destroyed (P6)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consigne.rules.clock import Duration
from consigne.rules.horizons import backup_ends, declared_backups, irrecoverable_after, part_ends
from consigne.rules.policy.load import load
from consigne.rules.policy.model import NO_BACKUPS, Backups, Policy

pytestmark = pytest.mark.promise("P6")

START = datetime(2026, 1, 1, tzinfo=UTC)
FAR = timedelta(days=200)
PLAIN = load((Path(__file__).parents[2] / "config" / "policy.yaml").read_text()).policy


def days(number: int) -> Duration:
    return Duration(days=number)


def after(days: int) -> datetime:
    return START + timedelta(days=days)


def version(policy: Policy, day: int, database: int, keyring: int) -> Policy:
    backups = Backups(days(database), days(keyring))
    return replace(policy, zone="UTC", in_force_from=START + timedelta(days=day), backups=backups)


def test_nothing_declared_is_irrecoverable_at_once(shipped: Policy) -> None:
    plain = replace(shipped, backups=NO_BACKUPS)
    assert irrecoverable_after([plain], START + FAR) == START + FAR
    assert irrecoverable_after([], START) == START


@pytest.mark.parametrize(("database", "keyring", "longer"), [(7, 3, 7), (3, 7, 7), (0, 5, 5)])
def test_the_longer_of_the_two_horizons_counts(
    shipped: Policy, database: int, keyring: int, longer: int
) -> None:
    only = version(shipped, 0, database, keyring)
    assert irrecoverable_after([only], START + FAR) == START + FAR + timedelta(days=longer)
    assert backup_ends(only, START) == START + timedelta(days=longer)


def test_a_longer_earlier_horizon_counts_for_what_was_backed_up_before(shipped: Policy) -> None:
    versions = [version(shipped, 0, 60, 60), version(shipped, 100, 7, 7)]
    # the last backup under the first version is made on day 100, and lives until day 160
    assert irrecoverable_after(versions, after(101)) == after(160)
    assert irrecoverable_after(versions, after(152)) == after(160)
    assert irrecoverable_after(versions, after(154)) == after(161)
    assert irrecoverable_after(versions, after(50)) == after(110)


def test_a_version_that_comes_later_changes_nothing(shipped: Policy) -> None:
    versions = [version(shipped, 0, 7, 7), version(shipped, 100, 90, 90)]
    assert irrecoverable_after(versions, START + timedelta(days=99)) == START + timedelta(days=106)
    assert declared_backups(versions, START + timedelta(days=99)) == Backups(days(7), days(7))
    assert declared_backups(versions, START + timedelta(days=100)) == Backups(days(90), days(90))
    assert declared_backups(versions, START - timedelta(days=1)) == NO_BACKUPS


steps = st.lists(
    st.tuples(st.integers(0, 300), st.integers(0, 90), st.integers(0, 90)), min_size=1, max_size=5
)


@given(steps, st.integers(0, 400), st.integers(0, 400))
def test_no_backup_made_before_a_destruction_outlives_what_the_certificate_says(
    steps: list[tuple[int, int, int]], made: int, destroyed: int
) -> None:
    versions = [version(PLAIN, *each) for each in sorted(steps, key=lambda each: each[0])]
    made_at, destroyed_at = (START + timedelta(days=each) for each in (min(made, destroyed), destroyed))
    under = [each for each in versions if each.in_force_from <= made_at]
    if under:
        assert backup_ends(under[-1], made_at) <= irrecoverable_after(versions, destroyed_at)


def test_each_part_has_an_end_of_its_own_where_one_is_declared(shipped: Policy) -> None:
    both, one, none = (version(shipped, 0, *each) for each in ((7, 3), (0, 3), (0, 0)))
    ends = {part: part_ends(both, part, START) for part in ("database", "keyring", "recordings", "secrets")}
    assert ends == {
        "database": START + timedelta(days=7), "keyring": START + timedelta(days=3),
        "recordings": START + timedelta(days=7), "secrets": START + timedelta(days=7),
    }  # fmt: skip
    assert part_ends(one, "database", START) is None
    assert (
        part_ends(one, "recordings", START) == part_ends(one, "keyring", START) == START + timedelta(days=3)
    )
    assert part_ends(none, "secrets", START) is None
