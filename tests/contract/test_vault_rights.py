"""The policies of deploy/kubernetes/vault against a Vault: CONSIGNE_TEST_VAULT. An identity may there what it may at
our own key server, but that Vault does not look at what is signed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import hvac
import pytest
from hvac.exceptions import Forbidden

from consigne.adapters.keyring.open import Provider, open_keyring
from consigne.adapters.keyring.rights import IDENTITIES, RIGHTS
from consigne.adapters.keyring.wrapping import MACS
from consigne.rules.errors import Misconfigured
from contract.keyrings import find_vault

POLICIES = Path(__file__).parents[2] / "deploy" / "kubernetes" / "vault"
EPOCH, NEW, OLD = "training/2027-05-20/0", "training/2027-05-21/0", "training/2027-05-19/0"
KEY, CONTEXT = bytes(range(32)), b"artifact and attempt"
GONE = "consigne-gone-training_2f2027_2d05_2d19_2f0"


@pytest.fixture
def as_identity(vault_url: str, tmp_path: Path) -> Callable[[str], str]:
    """The engine's keyring under a token that may what the identity's file says."""
    server, token = find_vault()
    mount = urlsplit(vault_url.partition(":")[2]).path.strip("/")
    client = hvac.Client(server, token=token)
    keyring = open_keyring(vault_url)
    keyring.prepare(first=True)
    for epoch in (EPOCH, OLD):
        keyring.open_epoch(epoch)
    keyring.destroy_epoch(OLD)

    def url_of(identity: str) -> str:
        policy = (POLICIES / f"{identity}.hcl").read_text().replace('"consigne/', f'"{mount}/')
        client.sys.create_or_update_acl_policy(f"{mount}-{identity}", policy)
        made = client.auth.token.create(policies=[f"{mount}-{identity}"], no_default_policy=True)
        file = tmp_path / identity
        file.write_text(made["auth"]["client_token"])
        file.chmod(0o600)
        return vault_url.rpartition("=")[0] + f"={file}"

    return url_of


def asked(keyring: Provider, wrapped: bytes) -> dict[str, Callable[[], object]]:
    """Everything that can be asked of a keyring, by the name of its right."""
    asks: dict[str, Callable[[], object]] = {
        "public_keys": keyring.public_keys,
        "versions": lambda: [keyring.versions(name) for name in MACS],
        "epochs": keyring.epochs,
        "epoch_lives": lambda: keyring.epoch_lives(EPOCH),
        "open_epoch": lambda: keyring.open_epoch(NEW),
        "wrap": lambda: keyring.wrap(EPOCH, KEY, CONTEXT),
        "unwrap": lambda: keyring.unwrap(EPOCH, wrapped, CONTEXT),
        "sign": lambda: keyring.sign(b""),
        "rotate": lambda: keyring.rotate("signing"),
        "prepare": lambda: keyring.prepare(first=True),
        "destroy_epoch": lambda: keyring.destroy_epoch(EPOCH),
    }
    return asks | {f"mac {name}": lambda name=name: keyring.mac(name, b"") for name in MACS}


IMPLIED = {"epoch_lives", "public_keys", "versions"}
"""Whoever wraps reads these facts too: no key, no content."""


@pytest.mark.parametrize("identity", IDENTITIES)
@pytest.mark.promise("P3", "P6")
def test_an_identity_may_what_its_policy_says_and_no_more(
    as_identity: Callable[[str], str], vault_url: str, identity: str
) -> None:
    wrapped = open_keyring(vault_url).wrap(EPOCH, KEY, CONTEXT)
    right = RIGHTS[identity]
    due = set(right.verbs - {"mac"}) | {f"mac {name}" for name in right.macs}
    given = set()
    for name, ask in asked(open_keyring(as_identity(identity)), wrapped).items():
        try:
            ask()
            given.add(name)
        except Misconfigured as fault:
            assert fault.code == "keyring_denied"
    assert given - IMPLIED == due - IMPLIED and due <= given


@pytest.mark.parametrize("identity", IDENTITIES)
@pytest.mark.promise("P6")
def test_no_identity_frees_a_reserved_name_or_takes_a_key_out(
    as_identity: Callable[[str], str], identity: str
) -> None:
    url = as_identity(identity)
    token = Path(url.rpartition("=")[2]).read_text()
    mount = urlsplit(url.partition(":")[2]).path.strip("/")
    mine = hvac.Client(find_vault()[0], token=token).secrets.transit
    for forbidden in (
        lambda: mine.update_key_configuration(GONE, deletion_allowed=True, mount_point=mount),
        lambda: mine.delete_key(GONE, mount_point=mount),
        lambda: mine.update_key_configuration("consigne-signing", deletion_allowed=True, mount_point=mount),
        lambda: mine.update_key_configuration("consigne-signing", exportable=True, mount_point=mount),
        lambda: mine.delete_key("consigne-signing", mount_point=mount),
        lambda: mine.export_key("consigne-signing", "signing-key", mount_point=mount),
        lambda: mine.create_key("consigne-epoch-x", exportable=True, mount_point=mount),
    ):
        with pytest.raises(Forbidden):
            forbidden()
