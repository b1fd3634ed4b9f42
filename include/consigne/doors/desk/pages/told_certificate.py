"""A certificate in the reader's words: the same for the page and for the sheet that goes into a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from consigne.doors.desk.pages.told import purpose_title
from consigne.doors.desk.words import Wording
from consigne.rules.clock import Duration, parse_instant
from consigne.rules.evidence.certificate import Certificate, open_certificate
from consigne.rules.evidence.join import Proven, find_epochs, raise_proof
from consigne.rules.evidence.signature import fingerprint
from consigne.rules.notice_words import length_in_words
from consigne.rules.policy.model import Policy

Line = tuple[str, str]
NAMED = 8
"""Artifacts of an epoch that are named on the page; the file has them all."""


@dataclass(frozen=True, slots=True)
class Told:
    """`facts` and `steps` are (term, words); `proven` says what is shown, `limits` what is not; `checked` how a
    stranger sees for themself."""

    id: str
    title: str
    proof: str
    is_cryptographic: bool
    about: str
    facts: Sequence[Line]
    steps: Sequence[Line]
    proven: Sequence[str]
    limits: Sequence[str]
    checked: Sequence[Line]
    test: str


def tell(
    words: Wording, policy: Policy, file: bytes, epochs: Sequence[bytes], keys: Mapping[str, bytes]
) -> Told:
    """What a certificate's file says with its epochs' beside it, all verified here under the keyring's public
    keys. EvidenceError where one does not hold: it is not shown as if it did."""
    certificate = open_certificate(file, keys)
    found = find_epochs(open_certificate(each, keys) for each in epochs)
    proven = raise_proof(certificate, found)
    body = certificate.body
    is_epoch = body["scope"] == "epoch"
    clock = body["clock"]
    return Told(
        id=body["id"],
        title=words.say("certificate.title"),
        proof=words.label("certificate.proof", proven.proof),
        is_cryptographic=proven.proof == "cryptographic",
        about=words.say(f"certificate.about.{body['scope']}"),
        facts=_epoch_facts(words, policy, certificate) if is_epoch else _facts(words, policy, certificate),
        steps=_steps(words, certificate, proven),
        proven=_proven(words, certificate, proven),
        limits=_limits(words, proven),
        checked=_checked(words, certificate, file, keys),
        test=words.say("certificate.test", seconds=clock["offset_s"]) if clock["test"] else "",
    )


def _moment(words: Wording, instant: str) -> str:
    """With its UTC text, as the file has it: a local hour may come twice a year."""
    return f"{words.moment(parse_instant(instant))} ({instant})"


def _facts(words: Wording, policy: Policy, certificate: Certificate) -> list[Line]:
    body = certificate.body
    given = {
        "artifact": body["artifact"],
        "recording": body["recording"],
        "purpose": purpose_title(words, policy, body["purpose"]),
        "part": words.label("part", body["part"]),
        "due": _moment(words, body["due_at"]),
        "ground": words.label("certificate.ground", body["ground"]),
        "policy": f"{body['policy']['version']} (SHA-256 {body['policy']['digest']})",
        "object": body["object"],
    }
    return [(words.say(f"certificate.{name}"), value) for name, value in given.items()]


def _epoch_facts(words: Wording, policy: Policy, certificate: Certificate) -> list[Line]:
    body = certificate.body
    names = list(body["artifacts"])
    more = f" … (+ {len(names) - NAMED})" if len(names) > NAMED else ""
    given = {
        "epoch": body["epoch"],
        "purpose": purpose_title(words, policy, body["purpose"]),
        "artifacts": f"{len(names)} : {', '.join(names[:NAMED])}{more}" if names else "0",
    }
    return [(words.say(f"certificate.{name}"), value) for name, value in given.items()]


def _steps(words: Wording, certificate: Certificate, proven: Proven) -> list[Line]:
    body = certificate.body
    if body["scope"] == "epoch":
        steps = [(words.say("certificate.destroyed"), _moment(words, body["destroyed_at"]))]
    else:
        taken = body["steps"]
        counts = words.say(
            "certificate.removed", versions=taken["versions_deleted"], uploads=taken["uploads_aborted"]
        )
        steps = [
            (words.say("certificate.key_row"), _moment(words, taken["key_row_deleted_at"])),
            (words.say("certificate.absent"), f"{_moment(words, taken['listing_empty_at'])}; {counts}"),
        ]
        if away := body.get("drives_away"):
            steps.append((words.say("certificate.drives_away"), words.say("certificate.drives", number=away)))
        steps += [
            (
                words.say("certificate.epoch_destroyed", epoch=each.body["epoch"]),
                _moment(words, each.body["destroyed_at"]),
            )
            for each in proven.epochs
        ]
    return [*steps, (words.say("certificate.issued"), _moment(words, body["issued_at"]))]


def _proven(words: Wording, certificate: Certificate, proven: Proven) -> list[str]:
    is_epoch = certificate.body["scope"] == "epoch"
    said = [words.say("certificate.proves.epoch" if is_epoch else "certificate.proves.artifact")]
    if not is_epoch and not proven.missing:
        said.append(words.say("certificate.proves.cryptographic"))
    horizon = _moment(words, proven.irrecoverable_after)
    if not proven.missing:
        said.append(words.say("certificate.horizon", at=horizon, **_backups(words, certificate)))
    return said


def _backups(words: Wording, certificate: Certificate) -> dict[str, str]:
    given = certificate.body.get("backups", {})  # the first format says nothing of them
    none = words.say("certificate.no_backup")
    return {
        name: length_in_words(length, words.language)
        if (length := Duration.parse(given.get(name, "PT0S"))) != Duration()
        else none
        for name in ("database", "keyring")
    }


def _limits(words: Wording, proven: Proven) -> list[str]:
    said = []
    if proven.missing:
        said.append(words.say("certificate.missing", epochs=", ".join(proven.missing)))
    return [
        *said,
        words.label("certificate.assured", proven.assurance),
        words.say("certificate.no_copy"),
        words.say("certificate.signers_clock"),
    ]


def _checked(words: Wording, certificate: Certificate, file: bytes, keys: Mapping[str, bytes]) -> list[Line]:
    name = certificate.key_name
    given = {
        "file": f"certificate-{certificate.body['id']}.json",
        "sha256": sha256(file).hexdigest(),
        "signed_by": f"{name}, Ed25519",
        "fingerprint": fingerprint(name, keys[name]),
        "entry": certificate.body["entry"],
        "origin": certificate.origin,
    }
    return [(words.say(f"certificate.check.{key}"), value) for key, value in given.items()]
