"""*Register*: who did what, when and why; its proofs, and its export."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response

from consigne.acts.look_up import note_proof, note_reading
from consigne.acts.seal import prove_entries
from consigne.adapters.catalog import views_register
from consigne.doors.desk.pages.looking import check, looking, platform
from consigne.doors.desk.pages.shown import page, wording
from consigne.doors.desk.pages.told import Told
from consigne.doors.desk.pages.told_gap import gap_told
from consigne.doors.desk.pages.told_history import history_told
from consigne.doors.desk.session import ApiReader, PageReader, Reader
from consigne.doors.desk.text import TEXTS
from consigne.doors.desk.words import Wording
from consigne.rules.access import Verb
from consigne.rules.errors import BadInput
from consigne.rules.evidence.export import write_export
from consigne.rules.policy.model import Policy
from consigne.rules.sought import FIELDS, read_sought

router = APIRouter()
SHOWN = 50
EXPORTED = 20_000
PURGES = ("register:payload:purging", "register:payload:purged")
COLUMNS = ("number", "at", "actor", "kind", "subject", "reason", "outcome", "leaf")


def typed_fields(
    who: str = "",
    kind: str = "",
    subject: str = "",
    why: str = "",
    since: str = "",
    until: str = "",
    before: str = "",
) -> dict[str, str]:
    """What a reader looks for, as typed."""
    return dict(zip(FIELDS, (who, kind, subject, why, since, until, before), strict=True))


Typed = Annotated[dict[str, str], Depends(typed_fields)]
Form = Annotated[str, Query(alias="format", pattern="json|csv")]


@router.get("/register")
def register(request: Request, reader: PageReader, typed: Typed) -> Response:
    """Sealed entries, the newest first, by who, what, when, why. That it was read is an entry itself."""
    with looking(request) as look:
        check(look, reader.actor, Verb.SEE_REGISTER)
    words, wrong, found = wording(request, look.policy.zone), "", []
    try:
        sought = read_sought(typed, look.policy.zone)
        note_reading(platform(request, "decide"), reader.actor, sought, "page")
        with looking(request) as look:
            found = views_register.found(look.tx, sought, SHOWN + 1)
    except BadInput as fault:
        wrong = fault.where
    with looking(request) as look:
        waiting, gap = views_register.waiting(look.tx), gap_told(request, words, look)
    asked = {name: value for name, value in typed.items() if value and name != "before"}
    return page(
        request,
        "register.html",
        words,
        400 if wrong else 200,
        typed=typed,
        wrong=wrong,
        kinds=kinds_told(words),
        rows=[_entry_told(words, look.policy, one) for one in found[:SHOWN]],
        waiting=waiting,
        gap=gap,
        first=_query(asked) if typed["before"] else "",
        older=_query({**asked, "before": str(found[SHOWN - 1]["number"])}) if len(found) > SHOWN else "",
        exports={form: _query({**asked, "format": form}) for form in ("csv", "json")},
    )


@router.get("/register/export")
def export(request: Request, reader: PageReader, typed: Typed, form: Form = "json") -> Response:
    """The same entries as a file, at most EXPORTED of them."""
    return exported(request, reader, typed, form)


@router.get("/api/register")
def api_export(request: Request, reader: ApiReader, typed: Typed, form: Form = "json") -> Response:
    """The same for the command line."""
    return exported(request, reader, typed, form)


@router.get("/register/{number}/proof")
def proof(request: Request, reader: PageReader, number: int) -> Response:
    """What ties a sealed entry to the published register: files that consigne-verify.pyz takes, in a ZIP."""
    with looking(request) as look:
        check(look, reader.actor, Verb.SEE_REGISTER)
        leaf = views_register.leaf_of(look.tx, number) if 0 <= number < 2**62 else None
    if leaf is None:
        raise HTTPException(404)
    note_proof(platform(request, "decide"), reader.actor, number)
    files = prove_entries(platform(request, "read"), [leaf])
    return _attached(_zipped(files), "application/zip", f"entry-{number}.zip")


def exported(request: Request, reader: Reader, typed: Mapping[str, str], form: str) -> Response:
    """Registered first, then read."""
    with looking(request) as look:
        check(look, reader.actor, Verb.SEE_REGISTER)
    sought = read_sought(typed, look.policy.zone)
    note_reading(platform(request, "decide"), reader.actor, sought, form)
    with looking(request) as look:
        found = views_register.found(look.tx, sought, EXPORTED)
        note = views_register.newest_note(look.tx)
    if form == "csv":
        return _attached(_csv(found), "text/csv; charset=utf-8", "register.csv")
    return _attached(write_export(note, found), "application/json", "register.json")


def _csv(found: Sequence[Mapping[str, Any]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for one in found:
        row = {**(one["said"] or {}), "number": one["number"], "leaf": one["leaf"]}
        writer.writerow([_cell(row.get(name, "")) for name in COLUMNS])
    return out.getvalue().encode("utf-8-sig")  # spreadsheets take it for another code otherwise


def _cell(value: object) -> str:
    """What a spreadsheet would take for a formula is text."""
    text = value if isinstance(value, str) else json.dumps(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _zipped(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name), data)
    return out.getvalue()


def _attached(data: bytes, kind: str, name: str) -> Response:
    return Response(data, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def kinds_told(words: Wording) -> list[tuple[str, str]]:
    """Every kind of entry that has words, by these."""
    kinds = (key.removeprefix("act.") for key in TEXTS if key.startswith("act."))
    return sorted(((kind, kind_told(words, kind)) for kind in kinds), key=lambda one: one[1].casefold())


def kind_told(words: Wording, kind: str) -> str:
    """A kind in words; those that a page of their own says short get what they are about in front."""
    said = words.label("act", kind)
    about = f"register.about.{kind.rpartition(':')[0]}"
    return f"{words.say(about)} – {said}" if about in TEXTS else said


def _entry_told(words: Wording, policy: Policy, one: Mapping[str, Any]) -> Told:
    told: Told = {"number": one["number"], "leaf": one["leaf"], "purged": one["said"] is None}
    if one["said"] is None:
        return told
    [said] = history_told(words, policy, [one["said"]], reasons=True)
    return told | said | {"what": kind_told(words, one["said"]["kind"]), "about": list(_about(one["said"]))}


def _about(said: Mapping[str, Any]) -> Iterable[str]:
    yield from (str(said[name]) for name in ("subject", "recording", "epoch", "table") if said.get(name))
    if said["kind"] in PURGES:
        yield f"{said['from']} – {said['to'] - 1}"


def _query(fields: Mapping[str, str]) -> str:
    return f"?{urlencode(fields)}"
