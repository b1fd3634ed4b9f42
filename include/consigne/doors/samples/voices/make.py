"""Speaks the vocabulary with espeak-ng and writes `<language>-<speaker>.flac` and `pieces.csv` beside this file.

Needed only when the script changes: python -m consigne.doors.samples.voices.make (Debian package espeak-ng).
"""

from __future__ import annotations

import csv
import io
import subprocess
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from consigne.doors.samples.script import vocabulary

RATE_HZ = 8_000
VOICES = {
    ("fr", "agent"): "fr-fr+f2",
    ("fr", "caller"): "fr-fr+m3",
    ("en", "agent"): "en-gb+f2",
    ("en", "caller"): "en-us+m3",
}


def speak(voice: str, word: str) -> NDArray[np.float64]:
    """One word at 8 kHz, silence trimmed, its peak at half of full scale."""
    command = ["espeak-ng", "-v", voice, "-s", "230", "--stdout", word]
    wav = subprocess.run(command, capture_output=True, check=True).stdout
    sound, rate_hz = soundfile.read(io.BytesIO(wav))
    loud = np.flatnonzero(np.abs(sound) > 0.02 * np.abs(sound).max())
    sound = sound[loud[0] : loud[-1] + 1]
    # Band-limited resampling: keep the spectrum below the new half rate.
    frames = round(len(sound) * RATE_HZ / rate_hz)
    sound = np.fft.irfft(np.fft.rfft(sound)[: frames // 2 + 1], frames)
    return np.asarray(0.5 * sound / np.abs(sound).max())


def main() -> None:
    """Write all voices."""
    folder = Path(__file__).parent
    rows: list[tuple[str, str, str, str, int, int]] = []
    for (language, speaker), voice in VOICES.items():
        name, at, spoken = f"{language}-{speaker}.flac", 0, []
        for word in vocabulary(language, speaker):
            piece = speak(voice, word)
            rows.append((language, speaker, word, name, at, at + len(piece)))
            spoken.append(piece)
            at += len(piece)
        # Ten bits are enough for a telephone, and FLAC stores only those.
        whole = (np.round(np.concatenate(spoken) * 512).astype(np.int16) * 64).astype(np.int16)
        soundfile.write(folder / name, whole, RATE_HZ, format="FLAC", subtype="PCM_16")
    with (folder / "pieces.csv").open("w", encoding="utf-8", newline="") as table:
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(("language", "speaker", "text", "file", "start_frame", "end_frame"))
        writer.writerows(rows)


if __name__ == "__main__":
    main()
