"""What `up` brings and shows, and what someone entitled hears (issue 3, Shown by 1 and 3; how it must behave)."""

from __future__ import annotations

import io
import json
import re
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import soundfile
from numpy.typing import NDArray

from consigne.doors.samples.delivery import Delivery
from consigne.doors.samples.manifest import Foretold
from consigne.doors.samples.values import values
from consigne.doors.settings import ACCOUNTS
from system.conftest import Up
from system.inside import SEEDS, entries_about, hand_in, processes, recordings, sample_calls, wait_until

COMPONENTS = {"api-server", "scheduler", "dag-processor", "postgres", "minio", "sealer"}
MOST_MEMORY_BYTES = 1_600_000_000


# Shown by 1


def test_status_is_as_in_the_contract(platform_up: Up) -> None:
    shown = platform_up.json("status")
    assert set(shown) == {
        "url", "state_dir", "intake", "policy", "components", "accounts", "store", "database", "keyring",
        "clock", "mail", "swap", "register", "backups", "executor", "separate_users",
    }  # fmt: skip
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", shown["url"])
    assert Path(shown["state_dir"]) == platform_up.state_dir
    assert Path(shown["intake"]) == platform_up.state_dir / "intake"
    assert set(shown["policy"]) == {"version", "digest"}
    assert re.fullmatch("[0-9a-f]{64}", shown["policy"]["digest"])
    assert {user: one["roles"] for user, one in shown["accounts"].items()} == {
        user: [role] for user, role in ACCOUNTS.items()
    }
    assert set(shown["store"]) >= {"endpoint", "region", "identities"}
    assert shown["store"]["identities"].keys() >= {
        "ingest",
        "expire",
        "reconcile",
        "evidence",
        "evidence-reader",
        "listen-training",
    }
    assert "url" in shown["database"]
    assert shown["keyring"]["url"].startswith("file:")
    assert set(shown["clock"]) == {"test", "offset_s"}
    assert shown["clock"]["test"] is True
    assert isinstance(shown["swap"], bool)


def test_every_component_is_healthy_and_names_its_log(platform_up: Up) -> None:
    shown = platform_up.json("status")["components"]
    assert set(shown) == COMPONENTS | {"keyring"}
    assert {one["state"] for one in shown.values()} == {"healthy"}
    assert all(
        one["since"] and Path(one["log"]).is_file() for name, one in shown.items() if name != "keyring"
    )


def test_secrets_are_shown_only_where_they_are_asked_for(platform_up: Up) -> None:
    plain, full = platform_up.consigne("status", "--json").stdout, platform_up.json("status", "--secrets")
    assert all(full["accounts"][user]["password"] for user in ACCOUNTS)
    assert full["store"]["root"]["secret_key"] and full["store"]["identities"]["ingest"]["secret_key"]
    assert full["database"]["url"].startswith("postgresql")
    assert not any(secret in plain for secret in _secrets(platform_up).values())


def _secrets(up: Up) -> dict[str, str]:
    found = {file.name: file.read_text() for file in (up.state_dir / "secrets").iterdir()}
    assert len(found) > 20
    # A line of the file that MinIO reads is a name and a value that has its own file.
    return {name: text for name, text in found.items() if "\n" not in text}


# How it must behave


def test_idle_it_fits_into_its_memory(platform_up: Up) -> None:
    """The least of what is measured: a run that happens to be under way is not idleness."""

    def is_small() -> bool:
        total = 0
        for process in processes(platform_up):
            try:
                total += process.memory_full_info().pss
            except psutil.Error:
                continue
        assert total > 300_000_000
        return total < MOST_MEMORY_BYTES

    wait_until(is_small, "the sum of PSS below its limit", 90)


def _shown_by_processes() -> Iterator[str]:
    """What `ps auxe` shows to root: command lines and environments of whatever runs here."""
    for process in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            try:
                yield (process / name).read_text(errors="replace")
            except OSError:  # it ended, or is another user's
                continue


@pytest.mark.promise("P3")
def test_no_secret_shows_in_a_process_or_a_log(platform_up: Up) -> None:
    secrets = _secrets(platform_up)
    shown = "".join(_shown_by_processes())
    assert str(platform_up.state_dir) in shown
    assert [name for name, secret in secrets.items() if secret in shown] == []
    logs = [
        file for folder in ("logs", "airflow/logs") for file in (platform_up.state_dir / folder).rglob("*")
    ]
    told = "".join(file.read_text(errors="replace") for file in logs if file.is_file())
    assert len(told) > 1_000
    assert [name for name, secret in secrets.items() if secret in told] == []


@pytest.mark.promise("P3")
def test_the_state_folder_is_its_owners_alone(platform_up: Up) -> None:
    state = platform_up.state_dir
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    for folder in ("secrets", "keyring"):
        inside = [state / folder, *(state / folder).rglob("*")]
        assert len(inside) > 3
        for path in inside:
            assert stat.S_IMODE(path.lstat().st_mode) == (0o700 if path.is_dir() else 0o600), path.name


