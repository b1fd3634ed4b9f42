"""Which transcriber a URL means: a provider is one module and one line here."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Protocol
from urllib.parse import parse_qsl

from consigne.acts.ports import Transcriber
from consigne.adapters.transcriber.none import NoTranscriber
from consigne.adapters.transcriber.whisper import Whisper
from consigne.rules.errors import Misconfigured

SETTING: Final = "CONSIGNE_TRANSCRIBER_URL"
FORM: Final = "none: or whisper:/FOLDER/OF/THE/MODEL?timeout_s=SECONDS"
DEFAULT_TIMEOUT_S: Final = 900
LONGEST_TIMEOUT_S: Final = 3600


class Provider(Transcriber, Protocol):
    """A transcriber that can say whether it is set up."""

    def prepare(self) -> None:
        """Misconfigured where something that it needs is not there."""


def open_transcriber(url: str) -> Provider:
    """The transcriber behind `none:` or `whisper:<folder>[?timeout_s=<1 to 3600>]` (for one recording, 900 by
    default); nothing is looked at yet. Misconfigured for another form, without its value."""
    scheme, _, rest = url.partition(":")
    path, _, query = rest.partition("?")
    if scheme == "none" and not rest:
        return NoTranscriber()
    timeout_s = _timeout_s(query)
    if scheme != "whisper" or not path.startswith("/") or timeout_s is None:
        raise Misconfigured("bad_url", SETTING, FORM)
    return Whisper(Path(path), timeout_s)


def _timeout_s(query: str) -> int | None:
    """None where the query says anything else."""
    asked = dict(parse_qsl(query, keep_blank_values=True)) if query else {"timeout_s": str(DEFAULT_TIMEOUT_S)}
    text = asked.get("timeout_s", "")
    if asked.keys() != {"timeout_s"} or not (text.isascii() and text.isdigit()):
        return None
    return int(text) if 1 <= int(text) <= LONGEST_TIMEOUT_S else None
