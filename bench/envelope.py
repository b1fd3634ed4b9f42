"""What the envelope costs, beside what it stands on, in one run: sealing in memory beside AES-GCM itself, and
`safe.put_in` beside a plain minio-py PUT into the same SSE-KMS bucket. Wanted: at least 0.85, at most 1.3."""

from __future__ import annotations

import os
import signal
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from statistics import median

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from consigne.acts import safe
from consigne.adapters.keyring.file import FileKeyring
from consigne.adapters.store.access import configure_store, identities
from consigne.adapters.store.minio import RECORDINGS, MinioStore, connect, open_pool
from consigne.doors.local import minio, ports, processes
from consigne.doors.settings import CHECKOUT, Settings
from consigne.rules.envelope import CHUNK_BYTES, HEADER_BYTES, TAG_BYTES, seal
from consigne.rules.policy.load import load
from consigne.rules.values import ArtifactName, Private

OBJECT_BYTES = 5 << 20
OBJECTS = 200
PAIRS = 60
ROUNDS = 7


def run() -> dict[str, float]:
    """Print both comparisons; returns `seal`, a share of the ceiling's speed, and `put_in`, a multiple of the
    plain PUT's time."""
    ratios = {"seal": bench_seal()}
    with running_store() as settings:
        ratios["put_in"] = bench_put(settings)
    return ratios


def bench_seal() -> float:
    """200 × 5 MiB in memory, seven times, the two taking turns: `seal` with a key of its own each, and
    AES-GCM on a reused buffer."""
    content, name = os.urandom(OBJECT_BYTES), a_name()
    cipher, buffer, view = AESGCM(os.urandom(32)), bytearray(CHUNK_BYTES + TAG_BYTES), memoryview(content)

    def ceiling() -> None:
        for start in range(0, OBJECT_BYTES, CHUNK_BYTES):
            nonce, bound = start.to_bytes(12, "big"), bytes(HEADER_BYTES)
            cipher.encrypt_into(nonce, view[start : start + CHUNK_BYTES], bound, buffer)

    def ours() -> None:
        seal(os.urandom(32), name, content)

    times = [(seconds(ceiling), seconds(ours)) for _ in range(OBJECTS * ROUNDS)]
    for label, column in (("AES-256-GCM, reused buffer", 0), ("envelope.seal", 1)):
        best, middle = (OBJECT_BYTES / pick(pair[column] for pair in times) / 1e6 for pick in (min, median))
        print(f"{label:28} {best:8.0f} MB/s at best, {middle:.0f} in the middle")
    # The quickest of each: the work never varies, and whatever else this machine does only adds time.
    ratio = min(theirs for theirs, _ in times) / min(mine for _, mine in times)
    print(f"{'share of the ceiling':28} {ratio:8.2f}")
    return ratio


def bench_put(settings: Settings) -> float:
    """5 MiB into the SSE-KMS bucket, the two taking turns: `safe.put_in` with a `file:` keyring, minio-py."""
    store = MinioStore(
        settings.store_endpoint, settings.store_region, settings.store_secure, settings.store_credentials
    )
    keyring = FileKeyring(settings.state_dir / "keyring")
    keyring.prepare(first=True)
    keyring.open_epoch("bench")
    plain = connect(
        settings.store_endpoint, settings.store_region, settings.store_secure,
        settings.store_credentials("root"), open_pool(),
    )  # fmt: skip
    content = os.urandom(OBJECT_BYTES)

    def ours() -> None:
        name = a_name()
        safe.put_in(store, keyring, "bench", name, f"training/{name.attempt}", Private(content), os.urandom)

    def theirs() -> None:
        plain.put_object(RECORDINGS, f"training/{uuid.uuid4()}", BytesIO(content), OBJECT_BYTES)

    times = [(seconds(theirs), seconds(ours)) for _ in range(PAIRS + 5)][5:]
    for label, column in (("minio-py put_object", 0), ("safe.put_in", 1)):
        print(f"{label:28} {median(pair[column] for pair in times) * 1000:8.1f} ms")
    ratio = median(mine / theirs for theirs, mine in times)
    print(f"{'times the plain PUT':28} {ratio:8.2f}")
    return ratio


def seconds(act: Callable[[], None]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def a_name() -> ArtifactName:
    return ArtifactName(uuid.uuid4(), uuid.uuid4(), "training")


@contextmanager
def running_store() -> Iterator[Settings]:
    """A MinIO of its own in a temporary state folder, made as `up` and `apply` make it."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.make(Path(folder) / "state")
        port, held = ports.hold(19000)
        settings = settings.remember(store_port=port, store_program=str(minio.find(print)))
        process = processes.start(minio.command(settings), signal.SIGTERM)
        try:
            while not minio.answers(settings):
                time.sleep(0.1)
            policy = load((CHECKOUT / "config/policy.yaml").read_text(encoding="utf-8")).policy
            configure_store(
                settings.store_endpoint, settings.store_region, settings.store_secure,
                settings.store_credentials("root"), policy,
                {identity: settings.store_credentials(identity) for identity in identities(policy)},
            )  # fmt: skip
            yield settings
        finally:
            process.terminate()
            process.wait(30)
            held.close()


if __name__ == "__main__":
    run()
