"""Attempts as the DPO reads them: every kind has words, and none shows what was not asked for."""

from __future__ import annotations

from uuid import UUID

import pytest

from consigne.doors.desk.pages.told_attempts import attempts_listed
from consigne.doors.desk.text import LANGUAGES, TEXTS
from consigne.doors.desk.words import Wording
from consigne.rules import attempts

ID = str(UUID(int=7))
ENTRY = {"at": "2026-11-22T09:00:00Z", "actor": "ops", "dag": "decide_retention_exception", "subjects": [ID]}
WORDS = sorted({word for _, _, word in attempts._WORDS} | {"backfill", "other"})


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", attempts.ATTEMPTS)
def test_every_kind_of_attempt_is_said_in_words(kind: str, language: str) -> None:
    [told] = attempts_listed(
        Wording(language, "UTC"), [ENTRY | {"kind": kind, "what": "mark", "status": 403}]
    )
    assert told["who"] == "ops" and told["at"].lower().startswith("22 nov")
    assert kind not in told["what"]


@pytest.mark.parametrize("word", WORDS)
def test_every_thing_asked_of_airflow_is_said_in_words(word: str) -> None:
    assert f"attempt.what.{word}" in TEXTS


@pytest.mark.parametrize(
    ("dag", "kind", "path"),
    [
        ("decide_retention_exception", "decide:task:denied", f"/decide/{ID}"),
        ("change_policy", "decide:task:touched", f"/policy/drafts/{ID}"),
        (None, "configure:policy:visa_denied", f"/policy/drafts/{ID}"),
        ("confirm_expiry_volume", "decide:task:denied", f"/volumes/{ID}"),
        (None, "expire:volume:answer_denied", f"/volumes/{ID}"),
        (None, "decide:request:answer_denied", f"/decide/{ID}"),
    ],
)
def test_it_leads_to_what_it_was_about(dag: str | None, kind: str, path: str) -> None:
    [told] = attempts_listed(Wording("en", "UTC"), [ENTRY | {"kind": kind, "dag": dag}])
    assert [on["path"] for on in told["on"]] == [path]


def test_an_attempt_that_names_nothing_leads_nowhere() -> None:
    [told] = attempts_listed(Wording("en", "UTC"), [ENTRY | {"kind": "decide:task:denied", "subjects": []}])
    assert told["on"] == []
