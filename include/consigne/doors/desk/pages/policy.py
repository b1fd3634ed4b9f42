"""*Policy*: the version in force, every version before, drafts with their check and impact, and the visa."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, File, Form, HTTPException, Request, Response, UploadFile
from fastapi.responses import PlainTextResponse, RedirectResponse
from starlette.background import BackgroundTask

from consigne.acts.configure import Checked, assess_draft, check_draft, decide_draft, deny_visa, draft_policy
from consigne.adapters.catalog import views, views_policy
from consigne.doors.desk.pages.looking import Look, allows, check, looking, platform
from consigne.doors.desk.pages.shown import page, wording
from consigne.doors.desk.pages.told_history import history_told
from consigne.doors.desk.pages.told_policy import (
    changes_told,
    draft_told,
    findings_told,
    impact_told,
    policy_told,
    reclocked_told,
    text_diff,
    version_told,
)
from consigne.doors.desk.session import PageReader, Reader, check_form
from consigne.doors.desk.text import TEXTS
from consigne.doors.desk.words import Wording
from consigne.doors.orchestration.decisions import DRAFT, answer_airflow, start_draft_run
from consigne.rules.access import Allowed, Denied, Target, Verb, may, seen_purposes
from consigne.rules.errors import BadInput
from consigne.rules.policy.changes import changes
from consigne.rules.policy.draft import DraftAnswer
from consigne.rules.policy.findings import PolicyInvalid
from consigne.rules.policy.load import load
from consigne.rules.policy.tree import MOST_CHARACTERS, read_tree

router = APIRouter()
DRAFTS_SHOWN = 50


@router.get("/policy")
def policy(request: Request, reader: PageReader) -> Response:
    """The version in force in plain words, every version, and drafts for those who may see them."""
    with looking(request) as look:
        check(look, reader.actor, Verb.READ_POLICY)
        versions = views_policy.versions(look.tx)
        sees_drafts = allows(look, reader.actor, Verb.SEE_DRAFTS)
        drafts = views_policy.latest_drafts(look.tx, DRAFTS_SHOWN) if sees_drafts else []
    words = wording(request, look.policy.zone)
    return page(
        request,
        "policy.html",
        words,
        p=policy_told(words, look.policy, look.now),
        versions=[version_told(words, one, look.policy, look.now) for one in versions],
        sees_drafts=sees_drafts,
        may_draft=allows(look, reader.actor, Verb.DRAFT_POLICY),
        drafts=[draft_told(words, look.now, one) for one in drafts],
    )


@router.get("/policy/versions/{digest}")
def version(request: Request, reader: PageReader, digest: str) -> Response:
    """One version, in plain words and as its text."""
    with looking(request) as look:
        check(look, reader.actor, Verb.READ_POLICY)
        found = views_policy.version(look.tx, digest)
    if found is None:
        raise HTTPException(404)
    words = wording(request, look.policy.zone)
    return page(
        request,
        "policy_version.html",
        words,
        p=policy_told(words, load(found["text"]).policy, look.now),
        version=version_told(words, found, look.policy, look.now),
        text=found["text"],
    )


@router.get("/policy/versions/{digest}/text")
def text_of_version(request: Request, reader: PageReader, digest: str) -> Response:
    """The version's YAML, as it was visaed."""
    with looking(request) as look:
        check(look, reader.actor, Verb.READ_POLICY)
        found = views_policy.version(look.tx, digest)
    if found is None:
        raise HTTPException(404)
    return _file(found["text"], found["version"])


def _file(text: str, version: str) -> Response:
    # A version's name is letters, digits, dots, dashes: nothing that a header would mind.
    name = f'attachment; filename="policy-{version}.yaml"'
    return PlainTextResponse(text, headers={"Content-Disposition": name})


@router.get("/policy/draft")
def write(request: Request, reader: PageReader) -> Response:
    """The form for a draft, with the text that is in force."""
    with looking(request) as look:
        check(look, reader.actor, Verb.DRAFT_POLICY)
        found = views_policy.version(look.tx, look.policy.digest)
    return _form(request, look, found["text"] if found else "", "")


