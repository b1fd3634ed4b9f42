"""A mail server of forty lines: it takes letters, and answers a command as a test says."""

from __future__ import annotations

import email
import socketserver
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from typing import cast


@dataclass
class PostOffice:
    """`letters` are (recipient, message); `lines` all that was said to it. `says` answers a command (its first word),
    `greeting` or the end of a letter's `data`; an empty answer is silence until the other side gives up."""

    says: Mapping[str, str]
    port: int = 0
    letters: list[tuple[str, EmailMessage]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)


@contextmanager
def post_office(says: Mapping[str, str] | None = None) -> Iterator[PostOffice]:
    office = PostOffice(says or {})

    class Talk(socketserver.StreamRequestHandler):
        to = ""

        def handle(self) -> None:
            self.say("greeting", "220 here")
            while line := self.rfile.readline().decode().rstrip("\r\n"):
                office.lines.append(line)
                word = line.split(" ")[0].upper()
                if word == "RCPT":
                    self.to = line.partition("<")[2].partition(">")[0]
                self.say(word, {"DATA": "354 go on", "QUIT": "221 bye"}.get(word, "250 ok"))
                if word == "DATA":
                    self.take()

        def take(self) -> None:
            content = bytearray()
            while (line := self.rfile.readline()) not in (b".\r\n", b""):
                content += line
            if "data" not in office.says:
                message = email.message_from_bytes(bytes(content), policy=default)
                office.letters.append((self.to, cast(EmailMessage, message)))
            self.say("data", "250 taken")

        def say(self, word: str, usual: str) -> None:
            if answer := office.says.get(word, usual):
                self.wfile.write(f"{answer}\r\n".encode())

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """The other side left in the middle, as the test wanted."""

    with Server(("127.0.0.1", 0), Talk) as server:
        office.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield office
        finally:
            server.shutdown()
