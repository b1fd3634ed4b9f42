from __future__ import annotations

import pytest

from consigne.rules.evidence.entry import encode_payload, leaf
from consigne.rules.evidence.register import SealedRow, verify_register
from consigne.rules.evidence.report import Report

from .vectors import AT, KEYS, sign_checkpoint


def make_row(number: int) -> SealedRow:
    salt = number.to_bytes(32, "big")
    payload = encode_payload({"at": AT, "kind": "ingest:artifact:stored", "actor": "consigne", "id": number})
    return SealedRow(number, leaf(salt, payload), salt, payload)


ROWS = [make_row(number) for number in range(5000)]
LEAVES = [row.leaf for row in ROWS]
PUBLISHED = [(f"checkpoint-{size}", sign_checkpoint(LEAVES[:size])) for size in (4500, 1, 3000, 3000)]


def failures(report: Report) -> list[tuple[str, str]]:
    return [(finding.file, finding.sentence) for finding in report.findings if finding.level == "failed"]


@pytest.mark.promise("P7")
def test_an_untouched_register_is_as_published() -> None:
    report = verify_register(iter(ROWS), PUBLISHED, KEYS)
    assert report.verified
    assert sum("are as published" in finding.sentence for finding in report.findings) == 4
    assert "500 newer entries" in report.findings[-1].sentence


@pytest.mark.promise("P7")
def test_a_changed_payload_names_its_entry() -> None:
    rows = [*ROWS]
    rows[4200] = ROWS[4200]._replace(payload=ROWS[4201].payload)
    assert [sentence for _, sentence in failures(verify_register(rows, PUBLISHED, KEYS))] == [
        "Entry 4200 of the register is not what was sealed."
    ]


@pytest.mark.promise("P7")
def test_a_change_with_its_leaf_made_to_fit_contradicts_the_checkpoint() -> None:
    rows = [*ROWS]
    rows[2000] = make_row(9999)._replace(number=2000)
    found = failures(verify_register(rows, PUBLISHED, KEYS))
    assert [file for file, _ in found] == ["checkpoint-3000", "checkpoint-3000", "checkpoint-4500"]
    assert "among entries 1 to 2999" in found[0][1]


@pytest.mark.promise("P7")
@pytest.mark.parametrize(
    "rows",
    [
        ROWS[:10] + ROWS[11:],
        [*ROWS[:10], ROWS[9], *ROWS[10:]],
        [*ROWS[:10], ROWS[11], ROWS[10], *ROWS[12:]],
        [row._replace(number=number) for number, row in enumerate(ROWS[:10] + ROWS[11:])],
    ],
    ids=["dropped", "put in", "swapped", "dropped and renumbered"],
)
def test_a_moved_row_is_noticed(rows: list[SealedRow]) -> None:
    assert not verify_register(rows, PUBLISHED, KEYS).verified


@pytest.mark.promise("P7")
def test_a_gap_behind_the_last_publication_is_noticed() -> None:
    found = failures(verify_register(ROWS[:4600] + ROWS[4601:4602], PUBLISHED, KEYS))
    assert found == [("", "Entry 4600 of the register is not where it was sealed.")]


@pytest.mark.promise("P7")
def test_a_dropped_tail_is_noticed() -> None:
    found = failures(verify_register(ROWS[:4499], PUBLISHED, KEYS))
    assert [file for file, _ in found] == ["checkpoint-4500"]
    assert "entries 4499 to 4499 are missing" in found[0][1]


@pytest.mark.promise("P7")
def test_purged_entries_still_verify_and_are_counted() -> None:
    rows = [row._replace(salt=None, payload=None) if row.number < 1200 else row for row in ROWS]
    report = verify_register(rows, PUBLISHED, KEYS)
    assert report.verified
    assert "What 1200 entries said was purged" in report.findings[-1].sentence
    rows[7] = ROWS[7]._replace(salt=None)
    assert not verify_register(rows, PUBLISHED, KEYS).verified


def test_a_checkpoint_by_another_key_or_of_another_register_fails() -> None:
    note = PUBLISHED[0][1]
    assert not verify_register(ROWS, [("forged", note.replace(b"4500", b"4499"))], KEYS).verified
    assert not verify_register(ROWS, PUBLISHED, {"another": next(iter(KEYS.values()))}).verified
    elsewhere = [*PUBLISHED, ("other", sign_checkpoint(LEAVES, "another.example/register"))]
    assert not verify_register(ROWS, elsewhere, KEYS).verified


def test_without_publication_nothing_is_held() -> None:
    report = verify_register(ROWS[:3], [], KEYS)
    assert report.verified
    assert [finding.level for finding in report.findings] == ["not_proven", "not_proven"]
