"""The pages name what is there: every code, every Dag, every file that they link to."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from consigne.rules.checks import CHECKS
from consigne.rules.gate import RULES
from consigne.rules.reasons import sentence

CHECKOUT = Path(__file__).resolve().parents[2]
PAGES = [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").rglob("*.md"))]
DAGS = sorted((CHECKOUT / "dags").glob("*.py"))
OPERATING = (CHECKOUT / "docs" / "operating.md").read_text("utf-8")
QUARANTINED = (
    "bad_json", "bad_field", "missing_audio", "unreadable_audio", "format_mismatch", "duration_mismatch",
    "too_large", "too_long", "id_reused", "needs_transcript", "not_proven", "suspected_missed",
)  # fmt: skip
"""Contract.md's codes."""


@pytest.mark.parametrize("code", ["no_purpose", *(code for code, _ in RULES)])
def test_the_operator_is_told_what_each_refusal_means(code: str) -> None:
    assert f"\n| `{code}` |" in OPERATING


@pytest.mark.parametrize("code", sorted({*QUARANTINED, *(check.code for check in CHECKS if check.code)}))
def test_the_operator_is_told_what_to_do_about_each_quarantine(code: str) -> None:
    assert re.search(rf"^\|[^|]*`{code}`[^|]*\|", OPERATING, re.MULTILINE)


def test_the_operator_is_shown_the_table_of_checks() -> None:
    lines = [
        f"| `{check.id}` | {check.stage} | `{check.field}` | {f'`{check.code}`' if check.code else 'remark'} | "
        f"{sentence(check.id, 'en', check.field)} |"
        for check in CHECKS
    ]
    assert "\n" + "\n".join(lines) + "\n" in OPERATING


@pytest.mark.parametrize("file", DAGS, ids=lambda file: file.stem)
def test_the_page_of_dags_says_what_each_says_of_itself(file: Path) -> None:
    page = (CHECKOUT / "docs" / "dags.md").read_text("utf-8")
    own = ast.get_docstring(ast.parse(file.read_text("utf-8")))
    assert own and f"## `{file.stem}`\n\n{own}\n" in page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text("utf-8"))
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []


def test_decisions_are_numbered_once_and_without_a_gap() -> None:
    names = sorted(file.name for file in (CHECKOUT / "docs" / "adr").glob("*.md"))
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))
    for name in names:
        title = (CHECKOUT / "docs" / "adr" / name).read_text("utf-8").partition("\n")[0]
        assert title.startswith(f"# {int(name[:4])}. ")
