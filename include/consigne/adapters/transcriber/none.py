"""No transcriber: each delivery brings its own transcript."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from consigne.rules.audio.pcm import Audio
from consigne.rules.errors import Misconfigured
from consigne.rules.recording import Transcript
from consigne.rules.values import Private, Quarantined


class NoTranscriber:
    """What `none:` means."""

    configured: Final = False

    def prepare(self) -> None: ...

    def transcribe(
        self, audio: Private[Audio], language: str, speakers: Sequence[str]
    ) -> Private[Transcript] | Quarantined:
        raise Misconfigured("no_transcriber", "CONSIGNE_TRANSCRIBER_URL", "none is configured")
