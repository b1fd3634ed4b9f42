"""Credentials of the store's listeners follow from one secret, and accesses are named without being able to make them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from consigne.doors.settings import Settings
from consigne.rules.errors import Misconfigured


@pytest.fixture
def own(tmp_path: Path) -> Settings:
    return Settings.make(tmp_path / "own")


@pytest.fixture
def share(own: Settings, tmp_path: Path) -> Settings:
    """Of who listens, and names accesses."""
    for name in ("root", "ingest", "listen-training"):
        own.store_credentials(name)
    folder = tmp_path / "share"
    (folder / "secrets").mkdir(parents=True)
    (folder / "secrets" / "store-listeners").write_text(own.secret("store-listeners"))
    (folder / "store-names.json").write_text(json.dumps(own.store_names()))
    return replace(own, state_dir=folder, holder="api-server")


@pytest.mark.promise("P3")
def test_a_listener_that_comes_later_is_known_to_who_holds_the_secret(own: Settings, share: Settings) -> None:
    for purpose in ("training", "later"):
        assert share.store_credentials(f"listen-{purpose}") == own.store_credentials(f"listen-{purpose}")
    assert share.store_credentials("listen-later") != share.store_credentials("listen-training")
    assert own.store_identities() == ("ingest", "listen-later", "listen-training")
    assert [file.name for file in (share.state_dir / "secrets").iterdir()] == ["store-listeners"]
    with pytest.raises(Misconfigured, match="not_held"):
        share.store_credentials("ingest")


def test_credentials_that_were_drawn_by_an_older_version_stay(own: Settings) -> None:
    for name, value in (("access-listen-old", "a" * 64), ("store-listen-old", "drawn")):
        (own.state_dir / "secrets" / name).write_text(value)
    assert own.store_credentials("listen-old") == ("listen-old-aaaaaaaaaaaa", "drawn")


def test_accesses_are_named_by_who_may_not_make_them(own: Settings, share: Settings) -> None:
    keys = {
        name: own.store_credentials(name)[0] for name in ("root", "ingest", "listen-training", "listen-later")
    }
    for settings in (own, share):
        name = settings.store_naming()
        assert {identity: name(key) for identity, key in keys.items()} == {one: one for one in keys}
        for stranger in (
            "",
            "ingest",
            keys["ingest"][:-1],
            "listen-../../own-aaaaaaaaaaaa",
            "listen-x-aaaaaaaaaaaa",
        ):
            assert name(stranger) is None
    assert not list((own.state_dir / "secrets").glob("*listen-x"))