@router.post("/policy/draft")
def file_draft(
    request: Request,
    reader: PageReader,
    token: Annotated[str, Form()],
    text: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
    upload: Annotated[UploadFile | None, File()] = None,
    only_check: Annotated[str, Form()] = "",
) -> Response:
    """File the draft; once it is committed, Airflow gets a run for it (the sweep's work where that fails). With
    `only_check` nothing is filed: the check and the impact are shown."""
    check_form(request, token)
    text = _text_sent(text, upload)
    with looking(request) as look:
        may_draft = allows(look, reader.actor, Verb.DRAFT_POLICY)
    if only_check and may_draft:
        checked = check_draft(platform(request, "read"), text)
        return _form(request, look, text, reason, checked, status=200)
    try:
        filed = draft_policy(platform(request, "decide"), reader.actor, text, reason)
    except BadInput as fault:
        return _form(request, look, text, reason, wrong=_wrong(fault))
    if isinstance(filed, Denied) and filed.code in ("known_version", "already_drafted", "version_reused"):
        return _form(request, look, text, reason, wrong=filed.code, status=409)
    if isinstance(filed, Denied):
        raise HTTPException(403)
    if isinstance(filed, Checked):
        return _form(request, look, text, reason, filed)
    path = f"{request.scope['root_path']}/policy/drafts/{filed.id}"
    return RedirectResponse(path, 303, background=BackgroundTask(start_draft_run, reader.account, filed))


def _text_sent(text: str, upload: UploadFile | None) -> str:
    """An uploaded file comes before what was typed; line ends as in a file."""
    if upload is not None and upload.filename:
        try:
            text = upload.file.read(4 * MOST_CHARACTERS + 1).decode("utf-8")
        except UnicodeDecodeError:
            raise BadInput("bad_field", "upload") from None
    return text.replace("\r\n", "\n")


def _form(
    request: Request, look: Look, text: str, reason: str, checked: Checked | None = None, wrong: str = "",
    status: int = 400,
) -> Response:  # fmt: skip
    words = wording(request, look.policy.zone)
    impact = None
    if checked and checked.loaded and not checked.has_errors:
        draft = checked.loaded.policy
        found = assess_draft(platform(request, "read"), draft).to_json()
        impact = impact_told(words, look.policy, draft, found, _seen(request, look))
    return page(
        request,
        "policy_draft_form.html",
        words,
        200 if not checked and not wrong else status,
        text=text,
        reason=reason,
        in_force=look.policy.version,
        wrong=_why(words, wrong) if wrong else "",
        wrong_field="reason" if wrong in ("reason", "too_long", "unprintable") else "text",
        checked=checked is not None,
        errors=checked is not None and checked.has_errors,
        findings=findings_told(words, checked.findings) if checked else [],
        impact=impact,
    )


@router.get("/policy/drafts/{id}")
def draft(request: Request, reader: PageReader, id: UUID) -> Response:
    """A draft with all that a visa needs; the form for those who may give it."""
    return _draft_page(request, reader, id, {})


