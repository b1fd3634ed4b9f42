"""Pictures of pages: for the docs where `CONSIGNE_SCREENSHOTS` names a folder, else none."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from playwright.sync_api import Page

FOLDER = "CONSIGNE_SCREENSHOTS"
TALLEST_PX = 1500
_FEW_COLOURS = "split[a][b];[a]palettegen=max_colors=48[p];[b][p]paletteuse=dither=none"


def shot(page: Page, name: str) -> None:
    """`<name>.png` of the page as it stands, from its top, in that folder; in few colours where ffmpeg is at hand."""
    if folder := os.environ.get(FOLDER):
        made = Path(folder) / f"{name}.png"
        width, height = page.evaluate(
            "[document.documentElement.clientWidth, document.documentElement.scrollHeight]"
        )
        clip = {"x": 0, "y": 0, "width": width, "height": min(height, TALLEST_PX)}
        page.evaluate("scrollTo(0, 0)")
        page.screenshot(path=made, full_page=True, clip=clip, scale="css", animations="disabled")  # type: ignore[arg-type]
        _shrink(made)


def _shrink(made: Path) -> None:
    if ffmpeg := shutil.which("ffmpeg"):
        smaller = made.with_suffix(".small.png")
        args = [ffmpeg, "-v", "error", "-y", "-i", made, "-vf", _FEW_COLOURS, "-frames:v", "1", smaller]
        subprocess.run(args, check=True)
        smaller.replace(made)
