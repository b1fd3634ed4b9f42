"""What the verifier says of notes, tombstones, exports, and of a register that went on under another name."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from consigne.rules.evidence.canonical import encode
from consigne.rules.evidence.certificate import certificate_body
from consigne.rules.evidence.entry import encode_payload
from consigne.rules.evidence.errors import Malformed
from consigne.rules.evidence.export import write_export
from consigne.rules.evidence.proofs import write_consistency_proof, write_register_proofs
from consigne.rules.evidence.report import Report
from consigne.rules.evidence.restoration import (
    Continued,
    Declared,
    Restored,
    declaration_body,
    restoration_body,
)
from consigne.rules.evidence.signature import read_checkpoint, sign_note, split_note, write_public_keys
from consigne.rules.evidence.tombstone import tombstones_body
from consigne.rules.evidence.verify import main, verify

from .vectors import (
    AT,
    KEY_NAME,
    KEYS,
    ORIGIN,
    PRIVATE,
    PUBLIC,
    REGISTER,
    artifact_facts,
    issue_artifacts,
    issue_chunk,
    issue_epoch,
    sign_checkpoint,
)

Named = tuple[str, bytes]
NEXT = f"{ORIGIN}/restored-1"
AGAIN = [
    *REGISTER[:4],
    *(sha256(bytes([number])).digest() for number in range(4)),
]  # put back at 4, and gone on
OLD, OLDER = sign_checkpoint(REGISTER), sign_checkpoint(REGISTER[:2])
KEPT, NEW = sign_checkpoint(AGAIN[:4], NEXT), sign_checkpoint(AGAIN, NEXT)


def tree(note: bytes) -> Any:
    return read_checkpoint(split_note(note)[0])


def signed(body: bytes) -> bytes:
    return sign_note(body, KEY_NAME, PRIVATE.sign, PUBLIC)


def restored(declared: Sequence[str] = ("database",), old: bytes = OLD, kept: bytes = KEPT) -> bytes:
    register = Continued(tree(old), tree(kept))
    note = Restored("id-1", AT, ("database",), tuple(declared), {"erased_again": 2}, register)
    return signed(restoration_body(note))


def say(report: Report, level: str) -> str:
    return "\n".join(f"{each.file}: {each.sentence}" for each in report.findings if each.level == level)


def check(*files: bytes) -> Report:
    return verify([(str(number), data) for number, data in enumerate(files)], KEYS)


@pytest.mark.promise("P7")
def test_a_restoration_note_ties_the_register_to_the_one_before() -> None:
    links = [
        write_consistency_proof(REGISTER, OLDER, sign_checkpoint(REGISTER[:4])),
        write_consistency_proof(AGAIN, KEPT, NEW),
    ]
    report = check(OLD, OLDER, NEW, restored(), *links)
    assert report.verified
    assert f"Proven: the register {ORIGIN} at 2 entries is the beginning of {NEXT} at 8" in say(report, "ok")
    assert "entries 4 to 6 of the register" in say(report, "not_proven")
    assert "No proof is here" not in say(report, "not_proven")
    report = check(OLD, OLDER, NEW, restored())
    assert report.verified and f"No proof is here that the register {ORIGIN} at 2" in say(
        report, "not_proven"
    )


@pytest.mark.promise("P7")
def test_without_the_note_nothing_ties_them() -> None:
    for files in ((OLD, NEW), (NEW,), (sign_checkpoint(AGAIN[:7], NEXT), OLD)):
        report = check(*files)
        assert report.verified
        assert f"No restoration note is here by which the register {ORIGIN} went on" in say(
            report, "not_proven"
        )


@pytest.mark.promise("P7")
def test_what_contradicts_the_note_fails() -> None:
    rewritten = [*REGISTER[:2], REGISTER[5]]
    for files in (
        (sign_checkpoint(rewritten), sign_checkpoint(AGAIN[:3], NEXT), restored()),
        (sign_checkpoint([*rewritten, REGISTER[4]]), restored()),  # over what was kept
        (sign_checkpoint([*REGISTER[:6], REGISTER[0]]), restored()),  # over what was published
        (restored(), restored(kept=sign_checkpoint(AGAIN[:3], NEXT))),  # one name begun twice
        (restored(kept=sign_checkpoint(AGAIN[:4], f"{ORIGIN}/restored-2")),),
        (restored(kept=sign_checkpoint(AGAIN[:4], "another.example/register/restored-1")),),
    ):
        assert not check(*files).verified
    assert check(sign_checkpoint([*REGISTER[:4], REGISTER[0]]), restored()).verified  # that tail is lost


@pytest.mark.promise("P7")
def test_more_that_was_lost_than_the_note_knows_is_told() -> None:
    report = check(sign_checkpoint([*REGISTER, REGISTER[0]]), restored(), OLD)
    assert report.verified and "entries 7 to 7 are lost too, or it went on twice" in say(report, "not_proven")


@pytest.mark.promise("P7")
def test_an_entry_that_was_lost_is_told_of_its_certificate() -> None:
    proofs = write_register_proofs(REGISTER, [3, 5], OLD)
    for number, proof in zip((3, 5), proofs, strict=True):
        certificate = issue_chunk([certificate_body("artifact", artifact_facts(number))])[0]
        report = check(certificate, proof, restored())
        assert report.verified and report.certificates[0]["registered"]
        assert ("That entry was lost" in say(report, "not_proven")) == (number == 5)


@pytest.mark.promise("P7")
def test_a_loss_that_nobody_declared_fails() -> None:
    report = check(NEW, restored([]))
    assert not report.verified and "nobody declared" in say(report, "failed")
    declared = signed(declaration_body(Declared("id-1", AT, ("database",))))
    report = check(NEW, restored([]), declared)
    assert report.verified and "an operator declared of restoration id-1" in say(report, "ok")
    assert "note of that restoration is not here" in say(check(declared), "not_proven")
    another = signed(declaration_body(Declared("id-2", AT, ("database",))))
    assert not check(NEW, restored([]), another).verified


def line(**changes: object) -> dict[str, object]:
    names = {name: f"00000000-0000-0000-0000-00000000000{number}" for number, name in enumerate(("artifact", "recording", "attempt"))}  # fmt: skip
    return names | {
        "purpose": "training", "part": "audio", "epoch": "training/2026-11-20/0", "object": "training/x",
        "identity_digest": "00" * 32, "audio_digest": "00" * 32, "key_version": 1, "ground": "period_ended",
        "erasing_at": AT,
    } | changes  # fmt: skip


def test_tombstones_say_that_erasing_began_and_no_more() -> None:
    note = signed(tombstones_body([line()]))
    report = check(note)
    assert report.verified and f"began between {AT} and {AT}; signed by {KEY_NAME}" in say(report, "ok")
    assert "that the erasing ended is not shown" in say(report, "not_proven")
    facts = artifact_facts(artifact=str(line()["artifact"]))
    report = check(note, issue_chunk([certificate_body("artifact", facts)])[0])
    assert report.verified and "that the erasing ended" not in say(report, "not_proven")


@pytest.mark.promise("P6")
def test_an_unsigned_tombstone_proves_nothing() -> None:
    body = tombstones_body([line()])
    report = check(body)
    assert report.verified and "Nobody signed them" in say(report, "not_proven")
    assert "tombstones" not in say(report, "ok")
    name = f"{AT}-{sha256(body).hexdigest()[:32]}"
    assert verify([(name, body)], KEYS).verified
    assert not verify([(name, body.replace(b"/x", b"/y"))], KEYS).verified
    stripped = signed(body).partition(b"\n")[0] + b"\n"
    assert not verify([(f"{AT}-{sha256(signed(body)).hexdigest()[:32]}", stripped)], KEYS).verified
    for wrong in (line(key_version=-1), line(artifact="1"), line(erasing_at="now"), line(more=1)):
        assert not check(encode([wrong]) + b"\n").verified
        with pytest.raises(Malformed):
            tombstones_body([wrong])


def entry(number: int) -> dict[str, Any]:
    """As `vectors.REGISTER` was made."""
    said = {"at": AT, "kind": "expire:artifact:erased", "actor": "consigne", "subject": str(number)}
    payload, salt = encode_payload(said), bytes([number]) * 32
    return {"number": number, "leaf": REGISTER[number].hex(), "salt": salt.hex(), "payload": payload.decode()}


@pytest.mark.promise("P7")
def test_a_whole_export_is_the_register() -> None:
    rows = [entry(number) for number in reversed(range(7))]
    report = check(write_export(OLD, rows))
    assert report.verified and "They are all of the register" in say(report, "ok")
    rows[2] |= {"salt": None, "payload": None}
    report = check(write_export(OLD, rows))
    assert report.verified and "What 1 entries said was purged" in say(report, "not_proven")
    rows[2]["leaf"] = "00" * 32
    assert not check(write_export(OLD, rows)).verified
    assert check(write_export(None, [])).verified


@pytest.mark.promise("P7")
def test_a_part_of_it_is_the_registers_as_far_as_proofs_show() -> None:
    rows = [entry(3), entry(1)]
    export = write_export(OLD, rows)
    report = check(export)
    assert report.verified and "That 2 of them are in the register" in say(report, "not_proven")
    proofs = write_register_proofs(REGISTER, [1, 3], OLD)
    assert "Register proofs show 2 of them" in say(check(export, *proofs), "ok")
    swapped = write_export(OLD, [rows[0] | {"number": 1}, rows[1] | {"number": 3}])
    assert not check(swapped, *proofs).verified
    changed = write_export(OLD, [rows[0] | {"payload": rows[0]["payload"].replace("consigne", "somebody")}])
    assert "Entry 3 is not what was sealed" in say(check(changed), "failed")
    for wrong in ([entry(1), entry(1)], [entry(1) | {"number": 7}], [entry(1) | {"salt": None}]):
        assert not check(write_export(OLD, wrong)).verified


@pytest.mark.parametrize("file", [restored(), signed(tombstones_body([line()])), write_export(OLD, [entry(n) for n in range(7)])])  # fmt: skip
def test_any_byte_of_any_file_changed_fails(file: bytes) -> None:
    assert check(file).verified
    for at, byte in enumerate(file):
        for value in {byte ^ 1, byte ^ 0x20} - {byte}:
            assert not check(file[:at] + bytes([value]) + file[at + 1 :]).verified, at


def test_what_the_outside_witness_was_told_is_read_note_by_note() -> None:
    told = b"".join(note.removesuffix(b"\n") + b"\n.\n" for note in (OLDER, OLD))
    report = check(told)
    assert report.verified and say(report, "ok").count("entries when this checkpoint was signed") == 2
    assert not check(told.replace(b"\n7\n", b"\n8\n")).verified


@pytest.mark.promise("P6")
def test_two_certificates_of_one_epoch_are_told_and_their_order_does_not_matter() -> None:
    files = [issue_artifacts(1)[0], issue_epoch(), issue_epoch(id="other", artifacts=["artifact-7"])]
    for several in (files, [files[0], files[2], files[1]]):
        report = check(*several)
        assert report.verified and report.certificates[0]["proof"] == "cryptographic"
        assert "2 certificates of epoch training/2026-11-20/0 differ" in say(report, "not_proven")
    assert "differ" not in say(check(*files[:2], files[1]), "not_proven")


def test_a_folder_may_hold_the_sheets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "certificate.json").write_bytes(issue_artifacts(1)[0])
    (tmp_path / "same.json").write_bytes(issue_artifacts(1)[0])
    (tmp_path / "key.txt").write_bytes(write_public_keys(KEYS))
    (tmp_path / "certificate-fr.pdf").write_bytes(b"%PDF-1.4\n")
    assert main(["--json", str(tmp_path)]) == 0
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert [one["level"] for one in findings if one["file"].endswith(".pdf")] == ["not_proven"]
    assert main([str(tmp_path / "certificate-fr.pdf")]) == 5
    (tmp_path / "other.pdf").write_bytes(b"hello")
    assert main([str(tmp_path)]) == 5
