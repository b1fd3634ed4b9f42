"""A keyring in Transit: what Vault itself brings along. Most of it needs a server: CONSIGNE_TEST_VAULT."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import hvac
import pytest
from hvac.exceptions import Forbidden, InvalidPath, InvalidRequest

from consigne.adapters.keyring.open import open_keyring
from consigne.rules.errors import Conflict, Misconfigured, Unavailable
from contract.keyrings import find_vault

EPOCH = "training/2027-05-20/0"
KEY, CONTEXT = bytes(range(32)), b"artifact and attempt"
EPOCH_KEY = "consigne-epoch-training_2f2027_2d05_2d20_2f0"
POLICY = """
path "{mount}/config/keys" {{ capabilities = ["update"] }}
path "{mount}/keys" {{ capabilities = ["list"] }}
path "{mount}/keys/consigne-*" {{ capabilities = ["create", "read", "update"] }}
path "{mount}/keys/consigne-epoch-*" {{ capabilities = ["create", "read", "update", "delete"] }}
path "{mount}/keys/consigne-gone-*" {{
  capabilities = ["create", "read", "update"]
  denied_parameters = {{ "deletion_allowed" = [] }}
}}
path "{mount}/encrypt/consigne-epoch-*" {{ capabilities = ["update"] }}
path "{mount}/decrypt/consigne-epoch-*" {{ capabilities = ["update"] }}
path "{mount}/sign/consigne-signing" {{ capabilities = ["update"] }}
path "{mount}/hmac/consigne-*" {{ capabilities = ["update"] }}
"""
"""What docs/operating.md tells an operator to give: enough, and no more."""


def engine(url: str) -> tuple[hvac.Client, str]:
    """As the server's administrator."""
    server, token = find_vault()
    return hvac.Client(server, token=token), urlsplit(url.partition(":")[2]).path.strip("/")


@pytest.fixture
def limited_url(vault_url: str, tmp_path: Path) -> str:
    """The engine, under a token that may do what POLICY says."""
    client, mount = engine(vault_url)
    client.sys.create_or_update_acl_policy(mount, POLICY.format(mount=mount))
    token = client.auth.token.create(policies=[mount], no_default_policy=True)["auth"]["client_token"]
    file = tmp_path / "limited"
    file.write_text(token)
    file.chmod(0o600)
    return vault_url.rpartition("=")[0] + f"={file}"


@pytest.mark.promise("P3", "P6")
def test_a_key_is_never_exported_and_deleted_only_on_closing(vault_url: str) -> None:
    keyring = open_keyring(vault_url)
    keyring.prepare(first=True)
    keyring.open_epoch(EPOCH)
    client, mount = engine(vault_url)
    for key in (EPOCH_KEY, "consigne-signing", "consigne-draw"):
        facts = client.secrets.transit.read_key(key, mount_point=mount)["data"]
        allowed = {facts[name] for name in ("exportable", "allow_plaintext_backup", "deletion_allowed")}
        assert allowed == {False}
    with pytest.raises(InvalidRequest):
        client.secrets.transit.delete_key(EPOCH_KEY, mount_point=mount)
    keyring.destroy_epoch(EPOCH)
    with pytest.raises(InvalidPath):
        client.secrets.transit.read_key(EPOCH_KEY, mount_point=mount)
    with pytest.raises(InvalidRequest):  # nor is it made again by encrypting
        client.secrets.transit.encrypt_data(EPOCH_KEY, "QQ==", mount_point=mount)


