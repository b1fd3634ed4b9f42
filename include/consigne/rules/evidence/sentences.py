"""The verifier's sentences: each says what is proven, or what is not, and no more."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from consigne.rules.evidence.certificate import ASSURANCES, ASSURED, Certificate
from consigne.rules.evidence.errors import EvidenceError
from consigne.rules.evidence.export import Exported
from consigne.rules.evidence.files import Key
from consigne.rules.evidence.join import Proven
from consigne.rules.evidence.proofs import Registered
from consigne.rules.evidence.report import FAILED, NOT_PROVEN, OK, Finding, Report, explain
from consigne.rules.evidence.restoration import Declared, Restored, declared_parts, tell_continued
from consigne.rules.evidence.signature import Checkpoint
from consigne.rules.evidence.tombstone import Buried

UNKNOWN_FILE = (
    "This is not a certificate, checkpoint, register proof, consistency proof, restoration note, list of "
    "tombstones, register export or public key, or it was altered."
)
TOO_LARGE = "This is larger than 64 MiB, and so nothing that Consigne issues: it was not read."
SHEET = "This PDF was passed over: what it says is proven by the certificate's file alone."
MISNAMED = "The digest in its name is of other bytes: it was altered."
NOTHING = "There is no certificate, checkpoint, proof or note among the files: nothing was verified."
NO_KEY = "No public key was given or found: nothing can be verified."

_MARKS = {OK: "OK", FAILED: "FAILED", NOT_PROVEN: "NOT PROVEN"}


def tell_certificate(
    file: str, certificate: Certificate, proven: Proven, entry: Registered | None, *, is_lost: bool = False
) -> list[Finding]:
    """What one certificate proves, how far, and whether its register entry is shown, or lost since."""
    tell = _tell_epoch if certificate.body["scope"] == "epoch" else _tell_artifact
    findings = tell(file, certificate, proven)
    clock = certificate.body["clock"]
    if clock["test"]:
        sentence = (
            f"It was made under a test clock, shifted by {clock['offset_s']} s: its times are not real."
        )
        findings.append(Finding.not_proven(file, sentence))
    if entry is None:
        findings.append(
            Finding.not_proven(file, "No register proof for it is here: it is not tied to the register.")
        )
    else:
        place = f"entry {entry.index} of {entry.checkpoint.size} in the register {entry.checkpoint.origin}"
        findings.append(Finding.ok(file, f"It is in the register: {place}."))
    if is_lost:
        sentence = "That entry was lost when a backup came back: the register goes on without it."
        findings.append(Finding.not_proven(file, sentence))
    return findings


def _tell_artifact(file: str, certificate: Certificate, proven: Proven) -> list[Finding]:
    body, steps = certificate.body, certificate.body["steps"]
    findings = [
        Finding.ok(
            file,
            f"Artifact {body['artifact']} ({body['part']} of recording {body['recording']}, purpose "
            f"{body['purpose']}, due {body['due_at']}, ground {body['ground']}, policy "
            f"{body['policy']['version']}): its key row was deleted from the catalog at "
            f"{steps['key_row_deleted_at']}, and the store's list for its object was empty at "
            f"{steps['listing_empty_at']}; signed by {certificate.key_name}.",
        )
    ]
    if away := body.get("drives_away"):
        sentence = (
            f"Drives of the store that were away then: {away}. What they held of the object, too little to make it "
            "whole, is deleted when they are back; that it was is not shown."
        )
        findings.append(Finding.not_proven(file, sentence))
    if proven.missing:
        sentence = (
            "The proof is logical: no certificate here shows, for this artifact, that the key was destroyed "
            f"of epoch {', '.join(proven.missing)}. Who holds a copy of the object, of the key row and of "
            "the keyring could still read it."
        )
        return [*findings, Finding.not_proven(file, sentence)]
    epochs = "; ".join(
        f"{epoch.body['epoch']} at {epoch.body['destroyed_at']}, as {epoch.body['provider']} reported"
        for epoch in proven.epochs
    )
    sentence = (
        f"The proof is cryptographic: each epoch's key that wrapped its key was destroyed ({epochs}). With "
        f"the declared backup horizons kept{_backups(body)}, no copy can be read after "
        f"{proven.irrecoverable_after}."
    )
    return [*findings, Finding.ok(file, sentence)]


def _tell_epoch(file: str, certificate: Certificate, proven: Proven) -> list[Finding]:
    body = certificate.body
    sentence = (
        f"Epoch {body['epoch']}: the provider {body['provider']} reported at {body['destroyed_at']} that it "
        f"had destroyed its key, which wrapped the keys of {len(body['artifacts'])} artifacts; with the "
        f"declared backup horizons kept{_backups(body)}, no copy of it is left after "
        f"{proven.irrecoverable_after}; signed by {certificate.key_name}."
    )
    return [Finding.ok(file, sentence)]


def _backups(body: Mapping[str, Any]) -> str:
    """The first format does not say how long backups live."""
    declared = body.get("backups")
    return f" (database {declared['database']}, keyring {declared['keyring']})" if declared else ""


def tell_checkpoint(file: str, tree: Checkpoint) -> Finding:
    """A checkpoint whose signature holds."""
    return Finding.ok(
        file, f"The register {tree.origin} had {tree.size} entries when this checkpoint was signed."
    )


def tell_restoration(
    file: str, note: Restored | Declared, said: Sequence[Restored | Declared]
) -> list[Finding]:
    """What a restoration note or a declaration says, which is all the signer's own word."""
    if isinstance(note, Declared):
        sentence = (
            f"At {note.at} an operator declared of restoration {note.restoration} that a backup was put back: "
            f"{', '.join(note.parts)}."
        )
        findings = [Finding.ok(file, sentence)]
        if not any(isinstance(one, Restored) and one.id == note.restoration for one in said):
            findings.append(Finding.not_proven(file, "The note of that restoration is not here."))
        return findings
    counts = ", ".join(f"{name} {count}" for name, count in sorted(note.counts.items())) or "nothing"
    sentence = (
        f"Restoration {note.id}: at {note.at} it was seen that a backup had come back ({', '.join(note.parts)}); "
        f"what was done, counted: {counts}."
    )
    findings = [Finding.ok(file, sentence)]
    silent = [part for part in note.parts if part not in declared_parts(said, note.id)]
    if silent:
        sentence = f"No operator's declaration is here that one was put back: {', '.join(silent)}."
        findings.append(Finding.not_proven(file, sentence))
    if note.register is not None:
        findings.append(tell_continued(file, note, note.register, said))
    return findings


