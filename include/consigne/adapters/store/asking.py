"""Listings of a bucket over a connection of each thread's own, signed here (AWS Signature Version 4).

An expiry asks for two an artifact, and by minio-py and urllib3 most of such a request's time would be theirs.
"""

from __future__ import annotations

import hashlib
import hmac
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Final
from urllib.parse import quote

from minio.time import to_amz_date, utcnow

TIMEOUT_S: Final = 60
_NOTHING: Final = hashlib.sha256().hexdigest()
_SIGNED: Final = "host;x-amz-content-sha256;x-amz-date"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the store said, read whole; `data` is what minio-py's own readers ask for."""

    status: int
    headers: Mapping[str, str]
    data: bytes


@dataclass(frozen=True, slots=True)
class Asker:
    """Asks one server. OSError or HTTPException where it is away."""

    endpoint: str
    region: str
    secure: bool
    _of_thread: threading.local = field(default_factory=threading.local)

    def ask(self, credentials: tuple[str, str], bucket: str, query: Mapping[str, str]) -> Answer:
        """GET on a bucket. Asked a second time where a kept connection was closed meanwhile: it changes nothing."""
        asked = "&".join(f"{quote(name, safe='')}={quote(query[name], safe='')}" for name in sorted(query))
        for last in (False, True):
            connection = self._connection(fresh=last)
            try:
                connection.request(
                    "GET", f"/{bucket}?{asked}", headers=self._sign(credentials, bucket, asked)
                )
                answer: HTTPResponse = connection.getresponse()
                return Answer(answer.status, dict(answer.getheaders()), answer.read())
            except (OSError, HTTPException):
                connection.close()
                if last:
                    raise
        raise AssertionError

    def _connection(self, fresh: bool) -> HTTPConnection:
        known: HTTPConnection | None = getattr(self._of_thread, "connection", None)
        if known is None or fresh:
            if self.secure:
                context = ssl.create_default_context()
                known = HTTPSConnection(self.endpoint, timeout=TIMEOUT_S, context=context)
            else:
                known = HTTPConnection(self.endpoint, timeout=TIMEOUT_S)
            self._of_thread.connection = known
        return known

    def _sign(self, credentials: tuple[str, str], bucket: str, asked: str) -> dict[str, str]:
        access_key, secret_key = credentials
        at = to_amz_date(utcnow())
        scope = f"{at[:8]}/{self.region}/s3/aws4_request"
        sent = f"host:{self.endpoint}\nx-amz-content-sha256:{_NOTHING}\nx-amz-date:{at}\n"
        request = f"GET\n/{bucket}\n{asked}\n{sent}\n{_SIGNED}\n{_NOTHING}"
        key = f"AWS4{secret_key}".encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        text = f"AWS4-HMAC-SHA256\n{at}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
        signature = hmac.digest(key, text.encode(), "sha256").hex()
        return {
            "Host": self.endpoint,
            "x-amz-content-sha256": _NOTHING,
            "x-amz-date": at,
            "Authorization": f"AWS4-HMAC-SHA256 Credential={access_key}/{scope}, SignedHeaders={_SIGNED}, Signature={signature}",
        }
