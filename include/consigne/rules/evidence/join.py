"""What certificates and checkpoints prove of each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from consigne.rules.evidence.certificate import ASSURANCES, Certificate
from consigne.rules.evidence.proofs import Extended
from consigne.rules.evidence.report import Finding
from consigne.rules.evidence.signature import Checkpoint

Epochs = Mapping[tuple[str, str], Certificate]


@dataclass(frozen=True, slots=True)
class Proven:
    """What a certificate amounts to with the others: `logical` or `cryptographic`; the weakest assurance and
    the latest horizon of those it rests on; the epochs' certificates that raise it, and the epochs that
    have none here."""

    proof: str
    assurance: str
    irrecoverable_after: str
    epochs: tuple[Certificate, ...] = ()
    missing: tuple[str, ...] = ()


def find_epochs(certificates: Iterable[Certificate]) -> dict[tuple[str, str], Certificate]:
    """The epochs' certificates by origin and epoch."""
    return {
        (certificate.origin, certificate.body["epoch"]): certificate
        for certificate in certificates
        if certificate.body["scope"] == "epoch"
    }


def raise_proof(certificate: Certificate, epochs: Epochs) -> Proven:
    """Cryptographic where every epoch that ever wrapped the artifact's key is certified as destroyed, and
    the last of them names the artifact; else as the certificate itself says."""
    body = certificate.body
    alone = Proven(body["proof"], body["assurance"], body["irrecoverable_after"])
    if body["scope"] == "epoch":
        return alone
    names = [body["epoch"], *body["earlier_epochs"]]
    found = {name: epochs[certificate.origin, name] for name in names if (certificate.origin, name) in epochs}
    last = found.get(body["epoch"])
    if last is not None and body["artifact"] not in last.body["artifacts"]:
        del found[body["epoch"]]
    missing = tuple(name for name in names if name not in found)
    if missing:
        return Proven(alone.proof, alone.assurance, alone.irrecoverable_after, missing=missing)
    bodies = [body, *(epoch.body for epoch in found.values())]
    return Proven(
        "cryptographic",
        min((each["assurance"] for each in bodies), key=ASSURANCES.index),
        max(each["irrecoverable_after"] for each in bodies),
        epochs=tuple(found.values()),
    )


def tie_checkpoints(trees: Sequence[Checkpoint], links: Sequence[Extended]) -> list[Finding]:
    """For each register: two checkpoints of one size that differ, and those not shown to be the beginning
    of its largest."""
    findings: list[Finding] = []
    for origin in sorted({tree.origin for tree in trees}):
        roots: dict[int, set[bytes]] = {}
        for tree in trees:
            if tree.origin == origin:
                roots.setdefault(tree.size, set()).add(tree.root)
        findings.extend(
            Finding.failed(
                "", f"Two signed checkpoints of {origin} over {size} entries differ: it was rewritten."
            )
            for size in sorted(roots)
            if len(roots[size]) > 1
        )
        newest = max(roots)
        tied = _reach_back(
            newest, [(link.older.size, link.newer.size) for link in links if link.older.origin == origin]
        )
        for size in sorted(roots.keys() - {newest}):
            sentence = f"the register {origin} at {size} entries is the beginning of the one at {newest}"
            if size in tied:
                findings.append(Finding.ok("", f"Proven: {sentence}."))
            else:
                findings.append(Finding.not_proven("", f"No proof is here that {sentence}."))
    return findings


def _reach_back(newest: int, links: Iterable[tuple[int, int]]) -> set[int]:
    """Sizes from which a chain of links leads to the newest."""
    tied = {newest}
    for older, newer in sorted(links, key=lambda link: -link[1]):
        if newer in tied:
            tied.add(older)
    return tied
