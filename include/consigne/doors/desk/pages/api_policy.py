"""The API behind `./consigne policy draft`: a draft of the policy is filed as a person."""

from __future__ import annotations

from typing import Annotated

from airflow.configuration import conf
from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.background import BackgroundTask

from consigne.acts.configure import Checked, draft_policy
from consigne.doors.desk.pages.looking import platform
from consigne.doors.desk.session import ApiReader
from consigne.doors.orchestration.decisions import start_draft_run
from consigne.rules.access import Denied
from consigne.rules.errors import BadInput
from consigne.rules.policy.tree import MOST_CHARACTERS
from consigne.rules.request import REASON_CHARS

router = APIRouter()
MENDED = {"known_version": "version", "version_reused": "version", "already_drafted": "text"}
"""Denials that the author can mend by changing this field; all others are 403."""


class Drafted(BaseModel):
    """A draft: the policy file's text, and why."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    text: Annotated[str, Field(min_length=1, max_length=MOST_CHARACTERS)]
    reason: Annotated[str, Field(min_length=1, max_length=REASON_CHARS)]


@router.post("/api/policy/drafts")
def file_draft(request: Request, reader: ApiReader, drafted: Drafted) -> Response:
    """File the draft; once it is committed, Airflow gets a run for it (the sweep's work where that fails). A text
    that cannot become a version is 400 with its first error and the line."""
    filed = draft_policy(platform(request, "decide"), reader.actor, drafted.text, drafted.reason)
    if isinstance(filed, Checked):
        first = next(each for each in filed.findings if each.severity == "error")
        raise BadInput(first.code, ", ".join(part for part in (f"line {first.line}", first.field) if part))
    if isinstance(filed, Denied):
        field = MENDED.get(filed.code)
        raise BadInput(filed.code, field) if field else HTTPException(403, filed.code)
    base = conf.get_mandatory_value("api", "base_url").rstrip("/")
    told = {"id": str(filed.id), "url": f"{base}/consigne/policy/drafts/{filed.id}", "version": filed.version}
    return JSONResponse(told, 201, background=BackgroundTask(start_draft_run, reader.account, filed))
