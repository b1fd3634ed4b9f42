"""docs/formats.md shows what the code writes of content and keyed digests, for others to check theirs against."""

from __future__ import annotations

import hmac
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from consigne.acts.locate import identity_digest, stem_digests
from consigne.acts.ports import Mac
from consigne.adapters.keyring.file import FileKeyring
from consigne.rules.draw import commitment, draw_digest, is_drawn
from consigne.rules.envelope import open_sealed, seal
from consigne.rules.values import ArtifactName

from . import content_vectors as v

PAGE = (Path(__file__).parents[2] / "docs" / "formats.md").read_text("utf-8")
NAME = ArtifactName(v.ARTIFACT, v.ATTEMPT, v.PURPOSE)


def test_the_page_shows_the_vectors() -> None:
    assert v.envelope().hex() in PAGE
    assert v.wrapped().hex() in PAGE
    for name, digest in v.digests().items():
        assert f"| {name} | `{digest}` |" in PAGE


@pytest.mark.promise("P3")
def test_the_envelope_is_the_vector() -> None:
    assert bytes(seal(v.DATA_KEY, NAME, v.PLAINTEXT)) == v.envelope()
    assert open_sealed(v.DATA_KEY, NAME, v.envelope()) == v.PLAINTEXT


@pytest.mark.promise("P3")
def test_a_key_wrapped_elsewhere_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keyring = FileKeyring(tmp_path / "keys")
    keyring.prepare(first=True)
    keyring.open_epoch(v.EPOCH)
    monkeypatch.setattr(keyring, "_epoch_key", lambda _: v.EPOCH_KEY)
    assert keyring.unwrap(v.EPOCH, v.wrapped(), NAME.context()) == v.DATA_KEY


def test_keyed_digests_are_the_vectors() -> None:
    keys = {"tombstone": v.TOMBSTONE_KEY, "blind-index": v.BLIND_KEY, "draw": v.DRAW_KEY}

    def mac(name: str, message: bytes, version: int | None = None) -> Mac:
        return Mac(version or 1, hmac.digest(keys[name], message, "sha256"))

    keyring = SimpleNamespace(mac=mac, versions=lambda name: [1])
    platform = cast(Any, SimpleNamespace(keyring=keyring))
    found = v.digests()
    assert identity_digest(platform, v.SOURCE, v.CALL).digest.hex() == found["identity"]
    assert [digest.hex() for digest in stem_digests(platform, "call-1")] == [found["stem"]]
    secret = mac("draw", v.MONTH.encode()).digest
    assert commitment(secret).hex() == found["commitment"]
    digest = draw_digest(secret, v.SOURCE, v.CALL, v.PURPOSE)
    assert digest.hex() == found["draw"]
    assert is_drawn(digest, Decimal(1)) and not is_drawn(digest, Decimal(0))