@pytest.mark.promise("P2")
def test_no_process_of_it_may_leave_a_core_dump(platform_up: Up) -> None:
    limits = {Path(f"/proc/{one.pid}/limits").read_text() for one in processes(platform_up)}
    assert limits
    for text in limits:
        assert re.search(r"Max core file size\s+0\s+0\s", text)


# Shown by 3


@pytest.fixture(scope="module")
def carded(platform_up: Up) -> list[tuple[Delivery, Foretold]]:
    """Calls with card numbers and keyed tones, kept; as delivered, and what is foretold of each."""
    made = [
        each
        for each in sample_calls(platform_up, "life", "card", "keyed")
        if any(one.purpose == "training" for one in each[1].verdicts)
    ]
    assert len({told.kind for _, told in made}) == 2
    hand_in(platform_up, made)
    done = platform_up.consigne("ingest", "--wait")
    assert done.returncode == 0, done.stderr[-2_000:]
    return made


def _artifact(up: Up, told: Foretold, part: str) -> dict[str, Any]:
    [recording] = recordings(up, told.id)
    [found] = [one for one in recording["artifacts"] if (one["purpose"], one["part"]) == ("training", part)]
    assert found["state"] == "kept"
    return dict(found)


def _export(up: Up, user: str, artifact: str, out: Path) -> subprocess.CompletedProcess[str]:
    password = up.state_dir / "secrets" / f"account-{user}"
    return up.consigne(
        "export", artifact, "--reason", "coaching", "--out", str(out), "--as", user, "--password-file", str(password)
    )  # fmt: skip


def _samples(data: bytes) -> tuple[NDArray[np.float64], int]:
    """In steps of 16 bits, as a lossy source is rounded (libsndfile's own integers are scaled otherwise)."""
    read, rate_hz = soundfile.read(io.BytesIO(data), dtype="float64", always_2d=True)
    return np.clip(np.rint(read * 32_768), -32_768, 32_767), rate_hz


@pytest.mark.promise("P2")
def test_what_is_heard_is_silent_where_it_is_masked_and_unchanged_elsewhere(
    platform_up: Up, carded: list[tuple[Delivery, Foretold]], tmp_path: Path
) -> None:
    for delivery, told in carded:
        artifact = _artifact(platform_up, told, "audio")
        done = _export(platform_up, "trainer", artifact["id"], tmp_path / told.id)
        assert done.returncode == 0, done.stderr
        stored = (tmp_path / told.id).read_bytes()
        heard, rate_hz = _samples(stored)
        assert delivery.audio
        said, said_rate_hz = _samples(delivery.audio)
        assert (heard.shape, rate_hz) == (said.shape, said_rate_hz)
        masked, near = np.zeros(len(heard), dtype=bool), np.zeros(len(heard), dtype=bool)
        for span in artifact["masked"]:
            masked[span["start_ms"] * rate_hz // 1_000 : span["end_ms"] * rate_hz // 1_000] = True
            begin_ms, end_ms = max(0, span["start_ms"] - 130), span["end_ms"] + 300
            near[begin_ms * rate_hz // 1_000 : end_ms * rate_hz // 1_000] = True
        assert 0 < masked.mean() < 0.9
        assert not heard[masked].any()
        if stored.startswith(b"OggS"):  # packets exchanged: docs/adr/0008
            assert np.abs(heard - said)[~near].max(initial=0) < 32_768 * 10 ** (-36 / 20)
        else:
            assert np.array_equal(heard[~masked], said[~masked])
        assert told.masked["audio"]
        for true in told.masked["audio"]:
            frames = slice(true.start_ms * rate_hz // 1_000, true.end_ms * rate_hz // 1_000)
            assert masked[frames].all()
            assert said[frames].any()


@pytest.mark.promise("P2")
def test_what_is_read_is_masked_too(
    platform_up: Up, carded: list[tuple[Delivery, Foretold]], tmp_path: Path
) -> None:
    for _, told in carded:
        artifact = _artifact(platform_up, told, "transcript")
        done = _export(platform_up, "trainer", artifact["id"], tmp_path / told.id)
        assert done.returncode == 0, done.stderr
        text = json.dumps(json.loads((tmp_path / told.id).read_bytes()), ensure_ascii=False)
        said = values(SEEDS["life"][0], int(told.id.rpartition("-")[2]))
        assert said.word in text
        digits = re.sub(r"\D", "", " ".join(re.findall(r'"text": "([^"]*)"', text)))
        if told.kind == "card":
            assert said.card not in digits and said.card[-4:] not in digits


@pytest.mark.promise("P4")
@pytest.mark.parametrize("part", ["audio", "transcript"])
def test_ops_hears_nothing_and_the_attempt_is_in_the_register(
    platform_up: Up, carded: list[tuple[Delivery, Foretold]], tmp_path: Path, part: str
) -> None:
    artifact = _artifact(platform_up, carded[0][1], part)["id"]
    done = _export(platform_up, "ops", artifact, tmp_path / "a")
    assert (done.returncode, list(tmp_path.iterdir())) == (4, [])
    entry = entries_about(platform_up, artifact)[-1]
    assert (entry["kind"], entry["actor"], entry["code"]) == (
        "listen:artifact:denied",
        "ops",
        "not_a_listener",
    )