@pytest.mark.promise("P6")
def test_the_policy_of_the_docs_is_enough_and_frees_no_reserved_name(limited_url: str) -> None:
    keyring = open_keyring(limited_url)
    keyring.prepare(first=True)
    keyring.open_epoch(EPOCH)
    assert keyring.unwrap(EPOCH, keyring.wrap(EPOCH, KEY, CONTEXT), CONTEXT) == KEY
    for name in ("signing", "blind-index", "tombstone", "draw"):
        assert keyring.rotate(name) == 2
    keyring.sign(b"")
    keyring.mac("draw", b"")
    assert len(keyring.public_keys()) == 2 and keyring.epochs() == [EPOCH]
    keyring.destroy_epoch(EPOCH)
    with pytest.raises(Conflict, match="epoch_destroyed"):
        keyring.open_epoch(EPOCH)
    token = Path(limited_url.rpartition("=")[2]).read_text()
    server, _ = find_vault()
    _, mount = engine(limited_url)
    mine = hvac.Client(server, token=token).secrets.transit
    gone = EPOCH_KEY.replace("epoch", "gone")
    for forbidden in (
        lambda: mine.update_key_configuration(gone, deletion_allowed=True, mount_point=mount),
        lambda: mine.delete_key(gone, mount_point=mount),
        lambda: mine.delete_key("consigne-signing", mount_point=mount),
        lambda: mine.export_key("consigne-signing", "signing-key", mount_point=mount),
    ):
        with pytest.raises(Forbidden):
            forbidden()


@pytest.mark.promise("P6")
def test_an_engine_that_is_away_is_not_one_whose_epochs_are_gone(vault_url: str, tmp_path: Path) -> None:
    empty = vault_url.replace("/transit-", "/not-mounted-")
    for url in (empty, f"vault:http://127.0.0.1:9/transit?token-file={_token(tmp_path)}"):
        _is_away(url)


@pytest.mark.promise("P6")
def test_a_server_that_does_not_answer_is_away(tmp_path: Path) -> None:
    _is_away(f"vault:http://127.0.0.1:9/transit?token-file={_token(tmp_path)}")


def _is_away(url: str) -> None:
    keyring = open_keyring(url)
    calls: tuple[Callable[[], object], ...] = (
        keyring.epochs, lambda: keyring.open_epoch(EPOCH), lambda: keyring.epoch_lives(EPOCH),
        lambda: keyring.destroy_epoch(EPOCH), lambda: keyring.mac("draw", b""), lambda: keyring.sign(b""),
        lambda: keyring.wrap(EPOCH, KEY, CONTEXT), keyring.public_keys, lambda: keyring.prepare(first=False),
    )  # fmt: skip
    for call in calls:
        with pytest.raises(Unavailable):
            call()


def _token(folder: Path) -> Path:
    file = folder / "token"
    file.write_text("hvs.only-here")
    file.chmod(0o600)
    return file


def test_a_token_that_may_nothing_is_said_without_it(vault_url: str, tmp_path: Path) -> None:
    url = vault_url.rpartition("=")[0] + f"={_token(tmp_path)}"
    with pytest.raises(Misconfigured, match="keyring_denied") as fault:
        open_keyring(url).epochs()
    assert "hvs" not in str(fault.value)


def test_a_url_sends_no_token_in_the_clear(tmp_path: Path) -> None:
    file = _token(tmp_path)
    open_keyring(f"vault:https://vault.example:8200/consigne?token-file={file}&ca-file=/ca.pem").check()
    for url in (
        f"vault:http://vault.example:8200/transit?token-file={file}",
        f"vault:https://user:pass@vault.example/transit?token-file={file}",
        f"vault:https://vault.example?token-file={file}",
        "vault:https://vault.example/transit",
        "vault:https://vault.example/transit?token=hvs.only-here",
    ):
        with pytest.raises(Misconfigured, match="keyring_url") as fault:
            open_keyring(url)
        assert "hvs" not in str(fault.value) and "pass" not in str(fault.value)
    file.chmod(0o644)
    with pytest.raises(Misconfigured, match="keyring_mode"):
        open_keyring(f"vault:https://vault.example/transit?token-file={file}").check()
    file.unlink()
    with pytest.raises(Misconfigured, match="keyring_token"):
        open_keyring(f"vault:https://vault.example/transit?token-file={file}").check()
