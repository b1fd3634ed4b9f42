"""How it bears scale, in three parts: `catalog` (a hundred thousand artifacts and ten million), `flood` (fifty thousand
deliveries at once), `workers` (1, 2 and 4 of them). `./consigne bench scale flood` runs one; without a name, all."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

PARTS = ("catalog", "workers", "flood")


def main(asked: list[str]) -> None:
    for part in asked or PARTS:
        if part not in PARTS:
            sys.exit(f"scale: {' '.join(PARTS)}")
        print(f"\n#### {part}\n", flush=True)
        runpy.run_path(str(Path(__file__).with_name(f"scale_{part}.py")), run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1:])
