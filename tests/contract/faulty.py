"""A proxy on loopback that stands between Consigne and MinIO and does, by a seeded draw, what networks and servers do."""

from __future__ import annotations

import http.client
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from threading import Lock, Thread
from urllib.parse import parse_qs, urlsplit

from .servers import Server

Answer = tuple[int, list[tuple[str, str]], bytes]
DELAY_S = 0.02
_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive"}
_REFUSAL = '<?xml version="1.0"?><Error><Code>{}</Code><Message>refused by the proxy</Message></Error>'
_NOTHING = (
    '<?xml version="1.0"?><ListVersionsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    "<Name>recordings</Name><IsTruncated>false</IsTruncated></ListVersionsResult>"
)


KINDS = (
    "delayed", "reset before", "cut short", "refused 500", "refused 503", "carried out, 500", "carried out, lost",
    "lagging: what it was", "lagging: nothing yet",
)  # fmt: skip


@dataclass(slots=True)
class Faults:
    """What befalls the requests: about one in `every` meets the next of `left` that fits it, until none is left."""

    draw: Random
    every: int
    left: list[str] = field(default_factory=list)
    seen: dict[str, Answer] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def plan(self, *kinds: str) -> None:
        """These are still to come, in an order that is drawn."""
        self.left += self.draw.sample(kinds, len(kinds))

    def next(self, method: str, path: str) -> str | None:
        with self.lock:
            if self.draw.randrange(self.every):
                return None
            kind = next((kind for kind in self.left if self._fits(kind, method, path)), None)
            if kind:
                self.left.remove(kind)
            return kind

    def _fits(self, kind: str, method: str, path: str) -> bool:
        if kind == "lagging: what it was":
            return path in self.seen
        return is_listing(method, path) or not kind.startswith("lagging")


def is_listing(method: str, path: str) -> bool:
    """A listing of versions in `recordings`."""
    asked = urlsplit(path)
    listed = "versions" in parse_qs(asked.query, keep_blank_values=True)
    return method == "GET" and asked.path.strip("/") == "recordings" and listed


@contextmanager
def faulty(server: Server, faults: Faults) -> Iterator[Server]:
    """The same MinIO, seen through the proxy."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(server.endpoint, faults)) as proxy:
        proxy.daemon_threads = True
        thread = Thread(target=proxy.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield replace(server, endpoint=f"127.0.0.1:{proxy.server_address[1]}")
        finally:
            proxy.shutdown()
            thread.join()


def _handler(upstream: str, faults: Faults) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except OSError:  # the client is gone, or it was we who cut it off
                self.close_connection = True

        def carry(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            kind = faults.next(self.command, self.path)
            if kind == "reset before":
                self.cut()
            elif kind in ("refused 500", "refused 503"):
                self.refuse(int(kind[-3:]))
            elif kind == "lagging: nothing yet":
                self.give((200, [("Content-Type", "application/xml")], _NOTHING.encode()))
            elif kind == "lagging: what it was":
                self.give(faults.seen[self.path])
            else:
                if kind == "delayed":
                    time.sleep(DELAY_S)
                answer = self.ask(body)
                if is_listing(self.command, self.path):
                    faults.seen[self.path] = answer
                if kind == "carried out, 500":
                    self.refuse(500)
                elif kind == "carried out, lost":
                    self.cut()
                elif kind == "cut short":
                    self.give(answer, answer[2][: len(answer[2]) // 2])
                    self.cut()
                else:
                    self.give(answer)

        def ask(self, body: bytes) -> Answer:
            """What MinIO says."""
            asked = http.client.HTTPConnection(upstream, timeout=60)
            try:
                asked.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                for name, value in self.headers.items():
                    if name.lower() != "connection":
                        asked.putheader(name, value)
                asked.endheaders(body or None)
                answer = asked.getresponse()
                return answer.status, answer.getheaders(), answer.read()
            finally:
                asked.close()

        def give(self, answer: Answer, part: bytes | None = None) -> None:
            """The answer; with `part`, no more of its body than that."""
            status, headers, body = answer
            told = {name.lower(): value for name, value in headers}
            self.send_response_only(status)
            for name, value in headers:
                if name.lower() not in _HOP:
                    self.send_header(name, value)
            length = told.get("content-length", "0") if self.command == "HEAD" else str(len(body))
            self.send_header("Content-Length", length)
            self.end_headers()
            self.wfile.write(body if part is None else part)

        def refuse(self, status: int) -> None:
            code = "SlowDown" if status == 503 else "InternalError"
            body = b"" if self.command == "HEAD" else _REFUSAL.format(code).encode()
            self.give((status, [("Content-Type", "application/xml")], body))

        def cut(self) -> None:
            """A reset, not an end."""
            self.close_connection = True
            self.wfile.flush()
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

        def log_message(self, format: str, *args: object) -> None:
            pass

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = carry

    return Handler
