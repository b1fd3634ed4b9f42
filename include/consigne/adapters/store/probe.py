"""Proof at start-up that `recordings` encrypts: MinIO starts without a word when its KMS key file is missing."""

from __future__ import annotations

from io import BytesIO
from typing import Final

from minio import MinioAdmin
from minio.credentials.providers import StaticProvider

from consigne.adapters.store.access import default_key
from consigne.adapters.store.minio import ENCRYPTION, KMS, RECORDINGS, connect, open_pool, translated
from consigne.rules.errors import Misconfigured

_NAME: Final = "probe"
_BODY: Final = b"consigne: nothing to hear"


def probe(endpoint: str, region: str, secure: bool, admin: tuple[str, str]) -> None:
    """Put a probe object that asks for no encryption, see it come back whole and as `aws:kms`, and delete it
    by version. Misconfigured('kms_probe_failed') where it does not; Unavailable where nobody answers."""
    pool = open_pool()
    client = connect(endpoint, region, secure, admin, pool)
    server = MinioAdmin(
        endpoint=endpoint, credentials=StaticProvider(*admin), region=region, secure=secure, http_client=pool
    )
    with translated("probe"):
        default_key(server)
        version = client.put_object(RECORDINGS, _NAME, BytesIO(_BODY), len(_BODY)).version_id
        try:
            answer = client.get_object(RECORDINGS, _NAME, version_id=version)
            body, encryption = answer.read(), answer.headers.get(ENCRYPTION)
            answer.release_conn()
        finally:
            client.remove_object(RECORDINGS, _NAME, version)
    if not version:
        raise Misconfigured(
            "kms_probe_failed", RECORDINGS, "the bucket keeps no versions: run `consigne apply`"
        )
    if (body, encryption) != (_BODY, KMS):
        raise Misconfigured(
            "kms_probe_failed", RECORDINGS, "the bucket does not encrypt: run `consigne apply`"
        )
