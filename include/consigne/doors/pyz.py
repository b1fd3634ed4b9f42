"""`consigne-verify.pyz`: the evidence package in one file, for a stranger with Python and `cryptography`."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from consigne.rules import evidence

_PACKAGE = "consigne/rules/evidence"
_OLDEST = (1980, 1, 1, 0, 0, 0)  # ZIP knows no earlier date; a fixed one gives the same bytes each time


def build_pyz(target: Path) -> None:
    """Write the archive: the same sources give the same bytes. OSError where it cannot be written."""
    folder = Path(next(iter(evidence.__path__)))
    sources = {f"{_PACKAGE}/{path.name}": path.read_bytes() for path in folder.glob("*.py")}
    sources |= {"consigne/__init__.py": b"", "consigne/rules/__init__.py": b""}
    sources["__main__.py"] = sources.pop(f"{_PACKAGE}/__main__.py")
    with target.open("wb") as file:
        file.write(b"#!/usr/bin/env python3\n")
        with ZipFile(file, "w") as archive:
            for name in sorted(sources):
                entry = ZipInfo(name, _OLDEST)
                entry.compress_type, entry.create_system, entry.external_attr = ZIP_STORED, 3, 0o644 << 16
                archive.writestr(entry, sources[name])
    target.chmod(0o755)
