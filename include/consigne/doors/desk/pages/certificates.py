"""*Certificates*: found, shown, and taken away as files or one page each."""

from __future__ import annotations

from collections.abc import Mapping
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
    look, files = _read(request, reader, id)
    words = wording(request, look.policy.zone)
    keys = platform(request, "read").keyring.public_keys()
    return page(request, "certificate.html", words, id=id, told=_tell(words, look, files, keys))


@router.get("/certificates/{id}/file")
def certificate_file(request: Request, reader: PageReader, id: UUID) -> Response:
    """The signed file as it was issued."""
    _, files = _read(request, reader, id)
    return _download(files[id], "application/json", f"certificate-{id}.json")


@router.get("/certificates/{id}/sheet")
def certificate_sheet(request: Request, reader: PageReader, id: UUID, language: Typed = "fr") -> Response:
    """One page, PDF, in French or English."""
    if language not in LANGUAGES:
        raise HTTPException(404)
    look, files = _read(request, reader, id)
    sheet = _sheet(language, look, files, platform(request, "read").keyring.public_keys())
    if sheet is None:
        raise HTTPException(404)
    return _download(sheet, "application/pdf", f"certificate-{id}-{language}.pdf")


@router.get("/certificates/{id}/proof")
def certificate_proof(request: Request, reader: PageReader, id: UUID) -> Response:
    """A ZIP: the certificate, its epochs', register proofs, checkpoints, the public keys, the verifier, the sheets."""
    look, found = _read(request, reader, id)
    parts = platform(request, "read")
    keys = parts.keyring.public_keys()
    leaves = [bytes.fromhex(read_parts(file)["body"]["entry"]) for file in found.values()]
    files = {f"certificate-{name}.json": file for name, file in found.items()} | prove_entries(parts, leaves)
    files["public-key.txt"] = write_public_keys(keys)
    for language in LANGUAGES:
        if (sheet := _sheet(language, look, found, keys)) is not None:
            files[f"certificate-{id}-{language}.pdf"] = sheet
    return _download(_zipped(files), "application/zip", f"certificate-{id}.zip")


def _read(request: Request, reader: PageReader, id: UUID) -> tuple[Look, dict[UUID, bytes]]:
    """The certificate's file first, then those of the epochs that wrapped its key. 404 where there is none."""
    with looking(request) as look:
        check(look, reader.actor, Verb.SEE_CERTIFICATES)
        file = views_certificates.certificate(look.tx, id)
        if file is None:
            raise HTTPException(404)
        body = read_parts(bytes(file))["body"]
        names = [body["epoch"], *body["earlier_epochs"]] if body["scope"] == "artifact" else []
        of_epochs = views_certificates.of_epochs(look.tx, names)
    return look, {id: bytes(file)} | {each: bytes(one) for each, one in of_epochs}


def _tell(words: Wording, look: Look, files: Mapping[UUID, bytes], keys: Mapping[str, bytes]) -> Told | None:
    """None where the certificate does not verify under the keyring's keys."""
    file, *epochs = files.values()
    try:
        return tell(words, look.policy, file, epochs, keys)
    except EvidenceError:
        return None


def _sheet(language: str, look: Look, files: Mapping[UUID, bytes], keys: Mapping[str, bytes]) -> bytes | None:
    words = Wording(language, look.policy.zone)
    told = _tell(words, look, files, keys)
    foot = words.say("certificate.sheet", controller=look.policy.controller.name, at=words.moment(look.now))
    return write_sheet(told, words, foot) if told else None


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