@router.post("/policy/drafts/{id}")
def answer(
    request: Request,
    reader: PageReader,
    id: UUID,
    token: Annotated[str, Form()],
    digest: Annotated[str, Form()] = "",
    against: Annotated[str, Form()] = "",
    answer: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Record the visa or the refusal and, once it is committed, have Airflow answered. Sent twice, it counts once."""
    check_form(request, token)
    form = {"answer": answer, "reason": reason}
    parts = platform(request, "decide")
    if denied := deny_visa(parts, reader.actor, id):
        raise HTTPException(404 if denied.code == "unknown_draft" else 403)
    if answer not in tuple(DraftAnswer):
        return _draft_page(request, reader, id, form, "answer", 400)
    said = (DraftAnswer(answer), reason, against)
    try:
        decided = decide_draft(parts, reader.actor, id, digest, *said)
    except BadInput as fault:
        return _draft_page(request, reader, id, form, _wrong(fault), 400)
    if isinstance(decided, Denied):
        if decided.code in ("role_missing", "not_designated", "is_requester", "unknown_draft"):
            raise HTTPException(404 if decided.code == "unknown_draft" else 403)
        return _draft_page(request, reader, id, form, decided.code, 409)
    path = f"{request.scope['root_path']}/policy/drafts/{id}"
    return RedirectResponse(path, 303, background=BackgroundTask(answer_airflow, id, DRAFT))


@router.get("/policy/drafts/{id}/text")
def text_of_draft(request: Request, reader: PageReader, id: UUID) -> Response:
    """The draft's YAML."""
    with looking(request) as look:
        check(look, reader.actor, Verb.SEE_DRAFTS)
        found = views_policy.draft(look.tx, id)
    if found is None:
        raise HTTPException(404)
    return _file(found["text"], found["version"])


def _draft_page(
    request: Request, reader: Reader, id: UUID, form: dict[str, str], wrong: str = "", status: int = 200
) -> Response:
    with looking(request) as look:
        check(look, reader.actor, Verb.SEE_DRAFTS)
        found = views_policy.draft(look.tx, id)
        if found is None:
            raise HTTPException(404)
        # What is decided is compared with what was in force when it was filed.
        against = look.policy.digest if found["state"] == "pending" else found["policy"]
        base = views_policy.version(look.tx, against)
        made = views_policy.version(look.tx, found["digest"]) if found["answer"] == "visa" else None
        sees_register = allows(look, reader.actor, Verb.SEE_REGISTER)
        entries = views.history(look.tx, [id]) if sees_register else []
    words = wording(request, look.policy.zone)
    target = Target(requester=found["author"])
    gives_visa = isinstance(may(look.policy, reader.actor, Verb.VISA, target, None, look.now), Allowed)
    told = draft_told(words, look.now, found)
    return page(
        request,
        "policy_draft.html",
        words,
        status,
        d=told,
        gives_visa=gives_visa and told["open"],
        against=against,
        reclocked=reclocked_told(words, made, look.now) if made else "",
        base_version=base["version"] if base else "",
        wrong=_why(words, wrong) if wrong else "",
        form={"answer": "", "reason": ""} | form,
        sees_register=sees_register,
        history=history_told(words, look.policy, entries, reasons=False),
        **_examined(request, words, look, found, base["text"] if base else ""),
    )


def _examined(
    request: Request, words: Wording, look: Look, found: dict[str, Any], base: str
) -> dict[str, object]:
    """Check, differences and impact of a draft; the check alone where its text cannot be read any more."""
    parts = platform(request, "read")
    checked = check_draft(parts, found["text"])
    try:
        draft = load(found["text"]).policy
    except PolicyInvalid:
        draft = look.policy
    old, new = (read_tree(text).value if text else {} for text in (base, found["text"]))
    is_open = found["state"] == "pending" and found["lapses_at"] > look.now
    now, seen = assess_draft(parts, draft).to_json() if is_open else None, _seen(request, look)
    return {
        "findings": findings_told(words, checked.findings),
        "changes": changes_told(words, look.policy, draft, changes(old, new)),
        "diff": text_diff(base, found["text"]),
        "filed": impact_told(words, look.policy, draft, found["impact"], seen),
        "now": impact_told(words, look.policy, draft, now, seen) if now else None,
    }


def _seen(request: Request, look: Look) -> frozenset[str] | None:
    """The purposes of whose recordings the reader sees any: whoever drafts counts all, and sees theirs."""
    return seen_purposes(look.policy, request.state.reader.actor, Verb.SEE_RECORDINGS)


def _wrong(fault: BadInput) -> str:
    return fault.code if f"policy.why.{fault.code}" in TEXTS else fault.where


def _why(words: Wording, why: str) -> str:
    key = f"policy.why.{why}"
    return words.say(key if key in TEXTS else "policy.why.other")
