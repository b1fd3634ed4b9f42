"""The register as people and the outside see it: searched by the command line, published, witnessed, in `status`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from consigne.rules.evidence.entry import leaf
from consigne.rules.evidence.proofs import open_checkpoint
from consigne.rules.evidence.signature import read_public_keys

from .browsing import until
from .conftest import Up


def as_person(up: Up, user: str, *arguments: str) -> tuple[int, str]:
    password = up.state_dir / "secrets" / f"account-{user}"
    done = up.consigne("register", *arguments, "--as", user, "--password-file", str(password))
    return done.returncode, done.stdout


@pytest.mark.promise("P7")
def test_the_command_line_finds_entries_and_each_leaf_fits(platform_up: Up, tmp_path: Path) -> None:
    sealed = platform_up.consigne("certificates", "--out", str(tmp_path / "evidence"))
    assert sealed.returncode == 0, sealed.stderr[-2_000:]
    code, told = as_person(platform_up, "auditor", "--what", "ingest:artifact:stored", "--json")
    assert code == 0
    found = json.loads(told)["entries"]
    assert found
    for one in found:
        assert leaf(bytes.fromhex(one["salt"]), one["payload"].encode()).hex() == one["leaf"]
        assert json.loads(one["payload"])["kind"] == "ingest:artifact:stored"
    code, _ = as_person(platform_up, "dpo", "--who", "consigne", "--csv", "--out", str(tmp_path / "all.csv"))
    assert code == 0 and (tmp_path / "all.csv").read_text(encoding="utf-8-sig").startswith(
        "number,at,actor,kind"
    )


@pytest.mark.promise("P4")
def test_who_may_not_read_it_is_denied(platform_up: Up) -> None:
    assert as_person(platform_up, "trainer", "--json")[0] == 4
    assert as_person(platform_up, "ops")[0] == 4
    assert as_person(platform_up, "dpo", "--subject", "4111 1111 1111 1111")[0] == 2


@pytest.mark.promise("P7")
def test_what_is_published_is_witnessed_outside_of_the_bucket(platform_up: Up, tmp_path: Path) -> None:
    shown = until(lambda: platform_up.json("status")["register"], lambda register: register["witnessed_at"])
    assert 0 < shown["published"] <= shown["sealed"] and shown["gap_since"] is None
    assert platform_up.consigne("certificates", "--out", str(tmp_path)).returncode == 0
    keys = read_public_keys((tmp_path / "public-key.txt").read_bytes())
    notes = (platform_up.state_dir / "witness" / "checkpoints.txt").read_bytes().split(b"\n.\n")[:-1]
    sizes = [open_checkpoint(note + b"\n", keys).size for note in notes]
    assert sizes == sorted(set(sizes)) and sizes
