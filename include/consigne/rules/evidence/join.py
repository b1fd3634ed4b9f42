"""What certificates and checkpoints prove of each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from consigne.rules.evidence.canonical import LARGEST
from consigne.rules.evidence.certificate import ASSURANCES, Certificate
from consigne.rules.evidence.proofs import Extended, Registered
from consigne.rules.evidence.report import Finding
from consigne.rules.evidence.restoration import CONTINUED, Continued, base_of, generation
from consigne.rules.evidence.signature import Checkpoint

Epochs = Mapping[tuple[str, str], Sequence[Certificate]]


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


def find_epochs(certificates: Iterable[Certificate]) -> dict[tuple[str, str], list[Certificate]]:
    """The epochs' certificates by origin and epoch."""
    found: dict[tuple[str, str], list[Certificate]] = {}
    for certificate in certificates:
        if certificate.body["scope"] == "epoch":
            found.setdefault((certificate.origin, certificate.body["epoch"]), []).append(certificate)
    return found


def raise_proof(certificate: Certificate, epochs: Epochs) -> Proven:
    """Cryptographic where every epoch that ever wrapped the artifact's key is certified as destroyed, and
    the last of them names the artifact; else as the certificate itself says."""
    body = certificate.body
    alone = Proven(body["proof"], body["assurance"], body["irrecoverable_after"])
    if body["scope"] == "epoch":
        return alone
    names = [body["epoch"], *body["earlier_epochs"]]
    found: dict[str, Certificate] = {}
    for name in names:
        for epoch in sorted(epochs.get((certificate.origin, name), ()), key=_destroyed):
            if name != body["epoch"] or body["artifact"] in epoch.body["artifacts"]:
                found[name] = epoch
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


def is_lost(entry: Registered, continued: Iterable[Continued]) -> bool:
    """Whether a restoration note says of this entry that the register goes on without it."""
    tree = entry.checkpoint
    return any(
        base_of(one.kept.origin) == base_of(tree.origin)
        and generation(one.kept.origin) > generation(tree.origin)
        and entry.index >= one.kept.size
        for one in continued
    )


def _destroyed(epoch: Certificate) -> tuple[str, str]:
    return epoch.body["destroyed_at"], epoch.body["id"]


def compare_epochs(epochs: Epochs) -> list[Finding]:
    """Epochs of which certificates differ in what they state."""
    return [
        Finding.not_proven(
            "",
            f"{len(several)} certificates of epoch {name} differ: what one of them names is taken for destroyed, "
            "no sooner than the last of them says.",
        )
        for (_, name), several in sorted(epochs.items())
        if len({(each.body["destroyed_at"], *each.body["artifacts"]) for each in several}) > 1
    ]


def tie_checkpoints(
    trees: Sequence[Checkpoint], links: Sequence[Extended], continued: Sequence[Continued] = ()
) -> list[Finding]:
    """For each register, under all the names that it went on with: trees of one size that differ though none was
    lost, and those not shown to be the beginning of its newest. What restoration notes say of trees is signed too."""
    stated = [tree for one in continued for tree in (one.published, one.kept)]
    findings: list[Finding] = []
    for base in sorted({base_of(tree.origin) for tree in (*trees, *stated)}):
        own = [one for one in continued if base_of(one.kept.origin) == base]
        every = {tree for tree in (*trees, *stated) if base_of(tree.origin) == base}
        edges = [(link.older, link.newer) for link in links if base_of(link.older.origin) == base]
        findings += _tie(base, sorted(every, key=_age), edges, own)
    return findings


