from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from consigne.rules.evidence.entry import encode_payload, leaf
from consigne.rules.evidence.register import PURGING, SealedRow, verify_register
from consigne.rules.evidence.report import Report

from .vectors import AT, KEYS, sign_checkpoint

LONG_AGO = "2026-05-01T00:00:00.000Z"


def make_row(number: int) -> SealedRow:
    salt = number.to_bytes(32, "big")
    payload = encode_payload({"at": AT, "kind": "ingest:artifact:stored", "actor": "consigne", "id": number})
    return SealedRow(number, leaf(salt, payload), salt, payload)


def make_purging(number: int, to: int, before: str = LONG_AGO) -> SealedRow:
    salt = number.to_bytes(32, "big")
    said = {"at": AT, "kind": PURGING, "actor": "consigne", "from": 0, "to": to, "before": before}
    payload = encode_payload(said)
    return SealedRow(number, leaf(salt, payload), salt, payload)


ROWS = [make_row(number) for number in range(5000)]
ROWS[4000] = make_purging(4000, 1200)
LEAVES = [row.leaf for row in ROWS]
PUBLISHED = [(f"checkpoint-{size}", sign_checkpoint(LEAVES[:size])) for size in (4500, 1, 3000, 3000)]


def purged(numbers: range) -> list[SealedRow]:
    return [row._replace(salt=None, payload=None) if row.number in numbers else row for row in ROWS]


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
    rows = purged(range(1200))
    report = verify_register(rows, PUBLISHED, KEYS)
    assert report.verified
    assert "What 1200 entries said was purged" in report.findings[-1].sentence
    rows[7] = ROWS[7]._replace(salt=None)
    assert not verify_register(rows, PUBLISHED, KEYS).verified


@pytest.mark.promise("P7")
@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        (range(1201), "Entry 1200: what was said there is gone"),
        (range(1300, 1400), "Entries 1300 to 1399: what was said there is gone"),
        (range(4001), "Entries 0 to 4000: what was said there is gone"),
    ],
    ids=["one more than announced", "elsewhere", "the announcement too"],
)
def test_what_was_purged_without_an_entry_is_noticed(numbers: range, said: str) -> None:
    [found] = failures(verify_register(purged(numbers), PUBLISHED, KEYS))
    assert said in found[1]


@pytest.mark.promise("P7")
@pytest.mark.parametrize("before", [AT, "2026-06-01T00:00:00.000Z", "2027-01-01T00:00:00.000Z", "soon"])
def test_a_purge_of_what_is_not_over_is_noticed_though_announced(before: str) -> None:
    rows = purged(range(1200))
    rows[4000] = make_purging(4000, 1200, before)
    leaves = [row.leaf for row in rows]
    found = failures(verify_register(rows, [("checkpoint", sign_checkpoint(leaves))], KEYS))
    assert [sentence for _, sentence in found] == [
        "Entry 4000 of the register announces a purge of what is not over.",
        "Entries 0 to 1199: what was said there is gone, and no act in the register says that it was purged.",
    ]


@pytest.mark.promise("P7")
def test_one_that_was_picked_out_is_noticed_though_it_was_announced() -> None:
    [found] = failures(verify_register(purged(range(1100, 1101)), PUBLISHED, KEYS))
    assert found[1].startswith("Entry 1100 was purged before others that are older")


@pytest.mark.promise("P7")
def test_what_was_purged_is_as_old_as_announced() -> None:
    """Whoever may write the announcement may write any date; when the store took a checkpoint, others say."""
    old, new = (datetime.fromisoformat(at) for at in (LONG_AGO, AT))
    rows, soon = purged(range(1200)), old + timedelta(days=6)
    for taken in ([(1200, new)], [(1100, old), (1199, soon)], []):
        assert verify_register(rows, PUBLISHED, KEYS, taken=taken).verified
    for taken in ([(1199, new)], [(1000, old), (1100, new), (1150, new)]):
        [found] = failures(verify_register(rows, PUBLISHED, KEYS, taken=taken))
        assert "were purged as older than 2026-05-01: the checkpoint of 11" in found[1]


MINUTES = [sign_checkpoint(LEAVES[:size]) for size in (1000, 2900, 2950, 3000, 4000, 4501, 4700)]


@pytest.mark.promise("P7")
def test_the_catalogs_own_checkpoints_name_the_entries_more_closely() -> None:
    rows = [*ROWS]
    rows[2910] = make_row(9999)._replace(number=2910)
    found = failures(verify_register(rows, PUBLISHED, KEYS, MINUTES))
    assert [file for file, _ in found] == ["", "checkpoint-3000", "checkpoint-3000", "checkpoint-4500", ""]
    assert all("among entries 2900 to 2949 one was" in sentence for _, sentence in found[:4])
    assert found[4] == ("", "Entries 4700 to 4999 are numbered, and no checkpoint was signed over them.")


@pytest.mark.promise("P7")
def test_a_change_behind_the_last_publication_contradicts_the_catalogs_own_checkpoint() -> None:
    rows = [*ROWS[:4700]]
    rows[4500] = make_row(9999)._replace(number=4500)
    found = failures(verify_register(rows, PUBLISHED, KEYS, MINUTES))
    assert [sentence for _, sentence in found] == [
        "The register contradicts the checkpoint of 4501 entries: entry 4500 was changed, moved, dropped or put in."
    ]


@pytest.mark.promise("P7")
@pytest.mark.parametrize("place", range(len(MINUTES)))
def test_one_of_them_that_was_made_up_misleads_nobody(place: int) -> None:
    rows = [*ROWS[:4700]]
    rows[1700] = make_row(9999)._replace(number=1700)
    sizes = (1000, 2900, 2950, 3000, 4000, 4501, 4700)
    leaves = [row.leaf for row in rows]
    forged = (
        sign_checkpoint(leaves[: sizes[place]]).partition(b"\n\n")[0]
        + b"\n\n"
        + MINUTES[place].partition(b"\n\n")[2]
    )
    minutes = [*MINUTES[:place], forged, *MINUTES[place + 1 :]]
    found = [sentence for _, sentence in failures(verify_register(rows, PUBLISHED, KEYS, minutes))]
    about = [sentence for sentence in found if "contradicts" in sentence]
    assert about and all("among entries" in sentence for sentence in about)
    for sentence in about:
        first, _, last = sentence.partition("among entries ")[2].split(" one was")[0].partition(" to ")
        assert int(first) <= 1700 <= int(last)
    if sizes[place] > 4500:
        assert "A checkpoint that the catalog keeps does not verify: its signature is wrong." in found


@pytest.mark.promise("P7")
def test_two_checkpoints_of_one_size_contradict_each_other() -> None:
    other = sign_checkpoint([row.leaf for row in ROWS[1:3001]])
    found = failures(verify_register(ROWS, [*PUBLISHED, ("witness", other)], KEYS))
    assert any("Two checkpoints of 3000 entries contradict each other" in sentence for _, sentence in found)


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
