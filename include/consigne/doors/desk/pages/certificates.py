"""*Certificates*: found, shown, and taken away as files or one page each."""

from __future__ import annotations

from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID
from zipfile import ZIP_DEFLATED, ZipFile

from fastapi import APIRouter, HTTPException, Query, Request, Response

from consigne.acts.seal import prove_entries
from consigne.adapters.catalog import views_certificates
from consigne.adapters.catalog.views_certificates import Search
from consigne.doors.desk.certificate_sheet import write_sheet
from consigne.doors.desk.pages.filters import read_day
from consigne.doors.desk.pages.looking import Look, check, looking, platform
from consigne.doors.desk.pages.shown import page, wording
from consigne.doors.desk.pages.told import purpose_title
from consigne.doors.desk.pages.told_certificate import Told, tell
from consigne.doors.desk.session import PageReader
from consigne.doors.desk.text import LANGUAGES
from consigne.doors.desk.words import Wording
from consigne.doors.pyz import build_pyz
from consigne.rules.access import Verb
from consigne.rules.clock import midnight_of
from consigne.rules.errors import BadInput
from consigne.rules.evidence.certificate import read_parts
from consigne.rules.evidence.errors import EvidenceError
from consigne.rules.evidence.signature import write_public_keys

router = APIRouter()
SCOPES = ("artifact", "epoch")
FIELDS = ("q", "scope", "from", "until")
Typed = Annotated[str, Query(max_length=200)]


@router.get("/certificates")
def certificates(
    request: Request,
    reader: PageReader,
    q: Typed = "",
    scope: Typed = "",
    since: Annotated[str, Query(alias="from", max_length=100)] = "",
    until: Typed = "",
    before: UUID | None = None,
) -> Response:
    """The newest first, filtered; each with what it proves by now."""
    typed = dict(zip(FIELDS, (q.strip(), scope, since, until), strict=True))
    with looking(request) as look:
        check(look, reader.actor, Verb.SEE_CERTIFICATES)
        words = wording(request, look.policy.zone)
        try:
            found, more = views_certificates.search(look.tx, _asked(typed, look.policy.zone, before))
        except BadInput as fault:
            return page(
                request, "certificates.html", words, typed=typed, rows=[], older="", wrong=fault.where
            )
        names = {name for row in found for name in (row["epoch"], *(row["earlier_epochs"] or ()))}
        gone = views_certificates.destroyed_epochs(look.tx, sorted(names))
    rows = [_row(words, look, row, gone) for row in found]
    older = f"?{urlencode(typed | {'before': str(found[-1]['id'])})}" if more else ""
    return page(request, "certificates.html", words, typed=typed, rows=rows, older=older, wrong="")


def _asked(typed: dict[str, str], zone: str, before: UUID | None) -> Search:
    if typed["scope"] not in ("", *SCOPES):
        raise BadInput("bad_field", "scope")
    if not typed["q"].isprintable():
        raise BadInput("bad_field", "q")
    return Search(
        typed["q"],
        typed["scope"] or None,
        _day(typed, "from", zone, 0),
        _day(typed, "until", zone, 1),
        before,
    )


def _day(typed: dict[str, str], field: str, zone: str, days: int) -> datetime | None:
    return midnight_of(read_day(typed[field], field) + timedelta(days=days), zone) if typed[field] else None


def _row(words: Wording, look: Look, row: Any, gone: frozenset[str]) -> dict[str, Any]:
    is_epoch = row["scope"] == "epoch"
    is_cryptographic = is_epoch or {row["epoch"], *row["earlier_epochs"]} <= gone
    return {
        "id": row["id"],
        "issued": words.moment(row["issued_at"]),
        "of": row["epoch"]
        if is_epoch
        else f"{purpose_title(words, look.policy, row['purpose'])}, {words.label('part', row['part'])}",
        "named": "" if is_epoch else row["artifact"],
        "scope": words.label("scope", row["scope"]),
        "proof": words.label("certificate.proof", "cryptographic" if is_cryptographic else "logical"),
        "is_cryptographic": is_cryptographic,
        "after": words.moment(row["irrecoverable_after"]),
    }


