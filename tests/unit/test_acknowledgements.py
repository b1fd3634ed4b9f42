"""Who was informed, and from when."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from consigne.rules.acknowledgements import acknowledged_at, read_acknowledgements
from consigne.rules.clock import iso, parse_instant
from consigne.rules.errors import BadInput
from consigne.rules.policy.model import Policy

HEAD = "agent,notice,acknowledged_at\n"


def test_the_demo_agents_are_informed_and_the_new_one_is_not(demo: Policy) -> None:
    text = (Path(__file__).parents[2] / "config/agents.csv").read_text("utf-8")
    found = read_acknowledgements(text, demo.zone)
    assert {agent for agent, _ in found} == {
        "a.martin", "b.durand", "c.petit", "d.moreau", "e.leroy", "j.smith", "k.jones"
    }  # fmt: skip
    since = acknowledged_at(found, "a.martin", demo)
    assert since and iso(since) == "2026-01-01T23:00:00.000Z"
    assert acknowledged_at(found, "n.nouveau", demo) is None
    assert acknowledged_at(found, "a.martin", replace(demo, agents=None)) is None
    assert acknowledged_at(found, "a.martin", None) is None


def test_the_first_of_several_acknowledgements_counts() -> None:
    lines = "a,1,2026-03-02T10:00:00+01:00\na,1,2026-03-01T10:00:00+01:00\na,2,2026-01-01\n\n"
    found = read_acknowledgements("\ufeff" + HEAD + lines, "Europe/Paris")
    assert found["a", "1"] == parse_instant("2026-03-01T09:00:00Z")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("agent;notice;acknowledged_at\n", 1),
        (HEAD + "a,1\n", 2),
        (HEAD + "a,1,2026-01-01\na,,2026-01-01\n", 3),
        (HEAD + "a,1,yesterday\n", 2),
        (HEAD + "a,1,2026-01-01T10:00:00\n", 2),
        (HEAD + 'a,1,"2026-01-01\n', 2),
        (HEAD + 'a,1,"2026-01-01"x\n', 2),
    ],
)
def test_a_bad_file_names_its_line(text: str, line: int) -> None:
    with pytest.raises(BadInput) as caught:
        read_acknowledgements(text, "Europe/Paris")
    assert (caught.value.code, caught.value.where) == ("bad_acknowledgements", f"line {line}")
