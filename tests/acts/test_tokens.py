"""A whole life under a keyring that is not ours: taken in, heard, ended, its epoch destroyed in the token."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from consigne.acts.ports import Keyring
from consigne.adapters.catalog.open import Catalog
from consigne.adapters.keyring.open import open_keyring
from consigne.rules.errors import Conflict
from contract.keyrings import find_vault, make_token, mount_transit

from . import world as worlds
from .test_expire import AFTER
from .world import World, make_world


@pytest.fixture(params=[pytest.param("pkcs11", marks=pytest.mark.hsm), "vault"])
def world(
    request: pytest.FixtureRequest, engine: Engine, catalog: Catalog, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> World:  # fmt: skip
    if request.param == "pkcs11":
        token = make_token(tmp_path)
        monkeypatch.setenv("SOFTHSM2_CONF", str(token.settings))
        url = token.url()
    else:
        url = mount_transit(*find_vault(), tmp_path)
    keyring = open_keyring(url)
    keyring.prepare(first=True)
    monkeypatch.setattr(worlds, "MemoryKeyring", lambda: keyring)
    return make_world(engine, catalog)


@pytest.mark.promise("P3", "P6")
def test_a_life_under_another_keyring(world: World) -> None:
    keyring: Keyring = world.platform.keyring
    world.deliver_trial("a")
    world.deliver("b")
    world.ingest()
    for row in world.artifacts():
        assert world.content(row)
    [epoch] = {row.epoch for row in world.artifacts("a")}
    keys = {id: row for id, row in world.keys().items() if row.epoch == epoch}
    for name in ("signing", "tombstone", "blind-index"):
        keyring.rotate(name)
    world.pass_time(AFTER + timedelta(minutes=10))
    world.expire()
    assert {row.state for row in world.artifacts("a")} == {"erased"}
    assert not keyring.epoch_lives(epoch) and world.epochs()[epoch] == "destroyed"
    assert keys
    for row in keys.values():
        with pytest.raises(Conflict, match="epoch_gone"):
            keyring.unwrap(epoch, row.wrapped, b"")
    bodies = [json.loads(row.file)["body"] for row in world.certificates()]
    assert {(body["provider"], body["assurance"]) for body in bodies} == {
        (keyring.provider, {"pkcs11": "hsm", "vault": "provider-attested"}[keyring.provider])
    }
    assert {body["scope"] for body in bodies} == {"artifact", "epoch"}
    assert world.verified().verified
    for row in world.artifacts("b"):
        assert world.content(row)
    world.deliver_trial("a", stem="again")
    world.ingest()
    assert world.deliveries()["a"] == ("cleared", "erased_before")
