"""*Certificates* on a real catalog: found, shown as verified now, and taken away by a stranger."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from consigne.acts.seal import publish, seal
from consigne.adapters.catalog import tables as t
from consigne.rules.evidence.certificate import read_parts

from .desk_world import DeskWorld
from .world import World


@pytest.fixture
def gone(desk_world: DeskWorld) -> DeskWorld:
    """A call of ten minutes, destroyed, its epoch closed, all sealed and published."""
    world = desk_world.world
    world.deliver_trial("short")
    world.ingest()
    world.pass_time(timedelta(hours=1))
    world.expire()
    world.expire()
    seal(world.platform)
    publish(world.platform)
    return desk_world


def first(world: World, scope: str) -> Any:
    return world.certificates(scope)[0]


@pytest.mark.parametrize(
    ("language", "title"), [("fr", "Attestation de destruction"), ("en", "Certificate of")]
)
def test_a_certificate_is_found_by_what_is_known_of_the_call(
    gone: DeskWorld, language: str, title: str
) -> None:
    own = first(gone.world, "artifact")
    artifact = gone.world.artifacts("short")[0]
    visitor = gone.visit("auditor", language=language)
    for asked in (own.id, own.artifact, artifact.recording, "short"):
        assert f"/certificates/{own.id}" in visitor.get(f"/certificates?q={asked}").text
    assert f"/certificates/{own.id}" not in visitor.get("/certificates?q=another").text
    assert f"/certificates/{own.id}" not in visitor.get("/certificates?scope=epoch").text
    assert title in visitor.get(f"/certificates/{own.id}").text
    assert visitor.get("/certificates?from=yesterday").text.count('aria-invalid="true"') == 1


@pytest.mark.parametrize(
    ("language", "said"),
    [("fr", "Le trousseau de clés ne répond pas"), ("en", "The keyring does not answer")],
)
def test_a_page_that_needs_the_keyring_says_that_it_is_away(
    gone: DeskWorld, language: str, said: str
) -> None:
    gone.world.keyring.away = True
    shown = gone.visit("dpo", language=language).get(f"/certificates/{first(gone.world, 'artifact').id}")
    assert shown.status_code == 503 and said in shown.text


@pytest.mark.promise("P6")
def test_what_is_shown_is_what_verifies(gone: DeskWorld) -> None:
    own = first(gone.world, "artifact")
    visitor = gone.visit("dpo")
    assert "cryptographic proof" in visitor.get(f"/certificates/{own.id}").text
    forged = own.file.replace(b"period_ended", b"period_lapsed")
    assert forged != own.file
    with gone.world.engine.begin() as tx:
        tx.execute(update(t.certificates).where(t.certificates.c.id == own.id).values(file=forged))
    shown = visitor.get(f"/certificates/{own.id}")
    assert shown.status_code == 200
    assert "does not verify" in shown.text
    assert "cryptographic proof" not in shown.text
    assert visitor.get(f"/certificates/{own.id}/sheet?language=en").status_code == 404


@pytest.mark.promise("P6")
def test_a_stranger_checks_what_was_taken_away(gone: DeskWorld, tmp_path: Path) -> None:
    own = first(gone.world, "artifact")
    taken = gone.visit("auditor").get(f"/certificates/{own.id}/proof")
    assert taken.headers["content-type"] == "application/zip"
    zipfile.ZipFile(io.BytesIO(taken.content)).extractall(tmp_path)
    sheets = [tmp_path / f"certificate-{own.id}-{language}.pdf" for language in ("fr", "en")]
    assert all(sheet.read_bytes().startswith(b"%PDF") for sheet in sheets)
    done = subprocess.run(
        [sys.executable, "-I", tmp_path / "consigne-verify.pyz", tmp_path], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout
    assert "The proof is cryptographic" in done.stdout
    assert "It is in the register" in done.stdout


@pytest.mark.parametrize("scope", ["artifact", "epoch"])
@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_sheet_is_one_page(gone: DeskWorld, scope: str, language: str) -> None:
    own = first(gone.world, scope)
    sheet = gone.visit("auditor").get(f"/certificates/{own.id}/sheet?language={language}")
    assert sheet.headers["content-type"] == "application/pdf"
    assert len(re.findall(rb"/Type /Page\b", sheet.content)) == 1


def test_the_signed_file_leaves_as_it_was_issued(gone: DeskWorld) -> None:
    own = first(gone.world, "epoch")
    taken = gone.visit("auditor").get(f"/certificates/{own.id}/file").content
    assert taken == bytes(own.file)
    assert read_parts(taken)["body"]["id"] == str(own.id)