def _tie(
    base: str,
    trees: Sequence[Checkpoint],
    links: Sequence[tuple[Checkpoint, Checkpoint]],
    continued: Sequence[Continued],
) -> list[Finding]:
    """`trees` from the oldest to the newest."""
    if _is_forked(continued):
        return [Finding.failed("", f"The restoration notes of the register {base} contradict each other.")]
    kept, newest = {generation(one.kept.origin): one.kept.size for one in continued}, trees[-1]
    findings = _find_rewritten(trees, kept) + _find_unnoted(base, trees, kept)
    tied = _reach_back(newest, links)
    for tree in trees:
        if (tree.size, tree.root) == (newest.size, newest.root):
            continue
        other = "the one" if newest.origin == tree.origin else newest.origin
        sentence = (
            f"the register {tree.origin} at {tree.size} entries is the beginning of {other} at {newest.size}"
        )
        limit = _find_common(kept, tree, newest)
        if (tree.size, tree.root) in tied:
            findings.append(Finding.ok("", f"Proven: {sentence}."))
        elif limit is None or tree.size <= limit:  # what is beyond, a restoration note tells
            findings.append(Finding.not_proven("", f"No proof is here that {sentence}."))
    return findings + _find_more_lost(trees, continued)


def _age(tree: Checkpoint) -> tuple[int, int, str, bytes]:
    return generation(tree.origin), tree.size, tree.origin, tree.root


def _is_forked(continued: Sequence[Continued]) -> bool:
    """Whether one name was begun twice, or another register's was taken up."""
    begun = {generation(one.kept.origin): one for one in continued}
    return any(
        begun[generation(one.kept.origin)] != one
        or generation(one.kept.origin) != generation(one.published.origin) + 1
        or base_of(one.kept.origin) != base_of(one.published.origin)
        for one in continued
    )


def _find_common(kept: Mapping[int, int], older: Checkpoint, newer: Checkpoint) -> int | None:
    """How many entries both registers begin with; None where no restoration note here says so."""
    between = range(generation(older.origin) + 1, generation(newer.origin) + 1)
    if any(number not in kept for number in between):
        return None
    return min((kept[number] for number in between), default=LARGEST)


def _find_rewritten(trees: Sequence[Checkpoint], kept: Mapping[int, int]) -> list[Finding]:
    """Two trees of one size that differ, under one name, or where restorations kept both."""
    sizes: dict[int, list[Checkpoint]] = {}
    for tree in trees:
        sizes.setdefault(tree.size, []).append(tree)
    findings = []
    for size, several in sorted(sizes.items()):
        for one, other in pairwise(several):
            common = _find_common(kept, one, other)
            if one.root == other.root or common is None or size > common:
                continue
            names = one.origin if one.origin == other.origin else f"{one.origin} and {other.origin}"
            findings.append(
                Finding.failed(
                    "", f"Two signed checkpoints of {names} over {size} entries differ: it was rewritten."
                )
            )
    return findings


def _find_unnoted(base: str, trees: Sequence[Checkpoint], kept: Mapping[int, int]) -> list[Finding]:
    """Names under which the register goes on without a note here that ties them to what was before."""
    seen = {generation(tree.origin) for tree in trees}
    missing = {number for number in range(min(seen) + 1, max(seen) + 1) if number not in kept}
    missing |= {number for number in {min(seen)} - {0} if number not in kept}
    return [
        Finding.not_proven(
            "",
            f"No restoration note is here by which the register {base} went on as {base}{CONTINUED}{number}: how the "
            "two are tied, and what was lost, is not shown.",
        )
        for number in sorted(missing)
    ]


def _find_more_lost(trees: Sequence[Checkpoint], continued: Sequence[Continued]) -> list[Finding]:
    """Trees over more than the note that ended their name knows of."""
    findings = []
    for one in continued:
        known = max(one.published.size, one.kept.size)
        size = max((tree.size for tree in trees if tree.origin == one.published.origin), default=0)
        if size > known:
            sentence = (
                f"A checkpoint of {one.published.origin} is signed over {size} entries, and the restoration note that "
                f"ended it knows of {known}: entries {known} to {size - 1} are lost too, or it went on twice."
            )
            findings.append(Finding.not_proven("", sentence))
    return findings


def _reach_back(newest: Checkpoint, links: Iterable[tuple[Checkpoint, Checkpoint]]) -> set[tuple[int, bytes]]:
    """Trees from which a chain of links leads to the newest. One tree is one, under whatever name."""
    tied = {(newest.size, newest.root)}
    for older, newer in sorted(links, key=lambda link: -link[1].size):
        if (newer.size, newer.root) in tied:
            tied.add((older.size, older.root))
    return tied
