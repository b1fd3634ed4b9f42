"""What the verifier says of sets of files, and its command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consigne.rules.evidence.certificate import certificate_body
from consigne.rules.evidence.proofs import write_consistency_proof, write_register_proofs
from consigne.rules.evidence.report import Report
from consigne.rules.evidence.signature import fingerprint, write_public_keys
from consigne.rules.evidence.verify import main, verify

from .vectors import (
    KEY_NAME,
    KEYS,
    ORIGIN,
    PUBLIC,
    REGISTER,
    artifact_facts,
    issue_artifacts,
    issue_chunk,
    issue_epoch,
    sign_checkpoint,
)

KEY_FILE = write_public_keys(KEYS)
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw()
STRANGER_FILE = write_public_keys({KEY_NAME: STRANGER})
CHECKPOINT = sign_checkpoint(REGISTER)
OLDER = sign_checkpoint(REGISTER[:4])
REWRITTEN = sign_checkpoint([*REGISTER[:3], REGISTER[5], *REGISTER[4:]])


def say(report: Report, level: str) -> str:
    return "\n".join(f"{each.file}: {each.sentence}" for each in report.findings if each.level == level)


@pytest.mark.promise("P6")
def test_one_certificate_alone_is_logical_and_says_what_it_does_not_prove() -> None:
    report = verify([("a.json", issue_artifacts(3)[0])], KEYS)
    assert report.verified
    assert report.certificates[0]["proof"] == "logical"
    assert "key row was deleted from the catalog at 2026-11-20T08:14:03.000Z" in say(report, "ok")
    assert "was pinned by you" in say(report, "ok")
    unproven = say(report, "not_proven")
    assert "proof is logical: no certificate here shows" in unproven
    assert "No register proof for it is here" in unproven
    assert "That no copy of the bytes is left" in unproven
    assert "Software alone held" in unproven


@pytest.mark.promise("P6")
def test_the_epochs_certificate_makes_the_proof_cryptographic() -> None:
    report = verify([("a", issue_artifacts(3)[2]), ("e", issue_epoch())], KEYS)
    assert report.verified
    artifact, epoch = report.certificates
    assert (artifact["proof"], artifact["irrecoverable_after"]) == (
        "cryptographic",
        "2026-12-20T08:14:03.000Z",
    )
    assert (epoch["scope"], epoch["proof"], epoch["artifact"]) == ("epoch", "cryptographic", None)
    assert "proof is cryptographic" in say(report, "ok")


@pytest.mark.promise("P6")
@pytest.mark.parametrize(
    "epoch",
    [
        issue_epoch(epoch="training/2026-11-20/1"),
        issue_epoch(artifacts=["artifact-1"]),
        issue_chunk([certificate_body("artifact", artifact_facts(1))])[0],
    ],
    ids=["another epoch", "without this artifact", "no epoch's"],
)
def test_another_certificate_does_not_raise_the_proof(epoch: bytes) -> None:
    report = verify([("a", issue_artifacts(1)[0]), ("e", epoch)], KEYS)
    assert report.verified
    assert report.certificates[0]["proof"] == "logical"


@pytest.mark.promise("P6")
def test_each_epoch_that_wrapped_the_key_must_be_destroyed() -> None:
    moved = issue_artifacts(1, earlier_epochs=["hold/2027-06-01/0"])[0]
    files = [("a", moved), ("e", issue_epoch())]
    assert verify(files, KEYS).certificates[0]["proof"] == "logical"
    earlier = issue_epoch(epoch="hold/2027-06-01/0", artifacts=[], assurance="hsm")
    assert verify([*files, ("e2", earlier)], KEYS).certificates[0]["proof"] == "cryptographic"


def test_the_weakest_assurance_and_the_latest_horizon_count() -> None:
    artifact = issue_artifacts(1, assurance="hsm", irrecoverable_after="2027-01-01T00:00:00.000Z")[0]
    facts = verify([("a", artifact), ("e", issue_epoch(assurance="provider-attested"))], KEYS).certificates[0]
    assert (facts["assurance"], facts["irrecoverable_after"]) == (
        "provider-attested",
        "2027-01-01T00:00:00.000Z",
    )


def test_a_test_clock_is_told() -> None:
    report = verify([("a", issue_artifacts(1, clock={"test": True, "offset_s": 86400})[0])], KEYS)
    assert report.verified and report.certificates[0]["test_clock"]
    assert "test clock, shifted by 86400 s" in say(report, "not_proven")


@pytest.mark.promise("P7")
def test_a_register_proof_ties_a_certificate_to_the_register() -> None:
    files = [("a", issue_artifacts(3)[1]), ("p", write_register_proofs(REGISTER, [1], CHECKPOINT)[0])]
    report = verify(files, KEYS)
    assert report.verified and report.certificates[0]["registered"]
    assert f"entry 1 of 7 in the register {ORIGIN}" in say(report, "ok")
    other = write_register_proofs(REGISTER, [2], CHECKPOINT)[0]
    assert not verify([files[0], ("p", other)], KEYS).certificates[0]["registered"]
    anothers = sign_checkpoint(REGISTER, "another.example/register")
    elsewhere = write_register_proofs(REGISTER, [1], anothers)[0]
    assert not verify([files[0], ("p", elsewhere)], KEYS).certificates[0]["registered"]


@pytest.mark.promise("P7")
def test_two_checkpoints_of_one_size_that_differ_are_a_rewritten_register() -> None:
    report = verify([("1", CHECKPOINT), ("2", REWRITTEN)], KEYS)
    assert not report.verified
    assert "differ: it was rewritten" in say(report, "failed")


@pytest.mark.promise("P7")
def test_checkpoints_are_consistent_only_where_it_is_proven() -> None:
    middle = sign_checkpoint(REGISTER[:6])
    files = [("1", OLDER), ("2", middle), ("3", CHECKPOINT)]
    report = verify(files, KEYS)
    assert report.verified
    assert say(report, "not_proven").count("No proof is here") == 2
    links = [
        ("l1", write_consistency_proof(REGISTER, OLDER, middle)),
        ("l2", write_consistency_proof(REGISTER, middle, CHECKPOINT)),
    ]
    report = verify([*files, *links], KEYS)
    assert report.verified and "No proof is here" not in say(report, "not_proven")
    assert say(report, "ok").count("is the beginning of the one at 7") == 2
    report = verify([*files, links[0]], KEYS)
    assert say(report, "not_proven").count("No proof is here") == 2


@pytest.mark.promise("P7")
def test_registers_of_two_origins_are_not_joined() -> None:
    anothers = sign_checkpoint(REGISTER, "another.example/register")
    assert not verify([("l", write_consistency_proof(REGISTER, OLDER, anothers))], KEYS).verified


@pytest.mark.promise("P7")
def test_a_chunk_of_certificates_is_no_checkpoint_of_the_register() -> None:
    assert not verify([("c", sign_checkpoint(REGISTER, f"{ORIGIN}/certificates/chunk-1"))], KEYS).verified


@pytest.mark.promise("P7")
def test_a_rewritten_register_has_no_consistency_proof() -> None:
    rewritten = [*REGISTER[:3], REGISTER[5], *REGISTER[4:]]
    for leaves in (REGISTER, rewritten):
        assert not verify([("l", write_consistency_proof(leaves, OLDER, REWRITTEN))], KEYS).verified


@pytest.mark.parametrize(
    "file",
    [
        write_register_proofs(REGISTER, [5], CHECKPOINT)[0],
        write_consistency_proof(REGISTER, OLDER, CHECKPOINT),
        CHECKPOINT,
        issue_artifacts(1)[0],
    ],
    ids=["register proof", "consistency proof", "checkpoint", "certificate"],
)
def test_any_byte_of_any_file_changed_fails(file: bytes) -> None:
    assert verify([("f", file)], KEYS).verified
    for at, byte in enumerate(file):
        for value in {byte ^ 1, byte ^ 0x20, 0x0A} - {byte}:
            assert not verify([("f", file[:at] + bytes([value]) + file[at + 1 :])], KEYS).verified
    for changed in (file + b"\n", file[:-1], b" " + file, file + b"x"):
        assert not verify([("f", changed)], KEYS).verified


def test_a_chunk_of_certificates_in_one_file_is_read_line_by_line() -> None:
    files = issue_artifacts(3)
    report = verify([("chunk", b"".join(files))], KEYS)
    assert report.verified and len(report.certificates) == 3
    assert not verify([("chunk", b"".join(files)[:-1])], KEYS).verified
    assert not verify([("chunk", b"\n".join(files))], KEYS).verified


@pytest.mark.promise("P7")
def test_a_certificate_twice_in_one_file_fails() -> None:
    files = issue_artifacts(3)
    for twice in (files[0] * 2, b"".join(files) + files[0]):
        report = verify([("c", twice)], KEYS)
        assert not report.verified and report.certificates == ()


def test_the_key_found_among_the_files_is_used_and_told() -> None:
    report = verify([("a", issue_artifacts(1)[0]), ("key", KEY_FILE)])
    assert report.verified and not report.keys[0]["pinned"]
    assert "was not pinned: it came with the files" in say(report, "not_proven")
    assert fingerprint(KEY_NAME, PUBLIC) in say(report, "not_proven")


def test_a_pinned_key_is_the_only_one_believed() -> None:
    files = [("a", issue_artifacts(1)[0]), ("key", KEY_FILE)]
    report = verify(files, {KEY_NAME: STRANGER})
    assert not report.verified
    assert "not pinned, and was not used" in say(report, "not_proven")


def test_two_keys_of_one_name_are_refused() -> None:
    assert not verify([("a", issue_artifacts(1)[0]), ("k1", KEY_FILE), ("k2", STRANGER_FILE)]).verified


@pytest.mark.parametrize(
    "files", [[], [("key", KEY_FILE)], [("a", issue_artifacts(1)[0])], [("x", b"hello\n")], [("x", b"")]]
)
def test_nothing_to_verify_or_nothing_to_verify_with_does_not_verify(files: list[tuple[str, bytes]]) -> None:
    assert not verify(files).verified


def test_an_unknown_file_fails_the_whole() -> None:
    report = verify([("a", issue_artifacts(1)[0]), ("notes.txt", b"hello\n")], KEYS)
    assert not report.verified and "notes.txt" in say(report, "failed")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.json").write_bytes(issue_artifacts(3)[0])
    (tmp_path / "e.json").write_bytes(issue_epoch())
    (tmp_path / "p.json").write_bytes(write_register_proofs(REGISTER, [0], CHECKPOINT)[0])
    (tmp_path / "checkpoint").write_bytes(CHECKPOINT)
    (tmp_path / "key.pub").write_bytes(KEY_FILE)
    return tmp_path


def run(*argv: object, expect: int, capsys: pytest.CaptureFixture[str]) -> str:
    assert main([str(each) for each in argv]) == expect
    return capsys.readouterr().out


def test_neighbours_of_a_named_certificate_are_used(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "letter.txt").write_text("unrelated")
    report = json.loads(run("--json", folder / "a.json", expect=0, capsys=capsys))
    assert [each["proof"] for each in report["certificates"]] == ["cryptographic"]
    assert report["certificates"][0]["registered"] and report["verified"]
    assert report["keys"] == [
        {
            "name": KEY_NAME,
            "fingerprint": fingerprint(KEY_NAME, PUBLIC),
            "pinned": False,
            "file": f"{folder}/key.pub",
        }
    ]


def test_a_broken_neighbour_is_left_out_and_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "e.json").write_bytes(issue_epoch().replace(b"artifact-0", b"artifact-9"))
    (folder / "gone").symlink_to(folder / "nowhere")
    text = run(folder / "a.json", expect=0, capsys=capsys)
    assert "NOT PROVEN" in text and "e.json: This neighbour was left out" in text
    assert "The proof is logical" in text


def test_a_neighbour_that_shows_another_register_fails(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "other").write_bytes(REWRITTEN)
    assert "FAILED" in run(folder / "a.json", expect=5, capsys=capsys)


def test_a_folder_is_verified_whole(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "more").mkdir()
    (folder / "more" / "b.json").write_bytes(issue_artifacts(3)[1])
    (folder / ".hidden").write_text("left by a file manager")
    assert run("--key", folder / "key.pub", folder, expect=0, capsys=capsys).endswith("Verified.\n")
    (folder / "more" / "b.json").write_bytes(issue_artifacts(3)[1].replace(b"audio", b"video"))
    assert run("--key", folder / "key.pub", folder, expect=5, capsys=capsys).endswith("DOES NOT VERIFY.\n")


@pytest.mark.parametrize("named", ["large.json", "."])
def test_a_file_that_nobody_issues_is_not_read_whole(
    folder: Path, named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with (folder / "large.json").open("wb") as file:
        file.truncate(1 << 40)
    report = json.loads(run("--json", folder / named, expect=5, capsys=capsys))
    failed = [each for each in report["findings"] if each["level"] == "failed"]
    assert {each["file"] for each in failed} - {""} == {f"{folder}/large.json"}
    assert "larger than 64 MiB" in failed[0]["sentence"]
    run("--key", folder / "large.json", folder / "a.json", expect=2, capsys=capsys)


def test_exit_codes_of_wrong_use(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(expect=2, capsys=capsys)
    run("--wrong", folder, expect=2, capsys=capsys)
    run("--help", expect=0, capsys=capsys)
    run(folder / "absent", expect=2, capsys=capsys)
    run("--key", folder / "absent", folder, expect=2, capsys=capsys)
    run("--key", folder / "a.json", folder, expect=2, capsys=capsys)


def test_a_file_name_cannot_steer_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a\x1b[2K\nOK").write_bytes(b"hello")
    text = run(tmp_path, expect=5, capsys=capsys)
    assert "\x1b" not in text and not any(line.startswith("OK") for line in text.splitlines())
