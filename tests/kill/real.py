"""A world whose every part is real (PostgreSQL, MinIO, key files, a folder), and children that work in it."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Engine

from acts.world import World
from consigne.acts.draw import keep_months
from consigne.acts.journey import Platform
from consigne.adapters.catalog.open import Catalog
from consigne.adapters.catalog.session import open_engine
from consigne.adapters.catalog.tables import register
from consigne.adapters.catalog.tables_people import draw_months
from consigne.adapters.intake.folder import FolderIntake
from consigne.adapters.keyring.file import FileKeyring
from consigne.adapters.store.minio import MinioStore
from contract.memory import MemoryIntake
from contract.servers import REGION, Server

from .crashing import Fuse, crashing


@dataclass(slots=True)
class Calls(Fuse):
    """Tells of each changing call before it is made, instead of dying."""

    tell: Callable[[str], None] = print

    def burn(self, place: str) -> None:
        self.tell(place)


@dataclass(frozen=True, slots=True)
class Real:
    """The same calls as a world in memory holds, about to be carried by real parts."""

    like: World
    engine: Engine
    minio: Server
    folder: Path

    def prepare(self) -> Real:
        """Keys, the months' secrets under them, and the intake's files."""
        FileKeyring(self.folder / "keys").prepare(first=True)
        (self.folder / "intake").mkdir()
        with self.engine.begin() as tx:  # what the world in memory committed under keys of its own
            tx.execute(draw_months.delete())
            tx.execute(register.delete())
        keep_months(self.platform(self.engine))
        return self

    def deliver(self, intake: MemoryIntake) -> None:
        """Write what waits there as files."""
        for stem, (audio, text, _) in intake._held.items():
            (self.folder / "intake" / f"{stem}.wav").write_bytes(audio or b"")
            (self.folder / "intake" / f"{stem}.json").write_bytes(text or b"")

    def platform(self, engine: Engine) -> Platform:
        """Parts opened for one process."""
        keyring = FileKeyring(self.folder / "keys")
        return replace(
            self.like.platform,
            catalog=Catalog(engine, os.urandom),
            store=MinioStore(self.minio.endpoint, REGION, False, self.minio.credentials),
            keyring=keyring,
            intake=FolderIntake(
                self.folder / "intake", lambda stem: keyring.mac("tombstone", stem).digest, settle_s=0
            ),
        )

    def world(self) -> World:
        """As the parent looks at it."""
        nothing = cast(Any, None)
        return replace(
            self.like, platform=self.platform(self.engine), engine=self.engine, store=nothing, keyring=nothing,
            intake=nothing,
        )  # fmt: skip

    def child(self, act: Callable[[Platform], object], tell: Callable[[str], None]) -> int:
        """A process of its own at work; `tell` is called in it before each changing call. Returns its id."""
        pid = os.fork()
        if pid:
            return pid
        try:
            url = self.engine.url.render_as_string(hide_password=False)
            act(crashing(self.platform(open_engine(url)), Calls(0, tell=tell)))
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