def tell_tombstones(file: str, buried: Buried, certified: Collection[str]) -> list[Finding]:
    """That erasing began, where it is signed; that it ended, certificates prove. `certified`: artifacts by certificates
    that are here."""
    found = buried.tombstones
    times = sorted(one.erasing_at for one in found)
    first, last = (f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z" for at in (times[0], times[-1]))
    span = f"{len(found)} tombstones of artifacts whose erasing began between {first} and {last}"
    if buried.key_name is None:
        sentence = f"{span}. Nobody signed them: whoever may publish evidence could have written this."
        findings = [Finding.not_proven(file, sentence)]
    else:
        findings = [Finding.ok(file, f"{span}; signed by {buried.key_name}.")]
    left = sum(str(one.artifact) not in certified for one in found)
    if left:
        sentence = f"Of {left} of them no certificate is here: that the erasing ended is not shown."
        findings.append(Finding.not_proven(file, sentence))
    return findings


def tell_export(file: str, export: Exported, proofs: Iterable[Registered]) -> list[Finding]:
    """Which entries are as they were sealed, and whether that these are the register's is shown."""
    findings = [
        Finding.failed(file, f"Entry {number} is not what was sealed: salt and payload do not give its leaf.")
        for number in export.wrong
    ]
    right = len(export.leaves) - len(export.wrong) - len(export.purged)
    findings.append(Finding.ok(file, f"{right} entries give the leaves that stand beside them."))
    if export.purged:
        sentence = f"What {len(export.purged)} entries said was purged: of them the leaf alone is left."
        findings.append(Finding.not_proven(file, sentence))
    tree = export.checkpoint
    if tree is None:
        return [*findings, Finding.not_proven(file, "No checkpoint was signed yet that holds them.")]
    where = f"the register {tree.origin} at {tree.size} entries"
    if export.is_whole:
        return [*findings, Finding.ok(file, f"They are all of {where}, in its order.")]
    shown: set[int] = set()
    for proof in proofs:
        known = export.leaves.get(proof.index)
        if known is not None and proof.checkpoint == tree:
            shown.add(proof.index)
            if known != proof.leaf:
                sentence = f"Entry {proof.index} is another than a register proof here shows."
                findings.append(Finding.failed(file, sentence))
    left = len(export.leaves) - len(shown)
    if shown:
        findings.append(Finding.ok(file, f"Register proofs show {len(shown)} of them in {where}."))
    if left:
        sentence = f"That {left} of them are in {where}, and under these numbers, no proof here shows."
        findings.append(Finding.not_proven(file, sentence))
    return findings


def tell_broken(file: str, error: EvidenceError, *, asked: bool) -> Finding:
    """A file that does not hold; one that only lies beside the others is left out."""
    if asked:
        return Finding.failed(file, f"This does not verify: {explain(error)}.")
    return Finding.not_proven(file, f"This neighbour was left out, for it does not verify: {explain(error)}.")


def tell_key(key: Key) -> Finding:
    """Where the trust comes from."""
    if not key.file:
        return Finding.ok("", f"The key {key.name} was pinned by you (fingerprint {key.fingerprint}).")
    return Finding.not_proven(
        key.file,
        f"The key {key.name} was not pinned: it came with the files, and whoever made it could have signed "
        f"all of this. Compare its fingerprint, {key.fingerprint}, with one that you have from elsewhere.",
    )


def tell_limits(facts: Sequence[Mapping[str, Any]]) -> list[Finding]:
    """What no certificate can prove, told once."""
    if not facts:
        return []
    findings = [
        Finding.not_proven(
            "",
            "That no copy of the bytes is left on a disk, in a snapshot or in a backup is proven by no "
            "certificate; the times in them are the signer's.",
        )
    ]
    for assurance in sorted({each["assurance"] for each in facts}, key=ASSURANCES.index):
        findings.append(Finding.not_proven("", f"Where the assurance is {assurance}: {ASSURED[assurance]}"))
    return findings


def list_facts(certificate: Certificate, proven: Proven, entry: Registered | None) -> dict[str, Any]:
    """A certificate's facts for `--json`."""
    body = certificate.body
    return {
        "id": body["id"],
        "scope": body["scope"],
        "proof": proven.proof,
        "assurance": proven.assurance,
        "provider": body["provider"],
        "issued_at": body["issued_at"],
        "irrecoverable_after": proven.irrecoverable_after,
        "artifact": body.get("artifact"),
        "purpose": body["purpose"],
        "epoch": body["epoch"],
        "test_clock": body["clock"]["test"],
        "registered": entry is not None,
    }


def write(report: Report) -> str:
    """The report for a terminal."""
    lines = []
    for finding in report.findings:
        about = f"{show(finding.file)}: " if finding.file else ""
        lines.append(f"{_MARKS[finding.level]:<11} {about}{finding.sentence}")
    lines.append("Verified." if report.verified else "DOES NOT VERIFY.")
    return "\n".join(lines)


def show(text: str) -> str:
    """A file's name without what could steer a terminal."""
    return "".join(char if char.isprintable() else "?" for char in text)
