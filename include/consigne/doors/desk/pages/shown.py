"""How a page becomes HTML: its template, the reader's language, and what every page carries."""

from __future__ import annotations

from pathlib import Path

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from consigne.doors.desk.session import form_token
from consigne.doors.desk.text import TEXTS
from consigne.doors.desk.words import Wording, choose
from consigne.rules.access import ROLES, Verb

LANGUAGE_COOKIE = "consigne_language"

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent.parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)

# Entry of the navigation → whom it is for. A page asks `may` itself: this only spares people closed doors.
ENTRIES: tuple[tuple[str, str, Verb | None], ...] = (
    ("waiting", "/", None),
    ("recordings", "/recordings", Verb.SEE_RECORDINGS),
    ("exceptions", "/exceptions", Verb.SEE_RECORDINGS),
    ("holds", "/holds", Verb.SEE_HOLDS),
    ("calendar", "/calendar", Verb.SEE_CALENDAR),
    ("destruction", "/destruction", Verb.SEE_DESTRUCTION),
    ("certificates", "/certificates", Verb.SEE_CERTIFICATES),
    ("policy", "/policy", Verb.READ_POLICY),
    ("rules", "/rules", Verb.READ_POLICY),
    ("notices", "/notices", Verb.READ_POLICY),
    ("objections", "/objections", Verb.SEE_OBJECTIONS),
    ("draws", "/draws", Verb.SEE_DRAWS),
    ("batches", "/batches", Verb.SEE_DELIVERIES),
    ("operations", "/operations", Verb.SEE_OPERATIONS),
    ("findings", "/findings", Verb.SEE_FINDINGS),
    ("register", "/register", Verb.SEE_REGISTER),
)


def _entries(request: Request) -> list[tuple[str, str]]:
    reader = getattr(request.state, "reader", None)
    if reader is None:
        return []
    # A fault page is made without the policy: it shows the entries that the role alone opens.
    seen = getattr(request.state, "entries", None)
    roles = reader.actor.roles
    return [
        (key, path)
        for key, path, verb in ENTRIES
        if verb is None or ROLES[verb] & roles or (seen is not None and verb in seen)
    ]


def _section(path: str) -> str:
    """The entry that a page belongs to: itself, or the one that leads to it; empty where there is none."""
    if path == "/" or path.startswith(("/decide/", "/volumes/")):
        return "waiting"
    found = (key for key, entry, _ in ENTRIES[1:] if path == entry or path.startswith(f"{entry}/"))
    return next(found, "")


def inner_path(request: Request) -> str:
    """The path within the desk, from its leading slash on."""
    return request.url.path.removeprefix(request.scope["root_path"]) or "/"


def wording(request: Request, zone: str) -> Wording:
    """Words in the reader's language; instants in `zone` (the policy's)."""
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    return Wording(choose(chosen, request.headers.get("accept-language", "")), zone)


def page(
    request: Request, template: str, words: Wording, status: int = 200, **values: object
) -> HTMLResponse:
    """The template with its values; `user` is shown where somebody is signed in."""
    reader = getattr(request.state, "reader", None)
    carried = {
        "w": words,
        "base": request.scope["root_path"],
        "airflow": f"{request.scope.get('app_root_path', '')}/",
        "alone": request.headers.get("sec-fetch-dest") == "document",
        "user": reader.actor.user if reader else "",
        "nav": _entries(request),
        "token": form_token(request) if reader else "",
        "here": inner_path(request),
        "section": _section(inner_path(request)),
        "path": inner_path(request) if request.method == "GET" else "/",
    }
    html = _TEMPLATES.get_template(template).render(carried | values)
    return HTMLResponse(html, status, headers={"Content-Language": words.language})


def fault_page(request: Request, status: int, fault: str, code: str = "") -> HTMLResponse:
    """A plain page: what happened in the reader's words (`fault.<fault>` of the texts), the part that is away where
    `code` names one (`fault.away.<code>`), nothing else."""
    away = f"fault.away.{code}" if f"fault.away.{code}" in TEXTS else ""
    return page(request, "fault.html", wording(request, "UTC"), status, fault=fault, away=away)
