"""`python -m fuzz.child TARGET SEED SECONDS COUNT`: feeds one reader until the time or the count is up.

Writes a dot for every input done, so that the parent sees a standstill; what is no `BadInput` ends it with
the input's number. The last line is the peak memory in KiB.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from random import Random

from consigne.rules.errors import BadInput
from consigne.rules.recording import Transcript, Word
from consigne.rules.redaction.profiles import PROFILES
from consigne.rules.redaction.redact import protect
from consigne.rules.redaction.transcript import search
from consigne.rules.sources import native
from consigne.rules.values import Private
from fuzz import inputs

CAP_MS = 4 * 3_600_000
CAP_BYTES = 512 << 20


def audio(draw: Random) -> None:
    """The whole way: read, searched, masked, written, proven."""
    data, suffix = inputs.sound(draw)
    protect(Private(data), suffix, None, "payment", False, CAP_MS)


def transcript(draw: Random) -> None:
    native.read("folder", inputs.delivery(draw), CAP_BYTES)


def numbers(draw: Random) -> None:
    texts = inputs.talk(draw)
    words = tuple(Word(text, at, at + 1, draw.choice("ab")) for at, text in enumerate(texts))
    search(Transcript(words), PROFILES["payment_and_contact"].in_text)


TARGETS = {"audio": audio, "transcript": transcript, "numbers": numbers}


def main(target: str, seed: int, seconds: float, count: int) -> None:
    ends = time.monotonic() + seconds
    number = 0
    while number < count and time.monotonic() < ends:
        try:
            TARGETS[target](Random(f"{seed}/{number}"))
        except BadInput:
            pass
        except BaseException:
            print(f"\nfailed at input {number} of seed {seed}", flush=True)
            raise
        number += 1
        sys.stdout.write(".")
        sys.stdout.flush()
    print(f"\n{number} {peak_kib()}")


def peak_kib() -> int:
    """Of this program alone: what `getrusage` says begins with the parent's."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]))