@router.get("/certificates/{id}")
def certificate(request: Request, reader: PageReader, id: UUID) -> Response:
    """One certificate, verified now, in words."""
    words, _, told = _tell(request, reader, id, None)
    return page(request, "certificate.html", words, id=id, told=told)


@router.get("/certificates/{id}/file")
def certificate_file(request: Request, reader: PageReader, id: UUID) -> Response:
    """The signed file as it was issued."""
    with looking(request) as look:
        check(look, reader.actor, Verb.SEE_CERTIFICATES)
        [file, *_] = _files(look, id)
    return _download(file, "application/json", f"certificate-{id}.json")


@router.get("/certificates/{id}/sheet")
def certificate_sheet(request: Request, reader: PageReader, id: UUID, language: Typed = "fr") -> Response:
    """One page, PDF, in French or English."""
    if language not in LANGUAGES:
        raise HTTPException(404)
    words, look, told = _tell(request, reader, id, language)
    if told is None:
        raise HTTPException(404)
    return _download(_sheet(words, look, told), "application/pdf", f"certificate-{id}-{language}.pdf")


@router.get("/certificates/{id}/proof")
def certificate_proof(request: Request, reader: PageReader, id: UUID) -> Response:
    """A ZIP: the certificate, its epochs', register proofs, checkpoints, the public keys, the verifier, the sheets."""
    with looking(request) as look:
        check(look, reader.actor, Verb.SEE_CERTIFICATES)
        files = {f"certificate-{name}.json": file for name, file in _named(look, id)}
    parts = platform(request, "read")
    leaves = [bytes.fromhex(read_parts(file)["body"]["entry"]) for file in files.values()]
    files |= prove_entries(parts, leaves)
    files["public-key.txt"] = write_public_keys(parts.keyring.public_keys())
    for language in LANGUAGES:
        words, look, told = _tell(request, reader, id, language)
        if told is not None:
            files[f"certificate-{id}-{language}.pdf"] = _sheet(words, look, told)
    return _download(_zipped(files), "application/zip", f"certificate-{id}.zip")


def _named(look: Look, id: UUID) -> list[tuple[UUID, bytes]]:
    """The certificate's file first, then those of the epochs that wrapped its key. 404 where there is none."""
    file = views_certificates.certificate(look.tx, id)
    if file is None:
        raise HTTPException(404)
    body = read_parts(bytes(file))["body"]
    names = [body["epoch"], *body["earlier_epochs"]] if body["scope"] == "artifact" else []
    return [
        (id, bytes(file)),
        *((each, bytes(one)) for each, one in views_certificates.of_epochs(look.tx, names)),
    ]


def _files(look: Look, id: UUID) -> list[bytes]:
    return [file for _, file in _named(look, id)]


def _tell(
    request: Request, reader: PageReader, id: UUID, language: str | None
) -> tuple[Wording, Look, Told | None]:
    """The words; None where the certificate does not verify under the keyring's keys."""
    with looking(request) as look:
        check(look, reader.actor, Verb.SEE_CERTIFICATES)
        [file, *epochs] = _files(look, id)
    words = wording(request, look.policy.zone)
    words = Wording(language, words.zone) if language else words
    try:
        told = tell(words, look.policy, file, epochs, platform(request, "read").keyring.public_keys())
    except EvidenceError:
        return words, look, None
    return words, look, told


def _sheet(words: Wording, look: Look, told: Told) -> bytes:
    foot = words.say("certificate.sheet", controller=look.policy.controller.name, at=words.moment(look.now))
    return write_sheet(told, words, foot)


def _zipped(files: dict[str, bytes]) -> bytes:
    out = BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as archive, TemporaryDirectory() as folder:
        for name in sorted(files):
            archive.writestr(name, files[name])
        build_pyz(verifier := Path(folder) / "consigne-verify.pyz")
        archive.write(verifier, verifier.name)
    return out.getvalue()


def _download(content: bytes, kind: str, name: str) -> Response:
    return Response(
        content, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
